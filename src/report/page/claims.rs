//! The claims of a page: each in words, with its verdict, its estimate against its threshold, its assumptions, and what
//! would change the verdict.

use super::formula::formula;
use super::views::Views;
use super::whisker::{self, MOST_ROWS, Mark};
use crate::claims::catalogue::definition;
use crate::claims::judge::conclusions;
use crate::claims::verdict_changes::{counts, distance, is_lower_bound, sentence};
use crate::record::ClaimRow;
use crate::record::design::Design;
use crate::report::gathering::PointRuns;
use crate::report::numbers::{bare_percent, significant};
use crate::report::results::PointLabel;
use crate::report::text::{constants, words_of};
use crate::sim::Decision;
use crate::sim::On;
use crate::sim::Part;
use crate::sim::RoleSource;
use crate::sim::Verdict;
use maud::{Markup, html};
use std::collections::BTreeSet;

/// The cards of all claims.
pub(crate) fn cards(views: &Views) -> Markup {
    let rows = &views.results.claims;
    let axis = axis_start(rows);
    let mut case = None;
    html! {
        @if rows.is_empty() {
            p { "This simulation states no claims. It maps where claims hold: see the maps below." }
        }
        div.cards {
            @for row in conclusions(rows) {
                @if case.replace(&row.case) != Some(&row.case) && !row.case.is_empty() {
                    h3.case { "case " (row.case) }
                }
                (card(views, row, axis))
            }
        }
    }
}

/// Where the axis of probabilities begins, for all claims: a tenth below the lowest interval.
fn axis_start(rows: &[ClaimRow]) -> f64 {
    let probabilities = rows.iter().filter(|row| row.level.is_some());
    let lowest = probabilities.flat_map(|row| [row.ci_low, row.level]).flatten().fold(1.0, f64::min);
    (libm::floor(lowest * 10.0 - 0.1) / 10.0).clamp(0.0, 0.9)
}

fn card(views: &Views, row: &ClaimRow, axis: f64) -> Markup {
    let all = &views.results.claims;
    let parts: Vec<&ClaimRow> = all.iter().filter(|part| part.number == row.number && part.part != Part::All).collect();
    let words = words_of(row, &views.results.manifest.claims);
    html! {
        article.claim id=(format!("claim-{}", row.number)) {
            header {
                h4 { (row.claim) }
                (verdict(row.verdict))
                @if let Some(expected) = row.expected.filter(|expected| *expected != row.verdict.verdict()) {
                    span.surprise { "expected " (expected) }
                }
            }
            @if let Some(words) = &words {
                p.words { (sentence_case(words.statement)) (threshold(views, row, &parts)) "." }
            }
            (marks(views, &parts, axis))
            p.numbers { (numbers(views, row, &parts)) }
            p { span.key { "Assumptions:" } " " (assumptions(views, row)) }
            p { span.key { "What would change it:" } " " (change(views, row, &parts)) }
            details {
                summary { @if parts.len() > 1 { (parts.len()) " parts, decision rule and source" } @else { "Numbers, decision rule and source" } }
                (table(views, &parts))
                @if let Some(words) = &words {
                    @if !words.holds_if.is_empty() { p { span.key { "Holds in a run if" } " " (formula(words.holds_if)) "." } }
                    p { span.key { "Source:" } " " (words.source) "." }
                }
            }
        }
    }
}

/// A verdict, told apart by word and sign too.
pub(crate) fn verdict(decision: Decision) -> Markup {
    let (class, sign) = match decision.verdict() {
        Verdict::Supported => ("supported", "✓"),
        Verdict::Refuted => ("refuted", "✗"),
        Verdict::Inconclusive => ("inconclusive", "?"),
    };
    html! { span class=(format!("verdict {class}")) { span aria-hidden="true" { (sign) } " " (decision) } }
}

fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// The constants of a claim, and that of its slopes.
fn threshold(views: &Views, row: &ClaimRow, parts: &[&ClaimRow]) -> String {
    let slope = parts.iter().find(|part| part.part.is_slope()).and_then(|part| Some((part, part.threshold?)));
    let slope = slope.map(|(part, threshold)| {
        let side = if is_lower_bound(part) { "above" } else { "at most" };
        format!("; slopes {side} {threshold}").replace('-', "−")
    });
    constants(row, &views.results.manifest.claims) + &slope.unwrap_or_default()
}

/// What tells a part from the other parts of its claim.
fn label(views: &Views, part: &ClaimRow, parts: &[&ClaimRow]) -> String {
    let Some(point) = part.point else {
        let name = part.part.short().to_owned();
        return if part.line.is_empty() { name } else { format!("{name}, {}", part.line) };
    };
    let Some(own) = views.labels.get(&point) else { return format!("point {point}") };
    let others: Vec<&PointLabel> = parts.iter().filter_map(|part| views.labels.get(&part.point?)).collect();
    let mut words: Vec<String> = Vec::new();
    if part.part == Part::Constant {
        words.push("C".to_owned());
    }
    if others.iter().any(|other| other.case != own.case) {
        words.push(own.case.clone());
    }
    let names = telling(&others);
    let values = own.varying.iter().filter(|(name, _)| names.contains(&name.as_str()));
    words.extend(values.map(|(name, value)| format!("{} {value}", symbol(name))));
    words.join(", ")
}

/// The keys that tell points apart: one alone if it does, d or k before others; else all that differ.
fn telling<'a>(points: &[&'a PointLabel]) -> Vec<&'a str> {
    let value = |point: &PointLabel, name: &str| {
        point.varying.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let values = |name: &str| points.iter().map(|point| value(point, name)).collect::<BTreeSet<String>>().len();
    let points_apart = points.iter().map(|point| format!("{point:?}")).collect::<BTreeSet<_>>().len();
    let Some(first) = points.first() else { return Vec::new() };
    let mut names: Vec<&str> =
        first.varying.iter().map(|(name, _)| name.as_str()).filter(|name| values(name) > 1).collect();
    names.sort_by_key(|name| !matches!(*name, "patterns" | "experts"));
    match names.iter().find(|name| values(name) == points_apart) {
        Some(name) => vec![name],
        None => names,
    }
}

/// The symbol of a key's last part, or the part itself.
fn symbol(name: &str) -> &str {
    let key = crate::sim::keys::KEYS.iter().find(|key| key.path.rsplit('.').next() == Some(name));
    key.map(|key| key.symbol).filter(|symbol| !symbol.is_empty()).unwrap_or(name)
}

/// Estimates against their thresholds: probabilities, then slopes.
fn marks(views: &Views, parts: &[&ClaimRow], axis: f64) -> Markup {
    let of = |probability: bool| {
        let own = parts.iter().copied().filter(|part| part.level.is_some() == probability);
        let mut own: Vec<&ClaimRow> = own.collect();
        if own.len() > MOST_ROWS {
            own.sort_by(|a, b| {
                distance(a).unwrap_or(f64::NEG_INFINITY).total_cmp(&distance(b).unwrap_or(f64::NEG_INFINITY))
            });
            own.truncate(MOST_ROWS);
        }
        let name = |part| if parts.len() > 1 { label(views, part, parts) } else { String::new() };
        own.into_iter().map(|row| Mark { label: name(row), row }).collect::<Vec<Mark>>()
    };
    let (probabilities, slopes) = (of(true), of(false));
    html! {
        @if !probabilities.is_empty() { (whisker::probabilities(&probabilities, axis)) }
        @if !slopes.is_empty() { (whisker::slopes(&slopes)) }
        @if parts.len() > MOST_ROWS && probabilities.len().max(slopes.len()) == MOST_ROWS {
            p.small { "The " (MOST_ROWS) " parts that are worst for the claim; all of them below." }
        }
    }
}

/// A number with its exact value.
fn data(value: f64, text: String) -> Markup {
    html! { data value=(value) { (text) } }
}

fn numbers(views: &Views, row: &ClaimRow, parts: &[&ClaimRow]) -> Markup {
    let on = if row.on == On::All { "; every run counts" } else { "" };
    let roles = if row.roles == RoleSource::Built { "; roles as built" } else { "" };
    let figure = words_of(row, &views.results.manifest.claims).map(|words| words.figure).unwrap_or_default();
    html! {
        @if let [part] = parts { (estimate(part)) }
        @else if let Some(holds) = row.holds { "holds in " (data(holds as f64, holds.to_string())) " of " (data(row.runs as f64, row.runs.to_string())) " runs, over " (parts.len()) " parts" }
        @else { (data(row.runs as f64, row.runs.to_string())) " runs, " (parts.len()) " parts" }
        @if let Some(median) = row.median { "; median " (formula(figure)) " " (data(median, significant(median).replace('-', "−"))) }
        (on) (roles)
    }
}

/// The estimate of one part with its interval and threshold.
fn estimate(row: &ClaimRow) -> Markup {
    let slope = row.level.is_none();
    let shown = |value: f64| {
        if slope { format!("{value:.3}").replace('-', "−") } else { format!("{} %", bare_percent(value)) }
    };
    html! {
        @match (row.holds.filter(|_| row.level.is_some()), row.estimate) {
            (Some(holds), Some(share)) => { "holds in " (data(share, shown(share))) " of runs (" (data(holds as f64, holds.to_string())) " of " (data(row.runs as f64, row.runs.to_string())) ")" }
            (None, Some(estimate)) => { @if row.part.is_slope() { "slope " } @else { "difference " } (data(estimate, shown(estimate))) }
            _ => { "no estimate" }
        }
        @if let (Some(low), Some(high)) = (row.ci_low, row.ci_high) {
            ", interval [" (data(low, shown(low))) ", " (data(high, shown(high))) "]"
        }
        @if let Some(level) = row.level { ", needed P ≥ " (data(level, level.to_string())) }
    }
}

/// The table of a claim's parts.
fn table(views: &Views, parts: &[&ClaimRow]) -> Markup {
    let number = |value: Option<f64>| html! { td.number { @if let Some(value) = value { (data(value, significant(value).replace('-', "−"))) } } };
    html! {
        div.scroll { table {
            thead { tr {
                @for name in ["part", "where", "holds", "runs", "estimate", "interval from", "to", "threshold", "level", "p (Holm)", "verdict"] { th { (name) } }
            } }
            tbody { @for part in parts { tr {
                td { (part.part) } td { (label(views, part, parts)) }
                td.number { @if let Some(holds) = part.holds { (holds) } } td.number { (part.runs) }
                (number(part.estimate)) (number(part.ci_low)) (number(part.ci_high)) (number(part.threshold)) (number(part.level)) (number(part.p_holm))
                td { (part.verdict) }
            } } }
        } }
    }
}

/// The points that a row speaks of, with what is known of all their runs.
fn points_of<'a>(views: &Views<'a>, row: &ClaimRow) -> Vec<&'a PointRuns> {
    let results = views.results;
    let own = |(point, runs): &(&usize, &PointRuns)| match row.point {
        Some(own) => **point == own,
        None => row.case.is_empty() || results.case(&runs.first) == row.case,
    };
    results.runs.points.iter().filter(own).map(|(_, runs)| runs).collect()
}

fn assumptions(views: &Views, row: &ClaimRow) -> Markup {
    let Some(definition) = definition(&row.claim) else {
        let own = row.number.checked_sub(1).and_then(|place| views.results.manifest.claims.get(place));
        let names: Vec<String> =
            own.into_iter().flat_map(|claim| claim.assumptions()).map(|own| own.name().to_owned()).collect();
        return html! {
            @if names.is_empty() { "It assumes nothing. " } @else { (names.join(", ")) ". " }
            @if row.set_aside > 0 { (data(row.set_aside as f64, row.set_aside.to_string())) " runs were set aside. " }
            @if !row.missed.is_empty() { (row.missed) "." }
        };
    };
    let points = points_of(views, row);
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
        @if row.set_aside > 0 { (data(row.set_aside as f64, row.set_aside.to_string())) " runs were set aside. " }
        @else if row.on == On::All && !missed.is_empty() { "No run was set aside. " }
        @if row.set_aside == 0 && !row.missed.is_empty() { (row.missed) "." }
    }
}

/// What would change the verdict: of the part that decides it.
fn change(views: &Views, row: &ClaimRow, parts: &[&ClaimRow]) -> Markup {
    let design = views.results.manifest.design();
    let pairs = views.results.claims.iter().filter(|row| row.part != Part::All).count();
    let order = |part: &&&ClaimRow| distance(part).unwrap_or(f64::NEG_INFINITY);
    let open = |part: &&&ClaimRow| row.verdict.verdict() == part.verdict.verdict();
    let deciding = parts.iter().filter(open).min_by(|a, b| order(a).total_cmp(&order(b)));
    let Some(deciding) = deciding.or(parts.first()) else { return html! {} };
    let same = parts.iter().filter(open).count();
    let place = label(views, deciding, parts);
    html! {
        @if parts.len() > 1 {
            @match row.verdict.verdict() {
                Verdict::Supported => { "All " (parts.len()) " parts must be SUPPORTED. The nearest to failing, " (place) ": " }
                Verdict::Refuted => { "One REFUTED part is enough; " (same) " of " (parts.len()) " are. The clearest, " (place) ": " }
                Verdict::Inconclusive => { (same) " of " (parts.len()) " parts are not decided. The one furthest from SUPPORTED, " (place) ": " }
            }
        }
        (sentence(deciding, design, pairs))
        @if let Some(largest) = largest_threshold(views, row, pairs) {
            " It would be SUPPORTED for every c₁ up to " (data(largest, significant(largest))) "."
        }
    }
}

/// The largest c₁ at which T1a, of a single part, would be SUPPORTED.
fn largest_threshold(views: &Views, row: &ClaimRow, pairs: usize) -> Option<f64> {
    let (Some(level), Some(point), Design::Fixed) = (row.level, row.point, views.results.manifest.design()) else {
        return None;
    };
    if row.claim != "T1a" || row.set_aside > 0 {
        return None;
    }
    let needed = counts(row.runs, level, pairs).supported_from?;
    // A run without one fails the claim at every threshold.
    let mut figures = views.results.runs.smallest_changes.get(&(point, row.roles))?.clone();
    figures.sort_by(|a, b| b.total_cmp(a));
    figures.get(usize::try_from(needed).ok()?.checked_sub(1)?).copied().filter(|largest| *largest > 0.0)
}
