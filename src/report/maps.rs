//! Phase maps for a terminal of 80 columns.

use crate::record::{BoundaryRow, PhaseRow};
use crate::report::numbers::{WIDTH, bare_percent, significant};
use std::fmt::Write;

/// Width of one cell.
const CELL: usize = 7;

/// Columns of the row labels.
const LABEL: usize = 10;

/// Each map as a table of percentages (a row a y, or a claim where there is no y; a column an x), with the places where
/// claims flip.
pub(super) fn phases(cells: &[PhaseRow], boundaries: &[BoundaryRow]) -> String {
    let mut text = String::new();
    for map in cells.chunk_by(same_table) {
        let first = &map[0];
        let _ = writeln!(text, "\n{}", textwrap::fill(&title(first), WIDTH));
        let lines: Vec<&[PhaseRow]> = map.chunk_by(|a, b| (&a.claim, &a.y) == (&b.claim, &b.y)).collect();
        let columns = (WIDTH - LABEL) / CELL;
        for block in 0..lines[0].len().div_ceil(columns) {
            let part = |line: &[PhaseRow]| line.chunks(columns).nth(block).unwrap_or_default().to_vec();
            let xs: String = part(lines[0]).iter().map(|cell| format!("{:>CELL$}", short(&cell.x))).collect();
            let _ = writeln!(text, "{:<LABEL$}{xs}", "");
            for line in &lines {
                let shown: String = part(line).iter().map(|cell| format!("{:>CELL$}", percent(cell))).collect();
                let label = if first.y_key.is_empty() { line[0].claim.clone() } else { short(&line[0].y) };
                let _ = writeln!(text, "{label:>width$} {}", shown.trim_end(), width = LABEL - 1);
            }
        }
        let is_own = |row: &&BoundaryRow| {
            (row.map, &row.case) == (first.map, &first.case) && (first.y_key.is_empty() || row.claim == first.claim)
        };
        for row in boundaries.iter().filter(is_own) {
            let _ = writeln!(text, "{}", textwrap::fill(&boundary(row), WIDTH));
        }
    }
    text
}

/// Cells of one table: those of a map of two parameters for one claim, of a map of one parameter for all its claims.
fn same_table(a: &PhaseRow, b: &PhaseRow) -> bool {
    (a.map, &a.case) == (b.map, &b.case) && (a.y_key.is_empty() || a.claim == b.claim)
}

fn title(first: &PhaseRow) -> String {
    let what = match (first.y_key.is_empty(), first.threshold) {
        (true, _) => "each claim".to_owned(),
        (false, None) => first.claim.clone(),
        (false, Some(threshold)) => format!("{} with threshold {threshold}", first.claim),
    };
    let case = if first.case.is_empty() { String::new() } else { format!("{}: ", first.case) };
    let down = if first.y_key.is_empty() { String::new() } else { format!(" and {} (down)", name(&first.y_key)) };
    format!(
        "{case}percent of runs in which {what} holds, over {} (across){down}; + surely above {} %, - surely below",
        name(&first.x_key),
        bare_percent(first.level)
    )
}

/// The last part of a key.
fn name(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// A number with at most three significant digits, or the text itself.
fn short(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(number) if text.len() >= CELL - 1 => significant(number),
        _ => text.to_owned(),
    }
}

fn percent(cell: &PhaseRow) -> String {
    let mark = match cell.state.as_str() {
        "holds" => "+",
        "fails" => "-",
        _ => " ",
    };
    cell.estimate.map_or("none".to_owned(), |share| format!("{}{mark}", bare_percent(share)))
}

fn boundary(row: &BoundaryRow) -> String {
    let of = match row.y_key.as_str() {
        "" => format!("{}: ", row.claim),
        key => format!("{} {}: ", name(key), short(&row.y)),
    };
    let x = name(&row.x_key);
    match row.flip {
        None => format!("  {of}{}", row.remark),
        Some(flip) => {
            let end = |end: Option<f64>| end.map_or("?".to_owned(), significant);
            let side = if row.direction == "rising" { "from" } else { "up to" };
            format!("  {of}holds {side} {x} = {} [{}, {}]", significant(flip), end(row.low), end(row.high))
        }
    }
}
