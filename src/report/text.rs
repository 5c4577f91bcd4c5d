//! What came out, for a terminal of 80 columns: the summary, or everything.

use super::alike::worst;
use super::bars::sparkline;
use super::labels::{Labels, heading};
use super::numbers::{WIDTH, significant};
use super::summary::{self, cut, line, runs};
use super::{audits, maps, sweeps};
use crate::claims::Findings;
use crate::claims::catalogue::{Definition, definition};
use crate::claims::judge::{conclusions, has_too_few_runs, surprises, too_few};
use crate::record::ClaimRow;
use crate::sim::{ClaimSpec, On, Part};
use std::fmt::Write;

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A line a claim and case, and maps.
    Summary,
    /// What was claimed, every point, exponents and terms too.
    Everything,
}

/// What came out, as tables of at most [`WIDTH`] columns; `labels` are those of the points.
pub fn findings(findings: &Findings, labels: &Labels, detail: Detail) -> String {
    let mut text = String::new();
    let claims = &findings.claims;
    if !claims.is_empty() {
        text.push_str(&match detail {
            Detail::Summary => summary::summary(claims, labels),
            Detail::Everything => verdicts(findings, labels),
        });
    }
    if detail == Detail::Everything {
        text.push_str(&sweeps::scaling(&findings.scaling));
        text.push_str(&sweeps::terms(&findings.terms));
    }
    text.push_str(&maps::phases(&findings.phase, &findings.boundary));
    text.push_str(&match detail {
        Detail::Summary => audits::missed(&findings.audits),
        Detail::Everything => audits::audits(&findings.audits),
    });
    if detail == Detail::Summary && !claims.is_empty() {
        let note = format!("\nIntervals hold together. --verbose: {}.", more(findings).join(", "));
        let _ = writeln!(text, "{}", textwrap::fill(&note, WIDTH));
    }
    text
}

/// What the summary leaves out.
fn more(findings: &Findings) -> Vec<&'static str> {
    let parts = [
        (true, "what was claimed"),
        (findings.claims.iter().any(|row| row.part == Part::All), "each part of a claim"),
        (!findings.scaling.is_empty(), "exponents of d"),
        (!findings.terms.is_empty(), "drift, leakage and noise"),
        (!findings.audits.is_empty(), "all assumptions"),
    ];
    parts.into_iter().filter(|(is_there, _)| *is_there).map(|(_, what)| what).collect()
}

/// The verdict table, at most [`WIDTH`] columns wide.
///
/// For each claim: claim, verdict, share of runs for which it holds, simultaneous interval, what it is tested against.
/// Below: its parts, if it has several; what was claimed, with threshold and median figure. `fewest_runs` are those of the
/// claims in file order.
fn verdicts(findings: &Findings, labels: &Labels) -> String {
    let Findings { claims: rows, fewest_runs, asked, .. } = findings;
    let mut text = summary::head("runs");
    let mut case = "";
    for row in conclusions(rows) {
        if row.case != case {
            case = &row.case;
            let _ = writeln!(text, "{}:", heading(case));
        }
        let _ = writeln!(text, "{}", line(row, &row.claim, &runs(row)));
        for line in textwrap::wrap(&in_words(row, fewest_of(row, fewest_runs), asked), WIDTH - 10) {
            let _ = writeln!(text, "          {line}");
        }
        if row.part == Part::All {
            let parts: Vec<&ClaimRow> =
                rows.iter().filter(|part| part.number == row.number && part.part != Part::All).collect();
            write_parts(&mut text, &parts, labels);
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
        let _ = write!(text, " {surprising} not as expected: {}.", names(&surprises(rows)));
    }
    if let Some(fewest) = few.iter().filter_map(|row| fewest_of(row, &findings.fewest_runs)).max() {
        let _ =
            write!(text, " {} not decided: too few runs; from {fewest} judged runs a point on they can be.", few.len());
    }
    textwrap::fill(&text, WIDTH)
}

/// Claims with their cases, each once.
fn names(rows: &[&ClaimRow]) -> String {
    let mut names: Vec<String> = Vec::new();
    for row in rows {
        let name = if row.case.is_empty() { row.claim.clone() } else { format!("{} ({})", row.claim, row.case) };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

/// More points than this are told in one line if all have one verdict.
const FEW_POINTS: usize = 4;

fn write_parts(text: &mut String, parts: &[&ClaimRow], labels: &Labels) {
    for own in parts.chunk_by(|a, b| a.part == b.part) {
        let label = |part: &ClaimRow| labels.part(part, parts);
        write_bars(text, own, &label);
        if own.len() > FEW_POINTS && own.iter().all(|part| part.verdict == own[0].verdict) {
            let worst = worst(own).unwrap_or(own[0]);
            let _ = writeln!(text, "{}", line(worst, &format!("  {} alike", own.len()), &label(worst)));
            continue;
        }
        for part in own {
            let _ = writeln!(text, "{}", line(part, &format!("  {}", label(part)), &runs(part)));
        }
    }
}

/// The shares at three points or more as bars, if they are not all the same.
fn write_bars(text: &mut String, parts: &[&ClaimRow], label: &impl Fn(&ClaimRow) -> String) {
    let shares: Vec<Option<f64>> = parts.iter().map(|part| part.level.and(part.estimate)).collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return };
    let differ = shares.iter().any(|share| *share != shares[0]);
    if first.point.is_some() && (3..=WIDTH / 4).contains(&shares.len()) && differ {
        let ends = format!("{} to {}", cut(&label(first), 14), cut(&label(last), 14));
        let _ = writeln!(text, "          share of runs, {ends}: {}", sparkline(shares));
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
    use crate::report::numbers::bare_percent;
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

    fn of(row: ClaimRow, fewest_runs: Vec<u64>) -> Findings {
        Findings { claims: vec![row], fewest_runs, ..Findings::default() }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let text = verdicts(&of(row(), vec![2345]), &Labels::default());
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.contains("99.9 %") && text.contains("[99.1, 99.9]") && text.contains("c₁ = 0.1"), "{text}");
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("SUPPORTED needs at least 2345 judged ones at each point"), "{text}");
        assert!(!text.contains("EXPECTED"), "{text}");
        let text = verdicts(&of(ClaimRow { verdict: Decision::Refuted, ..row() }, vec![2345]), &Labels::default());
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
        assert_eq!(told, format!("1 of 4 verdicts as expected. 1 not as expected: T1a. {few}"));
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
        let text = verdicts(&of(row, Vec::new()), &Labels::default());
        assert!(text.contains("-0.300  [-0.620, 0]      > -0.050        20/20"), "{text}");
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
