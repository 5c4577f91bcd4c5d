//! What came out of the runs of one grid point, as bars for a terminal of 80 columns.

use super::bars::sparkline;
use super::charts::pruned::{criteria, irrelevant_share, levels};
use super::drawn::{DrawnExpert, DrawnModel, ROLES};
use super::numbers::{WIDTH, significant, sorted_finite};
use super::results::Results;
use super::undefined;

use crate::stats::median;
use std::fmt::Write;

/// Cells of the longest horizontal bar.
const LONGEST: usize = 40;

/// Experts kept that a line of bars has room for.
const MOST_BARS: usize = 32;

/// Criteria that are shown at most.
const MOST_CRITERIA: usize = 4;

/// The norm changes by role and the accuracies by pruning ratio, if there is just one grid point; and what is undefined.
pub fn glance(results: &Results) -> String {
    let mut text = String::new();
    for sentence in undefined::sentences(results) {
        let _ = writeln!(text, "\n{}", textwrap::fill(&sentence, WIDTH));
    }
    if results.points().len() != 1 {
        return text;
    }
    let part = results.runs.part_drawn().map(|part| format!(" ({part})")).unwrap_or_default();
    changes(&mut text, &results.runs.experts, &part);
    accuracies(&mut text, results, &part);
    text
}

/// Medians of Δ by role, on one scale; `part` says of which runs.
fn changes(text: &mut String, experts: &[DrawnExpert], part: &str) {
    let medians: Vec<(&str, usize, f64)> = ROLES
        .iter()
        .filter_map(|(role, name)| {
            let values = sorted_finite(experts.iter().filter(|row| row.role == *role).filter_map(|row| row.delta));
            Some((*name, values.len(), median(&values)?))
        })
        .collect();
    let largest = medians.iter().map(|(_, _, middle)| middle.abs()).fold(0.0, f64::max);
    if largest == 0.0 {
        return;
    }
    let of = if part.is_empty() { "all experts" } else { "experts" };
    let title = format!("Median norm change Δ of {of}, by role at t = 0{part}");
    let _ = writeln!(text, "\n{}", textwrap::fill(&title, WIDTH));
    for (name, count, middle) in medians {
        let cells = libm::round(middle.max(0.0) / largest * LONGEST as f64) as usize;
        let bar = if cells == 0 { "▏".to_owned() } else { "█".repeat(cells) };
        let shown = format!("  {name:<11}{bar} {}  ({count} experts)", significant(middle).replace('-', "−"));
        let _ = writeln!(text, "{shown}");
    }
}

/// Mean accuracy at each number kept, by criterion; `part` says of which runs.
fn accuracies(text: &mut String, results: &Results, part: &str) {
    let rows: Vec<&DrawnModel> = results.runs.pruning.iter().collect();
    let k = rows.iter().map(|row| row.kept).max().unwrap_or(0);
    if k == 0 || k > MOST_BARS {
        return;
    }
    let experts: Vec<&DrawnExpert> = results.runs.experts.iter().collect();
    let share = irrelevant_share(&experts).map(|share| format!("; γ = {}", significant(share))).unwrap_or_default();
    let title =
        format!("Mean accuracy as experts are pruned one by one, {k} … 1 kept, no further training{share}{part}");
    let _ = writeln!(text, "\n{}", textwrap::fill(&title, WIDTH));
    let criteria = criteria(&rows);
    for criterion in criteria.iter().take(MOST_CRITERIA) {
        let levels = levels(&rows, criterion, false);
        let bars = sparkline(levels.iter().map(|level| Some(level.mean)));
        let kept = levels.iter().take_while(|level| level.mean == 1.0).last().map(|level| level.ratio);
        let upto = kept.map(|ratio| format!("no error to ρ = {}", significant(ratio))).unwrap_or_default();
        let line = format!("  {:<22} {bars}  {upto}", criterion.chars().take(22).collect::<String>());
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if criteria.len() > MOST_CRITERIA {
        let _ = writeln!(text, "  {} further criteria: `simulate criteria DIR`", criteria.len() - MOST_CRITERIA);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_high_as_its_share() {
        assert_eq!(sparkline([Some(0.0), Some(0.5), Some(1.0), None, Some(7.0), Some(f64::NAN)]), "▁▅█ █ ");
    }
}
