//! The first screen: the question, the setting in one line, what came out in one sentence a claim, and which figure shows it.

use super::claims::{number, sentence_case, verdict};
use super::formula::formula;
use crate::claims::judge::{conclusions, surprises, too_few};
use crate::claims::verdict_changes::is_lower_bound;
use crate::record::ClaimRow;
use crate::record::design::ALPHA;
use crate::report::alike::worst;
use crate::report::charts::Chart;
use crate::report::charts::names::quantity;
use crate::report::labels::Labels;
use crate::report::numbers::{bare_percent, minus, six_digits, tied};
use crate::report::results::Results;
use crate::report::text::words_of;
use crate::sim::keys::KEYS;
use crate::sim::{Decision, Part, Verdict};
use maud::{Markup, html};
use std::collections::BTreeSet;

/// The keys of the line that tells the setting.
const SETTING: [&str; 8] = [
    "data.patterns",
    "data.tokens",
    "model.experts",
    "model.tokens_per_expert",
    "model.neurons",
    "training.batch",
    "training.iterations",
    "pretrained.neuron_scale",
];

/// Sentences that the first screen has room for; the table below has all claims.
const MOST_SENTENCES: usize = 10;

/// Question, setting and answers.
pub(super) fn head(results: &Results, main: Option<&Chart>) -> Markup {
    let manifest = &results.manifest;
    let sentences = sentences(results);
    html! {
        header.page {
            p.kicker { "simulation " code { (manifest.name) } }
            h1 { @if manifest.aims.is_empty() { (manifest.name) } @else { (manifest.aims) } }
            p.setting { (formula(&tied(&setting(results)))) }
            @if !sentences.is_empty() {
                ul.answers { @for sentence in sentences.iter().take(MOST_SENTENCES) { (sentence) } }
                @if sentences.len() > MOST_SENTENCES { p { a href="#claims" { (sentences.len() - MOST_SENTENCES) " further results" } " are in the table." } }
            }
            // Where nothing is claimed, the maps are the answer.
            @if let (Some(main), true) = (main, sentences.is_empty()) {
                ul.answers { @for view in main.views.iter().take(MOST_SENTENCES) { li { @if !view.of.is_empty() { (tied(&view.of)) ": " } strong { (tied(&view.title)) } "." } } }
            }
            (expectations(results))
        }
    }
}

/// How many verdicts are as expected, and which are not.
fn expectations(results: &Results) -> Markup {
    let expected = conclusions(&results.claims).iter().filter(|row| row.expected.is_some()).count();
    let (surprising, few) = (surprises(&results.claims), too_few(&results.claims));
    html! {
        @if expected > 0 { p.small { (expected - surprising.len() - few.len()) " of " (expected) " verdicts as expected" @if few.len() > MOST_SENTENCES { "; for " (few.len()) " the runs are too few" } "." } }
        (named("Not as expected: ", &surprising))
        @if few.len() <= MOST_SENTENCES { (named("Too few runs to decide: ", &few)) }
    }
}

/// These claims, with a word before them and each once; nothing without a claim.
fn named(what: &str, rows: &[&ClaimRow]) -> Markup {
    let mut unique: Vec<(&ClaimRow, usize)> = Vec::new();
    for row in rows {
        match unique.iter_mut().find(|(other, _)| (&other.claim, &other.case) == (&row.claim, &row.case)) {
            Some((_, count)) => *count += 1,
            None => unique.push((row, 1)),
        }
    }
    html! {
        @if !rows.is_empty() {
            p.warning { strong { (what) } @for (place, (row, count)) in unique.iter().enumerate() {
                @if place > 0 { ", " }
                a href=(format!("#claim-{}", row.number)) { (row.claim) @if *count > 1 { " ×" (count) } @if !row.case.is_empty() { " (" (row.case) ")" } }
            } "." }
        }
    }
}

/// `d = 64 … 2048, n = 16, …; 500 runs at each of 24 points, master seed 0`.
fn setting(results: &Results) -> String {
    let manifest = &results.manifest;
    let values = |path: &str| {
        let mut values: Vec<&str> = Vec::new();
        for value in manifest.points.iter().filter_map(|point| point.parameters.get(path)) {
            if !values.contains(&value.as_str()) {
                values.push(value);
            }
        }
        values.sort_by(|a, b| a.parse::<f64>().unwrap_or(0.0).total_cmp(&b.parse::<f64>().unwrap_or(0.0)));
        match values[..] {
            [] => None,
            [one] => Some(six_digits(one)),
            [first, .., last] => Some(format!("{} … {}", six_digits(first), six_digits(last))),
        }
    };
    let symbol = |path: &str| KEYS.iter().find(|key| key.path == path).map_or("", |key| key.symbol);
    let keys: Vec<String> =
        SETTING.iter().filter_map(|path| Some(format!("{} = {}", symbol(path), values(path)?))).collect();
    let (runs, points) = (results.number_of_runs(), results.points().len());
    let counts = || results.runs.points.values().map(|point| point.runs);
    let runs = match (points, counts().min() == counts().max()) {
        (1, _) => format!("{runs} {}", if runs == 1 { "run" } else { "runs" }),
        (_, true) => format!("{} runs at each of {points} grid points", counts().max().unwrap_or(0)),
        _ => format!("{runs} runs at {points} grid points"),
    };
    format!("{}; {runs}, master seed {}.", keys.join(", "), manifest.master_seed)
}

/// What the first screen says of one claim, or of several that came out in the same words.
struct Sentence<'a> {
    verdict: Decision,
    /// A row of each claim, and how often the claim stands in the file for each case.
    claims: Vec<(&'a ClaimRow, usize)>,
    /// `linear, tiny`, or nothing.
    cases: String,
    /// The part that shows the verdict, of how many, and where it is.
    decisive: &'a ClaimRow,
    parts: usize,
    place: String,
}

impl Sentence<'_> {
    /// How strong the verdict is; `it` is the claim, or each of several.
    fn strength(&self, it: &str) -> Markup {
        strength(it, self.decisive, self.parts, &self.place)
    }
}

/// The sentences, whatever the cases: those that surprise first.
fn sentences(results: &Results) -> Vec<Markup> {
    let mut groups: Vec<Vec<&ClaimRow>> = Vec::new();
    for row in conclusions(&results.claims) {
        match groups.iter_mut().find(|group| (&group[0].claim, group[0].verdict) == (&row.claim, row.verdict)) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    let labels = results.labels();
    let is_surprise = |group: &&Vec<&ClaimRow>| surprises(&results.claims).iter().any(|row| group.contains(row));
    let (first, then): (Vec<_>, Vec<_>) = groups.iter().partition(is_surprise);
    let mut merged: Vec<Sentence> = Vec::new();
    for sentence in first.into_iter().chain(then).map(|group| sentence(results, &labels, group)) {
        let words = |own: &Sentence| (own.verdict, own.cases.clone(), own.strength("It").into_string());
        match merged.iter_mut().find(|other| words(other) == words(&sentence)) {
            Some(other) => other.claims.extend(sentence.claims),
            None => merged.push(sentence),
        }
    }
    merged.iter().map(|sentence| shown(results, sentence)).collect()
}

fn sentence<'a>(results: &'a Results, labels: &Labels, group: &[&'a ClaimRow]) -> Sentence<'a> {
    let first = group[0];
    let is_own = |row: &&ClaimRow| row.part != Part::All && group.iter().any(|own| own.number == row.number);
    let parts: Vec<&ClaimRow> = results.claims.iter().filter(is_own).collect();
    let decisive = decisive(first, &parts).unwrap_or(first);
    let mut cases: Vec<&str> = group.iter().map(|row| row.case.as_str()).filter(|case| !case.is_empty()).collect();
    cases.dedup();
    let place = if parts.len() > 1 { labels.part_in_words(decisive, &parts) } else { String::new() };
    let is_one_of_several = results.claims.iter().any(|row| row.case != first.case);
    Sentence {
        verdict: first.verdict,
        claims: vec![(first, group.len() / cases.len().max(1))],
        cases: match cases.len() {
            count if count == 0 || !is_one_of_several => String::new(),
            1..=3 => cases.join(", "),
            count => format!("{count} cases"),
        },
        decisive,
        parts: parts.len(),
        place,
    }
}

/// Of one claim `T1c: Δ separates … It held in …`; of several `Each held in …:` and a list of them.
fn shown(results: &Results, sentence: &Sentence) -> Markup {
    let Sentence { claims, cases, .. } = sentence;
    let statement = |row: &ClaimRow| {
        let words = words_of(row, &results.manifest.claims).map(|words| sentence_case(words.statement));
        formula(&words.unwrap_or_default())
    };
    let name = |(row, count): &(&ClaimRow, usize)| {
        html! { a href=(format!("#claim-{}", row.number)) { strong { (row.claim) } @if *count > 1 { " ×" (count) } } }
    };
    html! {
        li.answer {
            (verdict(sentence.verdict)) " "
            @if let [alone] = &claims[..] {
                (name(alone)) @if !cases.is_empty() { " in " (cases) } ": " (statement(alone.0)) ". " (sentence.strength("It"))
            } @else {
                (sentence.strength("Each")) @if !cases.is_empty() { " In " (cases) "." }
                ul { @for own in claims { li { (name(own)) ": " (statement(own.0)) "." } } }
            }
        }
    }
}

/// The part that shows a verdict: the worst of those that all support, the clearest of those that refute.
fn decisive<'a>(row: &ClaimRow, parts: &[&'a ClaimRow]) -> Option<&'a ClaimRow> {
    let verdict = row.verdict.verdict();
    let alike: Vec<&ClaimRow> = parts.iter().copied().filter(|part| part.verdict.verdict() == verdict).collect();
    worst(if alike.is_empty() { parts } else { &alike })
}

/// `It held in 1,000 of 1,000 runs; at least 99.4 % at 95 % confidence`.
fn strength(it: &str, row: &ClaimRow, parts: usize, place: &str) -> Markup {
    let confidence = format!("{} % confidence", 100.0 * (1.0 - ALPHA));
    let at = if place.is_empty() { String::new() } else { format!(" ({place})") };
    // The slope over all points has no place of its own.
    let where_ = if parts > 1 && place.is_empty() && !row.part.is_slope() {
        format!(" in the worst of {parts} parts")
    } else {
        at
    };
    let (low, high) = (row.ci_low.unwrap_or(0.0), row.ci_high.unwrap_or(1.0));
    let percent = |share: f64| format!("{} %", bare_percent(share));
    let (Some(_), Some(holds)) = (row.level, row.holds) else { return tendency(row, &where_, &confidence) };
    if row.runs == 0 {
        let missed = if row.missed.is_empty() { String::new() } else { format!(" ({})", row.missed) };
        return html! { "No run" (tied(&where_)) " was judged: " (number(row.set_aside as f64, thousands(row.set_aside))) " were set aside" (missed) "." };
    }
    let bound = match row.verdict.verdict() {
        Verdict::Supported => format!("at least {} at {confidence}", percent(low)),
        Verdict::Refuted => format!("at most {} at {confidence}", percent(high)),
        Verdict::Inconclusive => format!("between {} and {} at {confidence}", percent(low), percent(high)),
    };
    html! { (it) " held in " (number(holds as f64, thousands(holds))) " of " (number(row.runs as f64, thousands(row.runs))) " runs" (tied(&where_)) "; " (tied(&bound)) "." }
}

/// The same of a slope or a difference.
fn tendency(row: &ClaimRow, place: &str, confidence: &str) -> Markup {
    let what = if row.part.is_slope() { "Slope" } else { "Difference of shares" };
    let Some(estimate) = row.estimate else {
        return html! { (what) (tied(place)) ": no estimate." };
    };
    let interval = match (row.ci_low, row.ci_high) {
        (Some(low), Some(high)) => minus(&format!(" [{low:.2}, {high:.2}] at {confidence}")),
        _ => String::new(),
    };
    let side = if is_lower_bound(row) { ">" } else { "≤" };
    let needed = row.threshold.map(|threshold| format!(", needed {side} {}", quantity(threshold))).unwrap_or_default();
    html! { (what) (tied(place)) " " (number(estimate, minus(&format!("{estimate:.2}")))) (tied(&interval)) (tied(&needed)) "." }
}

/// `12,000`.
pub(super) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// The place of the figure that answers the question: of criteria, of the sweep over d, of a map, of pruning. A map comes
/// first where nothing is claimed, and after pruning where less than half of the points are on one.
pub(super) fn main_chart(results: &Results, charts: &[Chart]) -> Option<usize> {
    let mapped: BTreeSet<usize> = results.phase.iter().map(|cell| cell.point).collect();
    let wanted = match (results.claims.is_empty(), 2 * mapped.len() >= results.points().len()) {
        (true, _) => ["phase", "curves", "criteria", "scaling", "pruning", "norm-change"],
        (_, true) => ["criteria", "scaling", "phase", "curves", "pruning", "norm-change"],
        _ => ["criteria", "scaling", "pruning", "norm-change", "phase", "curves"],
    };
    wanted.into_iter().find_map(|id| charts.iter().position(|chart| chart.id == id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_tells_how_strong_a_verdict_is() {
        let row = ClaimRow {
            verdict: Decision::Supported,
            level: Some(0.95),
            holds: Some(12000),
            runs: 12000,
            estimate: Some(1.0),
            ci_low: Some(0.994),
            ci_high: Some(1.0),
            ..ClaimRow::default()
        };
        let text = |row: &ClaimRow| strength("It", row, 1, "").into_string().replace('\u{a0}', " ");
        assert!(text(&row).ends_with("12,000</data> runs; at least 99.4 % at 95 % confidence."), "{}", text(&row));
        let refuted = ClaimRow { verdict: Decision::Refuted, ci_high: Some(0.2), ..row.clone() };
        assert!(text(&refuted).contains("at most 20.0 % at"), "{}", text(&refuted));
        let none = ClaimRow { level: None, part: Part::Slope, estimate: None, ..row.clone() };
        assert_eq!(strength("It", &none, 3, "").into_string(), "Slope: no estimate.");
        let slope = ClaimRow { level: None, part: Part::Slope, estimate: Some(-0.8), threshold: Some(-0.4), ..row };
        assert!(
            text(&slope).contains("−0.80") && text(&slope).contains("[0.99, 1.00] at 95 % confidence, needed"),
            "{}",
            text(&slope)
        );
    }
}
