//! Views of phase maps: a claim over two parameters as cells, claims over one parameter as curves.

use super::map::{Map, are_even, maps};
use super::names::{axis, file, hundredths, percent, quantity, short, unique};
use crate::record::{BoundaryRow, PhaseRow};
use crate::report::drawing::palette::{GREY, Look};
use crate::report::drawing::scale::Scale;
use crate::report::drawing::view::{At, Axis, Cell, Course, Flip, Group, Heat, Line, View};
use crate::report::numbers::minus;
use crate::report::results::Results;

/// Units of the ordinate's height and the abscissa's length, about, to decide how many labels have room.
const LENGTH: f64 = 300.0;

/// A view for each map of two parameters, and after them one for each set of claims over one parameter.
pub(super) fn views(results: &Results) -> [Vec<View>; 2] {
    let maps = maps(&results.phase, &results.boundary);
    let axes = |map: &Map| (map.first.map, map.first.case.clone(), map.first.y_key.clone(), map.first.x_key.clone());
    let mut names: Vec<String> = Vec::new();
    let mut drawn = [Vec::new(), Vec::new()];
    for maps in maps.chunk_by(|a, b| axes(a) == axes(b) && a.xs == b.xs) {
        let first = maps[0].first;
        let number = first.map.to_string();
        let views: Vec<View> = if first.y_key.is_empty() {
            let judged: Vec<&Map> = maps.iter().filter(|map| !map.cells.is_empty()).collect();
            curves(&judged)
                .map(|view| View { name: file(&["phase", &number, &first.case]), ..view })
                .into_iter()
                .collect()
        } else {
            let name = |map: &Map| file(&["phase", &number, &map.first.claim, &first.case]);
            maps.iter().filter_map(|map| Some(View { name: name(map), ..heat(map)? })).collect()
        };
        for mut view in views {
            view.name = unique(view.name, |name| names.iter().any(|other| other == name));
            names.push(view.name.clone());
            drawn[usize::from(view.heat.is_none())].push(view);
        }
    }
    drawn
}

/// The case, and what a map's axes are.
fn of(map: &Map, down: bool) -> String {
    let case = Some(map.first.case.clone()).filter(|case| !case.is_empty());
    let over = format!("{} over {}", map.claim().trim_end_matches(','), axis(&map.first.x_key));
    let over = if down {
        format!("{over} and {}", axis(&map.first.y_key))
    } else {
        format!("over {}", axis(&map.first.x_key))
    };
    case.into_iter().chain([over]).collect::<Vec<_>>().join(": ")
}

fn heat(map: &Map) -> Option<View> {
    (!map.cells.is_empty()).then_some(())?;
    let labels = |values: &[&str]| values.iter().map(|text| minus(&short(text))).collect::<Vec<_>>();
    let (xs, ys) = (labels(&map.xs), labels(&map.ys));
    let cell = |(x, y, row): &(usize, usize, &PhaseRow)| {
        let share = row.estimate.unwrap_or_default();
        Cell {
            place: (*x, *y),
            shade: share,
            text: format!("{}{}", hundredths(share), sign(row)),
            row: vec![
                xs[*x].clone(),
                ys[*y].clone(),
                percent(share),
                format!("{} … {}", percent(row.ci_low), percent(row.ci_high)),
                format!("{} of {}", row.holds, row.runs),
                row.state.clone(),
            ],
        }
    };
    let flip = |(row, flip): &(usize, &BoundaryRow)| {
        let at = map.along_x(flip.flip?)?;
        let (low, high) = map.bracket(flip);
        Some(Flip { row: *row, at, bracket: [low, high] })
    };
    let boundary: Vec<Flip> = map.flips.iter().filter_map(flip).collect();
    let mut notes = vec![format!("{}.", map.runs().replace('\n', " "))];
    notes.push("+ and −: the pointwise 95 % interval lies above or below the level.".to_owned());
    if !boundary.is_empty() {
        notes.push(
            "Heavy line: where the claim flips (isotonic fit); dashed: its bracket, to the edge where it is open."
                .to_owned(),
        );
    }
    if map.cells.len() < map.xs.len() * map.ys.len() {
        notes.push("Empty: no run judged.".to_owned());
    }
    let level = map.first.level;
    let widest = xs.iter().map(|text| text.chars().count()).max().unwrap_or(0) as f64;
    Some(View {
        of: of(map, true),
        title: heat_title(map),
        x: Axis::new(&scaled(&map.first.x_key, &map.xs), Scale::categories(&xs, 6.5 * widest + 4.0, LENGTH)),
        y: Axis::new(&scaled(&map.first.y_key, &map.ys), Scale::categories(&ys, 13.0, LENGTH)),
        columns: vec![
            axis(&map.first.x_key),
            axis(&map.first.y_key),
            "share of runs".to_owned(),
            "95 % interval".to_owned(),
            "runs".to_owned(),
            "state".to_owned(),
        ],
        heat: Some(Heat {
            cells: map.cells.iter().map(cell).collect(),
            boundary,
            ends: ["0 %".to_owned(), "100 % of runs".to_owned()],
            level: Some((level, format!("level {}", percent(level)))),
            xs,
            ys,
        }),
        notes,
        ..View::default()
    })
}

/// What stands behind the percentage of a cell whose interval excludes the level.
fn sign(cell: &PhaseRow) -> &'static str {
    match cell.state.as_str() {
        "holds" => "+",
        "fails" => "−",
        _ => "",
    }
}

/// What an axis of categories is, and whether their steps say nothing of their distance.
fn scaled(key: &str, values: &[&str]) -> String {
    let note = if are_even(values) { "" } else { " (not to scale)" };
    format!("{}{note}", axis(key))
}

/// From where to where the boundary goes.
fn heat_title(map: &Map) -> String {
    let (claim, x) = (&map.first.claim, symbol(&map.first.x_key));
    let flips: Vec<f64> = map.flips.iter().filter_map(|(_, flip)| flip.flip.filter(|at| at.is_finite())).collect();
    let side = map.flips.iter().find(|(_, flip)| flip.flip.is_some()).map(|(_, flip)| side(flip));
    let (low, high) =
        (flips.iter().copied().fold(f64::INFINITY, f64::min), flips.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    let of_rows = if flips.len() < map.ys.len() {
        format!(", in {} of {} rows", flips.len(), map.ys.len())
    } else {
        String::new()
    };
    match side {
        Some(side) if flips.len() == 1 || low == high => {
            format!("{claim} holds {side} {x} = {}{of_rows}", quantity(low))
        }
        Some(side) => format!("{claim} holds {side} {x} = {} to {}{of_rows}", quantity(low), quantity(high)),
        None if map.flips.iter().all(|(_, flip)| flip.remark == "holds throughout") && !map.flips.is_empty() => {
            format!("{claim} holds throughout")
        }
        None => format!("{claim}: share of runs in which it holds"),
    }
}

fn side(flip: &BoundaryRow) -> &'static str {
    if flip.direction == "rising" { "from" } else { "up to" }
}

/// A key's symbol, or its last part.
fn symbol(path: &str) -> String {
    let words = axis(path);
    words.split_once(' ').map_or(words.clone(), |(_, symbol)| symbol.to_owned())
}

/// Claims over the same parameter.
fn curves(maps: &[&Map]) -> Option<View> {
    let first = *maps.first()?;
    let xs: Vec<String> = first.xs.iter().map(|text| minus(&short(text))).collect();
    let mut lines = Vec::new();
    let levels: Vec<f64> = maps.iter().map(|map| map.first.level).collect();
    if levels.iter().all(|level| *level == levels[0]) {
        lines.push(Line {
            name: format!("level {}", percent(levels[0])),
            look: GREY,
            course: Course::Level(levels[0]),
        });
    }
    let mut groups = Vec::new();
    for (place, map) in maps.iter().enumerate() {
        // A little apart, so that no bar hides another.
        let apart = 0.08 * (place as f64 - (maps.len() - 1) as f64 / 2.0);
        let mut cells = map.cells.clone();
        cells.sort_by_key(|(x, ..)| *x);
        let at = |(x, _, cell): &(usize, usize, &PhaseRow)| At {
            x: *x as f64 + 0.5 + apart,
            y: cell.estimate.unwrap_or_default(),
            interval: Some([cell.ci_low, cell.ci_high]),
            text: Some(format!("{} = {}: {} of {} runs", symbol(&map.first.x_key), xs[*x], cell.holds, cell.runs)),
        };
        let flip = map.flips.first().map(|(_, flip)| *flip);
        groups.push(Group {
            name: map.claim().trim_end_matches(',').to_owned(),
            note: flip.map(in_words).unwrap_or_default(),
            look: Look::of_series(place),
            line: true,
            points: cells.iter().map(at).collect(),
            ..Group::default()
        });
        let place_of = flip.and_then(|flip| map.along_x(flip.flip?));
        lines.extend(place_of.map(|at| Line {
            name: String::new(),
            look: Look { shape: 1, ..Look::of_series(place) },
            course: Course::Upright(at),
        }));
    }
    let widest = xs.iter().map(|text| text.chars().count()).max().unwrap_or(0) as f64;
    let flips: Vec<String> = maps
        .iter()
        .filter_map(|map| Some((map, map.flips.first()?.1)))
        .map(|(map, flip)| format!("{} {}", map.first.claim, at_symbol(flip, &symbol(&map.first.x_key))))
        .collect();
    let title = flips.first().map_or("Share of runs in which claims hold".to_owned(), |first| {
        let first = first.split(" [").next().unwrap_or(first).split(" (").next().unwrap_or_default();
        if flips.len() > 1 { format!("{first}; {} more below", flips.len() - 1) } else { first.to_owned() }
    });
    let mut notes = vec![format!(
        "{}; bars: pointwise 95 % intervals.",
        first.runs().replace('\n', " ").replace("a cell", "a point")
    )];
    if lines.iter().any(|line| matches!(line.course, Course::Upright(_))) {
        notes.push("Dashed upright: flip of the isotonic fit, in brackets its bracket.".to_owned());
    }
    Some(View {
        of: of(first, false),
        title,
        x: Axis::new(&scaled(&first.first.x_key, &first.xs), Scale::categories(&xs, 6.5 * widest + 4.0, LENGTH)),
        y: Axis::new("share of runs in which the claim holds", Scale::linear(-0.02, 1.02)),
        columns: ["claim", "place", "share", "low", "high", "which"].map(str::to_owned).to_vec(),
        groups,
        lines,
        notes,
        ..View::default()
    })
}

/// The same with the name of what is swept: `holds up to s₀ = 0.3`.
fn at_symbol(flip: &BoundaryRow, symbol: &str) -> String {
    let side = side(flip);
    in_words(flip).replacen(&format!("holds {side} "), &format!("holds {side} {symbol} = "), 1)
}

/// Where a claim flips, in words.
fn in_words(flip: &BoundaryRow) -> String {
    let end = |end: Option<f64>| end.map_or("open".to_owned(), quantity);
    let Some(at) = flip.flip else { return flip.remark.clone() };
    let bracket = match flip.remark.as_str() {
        "" => format!(" [{}, {}]", end(flip.low), end(flip.high)),
        remark => format!(" ({remark})"),
    };
    format!("holds {} {}{bracket}", side(flip), quantity(at))
}
