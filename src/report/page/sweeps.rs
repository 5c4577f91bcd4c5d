//! Charts of sweeps: scaling over d, and phase maps.

use super::chart::{Axis, Cell, Chart, Group, Heat, Select, Straight, View, short, shorts};
use crate::record::BoundaryRow;
use crate::report::figures::map::{Map, maps};
use crate::report::figures::names::{axis, hundredths, short as short_text};
use crate::report::figures::series::{Series, Sweep, sweeps};
use crate::report::figures::{heat, ramp};
use crate::report::numbers::significant;
use crate::report::numbers::sorted_finite;
use crate::report::results::Results;

/// Decades that a chart shows at most, the upper ones.
const MAX_DECADES: f64 = 9.0;

/// The look of the line of slope −1/2.
const REFERENCE: usize = 6;

/// Changes of routers over d, on logarithmic axes: a view a line of points.
pub(crate) fn scaling(results: &Results) -> Chart {
    let sweeps = sweeps(&results.scaling, &results.terms, &results.swept_points(), &results.runs.experts);
    let drawn: Vec<(String, View)> =
        sweeps.iter().filter_map(|sweep| Some((name(sweep), scaling_view(sweep)?))).collect();
    let (options, views) = drawn.into_iter().unzip();
    Chart {
        id: "scaling".to_owned(),
        title: "Scaling with d: what falls, and how fast".to_owned(),
        selects: vec![Select { name: "sweep".to_owned(), options }],
        views,
    }
}

fn name(sweep: &Sweep) -> String {
    let parts: Vec<&str> = [&sweep.case, &sweep.line].iter().map(|s| s.as_str()).filter(|s| !s.is_empty()).collect();
    if parts.is_empty() { "all points".to_owned() } else { parts.join(", ") }
}

fn scaling_view(sweep: &Sweep) -> Option<View> {
    let points = || sweep.series.iter().flat_map(|series| series.points.iter().map(move |at| (series.median, at)));
    let highs = sorted_finite(points().map(|(_, at)| at.high));
    let sure = points().filter(|(median, at)| *median || at.low > 0.0);
    let lows = sorted_finite(sure.flat_map(|(_, at)| [at.low, at.middle]).filter(|size| *size > 0.0));
    let high = 1.5 * highs.last()?;
    let low = (lows.first().copied().unwrap_or(high / 100.0) / 1.5).max(high * libm::pow(10.0, -MAX_DECADES));
    let ds = sorted_finite(points().map(|(_, at)| at.patterns));
    let mut ticks = ds.clone();
    ticks.dedup();
    let labels = ticks.iter().map(|d| d.to_string()).collect();
    let groups: Vec<Group> = sweep.series.iter().enumerate().map(|(look, series)| group(look, series, low)).collect();
    let mut lines: Vec<Straight> =
        sweep.series.iter().enumerate().filter_map(|(look, series)| fit(look, series, low)).collect();
    lines.extend(reference(sweep));
    let mut x = Axis::log("number of patterns d", ds.first()? / 1.15, ds.last()? * 1.15);
    (x.ticks, x.labels) = (ticks, labels);
    Some(View {
        x,
        y: Axis::log("size of the change", low, high),
        columns: ["quantity", "d", "median or r.m.s.", "low", "high"].map(str::to_owned).to_vec(),
        groups,
        lines,
        ..View::default()
    })
}

/// A series with the part of its spread that lies on the axis.
fn group(look: usize, series: &Series, low: f64) -> Group {
    let shown: Vec<_> = series.points.iter().filter(|at| at.middle >= low).collect();
    let note = match &series.fit {
        Some(fit) => {
            let tail = if fit.tail { ", last two octaves" } else { "" };
            format!("slope {:.3} [{:.3}, {:.3}]{tail}", fit.slope, fit.low, fit.high)
        }
        None if series.reason.is_empty() => "no slope".to_owned(),
        None => format!("no slope: {}", series.reason),
    };
    Group {
        name: if series.median { series.name.to_owned() } else { format!("r.m.s. {}", series.name) },
        note: note.replace('-', "−"),
        look: place(look),
        parts: if series.median { "bp" } else { "wo" },
        x: shorts(shown.iter().map(|at| at.patterns)),
        y: shorts(shown.iter().map(|at| at.middle)),
        low: shorts(shown.iter().map(|at| at.low.max(low))),
        high: shorts(shown.iter().map(|at| at.high)),
        texts: Vec::new(),
    }
}

/// Looks of series, apart from that of the reference line.
fn place(series: usize) -> usize {
    [0, 1, 3, 4, 5, 2][series % 6]
}

fn fit(look: usize, series: &Series, low: f64) -> Option<Straight> {
    let fit = series.fit.as_ref()?;
    let at = |d: f64| libm::exp(fit.intercept + fit.slope * libm::log(d));
    let (from, to) = fit.span;
    (at(from) >= low || at(to) >= low).then(|| Straight {
        name: String::new(),
        look: place(look),
        x: shorts([from, to]),
        y: shorts([at(from), at(to)]),
    })
}

/// A line of slope −1/2, a little below the first series that is to fall.
fn reference(sweep: &Sweep) -> Option<Straight> {
    let falling = sweep.series.iter().find(|series| series.name == "max |Δ|").or(sweep.series.last())?;
    let (first, last) = (falling.points.first()?, falling.points.last()?);
    let at = |d: f64| 0.6 * first.middle * libm::sqrt(first.patterns / d);
    Some(Straight {
        name: "slope −1/2: 1/√d, to compare".to_owned(),
        look: REFERENCE,
        x: shorts([first.patterns, last.patterns]),
        y: shorts([at(first.patterns), at(last.patterns)]),
    })
}

/// Phase maps of two parameters: a view a map.
pub(crate) fn heat_maps(results: &Results) -> Chart {
    let maps = maps(&results.phase, &results.boundary);
    let shown: Vec<&Map> = maps.iter().filter(|map| !map.first.y_key.is_empty() && !map.cells.is_empty()).collect();
    let option = |map: &&Map| {
        let case = if map.first.case.is_empty() { String::new() } else { format!(", {}", map.first.case) };
        format!("{}{case} over {} and {}", map.claim(), axis(&map.first.x_key), axis(&map.first.y_key))
    };
    Chart {
        id: "phase".to_owned(),
        title: "Where claims stop holding: maps of two parameters".to_owned(),
        selects: vec![Select { name: "map".to_owned(), options: shown.iter().map(option).collect() }],
        views: shown.iter().map(|map| heat_view(map)).collect(),
    }
}

fn heat_view(map: &Map) -> View {
    let labels = |values: &[&str]| values.iter().map(|text| short_text(text)).collect::<Vec<_>>();
    let (xs, ys) = (labels(&map.xs), labels(&map.ys));
    let colour = |colour: plotters::style::RGBColor| format!("#{:02x}{:02x}{:02x}", colour.0, colour.1, colour.2);
    let cells = map.cells.iter().map(|&(x, y, cell)| {
        let share = cell.estimate.unwrap_or_default();
        Cell {
            x,
            y,
            share: short(share),
            low: short(cell.ci_low),
            high: short(cell.ci_high),
            holds: cell.holds,
            runs: cell.runs,
            state: cell.state.clone(),
            fill: colour(ramp::colour(share)),
            ink: colour(ramp::on(share)),
            text: format!("{}{}", hundredths(share), heat::mark(cell).trim().replace('-', "−")),
        }
    });
    let edges = heat::steps(map).into_iter().map(|[(x1, y1), (x2, y2)]| [x1, y1, x2, y2]);
    let flips = map.flips.iter().filter_map(|(row, flip)| {
        let at = map.along_x(flip.flip?)?;
        let (low, high) = map.bracket(flip);
        Some((short(at), *row, short(low), short(high), in_words(flip)))
    });
    View {
        x: Axis::linear(&axis(&map.first.x_key), 0.0, xs.len() as f64),
        y: Axis::linear(&axis(&map.first.y_key), 0.0, ys.len() as f64),
        columns: vec![
            axis(&map.first.x_key),
            axis(&map.first.y_key),
            "share of runs".to_owned(),
            "95 % interval".to_owned(),
            "runs".to_owned(),
            "state".to_owned(),
        ],
        heat: Some(Heat {
            cells: cells.collect(),
            edges: edges.collect(),
            flips: flips.collect(),
            level: map.first.level,
            xs,
            ys,
        }),
        ..View::default()
    }
}

/// Where a claim flips, in words.
fn in_words(flip: &BoundaryRow) -> String {
    let end = |end: Option<f64>| end.map_or("open".to_owned(), significant);
    let side = if flip.direction == "rising" { "from" } else { "up to" };
    let at = flip.flip.map(significant).unwrap_or_default();
    let remark = if flip.remark.is_empty() { String::new() } else { format!(" ({})", flip.remark) };
    format!("holds {side} {at} [{}, {}]{remark}", end(flip.low), end(flip.high))
}

/// Maps of one parameter: a view a claim.
pub(crate) fn curves(results: &Results) -> Chart {
    let maps = maps(&results.phase, &results.boundary);
    let shown: Vec<&Map> = maps.iter().filter(|map| map.first.y_key.is_empty() && !map.cells.is_empty()).collect();
    let option = |map: &&Map| {
        let case = if map.first.case.is_empty() { String::new() } else { format!(", {}", map.first.case) };
        format!("{}{case} over {}", map.claim(), axis(&map.first.x_key))
    };
    Chart {
        id: "curves".to_owned(),
        title: "Where claims stop holding: maps of one parameter".to_owned(),
        selects: vec![Select { name: "map".to_owned(), options: shown.iter().map(option).collect() }],
        views: shown.iter().map(|map| curve_view(map)).collect(),
    }
}

fn curve_view(map: &Map) -> View {
    let mut cells = map.cells.clone();
    cells.sort_by_key(|(x, ..)| *x);
    let group = Group {
        name: format!("{} holds", map.claim().trim_end_matches(',')),
        parts: "wlp",
        x: cells.iter().map(|(x, ..)| *x as f64 + 0.5).collect(),
        y: shorts(cells.iter().map(|(.., cell)| cell.estimate.unwrap_or_default())),
        low: shorts(cells.iter().map(|(.., cell)| cell.ci_low)),
        high: shorts(cells.iter().map(|(.., cell)| cell.ci_high)),
        texts: vec![
            cells
                .iter()
                .map(|(x, _, cell)| format!("at {}: {} of {} runs", short_text(map.xs[*x]), cell.holds, cell.runs))
                .collect(),
        ],
        ..Group::default()
    };
    let mut lines =
        vec![Straight { name: format!("level {}", map.first.level), look: 6, x: Vec::new(), y: vec![map.first.level] }];
    for (_, flip) in &map.flips {
        let at = flip.flip.and_then(|at| map.along_x(at));
        lines.extend(at.map(|at| Straight { name: in_words(flip), look: 7, x: vec![short(at)], y: Vec::new() }));
    }
    let mut x = Axis::linear(&axis(&map.first.x_key), 0.0, map.xs.len() as f64);
    x.ticks = (0..map.xs.len()).map(|place| place as f64 + 0.5).collect();
    x.labels = map.xs.iter().map(|text| short_text(text)).collect();
    View {
        x,
        y: Axis::linear("share of runs", -0.02, 1.02),
        columns: ["claim", "place", "share", "low", "high", "which"].map(str::to_owned).to_vec(),
        groups: vec![group],
        lines,
        ..View::default()
    }
}
