//! What came out of the runs of one grid point, as bars for a terminal of 80 columns.

use super::figures::pruning::{irrelevant_share, levels};
use super::figures::{ROLES, sorted_finite};
use super::results::Results;
use super::text::{WIDTH, significant};
use crate::record::{ExpertRow, PruningRow};
use crate::stats::median;
use std::fmt::Write;

/// Heights of a bar, from 0 to 1.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Cells of the longest horizontal bar.
const LONGEST: usize = 40;

/// Experts kept that a line of bars has room for.
const MOST_BARS: usize = 48;

/// Bars for shares between 0 and 1; a blank where there is none.
pub fn sparkline(shares: impl IntoIterator<Item = Option<f64>>) -> String {
    let bar = |share: Option<f64>| match share {
        Some(share) if share.is_finite() => {
            let height = libm::round(share.clamp(0.0, 1.0) * (BARS.len() - 1) as f64) as usize;
            BARS[height.min(BARS.len() - 1)]
        }
        _ => ' ',
    };
    shares.into_iter().map(bar).collect()
}

/// The norm changes by role and the accuracies by pruning ratio, if there is just one grid point; else nothing.
pub fn glance(results: &Results) -> String {
    if results.points().len() != 1 {
        return String::new();
    }
    let mut text = String::new();
    changes(&mut text, &results.experts);
    accuracies(&mut text, results);
    text
}

/// Medians of Δ by role, on one scale.
fn changes(text: &mut String, experts: &[ExpertRow]) {
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
    let _ = writeln!(text, "\nMedian norm change Δ of all experts, by role at t = 0");
    for (name, count, middle) in medians {
        let cells = libm::round(middle.max(0.0) / largest * LONGEST as f64) as usize;
        let bar = if cells == 0 { "▏".to_owned() } else { "█".repeat(cells) };
        let shown = format!("  {name:<11}{bar} {}  ({count} experts)", significant(middle).replace('-', "−"));
        let _ = writeln!(text, "{shown}");
    }
}

/// Mean accuracy at each number kept, by criterion.
fn accuracies(text: &mut String, results: &Results) {
    let rows: Vec<&PruningRow> = results.pruning.iter().collect();
    let mut criteria: Vec<&str> = Vec::new();
    for row in &rows {
        if !criteria.contains(&row.criterion.as_str()) {
            criteria.push(&row.criterion);
        }
    }
    let k = rows.iter().map(|row| row.kept).max().unwrap_or(0);
    if k == 0 || k > MOST_BARS {
        return;
    }
    let experts: Vec<&ExpertRow> = results.experts.iter().collect();
    let share = irrelevant_share(&experts).map(|share| format!("; γ = {}", significant(share))).unwrap_or_default();
    let title = format!("Mean accuracy as experts are pruned one by one, {k} … 1 kept, no further training{share}");
    let _ = writeln!(text, "\n{}", textwrap::fill(&title, WIDTH));
    for criterion in criteria {
        let levels = levels(&rows, criterion, false);
        let bars = sparkline(levels.iter().map(|level| Some(level.mean)));
        let kept = levels.iter().take_while(|level| level.mean == 1.0).last().map(|level| level.ratio);
        let upto = kept.map(|ratio| format!("no error up to ρ = {}", significant(ratio))).unwrap_or_default();
        let line = format!("  {:<22} {bars}  {upto}", criterion.chars().take(22).collect::<String>());
        let _ = writeln!(text, "{}", line.trim_end());
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
