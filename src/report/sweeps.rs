//! Exponents and terms for a terminal of 80 columns.

use crate::record::{ScalingRow, TermRow};
use crate::report::numbers::{WIDTH, significant};
use std::fmt::Write;

/// More lines than this are told of, not shown.
const MOST_LINES: usize = 4;

/// Exponents of d with pointwise 95 % intervals, over all of a line and over its last two octaves.
pub(super) fn scaling(rows: &[ScalingRow]) -> String {
    let mut text = String::new();
    let lines: Vec<&[ScalingRow]> = rows.chunk_by(|a, b| (&a.case, &a.line) == (&b.case, &b.line)).collect();
    if lines.len() > MOST_LINES {
        return format!("\nscaling.csv holds the exponents of {} lines over d.\n", lines.len());
    }
    for line in lines {
        let of: Vec<&str> =
            [&line[0].case, &line[0].line].iter().map(|s| s.as_str()).filter(|s| !s.is_empty()).collect();
        let of = if of.is_empty() { String::new() } else { format!(", {}", of.join(", ")) };
        let _ =
            writeln!(text, "\n{}", textwrap::fill(&format!("Exponents of d{of} (95 % intervals, pointwise)"), WIDTH));
        let _ = writeln!(text, "{:<15}{:>7} {:<17}{:>7} {:<17}theory  C", "figure", "all", "", "tail", "");
        for row in line.iter().filter(|row| row.span == "all" && row.method != "least-squares") {
            let tail = line.iter().find(|other| {
                (&other.figure, &other.method) == (&row.figure, &row.method) && other.span == "last-two-octaves"
            });
            let (all, all_interval) = cell(Some(row));
            let (last, last_interval) = cell(tail);
            let theory = row.theory.map(|theory| theory.to_string()).unwrap_or_default();
            let constant = row.constant.map(significant).unwrap_or_default();
            let shown = format!(
                "{:<15}{all:>7} {all_interval:<17}{last:>7} {last_interval:<17}{theory:>6}  {constant}",
                row.figure
            );
            let _ = writeln!(text, "{}", shown.trim_end());
        }
    }
    if !text.is_empty() {
        text.push_str("tail: the last two octaves; C: median of figure / d^theory at the largest d\n");
    }
    text
}

fn cell(row: Option<&ScalingRow>) -> (String, String) {
    let Some(row) = row else { return (String::new(), String::new()) };
    match (row.slope, row.ci_low, row.ci_high) {
        (Some(slope), Some(low), Some(high)) => (format!("{slope:.3}"), format!("[{low:.3}, {high:.3}]")),
        _ if row.reason == "zero" => (String::new(), "(0 or less)".to_owned()),
        _ => (String::new(), format!("({})", row.reason)),
    }
}

/// Root mean squares of drift, leakage and noise at each point, and which binds.
pub(super) fn terms(rows: &[TermRow]) -> String {
    let mut text = String::new();
    for case in rows.chunk_by(|a, b| a.case == b.case) {
        let of = if case[0].case.is_empty() { String::new() } else { format!(", {}", case[0].case) };
        let title = format!("What moves irrelevant routers{of}: root mean squares, in brackets the bound's terms");
        let _ = writeln!(text, "\n{}", textwrap::fill(&title, WIDTH));
        let _ = writeln!(text, "{:>6}{:>6}  {:<19}{:<19}{:<19}binds", "d", "B", "drift", "leakage", "noise");
        for row in case {
            let pair = |square: f64, bound: f64| format!("{} ({})", root(square), significant(bound));
            let _ = writeln!(
                text,
                "{:>6}{:>6}  {:<19}{:<19}{:<19}{}",
                row.patterns,
                row.batch,
                pair(row.drift_squared, row.bound_drift),
                pair(row.leakage_squared, row.bound_leakage),
                pair(row.noise_squared, row.bound_noise),
                row.binding
            );
        }
    }
    if rows
        .iter()
        .any(|row| [row.drift_squared, row.leakage_squared, row.noise_squared].iter().any(|square| *square < 0.0))
    {
        text.push_str("none: not determined, the estimate of the mean square is below 0\n");
    }
    text
}

/// The root of a mean square; an estimate below 0 has none.
fn root(square: f64) -> String {
    if square >= 0.0 { significant(square.sqrt()) } else { "none".to_owned() }
}
