//! The share of runs in which each claim holds over one parameter: a panel a claim, one above the other.

use super::canvas::{Canvas, HEIGHT, Look};
use super::figure::FigureError;
use super::map::Map;
use super::names::{axis, of_case, percent, short};
use super::scale::{Scale, minus};
use crate::record::BoundaryRow;

/// Pixels of the frame's width.
const WIDTH: i32 = 520;

/// Least height of a panel.
const PANEL: i32 = 74;

/// Part of a panel's height below and above its curve.
const MARGIN: f64 = 0.16;

/// Looks of curve, level and flip.
const CURVE: Look = Look(0);
const LEVEL: Look = Look(2);
const FLIP: Look = Look(1);

/// The curves of maps over the same parameter; `None` if no run was judged.
pub(super) fn draw(maps: &[Map]) -> Result<Option<String>, FigureError> {
    let Some(first) = maps.iter().find(|map| !map.cells.is_empty()) else { return Ok(None) };
    let count = maps.len();
    let height = (PANEL * count as i32).max(HEIGHT);
    let labels: Vec<String> = first.xs.iter().map(|text| short(text)).collect();
    let widest = labels.iter().map(|text| text.chars().count()).max().unwrap_or(0) as i32;
    let x = Scale::categories(&labels, 9 * widest + 6, WIDTH);
    let mut y = Scale::linear(0.0, count as f64);
    y.ticks = (0..count).flat_map(|panel| [0.0, 0.5, 1.0].map(|share| (at(panel, share), percent(share)))).collect();
    let title = format!("Share of runs in which each claim holds{}", of_case(&first.first.case));
    let mut svg = String::new();
    let (x, y) = ((axis(&first.first.x_key), x), ("share of runs", y));
    let canvas = Canvas::sized(&mut svg, (height, 3), &title, (&x.0, x.1), y)?;
    let level = maps.iter().all(|map| map.first.level == maps[0].first.level).then_some(maps[0].first.level);
    for (place, map) in maps.iter().enumerate() {
        panel(&canvas, count - 1 - place, map, level.is_none())?;
    }
    canvas.below(&format!(
        "Solid: estimate with pointwise 95 % interval; dotted: the level{}.\n\
         Dashed upright: flip of the isotonic fit; shaded: its bracket. Values of x at equal steps.\n{}.",
        level.map(|level| format!(" {}", percent(level))).unwrap_or_default(),
        first.runs().replace('\n', " ").replace("a cell", "a point")
    ))?;
    canvas.finish()?;
    Ok(Some(svg))
}

/// The height of a share in a panel, counted from below.
fn at(panel: usize, share: f64) -> f64 {
    panel as f64 + MARGIN + (1.0 - 2.0 * MARGIN) * share
}

/// The panel of a map, with its level in words if `tell`.
fn panel(canvas: &Canvas, panel: usize, map: &Map, tell: bool) -> Result<(), FigureError> {
    let end = map.xs.len() as f64;
    let flip = map.flips.first().map(|(_, flip)| *flip);
    let place = flip.and_then(|flip| map.along_x(flip.flip?));
    if let (Some(flip), Some(place)) = (flip, place) {
        if flip.low.is_some() || flip.high.is_some() {
            let (low, high) = map.bracket(flip);
            canvas.band(&[(low, at(panel, 0.0), at(panel, 1.0)), (high, at(panel, 0.0), at(panel, 1.0))], LEVEL)?;
        }
        canvas.line(&[(place, at(panel, 0.0)), (place, at(panel, 1.0))], FLIP)?;
    }
    canvas.line(&[(0.0, at(panel, map.first.level)), (end, at(panel, map.first.level))], LEVEL)?;
    let mut cells: Vec<_> = map.cells.iter().map(|(x, _, cell)| (*x, *cell)).collect();
    cells.sort_by_key(|(x, _)| *x);
    for run in cells.chunk_by(|a, b| b.0 == a.0 + 1) {
        let curve: Vec<_> = run.iter().map(|(x, cell)| (*x as f64 + 0.5, cell.estimate.unwrap_or_default())).collect();
        canvas.thin(&curve.iter().map(|(x, share)| (*x, at(panel, *share))).collect::<Vec<_>>(), CURVE, 2)?;
        for ((x, share), (_, cell)) in curve.iter().zip(run) {
            canvas.thin(&[(*x, at(panel, cell.ci_low)), (*x, at(panel, cell.ci_high))], CURVE, 2)?;
            canvas.marker(*x, at(panel, *share), CURVE, 4, false)?;
        }
    }
    let level = if tell { format!("\nlevel {}", percent(map.first.level)) } else { String::new() };
    let words = flip.map(in_words).unwrap_or_default();
    canvas.beside(&format!("{}\n{words}{level}", map.claim().trim_end_matches(',')), at(panel, 0.8))
}

/// Where the claim flips, in words.
fn in_words(flip: &BoundaryRow) -> String {
    let number = |value: f64| minus(short(&value.to_string()));
    let end = |end: Option<f64>| end.map_or("?".to_owned(), number);
    match flip.flip {
        None => flip.remark.clone(),
        Some(at) => {
            let side = if flip.direction == "rising" { "from" } else { "up to" };
            let bracket = match flip.remark.as_str() {
                "" if flip.low.is_none() && flip.high.is_none() => "(no bracket)".to_owned(),
                "" => format!("[{}, {}]", end(flip.low), end(flip.high)),
                remark => format!("({remark})"),
            };
            format!("{side} {} {bracket}", number(at))
        }
    }
}
