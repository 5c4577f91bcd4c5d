//! The share of runs in which a claim holds over two parameters, as a map of coloured cells.

use super::canvas::{Canvas, HEIGHT};
use super::names::{axis, of_case, percent, short};
use super::phase::Map;
use super::scale::{Scale, minus};
use super::{FigureError, ramp};
use crate::record::{BoundaryRow, PhaseRow};
use crate::report::text::bare_percent;

/// Pixels of the frame's width.
const WIDTH: i32 = 520;

/// Least and most height of a row that the frame grows for.
const ROW: i32 = 22;
const TALLEST: i32 = 660;

/// Smallest letters that are printed in a cell.
const SMALLEST: i32 = 8;

/// The map of a claim over two parameters; `None` if no run was judged.
pub(super) fn draw(map: &Map) -> Result<Option<String>, FigureError> {
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
    for (x, y, cell) in &map.cells {
        draw_cell(&canvas, (*x as f64, *y as f64), cell, size)?;
    }
    let steps = steps(map);
    canvas.haloed(&steps, 3)?;
    let mut flips = false;
    for (y, flip) in &map.flips {
        flips |= draw_flip(&canvas, map, *y as f64, flip)?;
    }
    explain(&mut canvas, map, size, !steps.is_empty(), flips)?;
    canvas.finish()?;
    Ok(Some(svg))
}

/// The size of the letters in a cell; `None` if the cells are too small for letters.
fn letters(map: &Map, height: i32) -> Option<i32> {
    let (width, height) = (WIDTH / map.xs.len() as i32, height / map.ys.len() as i32);
    // Five letters of two thirds of their height, over a flip in the lower part of the cell.
    let size = (width * 3 / 11).min(height / 2).min(14);
    (size >= SMALLEST).then_some(size)
}

fn draw_cell(canvas: &Canvas, (x, y): (f64, f64), cell: &PhaseRow, size: Option<i32>) -> Result<(), FigureError> {
    let share = cell.estimate.unwrap_or_default();
    canvas.cell((x, y), (x + 1.0, y + 1.0), ramp::colour(share))?;
    let Some(size) = size else { return Ok(()) };
    let text = format!("{}{}", bare_percent(share), mark(cell));
    canvas.letters(&minus(text), (x + 0.5, y + 0.64), size, ramp::on(share))
}

/// What stands behind the percentage of a cell whose interval excludes the level.
fn mark(cell: &PhaseRow) -> &'static str {
    match cell.state.as_str() {
        "holds" => "+",
        "fails" => "-",
        _ => "",
    }
}

/// The edges between neighbours on different sides of the level.
fn steps(map: &Map) -> Vec<[(f64, f64); 2]> {
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

/// A dot where the claim flips, with a whisker along its bracket; whether there is one.
fn draw_flip(canvas: &Canvas, map: &Map, y: f64, flip: &BoundaryRow) -> Result<bool, FigureError> {
    let Some(at) = flip.flip.and_then(|at| map.along_x(at)) else { return Ok(false) };
    let y = y + 0.24;
    let (low, high) = map.bracket(flip);
    let mut lines = vec![[(low, y), (high, y)]];
    // An end without a cap is open.
    let caps = [(flip.low, low), (flip.high, high)];
    lines.extend(caps.iter().filter(|(end, _)| end.is_some()).map(|(_, x)| [(*x, y - 0.09), (*x, y + 0.09)]));
    canvas.haloed(&lines, 2)?;
    canvas.dot(at, y)?;
    Ok(true)
}

fn explain(canvas: &mut Canvas, map: &Map, size: Option<i32>, steps: bool, flips: bool) -> Result<(), FigureError> {
    let level = percent(map.first.level);
    canvas.note("share of runs")?;
    canvas.colour_bar(ramp::colour, map.first.level)?;
    if steps {
        canvas.line_entry(&format!("estimate crosses\nthe level {level}"))?;
    }
    if flips {
        canvas.flip_entry("flip (isotonic fit)\nand its bracket; no\ncap: open end")?;
    }
    if size.is_some() {
        canvas.note(&format!("+ / − surely above / below\n{level} (95 % interval)"))?;
    }
    canvas.note(&map.runs())?;
    if map.cells.len() < map.xs.len() * map.ys.len() {
        canvas.note("empty: no run judged")?;
    }
    Ok(())
}
