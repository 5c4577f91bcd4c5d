//! Phase maps for a terminal of 80 columns.

use crate::record::{BoundaryRow, PhaseRow};
use crate::report::charts::map::{Map, maps};
use crate::report::numbers::{WIDTH, bare_percent, significant};
use std::fmt::Write;

/// Width of one cell.
const CELL: usize = 7;

/// Least width of the row labels.
const LABEL: usize = 9;

/// Each map as a table of percentages (a row a y, or a claim where there is no y; a column an x), with the places where
/// claims flip.
pub(super) fn phases(cells: &[PhaseRow], boundaries: &[BoundaryRow]) -> String {
    let mut text = String::new();
    for maps in maps(cells, boundaries).chunk_by(is_one_table) {
        let first = maps[0].first;
        let _ = writeln!(text, "\n{}", textwrap::fill(&title(first), WIDTH));
        // A map, a place along y, and what stands before the line.
        let lines: Vec<(&Map, usize, String)> = match first.y_key.is_empty() {
            true => maps.iter().map(|map| (map, 0, label(map, maps))).collect(),
            false => maps[0].ys.iter().enumerate().map(|(y, value)| (&maps[0], y, short(value))).collect(),
        };
        let width = lines.iter().map(|(_, _, label)| label.chars().count()).max().unwrap_or(0).max(LABEL);
        let columns = (WIDTH - width - 1) / CELL;
        for (block, xs) in maps[0].xs.chunks(columns).enumerate() {
            let named: String = xs.iter().map(|x| format!("{:>CELL$}", short(x))).collect();
            let _ = writeln!(text, "{:<width$} {named}", "");
            for (map, y, label) in &lines {
                let places = block * columns..block * columns + xs.len();
                let shown: String = places.map(|x| format!("{:>CELL$}", percent(map.cell(x, *y)))).collect();
                let _ = writeln!(text, "{label:>width$} {}", shown.trim_end());
            }
        }
        for map in maps {
            for (_, flip) in &map.flips {
                let _ = writeln!(text, "{}", textwrap::fill(&boundary(flip, &label(map, maps)), WIDTH));
            }
        }
    }
    text
}

/// Maps of one parameter stand in one table.
fn is_one_table(a: &Map, b: &Map) -> bool {
    let key = |map: &Map| (map.first.map, map.first.case.clone(), map.first.x_key.clone());
    a.first.y_key.is_empty() && b.first.y_key.is_empty() && key(a) == key(b) && a.xs == b.xs
}

/// The claim, with its threshold where the claim stands in the table twice.
fn label(map: &Map, table: &[Map]) -> String {
    let is_alone = table.iter().filter(|other| other.first.claim == map.first.claim).count() == 1;
    match map.first.threshold.filter(|_| !is_alone) {
        Some(threshold) => format!("{} {threshold}", map.first.claim),
        None => map.first.claim.clone(),
    }
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

fn percent(cell: Option<&PhaseRow>) -> String {
    let Some(cell) = cell else { return "none".to_owned() };
    let mark = match cell.state.as_str() {
        "holds" => "+",
        "fails" => "-",
        _ => " ",
    };
    cell.estimate.map_or("none".to_owned(), |share| format!("{}{mark}", bare_percent(share)))
}

fn boundary(row: &BoundaryRow, label: &str) -> String {
    let of = match row.y_key.as_str() {
        "" => format!("{label}: "),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_claim_with_two_thresholds_is_two_rows_with_a_boundary_each() {
        let cell = |threshold, x: &str, share| PhaseRow {
            map: 1,
            claim: "gap".to_owned(),
            threshold: Some(threshold),
            x_key: "model.neurons".to_owned(),
            x: x.to_owned(),
            estimate: Some(share),
            level: 0.95,
            ..Default::default()
        };
        let flip = |remark: &str| BoundaryRow {
            map: 1,
            claim: "gap".to_owned(),
            x_key: "model.neurons".to_owned(),
            remark: remark.to_owned(),
            ..Default::default()
        };
        let cells = [cell(0.9, "2", 0.25), cell(0.9, "4", 0.5), cell(0.5, "2", 1.0), cell(0.5, "4", 1.0)];
        let text = phases(&cells, &[flip("fails throughout"), flip("holds throughout")]);
        let lines: Vec<&str> = text.lines().map(str::trim).skip_while(|line| !line.starts_with('2')).collect();
        let expected = ["2      4", "gap 0.9   25.0   50.0", "gap 0.5    100    100"];
        assert_eq!(lines[..3], expected, "{text}");
        assert_eq!(lines[3..], ["gap 0.9: fails throughout", "gap 0.5: holds throughout"], "{text}");
    }
}
