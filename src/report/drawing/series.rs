//! Points, bands, bars, boxes and lines in a frame.

use super::palette::Look;
use super::scale::Scale;
use super::view::{Course, Five, Group, Line, Marker, Thread, View};
use super::{Frame, path, px};
use maud::{Markup, html};

/// More points than this are small and faint.
const MANY: usize = 60;

/// Everything that a view without cells shows.
pub(super) fn draw(view: &View, frame: Frame) -> Markup {
    let scales = (&view.x.scale, &view.y.scale);
    html! {
        @for line in &view.lines { (straight(line, scales, frame)) }
        @for thread in &view.threads { (single(thread, scales, frame)) }
        @for group in view.groups.iter().filter(|group| group.band) { (band(group, scales, frame)) }
        @for group in &view.groups { (series(group, scales, frame)) }
        @for five in &view.boxes { (quantiles(five, scales, frame)) }
    }
}

/// Opens an element of this look: its colour as attributes, and as a class for the page's style.
macro_rules! coloured {
    ($class:expr, $look:expr, $name:expr, $body:expr) => {
        html! { g class=(format!("{} c{}", $class, $look.colour)) data-name=($name) fill=($look.paint()) stroke=($look.paint()) { ($body) } }
    };
}

fn band(group: &Group, scales: (&Scale, &Scale), frame: Frame) -> Markup {
    let end = |end: usize| group.points.iter().filter_map(move |at| Some((at.x, at.interval?[end])));
    let outline: Vec<(f64, f64)> = end(0).chain(end(1).collect::<Vec<_>>().into_iter().rev()).collect();
    let outline = path(outline.into_iter().map(|value| frame.at(scales, value)));
    html! { @if !outline.is_empty() {
        (coloured!("band", group.look, group.name, html! { path fill-opacity="0.16" stroke="none" d=(outline + "Z") {} }))
    } }
}

fn series(group: &Group, scales: (&Scale, &Scale), frame: Frame) -> Markup {
    let places: Vec<(f64, f64)> = group.points.iter().map(|at| frame.at(scales, (at.x, at.y))).collect();
    let line = if group.line { path(places.iter().copied()) } else { String::new() };
    let width = if group.marker == Marker::Dot { "0.8" } else { "1.6" };
    let bars: String = match group.band {
        true => String::new(),
        false => group
            .points
            .iter()
            .filter_map(|at| Some((at.x, at.interval?)))
            .map(|(x, interval)| path(interval.map(|y| frame.at(scales, (x, y)))))
            .collect(),
    };
    let many = group.points.len() > MANY;
    let (radius, opacity) = match group.marker {
        Marker::Dot => (1.0, 0.8),
        _ if many => (2.0, 0.6),
        Marker::Open => (3.4, 1.0),
        Marker::Filled => (2.8, 1.0),
    };
    let outline = group.look.outline(radius);
    let body = html! {
        @if !line.is_empty() { path fill="none" stroke-width=(width) stroke-dasharray=[dashes(group)] d=(line) {} }
        @if !bars.is_empty() { path fill="none" stroke-width="1.2" d=(bars) {} }
        g class=(if group.marker == Marker::Open { "marks open" } else { "marks" }) fill=[(group.marker == Marker::Open).then_some("#ffffff")] stroke=[(group.marker != Marker::Open).then_some("none")] stroke-width="1.3" fill-opacity=(opacity) {
            @for (x, y) in places { path d=(format!("M{} {}{outline}", px(x), px(y))) {} }
        }
    };
    coloured!("series", group.look, group.name, body)
}

fn dashes(group: &Group) -> Option<&'static str> {
    Some(group.look.dash()).filter(|dash| !dash.is_empty() && group.marker != Marker::Dot)
}

/// A limit, fit or reference, within the frame.
fn straight(line: &Line, scales: (&Scale, &Scale), frame: Frame) -> Markup {
    let course = match &line.course {
        Course::Upright(x) if scales.0.holds(*x) => {
            path([0.0, 1.0].map(|end| (frame.x(scales.0.place(*x)), frame.y(end))))
        }
        Course::Level(y) if scales.1.holds(*y) => {
            path([0.0, 1.0].map(|end| (frame.x(end), frame.y(scales.1.place(*y)))))
        }
        Course::Through(points) => within(points, scales, frame),
        _ => String::new(),
    };
    let dash = Some(line.look.dash()).filter(|dash| !dash.is_empty());
    html! { @if !course.is_empty() {
        (coloured!("limit", line.look, line.name, html! { path fill="none" stroke-width="1.2" stroke-dasharray=[dash] d=(course) {} }))
    } }
}

/// An expert of a single run.
fn single(thread: &Thread, scales: (&Scale, &Scale), frame: Frame) -> Markup {
    let course = within(&thread.points, scales, frame);
    coloured!(
        "thread",
        thread.look,
        "",
        html! { path fill="none" stroke-width="0.6" stroke-opacity="0.45" d=(course) {} }
    )
}

/// The parts of a line through points that lie in the frame.
fn within(points: &[(f64, f64)], (x, y): (&Scale, &Scale), frame: Frame) -> String {
    let places: Vec<(f64, f64)> = points.iter().map(|point| (x.share(point.0), y.share(point.1))).collect();
    let mut text = String::new();
    let mut last = None;
    for pair in places.windows(2) {
        let Some([from, to]) = clipped(pair[0], pair[1]) else { continue };
        let ends = [from, to].map(|(x, y)| (frame.x(x), frame.y(y)));
        if last == Some(from) {
            text += &format!("L{} {}", px(ends[1].0), px(ends[1].1));
        } else {
            text += &path(ends);
        }
        last = Some(to);
    }
    text
}

/// The part of a segment in the unit square (Liang and Barsky 1984).
fn clipped(from: (f64, f64), to: (f64, f64)) -> Option<[(f64, f64); 2]> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut begin, mut end) = (0.0_f64, 1.0_f64);
    for (step, room) in [(-dx, from.0), (dx, 1.0 - from.0), (-dy, from.1), (dy, 1.0 - from.1)] {
        if !step.is_finite() || !room.is_finite() || (step == 0.0 && room < 0.0) {
            return None;
        }
        if step < 0.0 {
            begin = begin.max(room / step);
        } else if step > 0.0 {
            end = end.min(room / step);
        }
    }
    let at = |part: f64| if part == 1.0 { to } else { (from.0 + part * dx, from.1 + part * dy) };
    (begin <= end).then(|| [at(begin), at(end)])
}

/// A box with whiskers, and the strip of values beside it.
fn quantiles(five: &Five, scales: (&Scale, &Scale), frame: Frame) -> Markup {
    let at = |x: f64, y: f64| frame.at(scales, (five.x + x, y));
    let [low, first, middle, third, high] = five.levels;
    let whiskers = [(low, first), (third, high)].map(|(from, to)| path([at(-0.24, from), at(-0.24, to)])).concat();
    let caps = [low, high].map(|end| path([at(-0.3, end), at(-0.18, end)])).concat();
    let outline = path([at(-0.36, first), at(-0.12, first), at(-0.12, third), at(-0.36, third)]) + "Z";
    let outlines = Look::outline(five.look, 1.6);
    // Multiples of the golden ratio spread the values evenly, without random numbers.
    let spread = |index: usize| -0.04 + 0.42 * (index as f64 * 0.618_033_988_749_895).fract();
    let body = html! {
        g stroke="none" fill-opacity="0.55" {
            @for (index, value) in five.strip.iter().enumerate() {
                @let (x, y) = at(spread(index), *value);
                path d=(format!("M{} {}{outlines}", px(x), px(y))) {}
            }
        }
        g.marks.boxes { path fill-opacity="0.16" stroke-width="1.3" d=(outline) {} }
        path fill="none" stroke-width="1.3" d=(whiskers + &caps) {}
        path fill="none" stroke-width="2.6" d=(path([at(-0.36, middle), at(-0.12, middle)])) {}
    };
    coloured!("series", five.look, five.name, body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::drawing::view::At;

    const FRAME: Frame = Frame { left: 0.0, top: 0.0, right: 100.0, bottom: 100.0 };

    #[test]
    fn marks_lie_where_their_values_are() {
        let points = [(0.0, 0.0), (0.5, 0.25), (1.0, 1.0)];
        let points = points.map(|(x, y)| At { x, y, interval: Some([y - 0.1, y + 0.1]), text: None }).to_vec();
        let group = Group { name: "a<b".into(), line: true, points, ..Group::default() };
        let (x, y) = (Scale::linear(0.0, 1.0), Scale::linear(0.0, 1.0));
        let text = series(&group, (&x, &y), FRAME).into_string();
        assert!(text.contains("d=\"M0 100L50 75L100 0\""), "{text}");
        assert!(text.contains("M50 75m") && text.contains("M50 85L50 65"), "{text}");
        // An interval never leaves the frame, a name never the attribute.
        assert!(text.contains("M0 100L0 90") && text.contains("data-name=\"a&lt;b\""), "{text}");
    }

    #[test]
    fn lines_end_at_the_frame() {
        let (x, y) = (Scale::linear(0.0, 1.0), Scale::linear(0.0, 1.0));
        let through = |points: &[(f64, f64)]| within(points, (&x, &y), FRAME);
        assert_eq!(through(&[(-1.0, 0.5), (2.0, 0.5)]), "M0 50L100 50");
        assert_eq!(through(&[(0.0, -1.0), (0.5, 0.5), (1.0, 0.5)]), "M33.3 100L50 50L100 50");
        assert_eq!(through(&[(0.0, 2.0), (1.0, 3.0)]), "");
        assert_eq!(through(&[(0.0, f64::NAN), (1.0, 3.0)]), "");
    }
}
