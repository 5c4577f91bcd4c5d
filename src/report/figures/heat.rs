//! The share of runs in which a claim holds over two parameters, as a map of coloured cells.

use super::canvas::{Canvas, HEIGHT};
use super::figure::FigureError;
use super::map::Map;
use super::names::{axis, hundredths, of_case, short};
use super::ramp;
use super::scale::{Scale, minus};
use crate::record::{BoundaryRow, PhaseRow};

/// Pixels of the frame's width.
const WIDTH: i32 = 520;

/// Least and most height of a row that the frame grows for.
const ROW: i32 = 22;
const TALLEST: i32 = 660;

/// Smallest letters that are printed in a cell.
const SMALLEST: i32 = 8;

/// The map of a claim over two parameters; `None` if no run was judged.
pub(in crate::report) fn draw(map: &Map) -> Result<Option<String>, FigureError> {
    if map.cells.is_empty() {
        return Ok(None);
    }
    let height = (ROW * map.ys.len() as i32).clamp(HEIGHT, TALLEST);
    let labels = |values: &[&str]| values.iter().map(|text| short(text)).collect::<Vec<_>>();
    let (xs, ys) = (labels(&map.xs), labels(&map.ys));
    let widest = xs.iter().map(|text| text.chars().count()).max().unwrap_or(0) as i32;
    let x = Scale::categories(&xs, 9 * widest + 6, WIDTH);
    let y = Scale::categories(&ys, 17, height);
    let title = format!("Share of runs in which {} holds{}", map.claim(), of_case(&map.first.case));
    let mut svg = String::new();
    let (x, y) = ((axis(&map.first.x_key), x), (axis(&map.first.y_key), y));
    let mut canvas = Canvas::sized(&mut svg, (height, 0), &title, (&x.0, x.1), (&y.0, y.1))?;
    let size = letters(map, height);
    // Where no flip is drawn, letters stand in the middle.
    let flips = map.flips.iter().any(|(_, flip)| flip.flip.is_some_and(|at| map.along_x(at).is_some()));
    let line = if flips { 0.64 } else { 0.5 };
    for (x, y, cell) in &map.cells {
        draw_cell(&canvas, (*x as f64, *y as f64), cell, size.map(|size| (size, line)))?;
    }
    let (right, top) = (map.xs.len() as f64, map.ys.len() as f64);
    canvas.seams((1..map.xs.len()).map(|x| [(x as f64, 0.0), (x as f64, top)]))?;
    canvas.seams((1..map.ys.len()).map(|y| [(0.0, y as f64), (right, y as f64)]))?;
    let steps = steps(map);
    canvas.haloed(&steps, 3)?;
    for (y, flip) in &map.flips {
        draw_flip(&canvas, map, *y as f64, flip)?;
    }
    explain(&mut canvas, map, size, !steps.is_empty(), flips)?;
    canvas.finish()?;
    Ok(Some(svg))
}

/// The size of the letters in a cell; `None` if the cells are too small for letters.
fn letters(map: &Map, height: i32) -> Option<i32> {
    let (width, height) = (WIDTH / map.xs.len() as i32, height / map.ys.len() as i32);
    // Six letters of not much more than half of their height, over a flip in the lower part of the cell.
    let size = (width * 3 / 11).min(height / 2).min(14);
    (size >= SMALLEST).then_some(size)
}

fn draw_cell(
    canvas: &Canvas,
    (x, y): (f64, f64),
    cell: &PhaseRow,
    letters: Option<(i32, f64)>,
) -> Result<(), FigureError> {
    let share = cell.estimate.unwrap_or_default();
    canvas.cell((x, y), (x + 1.0, y + 1.0), ramp::colour(share))?;
    let Some((size, line)) = letters else { return Ok(()) };
    let text = format!("{}{}", hundredths(share), mark(cell));
    canvas.letters(&minus(text), (x + 0.5, y + line), size, ramp::on(share))
}

/// What stands behind the percentage of a cell whose interval excludes the level.
pub(in crate::report) fn mark(cell: &PhaseRow) -> &'static str {
    match cell.state.as_str() {
        "holds" => " +",
        "fails" => " -",
        _ => "",
    }
}

/// The edges between neighbours on different sides of the level.
pub(in crate::report) fn steps(map: &Map) -> Vec<[(f64, f64); 2]> {
    let above = |x: usize, y: usize| {
        let cell = map.cells.iter().find(|(other_x, other_y, _)| (*other_x, *other_y) == (x, y));
        cell.and_then(|(_, _, cell)| cell.estimate.map(|share| share >= cell.level))
    };
    let differ = |a: Option<bool>, b: Option<bool>| a.zip(b).is_some_and(|(a, b)| a != b);
    let mut edges = Vec::new();
    for &(x, y, _) in &map.cells {
        let (left, low, right, high) = (x as f64, y as f64, x as f64 + 1.0, y as f64 + 1.0);
        if differ(above(x, y), above(x + 1, y)) {
            edges.push([(right, low), (right, high)]);
        }
        if differ(above(x, y), above(x, y + 1)) {
            edges.push([(left, high), (right, high)]);
        }
    }
    edges
}

/// A dot where the claim flips, with a whisker along its bracket; nothing without a flip.
fn draw_flip(canvas: &Canvas, map: &Map, y: f64, flip: &BoundaryRow) -> Result<(), FigureError> {
    let Some(at) = flip.flip.and_then(|at| map.along_x(at)) else { return Ok(()) };
    let y = y + 0.24;
    let (low, high) = map.bracket(flip);
    let mut lines = vec![[(low, y), (high, y)]];
    // An end without a cap is open.
    let caps = [(flip.low, low), (flip.high, high)];
    lines.extend(caps.iter().filter(|(end, _)| end.is_some()).map(|(_, x)| [(*x, y - 0.09), (*x, y + 0.09)]));
    canvas.haloed(&lines, 2)?;
    canvas.dot(at, y)
}

fn explain(canvas: &mut Canvas, map: &Map, size: Option<i32>, steps: bool, flips: bool) -> Result<(), FigureError> {
    canvas.note("share of runs")?;
    canvas.colour_bar(ramp::colour, map.first.level)?;
    if steps {
        canvas.line_entry("estimate crosses\nthe level")?;
    }
    if flips {
        canvas.flip_entry("flip (isotonic fit)\nand its bracket; no\ncap: open end")?;
    }
    if size.is_some() {
        canvas.note("+ / −: 95 % interval surely\nabove / below the level")?;
    }
    canvas.note(&map.runs())?;
    if map.cells.len() < map.xs.len() * map.ys.len() {
        canvas.note("empty: no run judged")?;
    }
    Ok(())
}
