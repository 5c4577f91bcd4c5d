//! Views of sweeps over d: changes of routers, and what they consist of, on logarithmic axes; a view a line of points.

use super::names::{file, unique};
use super::series::{At as Measured, Series, Sweep, sweeps};
use crate::measure::Role;
use crate::report::drawing::palette::{GREY, LIMIT, Look};
use crate::report::drawing::scale::Scale;
use crate::report::drawing::view::{At, Axis, Course, Group, Line, Marker, View};
use crate::report::numbers::{minus, raised, sorted_finite};
use crate::report::results::Results;

/// Lines of points that are shown at most, the first ones.
const MAX_LINES: usize = 12;

/// Decades that a chart shows at most, the upper ones.
const MAX_DECADES: f64 = 9.0;

/// Least share of the axis between two labels of d.
const APART: f64 = 0.12;

/// All lines of points, on one scale of sizes.
pub(super) fn views(results: &Results) -> Vec<View> {
    let sweeps = sweeps(&results.scaling, &results.terms, &results.swept_points(), &results.runs.experts);
    let sweeps: Vec<Sweep> = sweeps.into_iter().take(MAX_LINES).collect();
    let Some(sizes) = sizes(&sweeps) else { return Vec::new() };
    let mut views: Vec<View> = Vec::new();
    for sweep in sweeps.iter().filter(|sweep| sweep.series.iter().any(|series| !series.points.is_empty())) {
        let number = if sweep.number > 0 { sweep.number.to_string() } else { String::new() };
        let name = unique(file(&["scaling", &sweep.case, &number]), |name| views.iter().any(|view| view.name == name));
        views.push(View { name, ..view(sweep, &sizes, results) });
    }
    views
}

/// The sizes that the axis holds: sorted, above 0. A root mean square that may well be 0 says little about its size: it
/// does not stretch the axis downwards.
fn sizes(sweeps: &[Sweep]) -> Option<[f64; 2]> {
    let points = || {
        sweeps
            .iter()
            .flat_map(|sweep| &sweep.series)
            .flat_map(|series| series.points.iter().map(move |at| (series.median, at)))
    };
    let sure = points().filter(|(median, at)| *median || at.low > 0.0);
    let mut lows = sorted_finite(sure.flat_map(|(_, at)| [at.low, at.middle]).filter(|size| *size > 0.0));
    if lows.is_empty() {
        lows = sorted_finite(points().map(|(_, at)| at.middle));
    }
    let high = *sorted_finite(points().map(|(_, at)| at.high)).last()?;
    let low = lows.first()?.max(high * libm::pow(10.0, -MAX_DECADES));
    (high > 0.0).then_some([low, high])
}

fn view(sweep: &Sweep, sizes: &[f64; 2], results: &Results) -> View {
    let of =
        [&sweep.case, &sweep.line].iter().map(|s| s.as_str()).filter(|s| !s.is_empty()).collect::<Vec<_>>().join(", ");
    let ds = sorted_finite(sweep.series.iter().flat_map(|series| &series.points).map(|at| at.patterns));
    let mut x = Scale::log(&ds);
    x.ticks.clear();
    for d in ds {
        if x.ticks.last().is_none_or(|(before, _)| x.share(d) - x.share(*before) >= APART) {
            x.ticks.push((d, format!("{d:.0}")));
        }
    }
    let y = Scale::log(sizes);
    let groups: Vec<Group> = sweep.series.iter().map(|series| group(series, &y)).collect();
    let mut lines: Vec<Line> = sweep.series.iter().filter_map(fit).collect();
    lines.extend(reference(sweep));
    lines.extend(threshold(sweep, results));
    let mut notes = Vec::new();
    let part = results.runs.part_drawn().map(|part| format!(" of {part}")).unwrap_or_default();
    if sweep.series.iter().any(|series| series.median) {
        notes.push(format!("Medians{part}; bands: 2.5 % to 97.5 % of runs."));
    }
    if sweep.series.iter().any(|series| !series.median) {
        notes.push("Open: root mean squares; bars: 95 % intervals.".to_owned());
    }
    if sweep.series.iter().any(|series| series.skipped || series.points.iter().any(|at| !y.holds(at.middle))) {
        notes.push("Not shown: values of 0 or less, or off the axis.".to_owned());
    }
    View {
        of,
        title: title(sweep),
        x: Axis::new("number of patterns d", x),
        y: Axis::new("size of the change", y),
        columns: ["quantity", "d", "median or r.m.s.", "low", "high"].map(str::to_owned).to_vec(),
        groups,
        lines,
        notes,
        ..View::default()
    }
}

/// What the changes of irrelevant routers do as d grows.
fn title(sweep: &Sweep) -> String {
    let falling = sweep.series.iter().find(|series| series.name == "max |Δ|").or(sweep.series.first());
    match falling.and_then(|series| Some((series, series.fit.as_ref()?))) {
        Some((series, fit)) => {
            let of = if series.name == "max |Δ|" { "Δ of irrelevant routers" } else { series.name };
            let verb = if fit.high < 0.0 {
                "falls as"
            } else if fit.low > 0.0 {
                "grows as"
            } else {
                "keeps its size:"
            };
            let tail = if fit.tail { " over the last two octaves" } else { "" };
            let exponent = raised(&format!("{:.2}", fit.slope + 0.0));
            minus(&format!("{of} {verb} d{exponent} [{:.2}, {:.2}]{tail}", fit.low + 0.0, fit.high + 0.0))
        }
        None => "Changes of routers against d".to_owned(),
    }
}

/// Irrelevant experts have one colour, whatever is measured of them.
fn look(name: &str) -> Look {
    let irrelevant = Look::of_role(Role::Irrelevant);
    match name {
        "min relevant Δ" => Look::of_role(Role::Relevant),
        "max |Δ|" => irrelevant,
        "max D" => irrelevant.shaped(5),
        "drift" => Look::of_series(0),
        "leakage" => Look::of_series(1),
        _ => Look::of_series(2),
    }
}

fn group(series: &Series, y: &Scale) -> Group {
    let on_axis = |at: &&Measured| y.holds(at.middle);
    let low = y.value(0.0);
    let at =
        |at: &Measured| At { x: at.patterns, y: at.middle, interval: Some([at.low.max(low), at.high]), text: None };
    Group {
        name: if series.median { series.name.to_owned() } else { format!("r.m.s. {}", series.name) },
        note: slope(series),
        look: look(series.name),
        marker: if series.median { Marker::Filled } else { Marker::Open },
        band: series.median,
        points: series.points.iter().filter(on_axis).map(at).collect(),
        ..Group::default()
    }
}

/// The slope of a fit in words, or why there is none.
fn slope(series: &Series) -> String {
    let Some(fit) = &series.fit else {
        return match series.reason.as_str() {
            "" => "no slope".to_owned(),
            "zero" => "no slope: 0 or less".to_owned(),
            reason => format!("no slope: {reason}"),
        };
    };
    let tail = if fit.tail { ", last two octaves" } else { "" };
    // Adding 0 after rounding takes the sign from a zero.
    let [slope, low, high] = [fit.slope, fit.low, fit.high].map(|value| libm::round(value * 100.0) / 100.0 + 0.0);
    minus(&format!("slope {slope:.2} [{low:.2}, {high:.2}]{tail}"))
}

fn fit(series: &Series) -> Option<Line> {
    let fit = series.fit.as_ref()?;
    let at = |d: f64| (d, libm::exp(fit.intercept + fit.slope * libm::log(d)));
    let course = Course::Through(vec![at(fit.span.0), at(fit.span.1)]);
    Some(Line { name: String::new(), look: Look { shape: 0, ..look(series.name) }, course })
}

/// A line of slope −1/2, a little below the first series that is to fall.
fn reference(sweep: &Sweep) -> Option<Line> {
    let falling = sweep.series.iter().find(|series| series.name == "max |Δ|").or(sweep.series.last())?;
    let (first, last) = (falling.points.first()?, falling.points.last()?);
    let at = |d: f64| (d, 0.6 * first.middle * libm::sqrt(first.patterns / d));
    let course = Course::Through(vec![at(first.patterns), at(last.patterns)]);
    Some(Line { name: "1/√d, to compare".to_owned(), look: GREY, course })
}

/// c₁ of claim T1a, if the case has it.
fn threshold(sweep: &Sweep, results: &Results) -> Option<Line> {
    let own = |row: &&crate::record::ClaimRow| row.claim == "T1a" && row.case == sweep.case && row.level.is_some();
    let threshold = results.claims.iter().find(own)?.threshold?;
    Some(Line { name: format!("c₁ = {threshold} of T1a"), look: LIMIT, course: Course::Level(threshold) })
}
