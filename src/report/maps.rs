//! Phase maps for a terminal of 80 columns.

use super::text::{WIDTH, bare_percent, significant};
use crate::record::{BoundaryRow, PhaseRow};
use std::fmt::Write;

/// Width of one cell.
const CELL: usize = 7;

/// Columns of the row labels.
const LABEL: usize = 10;

/// Each map as a table of percentages (a row a y, a column an x), with the places where the claim flips.
pub(super) fn phases(cells: &[PhaseRow], boundaries: &[BoundaryRow]) -> String {
    let mut text = String::new();
    let key = |row: &PhaseRow| (row.map, row.case.clone(), row.claim.clone());
    for map in cells.chunk_by(|a, b| key(a) == key(b)) {
        let first = &map[0];
        let case = if first.case.is_empty() { String::new() } else { format!(", {}", first.case) };
        let over = if first.y_key.is_empty() { String::new() } else { format!(" and {} (down)", name(&first.y_key)) };
        let threshold = first.threshold.map(|threshold| format!(" with threshold {threshold}")).unwrap_or_default();
        let title = format!(
            "{}{threshold}{case}: percent of runs in which it holds, over {} (across){over}; + surely above {} %, - surely below",
            first.claim,
            name(&first.x_key),
            bare_percent(first.level)
        );
        let _ = writeln!(text, "\n{}", textwrap::fill(&title, WIDTH));
        let lines: Vec<&[PhaseRow]> = map.chunk_by(|a, b| a.y == b.y).collect();
        let columns = (WIDTH - LABEL) / CELL;
        for block in 0..lines[0].len().div_ceil(columns) {
            let part = |line: &[PhaseRow]| line.chunks(columns).nth(block).unwrap_or_default().to_vec();
            let xs: String = part(lines[0]).iter().map(|cell| format!("{:>CELL$}", short(&cell.x))).collect();
            let _ = writeln!(text, "{:<LABEL$}{xs}", "");
            for line in &lines {
                let shown: String = part(line).iter().map(|cell| format!("{:>CELL$}", percent(cell))).collect();
                let _ = writeln!(text, "{:>width$} {}", short(&line[0].y), shown.trim_end(), width = LABEL - 1);
            }
        }
        let own =
            boundaries.iter().filter(|row| (row.map, &row.case, &row.claim) == (first.map, &first.case, &first.claim));
        for row in own {
            let _ = writeln!(text, "{}", textwrap::fill(&boundary(row), WIDTH));
        }
    }
    text
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
    let at = if row.y_key.is_empty() { String::new() } else { format!(" at {} {}", name(&row.y_key), short(&row.y)) };
    let x = name(&row.x_key);
    match row.flip {
        None => format!("  {x}{at}: {}", row.remark),
        Some(flip) => {
            let end = |end: Option<f64>| end.map_or("?".to_owned(), significant);
            let side = if row.direction == "rising" { "from" } else { "up to" };
            format!("  holds {side} {x} = {} [{}, {}]{at}", significant(flip), end(row.low), end(row.high))
        }
    }
}
