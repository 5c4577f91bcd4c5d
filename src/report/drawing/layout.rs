//! Title, axes, legend and notes around a frame: a whole drawing.

use super::palette::Look;
use super::scale::Scale;
use super::view::{Group, Marker, View};
use super::{Frame, MILLIMETRES, WIDE, WIDTH, heat, path, px, series};
use crate::report::numbers::tied;
use maud::{Markup, html};

/// The font where the page names none, and what stands in where it is missing.
const FONT: &str = "DejaVu Sans, Verdana, Helvetica, sans-serif";
/// Colours of letters and axes.
const INK: &str = "#1c1c1e";
const SOFT: &str = "#5b5b60";
const LINE: &str = "#dcdce0";

/// Room for labels of rows that every drawing has.
const SIDE: f64 = 70.0;

/// Height of the frame if it holds no cells.
const HEIGHT: f64 = 168.0;
/// Height of a row of cells: least, and of all together most.
const ROW: [f64; 2] = [15.0, 30.0];
const TALLEST: f64 = 560.0;
/// From one line of text to the next.
const STEP: f64 = 14.0;
/// Units of a letter, about, at 10.5 units.
const LETTER: f64 = 5.9;
/// Units of a sign in the legend.
const SIGN: f64 = 26.0;

/// A view as a whole SVG, of the same bytes wherever it stands.
pub(in crate::report) fn draw(view: &View) -> String {
    let columns = view.heat.as_ref().map_or(1, |heat| heat.xs.len());
    let left = margin(&view.y.scale);
    let narrow = heat::is_lettered(columns, WIDTH - left - 10.0) || view.heat.is_none();
    // Long labels of rows take no room from the cells.
    let width = if narrow { WIDTH + (left - SIDE).max(0.0) } else { WIDE };
    let title = wrapped(&view.title, width, 6.9);
    let of = wrapped(&view.of, width, LETTER);
    let top =
        8.0 + 15.0 * title.len() as f64 + STEP * of.len() as f64 + if view.y.label.is_empty() { 4.0 } else { 18.0 };
    let height = match &view.heat {
        None => HEIGHT,
        Some(heat) => {
            let rows = heat.ys.len().max(1) as f64;
            (rows * (2.0 * HEIGHT / rows).clamp(ROW[0], ROW[1])).min(TALLEST.max(ROW[0] * rows))
        }
    };
    let frame = Frame { left, top, right: width - if view.heat.is_some() { 22.0 } else { 10.0 }, bottom: top + height };
    let lines = view.x.scale.ticks.iter().map(|(_, label)| label.lines().count()).max().unwrap_or(0);
    let foot = frame.bottom + 8.0 + 13.0 * lines as f64 + if view.x.label.is_empty() { 6.0 } else { 22.0 };
    let (key, after) = match &view.heat {
        Some(heat) => {
            let (drawn, high) = heat::key(heat, 8.0, foot);
            (drawn, foot + high)
        }
        None => legend(view, foot, width),
    };
    let notes: Vec<String> = view.notes.iter().flat_map(|note| wrapped(note, width, 5.4)).collect();
    let total = after + 13.0 * notes.len() as f64 + 4.0;
    let drawn = html! {
        svg.drawing.wide[width > WIDTH] xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {} {}", px(width), px(total)))
            width=(millimetres(width)) height=(millimetres(total)) role="img" aria-label=(spoken(view)) font-family=(FONT) font-size="10.5" {
            g.ink fill=(INK) stroke="none" {
                @for (place, line) in title.iter().enumerate() {
                    text.title x="8" y=(px(14.0 + 15.0 * place as f64)) font-size="12" font-weight="bold" { (line) }
                }
                @for (place, line) in of.iter().enumerate() {
                    text.of x="8" y=(px(13.0 + 15.0 * title.len() as f64 + STEP * place as f64)) { (line) }
                }
                text x="8" y=(px(frame.top - 7.0)) { (view.y.label) }
                text x=(px(frame.x(0.5))) y=(px(foot - 14.0)) text-anchor="middle" { (view.x.label) }
            }
            (axes(view, frame))
            @match &view.heat {
                Some(heat) => (heat::draw(heat, (&view.x.scale, &view.y.scale), frame)),
                None => (series::draw(view, frame)),
            }
            g.ink fill=(INK) stroke="none" { (key) }
            g.soft fill=(SOFT) stroke="none" font-size="9.5" {
                @for (place, line) in notes.iter().enumerate() { text x="8" y=(px(after + 13.0 * place as f64 + 6.0)) { (line) } }
            }
        }
    };
    drawn.into_string()
}

fn millimetres(units: f64) -> String {
    format!("{}mm", (units * MILLIMETRES * 100.0).round() / 100.0)
}

/// What a reader hears who sees no drawing.
fn spoken(view: &View) -> String {
    let of = if view.of.is_empty() { String::new() } else { format!("{}: ", view.of) };
    format!("{of}{}. {} against {}.", view.title, view.y.label, view.x.label)
}

/// Text in lines that fit a drawing, at so many units a letter.
fn wrapped(text: &str, width: f64, letter: f64) -> Vec<String> {
    let most = ((width - 16.0) / letter) as usize;
    let text = tied(text);
    let lines = textwrap::wrap(&text, textwrap::Options::new(most).break_words(true));
    lines.into_iter().map(|line| line.into_owned()).filter(|line| !line.is_empty()).collect()
}

/// Room for the labels of the ordinate.
fn margin(scale: &Scale) -> f64 {
    let longest = scale.ticks.iter().map(|(_, label)| label.chars().count()).max().unwrap_or(0);
    (LETTER * longest as f64 + 14.0).clamp(30.0, 190.0)
}

/// Frame, grid, ticks and their labels.
fn axes(view: &View, frame: Frame) -> Markup {
    let cells = view.heat.is_some();
    let x = |value: f64| frame.x(view.x.scale.place(value));
    let y = |value: f64| frame.y(view.y.scale.place(value));
    let grid: String = match cells {
        true => String::new(),
        false => view
            .y
            .scale
            .ticks
            .iter()
            .map(|(value, _)| path([(frame.left, y(*value)), (frame.right, y(*value))]))
            .collect(),
    };
    let marks: String = view
        .x
        .scale
        .ticks
        .iter()
        .map(|(value, _)| path([(x(*value), frame.bottom), (x(*value), frame.bottom + 4.0)]))
        .collect();
    let outline = path([(frame.left, frame.top), (frame.left, frame.bottom), (frame.right, frame.bottom)]);
    html! {
        path.grid fill="none" stroke=(LINE) stroke-width="0.8" d=(grid) {}
        path.axis fill="none" stroke=(SOFT) stroke-width="0.9" d=(outline + &marks) {}
        g.ink fill=(INK) stroke="none" {
            g text-anchor="end" { @for (value, label) in &view.y.scale.ticks {
                text x=(px(frame.left - 5.0)) y=(px(y(*value) + 3.6)) { (label) }
            } }
            g text-anchor="middle" { @for (value, label) in &view.x.scale.ticks { @for (line, text) in label.lines().enumerate() {
                text x=(px(x(*value))) y=(px(frame.bottom + 15.0 + 13.0 * line as f64)) { (text) }
            } } }
        }
    }
}

/// An entry of the legend.
struct Entry<'a> {
    sign: Markup,
    name: &'a str,
    words: String,
}

/// The legend, which flows from left to right, and where it ends.
fn legend(view: &View, top: f64, width: f64) -> (Markup, f64) {
    let named = |group: &Group| group.legend.clone().unwrap_or_else(|| group.name.clone());
    let groups = view.groups.iter().filter(|group| !named(group).is_empty()).map(|group| Entry {
        sign: sign_of(group),
        name: &group.name,
        words: format!("{}  {}", named(group), group.note).trim_end().to_owned(),
    });
    let lines = view.lines.iter().filter(|line| !line.name.is_empty());
    let lines = lines.map(|line| Entry { sign: stroke(line.look, "1.2"), name: &line.name, words: line.name.clone() });
    let (mut x, mut y) = (8.0, top);
    let mut placed = Vec::new();
    for entry in groups.chain(lines) {
        let words = wrapped(&entry.words, width - SIGN - 6.0, LETTER);
        let longest = words.iter().map(|line| line.chars().count()).max().unwrap_or(0);
        let needed = SIGN + 6.0 + LETTER * longest as f64;
        if x > 8.0 && (x + needed > width - 4.0 || words.len() > 1) {
            (x, y) = (8.0, y + STEP);
        }
        let more = STEP * words.len().saturating_sub(1) as f64;
        placed.push((x, y, words, entry));
        (x, y) = if more > 0.0 { (8.0, y + more + STEP) } else { (x + needed + 10.0, y) };
    }
    let end = if placed.is_empty() { top } else { y + if x > 8.0 { STEP } else { 0.0 } };
    let drawn = html! {
        @for (x, y, words, entry) in placed {
            g.entry data-name=(entry.name) transform=(format!("translate({} {})", px(x), px(y))) {
                (entry.sign)
                @for (line, text) in words.iter().enumerate() { text x=(px(SIGN + 4.0)) y=(px(4.0 + STEP * line as f64)) { (text) } }
            }
        }
    };
    (drawn, end + 4.0)
}

fn stroke(look: Look, width: &str) -> Markup {
    let dash = Some(look.dash()).filter(|dash| !dash.is_empty());
    html! { g class=(format!("c{}", look.colour)) stroke=(look.paint()) { path fill="none" stroke-width=(width) stroke-dasharray=[dash] d=(path([(0.0, 0.0), (SIGN, 0.0)])) {} } }
}

fn sign_of(group: &Group) -> Markup {
    let open = group.marker == Marker::Open;
    html! {
        @if group.line { (stroke(group.look, "1.6")) }
        g class=(format!("c{}", group.look.colour)) stroke=(group.look.paint()) fill=(group.look.paint()) {
            path class=[open.then_some("open")] fill=[open.then_some("#ffffff")] stroke-width="1.3" d=(format!("M{} 0{}", px(SIGN / 2.0), group.look.outline(3.0))) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::drawing::view::{At, Axis, Cell, Heat, Line};

    fn view() -> View {
        let points = vec![At { x: 0.0, y: 0.5, interval: Some([0.4, 0.6]), text: None }, At::default()];
        let group = Group { name: "a<b & c".into(), line: true, points, ..Group::default() };
        let line = Line { name: "level".into(), course: super::super::view::Course::Level(0.5), ..Line::default() };
        let axis = |label: &str| Axis::new(label, Scale::linear(0.0, 1.0));
        View {
            title: "What is seen".into(),
            x: axis("x"),
            y: axis("y"),
            groups: vec![group],
            lines: vec![line],
            ..View::default()
        }
    }

    /// The height in the view box.
    fn height(svg: &str) -> f64 {
        let begin = svg.find("viewBox=\"").expect("a box") + 9;
        svg[begin..].split(['"', ' ']).nth(3).expect("a height").parse().expect("a number")
    }

    #[test]
    fn a_drawing_is_well_formed_and_says_what_it_shows() {
        let svg = draw(&view());
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"), "{svg}");
        assert!(
            svg.contains(">What is seen</text>") && svg.contains("a&lt;b &amp; c") && !svg.contains("a<b"),
            "{svg}"
        );
        assert!(svg.contains("width=\"85mm\"") && svg.contains(">level</text>"), "{svg}");
        assert_eq!(svg.matches("<g").count(), svg.matches("</g>").count());
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
        assert_eq!(svg, draw(&view()));
    }

    #[test]
    fn nothing_is_drawn_below_the_end() {
        let mut view = view();
        view.notes =
            vec!["A note that goes over more than one line, because it is longer than the drawing is wide.".into()];
        view.groups =
            (0..9).map(|number| Group { name: format!("series number {number}"), ..view.groups[0].clone() }).collect();
        let svg = draw(&view);
        let lowest = svg.split(" y=\"").skip(1).filter_map(|text| text.split('"').next()?.parse::<f64>().ok());
        assert!(lowest.fold(0.0, f64::max) < height(&svg), "{svg}");
    }

    #[test]
    fn cells_too_small_for_letters_make_a_wide_drawing_or_have_none() {
        let map = |columns: usize| {
            let cells = (0..columns).map(|x| Cell { place: (x, 0), text: "100".into(), ..Cell::default() }).collect();
            let names: Vec<String> = (0..columns).map(|x| x.to_string()).collect();
            let heat = Heat { ys: vec!["0".into()], xs: names.clone(), cells, ..Heat::default() };
            let x = Axis::new("x", Scale::categories(&names, 20.0, 300.0));
            draw(&View {
                heat: Some(heat),
                x,
                y: Axis::new("", Scale::categories(&["0".into()], 1.0, 9.0)),
                ..View::default()
            })
        };
        let (few, some, many) = (map(5), map(30), map(400));
        assert!(few.contains("width=\"85mm\"") && some.contains("width=\"174.72mm\""), "{some}");
        assert_eq!([few, some, many].map(|svg| svg.matches(">100<").count()), [5, 30, 0]);
    }
}
