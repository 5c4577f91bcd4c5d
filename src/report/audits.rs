//! How often the assumptions hold by themselves, as a table of at most 80 columns.

use super::numbers::WIDTH;
use crate::record::AuditRow;
use std::fmt::Write;

/// For each point with upstream pre-training: each assumption with the share of runs that meet it.
pub(crate) fn audits(rows: &[AuditRow]) -> String {
    let mut text = String::new();
    for rows in rows.chunk_by(|a, b| a.point == b.point) {
        let first = &rows[0];
        let case = if first.case.is_empty() { String::new() } else { format!(", case {}", first.case) };
        let _ = writeln!(text, "\nassumptions met after upstream pre-training, point {}{case}:", first.point);
        for row in rows {
            let [share, low, high] = [row.share, row.ci_low, row.ci_high].map(|share| 100.0 * share);
            let _ = writeln!(
                text,
                "  {:<14}{:>9}  {share:>5.1} %  [{low:.1}, {high:.1}]",
                row.assumption,
                format!("{}/{}", row.met, row.runs)
            );
        }
    }
    text
}

/// Only the assumptions that some runs miss, a line each.
pub(crate) fn missed(rows: &[AuditRow]) -> String {
    let mut text = String::new();
    for rows in rows.chunk_by(|a, b| a.point == b.point) {
        let first = &rows[0];
        let of = if first.case.is_empty() { String::new() } else { format!(", {}", first.case) };
        let missed: Vec<&AuditRow> =
            rows.iter().filter(|row| row.met < row.runs && row.assumption.starts_with("A-")).collect();
        let all = single(rows).count();
        let met =
            format!("assumptions after upstream pre-training{of}: {} of {all} met in every run", all - missed.len());
        let _ = writeln!(text, "\n{}", textwrap::fill(&met, WIDTH));
        for row in missed {
            let [share, low, high] = [row.share, row.ci_low, row.ci_high].map(|share| 100.0 * share);
            let met = format!("{}/{}", row.met, row.runs);
            let _ = writeln!(text, "  {:<14}{met:>9}  {share:>5.1} %  [{low:.1}, {high:.1}] at 95 %", row.assumption);
        }
    }
    text
}

/// The rows of single assumptions.
fn single(rows: &[AuditRow]) -> impl Iterator<Item = &AuditRow> {
    rows.iter().filter(|row| row.assumption.starts_with("A-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_shown_by_point() {
        let row = |point: usize, assumption: &str| AuditRow {
            case: "a".into(),
            point,
            assumption: assumption.into(),
            runs: 20,
            met: 5,
            share: 0.25,
            ci_low: 0.0866,
            ci_high: 0.491,
        };
        let text = audits(&[row(0, "A-roles"), row(1, "all of T1c")]);
        assert_eq!(
            text,
            "\nassumptions met after upstream pre-training, point 0, case a:\n  A-roles            5/20   25.0 %  [8.7, 49.1]\n\
             \nassumptions met after upstream pre-training, point 1, case a:\n  all of T1c         5/20   25.0 %  [8.7, 49.1]\n"
        );
        assert_eq!((audits(&[]), missed(&[])), (String::new(), String::new()));
        let all = AuditRow { met: 20, ..row(0, "A-gauge") };
        assert_eq!(
            missed(&[row(0, "A-roles"), all, row(0, "all of T1c")]),
            "\nassumptions after upstream pre-training, a: 1 of 2 met in every run\n  A-roles            5/20   25.0 %  [8.7, 49.1] at 95 %\n"
        );
    }
}
