//! The summary for a terminal of 80 columns: one line a claim and case.

use super::alike::{Alike, alike};
use super::labels::{Labels, heading};
use super::numbers::{WIDTH, bare_percent, percent};
use crate::claims::judge::surprises;
use crate::claims::verdict_changes::is_lower_bound;
use crate::record::ClaimRow;
use crate::record::design::ALPHA;
use crate::sim::Part;
use std::fmt::Write;

/// Columns of the last cell.
const LAST: usize = 12;

/// A line a claim and case; claims that came out alike are one, of several parts the worst is shown.
pub(super) fn summary(claims: &[ClaimRow], labels: &Labels) -> String {
    let mut text = head("runs, worst");
    let mut case = "";
    for group in alike(claims) {
        let first = group.first();
        if first.case != case {
            case = &first.case;
            let _ = writeln!(text, "{}:", heading(case));
        }
        let worst = ClaimRow { verdict: first.verdict, ..group.worst().clone() };
        let _ = writeln!(text, "{}", line(&worst, &group.name(), &place(&group, labels)));
        if let ([_, ..], Some(expected)) = (&surprises(std::slice::from_ref(first))[..], first.expected) {
            let _ = writeln!(text, "{:<10}EXPECTED {expected}", "");
        }
    }
    text
}

/// The heads of the columns, and a rule below them.
pub(super) fn head(last: &str) -> String {
    let interval = format!("{} % interval", 100.0 * (1.0 - ALPHA));
    let text =
        format!("{:<10}{:<22}{:>8}  {interval:<17}{:<9}{last:>LAST$}\n", "claim", "verdict", "holds in", "needed");
    format!("{text}{}\n", "─".repeat(WIDTH))
}

/// Where a group's worst part is, or what it is compared with; of a claim of one part in how many runs it holds.
fn place(group: &Alike, labels: &Labels) -> String {
    let worst = group.worst();
    let place = labels.part(worst, &group.parts);
    match group.parts.len() {
        0 | 1 => runs(worst),
        _ if !place.is_empty() => place,
        _ => worst.against.map_or_else(|| runs(worst), |against| against.name().to_owned()),
    }
}

/// `20/20`.
pub(super) fn runs(row: &ClaimRow) -> String {
    row.holds.map_or_else(|| row.runs.to_string(), |holds| format!("{holds}/{}", row.runs))
}

/// A line of at most [`WIDTH`] columns: label, verdict, estimate, interval, what is needed, and a last cell.
pub(super) fn line(row: &ClaimRow, label: &str, last: &str) -> String {
    let is_slope = row.part.is_slope();
    // The column is of shares of runs; a difference of two of them has a sign, and no per cent.
    let is_difference = row.part == Part::Paired;
    let shown = |number: f64| match (is_slope, is_difference) {
        (true, _) => format!("{number:.3}"),
        (_, true) => signed(number),
        _ => bare_percent(number),
    };
    let estimate = row.estimate.map(|estimate| if row.level.is_some() { percent(estimate) } else { shown(estimate) });
    let interval = match (row.ci_low, row.ci_high) {
        (Some(low), Some(high)) => format!("[{}, {}]", shown(low), shown(high)),
        _ => String::new(),
    };
    let needed = match (is_slope, row.threshold, row.level) {
        (_, Some(threshold), _) if is_difference => format!("> {}", signed(threshold)),
        (true, Some(threshold), _) if is_lower_bound(row) => format!("> {threshold}"),
        (true, Some(threshold), _) => format!("≤ {threshold}"),
        (_, _, Some(level)) => format!("P ≥ {level}"),
        _ => String::new(),
    };
    let (label, last) = (cut(label, 9), cut(last, LAST));
    let estimate = estimate.unwrap_or_default();
    let line = format!("{label:<10}{:<22}{estimate:>8}  {interval:<17}{needed:<9}{last:>LAST$}", row.verdict.name());
    line.trim_end().to_owned()
}

/// A difference of shares with its sign and three decimals; what rounds to 0 is 0.
fn signed(difference: f64) -> String {
    match format!("{difference:+.3}").as_str() {
        "+0.000" | "-0.000" => "0".to_owned(),
        text => text.to_owned(),
    }
}

/// A text of at most this many letters.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Decision;
    use crate::sim::parameters::Criterion;

    fn row(number: usize, point: usize, against: Option<Criterion>) -> ClaimRow {
        ClaimRow {
            number,
            point: Some(point),
            claim: "C1".into(),
            part: Part::Paired,
            case: "a case".into(),
            against,
            verdict: Decision::TooFew,
            runs: 20,
            estimate: Some(-0.3 - number as f64 / 10.0),
            ci_low: Some(-0.62),
            ci_high: Some(0.0),
            threshold: Some(0.95 - 1.0),
            ..ClaimRow::default()
        }
    }

    #[test]
    fn claims_that_came_out_alike_are_one_line() {
        let text = summary(&[row(1, 0, Some(Criterion::Reap)), row(2, 0, Some(Criterion::Oracle))], &Labels::default());
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        let lines: Vec<&str> = text.lines().skip(2).collect();
        let line = "C1 ×2     INCONCLUSIVE (too few)  -0.500  [-0.620, 0]      > -0.050      point 0";
        assert_eq!(lines, ["case a case:", line]);
        let of_all = ClaimRow { case: String::new(), verdict: Decision::Refuted, ..row(3, 0, None) };
        let text = summary(&[row(1, 0, None), of_all], &Labels::default());
        assert!(text.contains("\nall cases:\nC1        REFUTED"), "{text}");
    }

    #[test]
    fn a_part_is_told_in_the_words_of_the_sweep() {
        let swept = |d: &str| vec![("patterns".to_owned(), d.to_owned())];
        let labels = Labels::new(vec![(0, swept("64")), (1, swept("128"))]);
        let part = |point| row(1, point, None);
        let all = ClaimRow { part: Part::All, point: None, ..row(1, 0, None) };
        let text = summary(&[part(0), part(1), all], &labels);
        assert!(text.ends_with("      d = 64\n"), "{text}");
    }
}
