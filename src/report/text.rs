//! The verdict table for a terminal of 80 columns.

use crate::claims::definitions::definition;
use crate::claims::judge::conclusions;
use crate::record::ClaimRow;
use std::fmt::Write;

/// Width of the table.
pub const WIDTH: usize = 80;

/// The verdict table: two or three lines a claim, at most [`WIDTH`] columns wide.
///
/// First line: claim, verdict, share of runs for which it holds, simultaneous interval, the level it is tested against.
/// Below: what was claimed, with threshold and median figure.
pub fn verdicts(rows: &[ClaimRow]) -> String {
    let mut text = String::new();
    let rule = "─".repeat(WIDTH);
    let _ = writeln!(
        text,
        "{:<8}{:<24}{:>8}  {:<16}{:<10}{:>12}",
        "claim", "verdict", "holds in", "interval", "needed", "runs"
    );
    let _ = writeln!(text, "{rule}");
    let mut case = "";
    for row in conclusions(rows) {
        if row.case != case {
            case = &row.case;
            let _ = writeln!(text, "case {case}:");
        }
        if row.part == "all" {
            for part in rows.iter().filter(|part| is_part_of(part, row)) {
                let point = part.point.map(|point| point.to_string()).unwrap_or_default();
                let _ = writeln!(text, "{}", first_line(part, &format!("@{point}")));
            }
        }
        let _ = writeln!(text, "{}", first_line(row, &row.claim));
        for line in textwrap::wrap(&in_words(row), WIDTH - 8) {
            let _ = writeln!(text, "        {line}");
        }
    }
    text
}

fn is_part_of(part: &ClaimRow, conclusion: &ClaimRow) -> bool {
    part.part != "all"
        && (&part.claim, &part.on, &part.roles) == (&conclusion.claim, &conclusion.on, &conclusion.roles)
        && (conclusion.case.is_empty() || conclusion.case == part.case)
}

fn first_line(row: &ClaimRow, label: &str) -> String {
    let estimate = row.estimate.map(percent).unwrap_or_default();
    let interval = match (row.ci_low, row.ci_high) {
        (Some(low), Some(high)) => format!("[{}, {}]", bare_percent(low), bare_percent(high)),
        _ => String::new(),
    };
    let level = format!("P ≥ {}", row.level);
    let runs = format!("{}/{}", row.holds, row.runs);
    format!("{label:<8}{:<24}{estimate:>8}  {interval:<16}{level:<10}{runs:>12}", row.verdict)
}

fn percent(share: f64) -> String {
    format!("{} %", bare_percent(share))
}

/// One decimal, never rounded up to 100 or down to 0.
fn bare_percent(share: f64) -> String {
    let text = format!("{:.1}", 100.0 * share);
    match text.as_str() {
        "100.0" if share < 1.0 => "99.9".to_owned(),
        "0.0" if share > 0.0 => "0.1".to_owned(),
        "100.0" => "100".to_owned(),
        "0.0" => "0".to_owned(),
        _ => text,
    }
}

/// What was claimed and what came out, in words.
pub fn in_words(row: &ClaimRow) -> String {
    let Some(definition) = definition(&row.claim) else { return String::new() };
    let mut text = definition.statement.to_owned();
    if let Some(threshold) = row.threshold {
        let name = if row.claim == "T1a" { "c₁" } else { "c" };
        let _ = write!(text, "; {name} = {threshold}");
    }
    if let Some(median) = row.median {
        let _ = write!(text, "; median {}: {}", definition.figure, significant(median));
    }
    if row.set_aside > 0 {
        let _ = write!(text, "; {} runs set aside (missed: {})", row.set_aside, row.missed);
    }
    if row.on == "all" {
        text.push_str("; on all runs");
    }
    if !row.expected.is_empty() && !row.verdict.starts_with(&row.expected) {
        let _ = write!(text, "; EXPECTED {}", row.expected);
    }
    text
}

/// Three significant digits.
fn significant(value: f64) -> String {
    if value == 0.0 || (1e-3..1e4).contains(&value.abs()) {
        let digits = if value == 0.0 { 0 } else { (2 - value.abs().log10().floor() as i32).max(0) as usize };
        format!("{value:.digits$}")
    } else {
        format!("{value:.2e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> ClaimRow {
        ClaimRow {
            claim: "T1a".into(),
            part: "probability".into(),
            point: Some(0),
            on: "met".into(),
            runs: 1000,
            set_aside: 3,
            holds: 999,
            estimate: Some(0.999),
            ci_low: Some(0.9912),
            ci_high: Some(0.99999),
            threshold: Some(0.1),
            level: 0.95,
            p_holm: Some(1e-9),
            verdict: "INCONCLUSIVE (too few)".into(),
            expected: "SUPPORTED".into(),
            roles: "measured".into(),
            case: String::new(),
            median: Some(0.36234),
            missed: "A-gauge 3".into(),
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let text = verdicts(&[row()]);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.contains("99.9 %") && text.contains("[99.1, 99.9]") && text.contains("c₁ = 0.1"), "{text}");
        assert!(text.contains("EXPECTED SUPPORTED"));
    }

    #[test]
    fn a_share_below_one_is_never_shown_as_all() {
        assert_eq!(
            (bare_percent(0.99999), bare_percent(1.0), bare_percent(1e-9)),
            ("99.9".into(), "100".into(), "0.1".into())
        );
    }
}
