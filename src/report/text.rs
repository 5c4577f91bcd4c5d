//! The verdict table for a terminal of 80 columns.

use super::bars::sparkline;
use super::numbers::{WIDTH, bare_percent, percent, significant};
use super::{audits, maps, sweeps};
use crate::claims::Findings;
use crate::claims::catalogue::{Definition, definition};
use crate::claims::judge::{conclusions, has_too_few_runs, surprises, too_few};
use crate::claims::verdict_changes::is_lower_bound;
use crate::record::ClaimRow;
use crate::sim::ClaimSpec;
use crate::sim::On;
use crate::sim::Part;
use std::fmt::Write;

/// Everything that came out, as tables of at most [`WIDTH`] columns.
pub fn findings(findings: &Findings) -> String {
    let mut text = String::new();
    if !findings.claims.is_empty() {
        text.push_str(&verdicts(&findings.claims, &findings.fewest_runs, &findings.asked));
    }
    text.push_str(&sweeps::scaling(&findings.scaling));
    text.push_str(&sweeps::terms(&findings.terms));
    text.push_str(&maps::phases(&findings.phase, &findings.boundary));
    text.push_str(&audits::audits(&findings.audits));
    text
}

/// The verdict table, at most [`WIDTH`] columns wide.
///
/// For each claim: claim, verdict, share of runs for which it holds, simultaneous interval, what it is tested against.
/// Below: its parts, if it has several; what was claimed, with threshold and median figure. `fewest_runs` are those of the
/// claims in file order.
pub(crate) fn verdicts(rows: &[ClaimRow], fewest_runs: &[u64], asked: &[ClaimSpec]) -> String {
    let mut text = String::new();
    let rule = "─".repeat(WIDTH);
    let _ = writeln!(
        text,
        "{:<8}{:<23}{:>8}  {:<18}{:<9}{:>12}",
        "claim", "verdict", "holds in", "interval", "needed", "runs"
    );
    let _ = writeln!(text, "{rule}");
    let mut case = "";
    for row in conclusions(rows) {
        if row.case != case {
            case = &row.case;
            let _ = writeln!(text, "case {case}:");
        }
        let _ = writeln!(text, "{}", first_line(row, &row.claim));
        for line in textwrap::wrap(&in_words(row, fewest_of(row, fewest_runs), asked), WIDTH - 8) {
            let _ = writeln!(text, "        {line}");
        }
        if row.part == Part::All {
            let parts: Vec<&ClaimRow> =
                rows.iter().filter(|part| part.number == row.number && part.part != Part::All).collect();
            write_parts(&mut text, &parts);
        }
    }
    text
}

fn fewest_of(row: &ClaimRow, fewest_runs: &[u64]) -> Option<u64> {
    row.number.checked_sub(1).and_then(|place| fewest_runs.get(place)).copied()
}

/// How many verdicts are the expected ones, and why the others are not; empty if nothing is expected.
pub fn expectations(findings: &Findings) -> String {
    let rows = &findings.claims;
    let expected = conclusions(rows).iter().filter(|row| row.expected.is_some()).count();
    if expected == 0 {
        return String::new();
    }
    let (surprising, few) = (surprises(rows).len(), too_few(rows));
    let mut text = format!("{} of {expected} verdicts as expected.", expected - surprising - few.len());
    if surprising > 0 {
        let _ = write!(text, " {surprising} not as expected.");
    }
    if let Some(fewest) = few.iter().filter_map(|row| fewest_of(row, &findings.fewest_runs)).max() {
        let _ =
            write!(text, " {} not decided: too few runs; from {fewest} judged runs a point on they can be.", few.len());
    }
    textwrap::fill(&text, WIDTH)
}

/// More points than this are told in one line if all have one verdict.
const FEW_POINTS: usize = 4;

fn write_parts(text: &mut String, parts: &[&ClaimRow]) {
    for parts in parts.chunk_by(|a, b| a.part == b.part) {
        write_bars(text, parts);
        if parts.len() > FEW_POINTS && parts.iter().all(|part| part.verdict == parts[0].verdict) {
            let worst = parts.iter().fold(parts[0], |worst, part| {
                if part.estimate.unwrap_or(0.0) < worst.estimate.unwrap_or(0.0) { part } else { worst }
            });
            let _ = writeln!(text, "{}", first_line(worst, &format!("  {}·@", parts.len())));
            continue;
        }
        for part in parts {
            let label = match part.point {
                Some(point) => format!("  @{point}"),
                None => format!("  {}", part.part.short()),
            };
            let label = if label.chars().count() < 8 { label } else { label.chars().take(7).collect() };
            let _ = writeln!(text, "{}", first_line(part, &label));
        }
    }
}

/// The shares at three points or more as bars, if they are not all the same.
fn write_bars(text: &mut String, parts: &[&ClaimRow]) {
    let shares: Vec<Option<f64>> = parts.iter().map(|part| part.level.and(part.estimate)).collect();
    let (Some(first), Some(last)) = (parts.first().and_then(|p| p.point), parts.last().and_then(|p| p.point)) else {
        return;
    };
    let differ = shares.iter().any(|share| *share != shares[0]);
    if shares.len() >= 3 && shares.len() <= WIDTH - 40 && differ {
        let _ = writeln!(text, "        share of runs, points {first} to {last}: {}", sparkline(shares));
    }
}

fn first_line(row: &ClaimRow, label: &str) -> String {
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
    let runs = row.holds.map_or_else(|| row.runs.to_string(), |holds| format!("{holds}/{}", row.runs));
    let estimate = estimate.unwrap_or_default();
    let line = format!("{label:<8}{:<23}{estimate:>8}  {interval:<18}{needed:<9}{runs:>12}", row.verdict);
    line.trim_end().to_owned()
}

/// A difference of shares with its sign and three decimals; what rounds to 0 is 0.
fn signed(difference: f64) -> String {
    match format!("{difference:+.3}").as_str() {
        "+0.000" | "-0.000" => "0".to_owned(),
        text => text.to_owned(),
    }
}

/// A claim in words.
pub(super) struct Words<'a> {
    pub statement: &'a str,
    pub figure: &'a str,
    pub constant: &'a str,
    pub holds_if: &'a str,
    pub source: &'a str,
}

/// The words of a row's claim: of the claim of that number among those that were asked, or of the theory's of that id.
pub(super) fn words_of<'a>(row: &ClaimRow, asked: &'a [ClaimSpec]) -> Option<Words<'a>> {
    let own = row.number.checked_sub(1).and_then(|place| asked.get(place)).filter(|claim| claim.id.name() == row.claim);
    let of_theory = |definition: &'static Definition| Words {
        statement: definition.statement,
        figure: definition.figure,
        constant: definition.constant,
        holds_if: definition.holds_if,
        source: definition.source,
    };
    match own.filter(|claim| claim.definition().is_none()) {
        None => definition(&row.claim).map(of_theory),
        Some(claim) => Some(Words {
            statement: claim.statement(),
            figure: claim.figure_words(),
            constant: claim.constant_words(),
            holds_if: claim.holds_if(),
            source: "the simulation file",
        }),
    }
}

/// What was claimed and what came out, in words; with too few runs, how many the claim needs.
pub(crate) fn in_words(row: &ClaimRow, fewest_runs: Option<u64>, asked: &[ClaimSpec]) -> String {
    let Some(words) = words_of(row, asked) else { return String::new() };
    let mut text = words.statement.to_owned();
    text.push_str(&constants(row, asked));
    if row.part == Part::Paired {
        text.push_str("; shown: share of runs in which it is better somewhere less that in which it is worse");
    }
    if let Some(median) = row.median.filter(|_| !words.figure.is_empty()) {
        let _ = write!(text, "; median {}: {}", words.figure, significant(median));
    }
    if row.set_aside > 0 {
        let _ = write!(text, "; {} runs set aside (missed: {})", row.set_aside, row.missed);
    } else if !row.missed.is_empty() {
        let _ = write!(text, "; {}", row.missed);
    }
    if row.on == On::All {
        text.push_str("; on all runs");
    }
    if let (true, Some(fewest)) = (has_too_few_runs(row), fewest_runs) {
        let _ = write!(text, "; too few runs: SUPPORTED needs at least {fewest} judged ones at each point");
    }
    if let [surprising] = surprises(std::slice::from_ref(row))[..]
        && let Some(expected) = surprising.expected
    {
        let _ = write!(text, "; EXPECTED {expected}");
    }
    text
}

/// The constants of a claim that is no slope, and what it compares with.
pub(super) fn constants(row: &ClaimRow, asked: &[ClaimSpec]) -> String {
    let constant = words_of(row, asked).map(|words| words.constant).unwrap_or_default();
    let mut text = match row.threshold {
        Some(threshold) if !constant.is_empty() => format!("; {}", constant.replace("{}", &threshold.to_string())),
        _ => String::new(),
    };
    if let Some(against) = row.against {
        let _ = write!(text, "; against {against}");
    }
    if let Some(feature) = row.feature {
        let _ = write!(text, ", on samples with {feature} features");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{Decision, RoleSource, Verdict};

    fn row() -> ClaimRow {
        ClaimRow {
            claim: "T1a".into(),
            part: Part::Probability,
            point: Some(0),
            on: On::Met,
            runs: 1000,
            set_aside: 3,
            holds: Some(999),
            estimate: Some(0.999),
            ci_low: Some(0.9912),
            ci_high: Some(0.99999),
            threshold: Some(0.1),
            level: Some(0.95),
            p_holm: Some(1e-9),
            verdict: Decision::TooFew,
            expected: Some(Verdict::Supported),
            roles: RoleSource::Measured,
            case: String::new(),
            median: Some(0.36234),
            missed: "A-gauge 3".into(),
            standard_error: Some(0.001),
            line: String::new(),
            number: 1,
            against: None,
            feature: None,
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let text = verdicts(&[row()], &[2345], &[]);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.contains("99.9 %") && text.contains("[99.1, 99.9]") && text.contains("c₁ = 0.1"), "{text}");
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("SUPPORTED needs at least 2345 judged ones at each point"), "{text}");
        assert!(!text.contains("EXPECTED"), "{text}");
        let text = verdicts(&[ClaimRow { verdict: Decision::Refuted, ..row() }], &[2345], &[]);
        assert!(text.contains("EXPECTED SUPPORTED") && !text.contains("2345"), "{text}");
    }

    #[test]
    fn what_is_not_decided_is_told_apart_from_what_is_not_as_expected() {
        let with = |number: usize, verdict| ClaimRow { number, verdict, ..row() };
        let few = Decision::TooFew;
        let claims = vec![with(1, Decision::Supported), with(2, few), with(3, Decision::Inconclusive), with(4, few)];
        let findings = Findings { claims, fewest_runs: vec![20, 223, 500, 96], ..Findings::default() };
        let told = expectations(&findings).replace('\n', " ");
        let few = "2 not decided: too few runs; from 223 judged runs a point on they can be.";
        assert_eq!(told, format!("1 of 4 verdicts as expected. 1 not as expected. {few}"));
        assert_eq!(expectations(&Findings::default()), "");
    }

    #[test]
    fn a_difference_of_shares_is_no_per_cent() {
        let row = ClaimRow {
            claim: "C1".into(),
            part: Part::Paired,
            estimate: Some(-0.3),
            ci_low: Some(-0.62),
            ci_high: Some(0.0),
            threshold: Some(0.95 - 1.0),
            level: None,
            holds: Some(20),
            runs: 20,
            verdict: Decision::Inconclusive,
            ..row()
        };
        let text = verdicts(&[row], &[], &[]);
        assert!(text.contains("-0.300  [-0.620, 0]       > -0.050        20/20"), "{text}");
        assert!(text.lines().nth(2).is_some_and(|line| !line.contains('%')), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn a_share_below_one_is_never_shown_as_all() {
        assert_eq!(
            (bare_percent(0.99999), bare_percent(1.0), bare_percent(1e-9)),
            ("99.9".into(), "100".into(), "0.1".into())
        );
    }
}
