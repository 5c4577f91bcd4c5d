//! The claims of a page, a table a case: verdict, estimate against its threshold, strength; behind each its assumptions, what
//! would change the verdict, and the numbers of all its parts. Claims that came out alike are one row.

use super::formula::formula;
use super::whisker::{self, MOST_ROWS, Mark};
use crate::claims::catalogue::definition;
use crate::claims::verdict_changes::{counts, distance, is_lower_bound, sentence};
use crate::record::ClaimRow;
use crate::record::design::{ALPHA, Design};
use crate::report::alike::{Alike, alike, worst};
use crate::report::gathering::PointRuns;
use crate::report::labels::{Labels, heading};
use crate::report::numbers::{bare_percent, minus, significant, tied};
use crate::report::results::Results;
use crate::report::text::{constants, words_of};
use crate::sim::{Decision, On, Part, RoleSource, Verdict};
use maud::{Markup, html};

/// What the rows of a table need.
struct Context<'a> {
    results: &'a Results,
    labels: Labels,
    /// Where the axis of probabilities begins, for all claims.
    axis: f64,
}

/// The tables of all claims; nothing without one.
pub(super) fn tables(results: &Results) -> Option<Markup> {
    (!results.claims.is_empty()).then_some(())?;
    let context = Context { results, labels: results.labels(), axis: axis_start(&results.claims) };
    let groups = alike(&results.claims);
    let confidence = 100.0 * (1.0 - ALPHA);
    let has_cases = groups.iter().any(|group| !group.first().case.is_empty());
    Some(html! {
        p.lead { "Dot: the estimate; of several parts, the worst. Whisker: its interval; all intervals of this page hold together with " (confidence) "\u{a0}% confidence. Upright line: what is needed." }
        div.scroll { table.claims {
            thead { tr { th { "verdict" } th { "claim" } th { "against what is needed" } th.number { "estimate" } th.number { "interval" } th.number { "needed" } } }
            @let first = |group: &Alike| groups.iter().find(|other| other.first().claim == group.first().claim) == Some(group);
            @for case in groups.chunk_by(|a, b| a.first().case == b.first().case) {
                @if has_cases { tbody.case { tr { th colspan="6" scope="rowgroup" { (heading(&case[0].first().case)) } } } }
                @for group in case { (row(&context, group, first(group))) }
            }
        } }
    })
}

/// Where the axis of probabilities begins: a tenth below the lowest interval.
fn axis_start(rows: &[ClaimRow]) -> f64 {
    let probabilities = rows.iter().filter(|row| row.level.is_some());
    let lowest = probabilities.flat_map(|row| [row.ci_low, row.level]).flatten().fold(1.0, f64::min);
    (libm::floor(lowest * 10.0 - 0.1) / 10.0).clamp(0.0, 0.9)
}

/// The row of claims that came out alike, and what is behind it; the claim's words only where it is `first` told.
fn row(context: &Context, group: &Alike, is_first: bool) -> Markup {
    let (first, worst) = (group.first(), group.worst());
    let words = words_of(first, &context.results.manifest.claims);
    let alone = Mark { label: String::new(), row: worst };
    html! {
        tbody.claim id=(format!("claim-{}", first.number)) {
            tr {
                td { (verdict(first.verdict)) @if let Some(expected) = first.expected.filter(|expected| *expected != first.verdict.verdict()) { " " span.surprise { "expected " (expected) } } }
                td.words {
                    strong { (group.name()) } " "
                    @if let (Some(words), true) = (&words, is_first) { (formula(&tied(&sentence_case(words.statement)))) (formula(&tied(&threshold(context, group)))) "." }
                    @else { (formula(&tied(threshold(context, group).trim_start_matches([';', ',', ' '])))) }
                    @for other in &group.rows[1..] { span id=(format!("claim-{}", other.number)) {} }
                }
                td.drawn { @if worst.estimate.or(worst.ci_low).is_none() {} @else if worst.level.is_some() { (whisker::probabilities(&[alone], context.axis)) } @else { (whisker::slopes(&[alone])) } }
                (strength(context, group))
            }
            tr.more { td colspan="6" { details {
                summary { @if group.parts.len() > 1 { "Assumptions, what would change it, the numbers of " (group.parts.len()) " parts" } @else { "Assumptions, what would change it, numbers" } }
                @if let (Some(words), false) = (&words, is_first) { p { (formula(&sentence_case(words.statement))) "." } }
                (behind(context, group))
                @if let Some(words) = &words {
                    @if !words.holds_if.is_empty() { p { span.key { "Holds in a run if" } " " (formula(words.holds_if)) "." } }
                    p { span.key { "Source:" } " " (formula(words.source)) "." }
                }
            } } }
        }
    }
}

/// The cells of the part that is worst: estimate, interval, what is needed.
fn strength(context: &Context, group: &Alike) -> Markup {
    let row = group.worst();
    let is_share = row.level.is_some();
    let shown =
        |value: f64| if is_share { format!("{} %", bare_percent(value)) } else { minus(&format!("{value:.3}")) };
    let place = if group.parts.len() > 1 { context.labels.part_in_words(row, &group.parts) } else { String::new() };
    let side = if is_lower_bound(row) { ">" } else { "≤" };
    html! {
        td.number {
            @if let Some(estimate) = row.estimate { (number(estimate, tied(&shown(estimate)))) } @else { "none" }
            @let holds = row.holds.filter(|_| is_share);
            @if holds.is_some() || !place.is_empty() { " " br; span.small {
                @if let Some(holds) = holds { (number(holds as f64, holds.to_string())) "\u{a0}of\u{a0}" (number(row.runs as f64, row.runs.to_string())) @if !place.is_empty() { ", " } }
                (formula(&tied(&place)))
            } }
        }
        td.number { @if let (Some(low), Some(high)) = (row.ci_low, row.ci_high) {
            "[" (number(low, tied(&shown(low)))) ", " (number(high, tied(&shown(high)))) "]"
        } }
        td.number { @if let Some(level) = row.level { "P\u{a0}≥\u{a0}" (number(level, level.to_string())) } @else if let Some(needed) = row.threshold { (side) "\u{a0}" (number(needed, minus(&significant(needed)))) } }
    }
}

/// Assumptions, what would change the verdict, and a table of all parts.
fn behind(context: &Context, group: &Alike) -> Markup {
    let first = group.first();
    let on = if first.on == On::All { "Every run counts. " } else { "" };
    let roles = if first.roles == RoleSource::Built { "Roles as built. " } else { "" };
    let words = words_of(first, &context.results.manifest.claims);
    let figure = words.map(|words| words.figure).unwrap_or_default();
    html! {
        @if !group.against().is_empty() { p { span.key { "Against:" } " " (group.against().join(", ")) "." } }
        p { span.key { "Assumptions:" } " " (on) (roles) (assumptions(context.results, first)) }
        @if let [row] = group.rows[..] {
            @if let Some(median) = row.median.filter(|_| !figure.is_empty()) { p { span.key { "Median " (formula(figure)) ":" } " " (number(median, minus(&significant(median)))) "." } }
            @if let (Some(holds), true) = (row.holds, group.parts.len() > 1) { p { "It holds in " (number(holds as f64, holds.to_string())) " of " (number(row.runs as f64, row.runs.to_string())) " runs over " (group.parts.len()) " parts." } }
            p { span.key { "What would change it:" } " " (change(context, row, &group.parts)) }
        } @else {
            p { span.key { "What would change the worst of them:" } " " (sentence(group.worst(), context.results.manifest.design(), pairs(context.results))) }
        }
        @if group.parts.len() > MOST_ROWS || group.parts.len() > 1 && group.rows.len() == 1 { (marks(context, &group.parts)) }
        (table(context, group))
    }
}

/// A verdict, told apart by word and sign too.
pub(super) fn verdict(decision: Decision) -> Markup {
    let (class, sign) = match decision.verdict() {
        Verdict::Supported => ("supported", "✓"),
        Verdict::Refuted => ("refuted", "✗"),
        Verdict::Inconclusive => ("inconclusive", "?"),
    };
    html! { span class=(format!("verdict {class}")) { span aria-hidden="true" { (sign) } " " (decision) } }
}

pub(super) fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// The constants of a claim, and that of its slopes; what a single one compares with.
fn threshold(context: &Context, group: &Alike) -> String {
    let (row, parts) = (group.first(), &group.parts);
    let slope = parts.iter().find(|part| part.part.is_slope()).and_then(|part| Some((part, part.threshold?)));
    let slope = slope.map(|(part, threshold)| {
        let side = if is_lower_bound(part) { "above" } else { "at most" };
        minus(&format!("; slopes {side} {threshold}"))
    });
    let alone = ClaimRow { against: row.against.filter(|_| group.rows.len() == 1), ..row.clone() };
    constants(&alone, &context.results.manifest.claims) + &slope.unwrap_or_default()
}

/// Estimates against their thresholds: probabilities, then slopes.
fn marks(context: &Context, parts: &[&ClaimRow]) -> Markup {
    let of = |probability: bool| {
        let own = parts.iter().copied().filter(|part| part.level.is_some() == probability);
        let mut own: Vec<&ClaimRow> = own.collect();
        if own.len() > MOST_ROWS {
            own.sort_by(|a, b| {
                distance(a).unwrap_or(f64::NEG_INFINITY).total_cmp(&distance(b).unwrap_or(f64::NEG_INFINITY))
            });
            own.truncate(MOST_ROWS);
        }
        let name = |part| if parts.len() > 1 { context.labels.part(part, parts) } else { String::new() };
        own.into_iter().map(|row| Mark { label: name(row), row }).collect::<Vec<Mark>>()
    };
    let (probabilities, slopes) = (of(true), of(false));
    html! {
        @if !probabilities.is_empty() { (whisker::probabilities(&probabilities, context.axis)) }
        @if !slopes.is_empty() { (whisker::slopes(&slopes)) }
        @if parts.len() > MOST_ROWS && probabilities.len().max(slopes.len()) == MOST_ROWS {
            p.small { "The " (MOST_ROWS) " parts that are worst for the claim; all of them below." }
        }
    }
}

/// A number with its exact value.
pub(super) fn number(value: f64, text: String) -> Markup {
    html! { data value=(value) { (text) } }
}

/// The table of the parts of a group.
fn table(context: &Context, group: &Alike) -> Markup {
    let cell = |value: Option<f64>| html! { td.number { @if let Some(value) = value { (number(value, minus(&significant(value)))) } } };
    let against = !group.against().is_empty();
    html! {
        div.scroll { table {
            thead { tr {
                @for name in ["part", "where", "holds", "runs", "estimate", "interval from", "to", "threshold", "level", "p (Holm)", "verdict"] { th { (name) } }
                @if against { th { "against" } }
            } }
            tbody { @for part in &group.parts { tr {
                td { (part.part) } td { (formula(&tied(&context.labels.part_in_words(part, &group.parts)))) }
                td.number { @if let Some(holds) = part.holds { (holds) } } td.number { (part.runs) }
                (cell(part.estimate)) (cell(part.ci_low)) (cell(part.ci_high)) (cell(part.threshold)) (cell(part.level)) (cell(part.p_holm))
                td { (part.verdict) }
                @if against { td { @if let Some(against) = part.against { (against) } } }
            } } }
        } }
    }
}

/// The points that a row speaks of, with what is known of all their runs.
fn points_of<'a>(results: &'a Results, row: &ClaimRow) -> Vec<&'a PointRuns> {
    let own = |(point, runs): &(&usize, &PointRuns)| match row.point {
        Some(own) => **point == own,
        None => row.case.is_empty() || results.case(&runs.first) == row.case,
    };
    results.runs.points.iter().filter(own).map(|(_, runs)| runs).collect()
}

fn assumptions(results: &Results, row: &ClaimRow) -> Markup {
    let Some(definition) = definition(&row.claim) else {
        let own = row.number.checked_sub(1).and_then(|place| results.manifest.claims.get(place));
        let names: Vec<String> =
            own.into_iter().flat_map(|claim| claim.assumptions()).map(|own| own.name().to_owned()).collect();
        return html! {
            @if names.is_empty() { "It assumes nothing. " } @else { (names.join(", ")) ". " }
            @if row.set_aside > 0 { (number(row.set_aside as f64, row.set_aside.to_string())) " runs were set aside. " }
            @if !row.missed.is_empty() { (row.missed) "." }
        };
    };
    let points = points_of(results, row);
    let runs: u64 = points.iter().map(|point| point.runs).sum();
    let missed: Vec<(&str, u64)> = definition
        .assumptions
        .iter()
        .map(|assumption| (assumption.name(), points.iter().map(|point| point.missed_by(*assumption)).sum()))
        .collect();
    let met: Vec<&str> = missed.iter().filter(|(_, count)| *count == 0).map(|(name, _)| *name).collect();
    let missed: Vec<String> = missed
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name} in {count} of {runs} runs"))
        .collect();
    html! {
        @if definition.assumptions.is_empty() { "It assumes nothing. " }
        @if !met.is_empty() { "met in every run: " @for (place, name) in met.iter().enumerate() { @if place > 0 { ", " } span.whole { (name) } } ". " }
        @if !missed.is_empty() { strong { "missed: " (missed.join(", ")) ". " } }
        @if row.set_aside > 0 { (number(row.set_aside as f64, row.set_aside.to_string())) " runs were set aside. " }
        @else if row.on == On::All && !missed.is_empty() { "No run was set aside. " }
        @if row.set_aside == 0 && !row.missed.is_empty() { (row.missed) "." }
    }
}

/// Pairs of hypotheses that are corrected together.
fn pairs(results: &Results) -> usize {
    results.claims.iter().filter(|row| row.part != Part::All).count()
}

/// What would change the verdict: of the part that decides it.
fn change(context: &Context, row: &ClaimRow, parts: &[&ClaimRow]) -> Markup {
    let results = context.results;
    let (design, pairs) = (results.manifest.design(), pairs(results));
    let is_open = |part: &&ClaimRow| row.verdict.verdict() == part.verdict.verdict();
    let alike: Vec<&ClaimRow> = parts.iter().copied().filter(is_open).collect();
    let Some(deciding) = worst(&alike).or(parts.first().copied()) else { return html! {} };
    let same = alike.len();
    let place = formula(&tied(&place_of(context, deciding, parts)));
    html! {
        @if parts.len() > 1 {
            @match row.verdict.verdict() {
                Verdict::Supported => { "All " (parts.len()) " parts must be SUPPORTED. The nearest to failing, " (place) ": " }
                Verdict::Refuted => { "One REFUTED part is enough; " (same) " of " (parts.len()) " are. The clearest, " (place) ": " }
                Verdict::Inconclusive => { (same) " of " (parts.len()) " parts are not decided. The one furthest from SUPPORTED, " (place) ": " }
            }
        }
        (sentence(deciding, design, pairs))
        @if let Some(largest) = largest_threshold(results, row, pairs) {
            " It would be SUPPORTED for every c₁ up to " (number(largest, significant(largest))) "."
        }
    }
}

/// Where a part is, or that it is the claim's own slope.
fn place_of(context: &Context, part: &ClaimRow, parts: &[&ClaimRow]) -> String {
    let place = context.labels.part_in_words(part, parts);
    if place.is_empty() { "the slope over all points".to_owned() } else { place }
}

/// The largest c₁ at which T1a, of a single part, would be SUPPORTED.
fn largest_threshold(results: &Results, row: &ClaimRow, pairs: usize) -> Option<f64> {
    let (Some(level), Some(point), Design::Fixed) = (row.level, row.point, results.manifest.design()) else {
        return None;
    };
    if row.claim != "T1a" || row.set_aside > 0 {
        return None;
    }
    let needed = counts(row.runs, level, pairs).supported_from?;
    // A run without one fails the claim at every threshold.
    let mut figures = results.runs.smallest_changes.get(&(point, row.roles))?.clone();
    figures.sort_by(|a, b| b.total_cmp(a));
    figures.get(usize::try_from(needed).ok()?.checked_sub(1)?).copied().filter(|largest| *largest > 0.0)
}
