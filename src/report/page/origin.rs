//! What a page says of its origin: command, manifest, falsifier, negative controls, and how to read it.

use super::claims::verdict;
use super::formula::formula;
use crate::claims::assumptions::Assumption;
use crate::claims::judge::conclusions;
use crate::claims::lemmas::LEMMAS;
use crate::record::design::ALPHA;
use crate::record::manifest::{Manifest, ManifestPoint};
use crate::report::charts::names::hundredths;
use crate::report::results::Results;
use crate::report::undefined;
use crate::sim::{Decision, KEYS, SHIPPED, Verdict, find_claim};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Points whose parameters the page lists at most.
const MAX_POINTS: usize = 100;

/// What the falsifier left in the folder; nothing if it left nothing.
pub(super) fn falsifier(results: &Results) -> Option<Markup> {
    (!results.falsified.is_empty()).then(|| {
        html! {
            @for (name, text) in &results.falsified {
                details open[results.falsified.len() == 1] {
                    summary { (name) ": a setting that breaks the claim, as a simulation file that replays it" }
                    pre { code { (text) } }
                }
            }
        }
    })
}

/// The claims that must come out REFUTED; nothing if there are none.
pub(super) fn controls(results: &Results) -> Option<Markup> {
    let rows = conclusions(&results.claims);
    let controls: Vec<_> = rows.into_iter().filter(|row| row.expected == Some(Verdict::Refuted)).collect();
    let failed = controls.iter().filter(|row| row.verdict != Decision::Refuted).count();
    (!controls.is_empty()).then(|| html! {
        p { (controls.len() - failed) " of " (controls.len()) " claims that must fail were REFUTED: the tests can say no." @if failed > 0 { strong { " The others were not." } } }
        div.scroll { table {
            thead { tr { th { "case" } th { "claim" } th { "holds in" } th { "verdict" } } }
            tbody { @for row in controls { tr {
                td { (row.case) }
                td { a href=(format!("#claim-{}", row.number)) { (row.claim) } }
                td { @if let Some(holds) = row.holds { (holds) " of " (row.runs) " runs" } @else { (row.part) } }
                td { (verdict(row.verdict)) }
            } } }
        } }
    })
}

/// What is undefined at some points; nothing if all is defined.
pub(super) fn undefined(results: &Results) -> Option<Markup> {
    let sentences = undefined::sentences(results);
    (!sentences.is_empty()).then(|| html! { @for sentence in sentences { p { (sentence) } } })
}

/// What may be done next with this folder.
fn advice(results: &Results) -> Markup {
    let is_searchable = |claim: &&str| find_claim(claim).is_some_and(|key| key.is_searchable());
    let claim = results.claims.iter().map(|row| row.claim.as_str()).find(is_searchable);
    html! {
        @if let (Some(claim), true) = (claim, results.falsified.is_empty()) {
            p { "A search for a setting within a claim's assumptions that breaks it; FOLDER is the folder of this page, and what is found appears here when the report is written again:" }
            pre { code { "simulate falsify " (claim) " --budget 60s --out FOLDER/falsify-" (claim) ".toml" } }
        }
    }
}

/// Symbols, roles, assumptions and the decision rule.
pub(super) fn reading(results: &Results) -> Markup {
    let symbols = [
        ("Δ_s", "norm change of the router of expert s: ‖w_s^T‖ − ‖w_s^0‖"),
        ("D_s", "its displacement: ‖w_s^T − w_s^0‖; |Δ_s| ≤ D_s (L6)"),
        ("Δᶜ_s", "norm change after the mean over patterns is removed from both routers"),
        ("p_v", "proficiency: P[o_v is among the l chosen tokens with a gate of at least 1/l | the sample has o_v]"),
        ("λ_v", "P[o_v is among the l chosen tokens | the sample has o_v]"),
        ("ρ, γ", "pruning ratio 1 − kept/k; share of irrelevant experts"),
        ("d, n, k, l, m", "patterns; tokens of a sample; experts; tokens an expert chooses; neurons of an expert"),
    ];
    let roles = [
        ("relevant", "proficient (p_v ≥ relevant_min at t = 0) in the pattern of the class that its sign votes for"),
        ("misaligned", "proficient in the pattern of the other class"),
        ("irrelevant", "λ₁ and λ₂ at most irrelevant_max at t = 0"),
        ("ambiguous", "none of these"),
    ];
    html! {
        (decision_rule(results))
        (tokens(&results.manifest.points))
        details { summary { "Symbols" } dl { @for (symbol, meaning) in symbols { dt { (formula(symbol)) } dd { (formula(meaning)) } } } }
        details { summary { "Roles" } dl { @for (role, meaning) in roles { dt { (role) } dd { (formula(meaning)) } } } }
        details { summary { "Assumptions" } dl { @for assumption in Assumption::ALL { dt { (assumption.name()) } dd { (formula(assumption.statement())) } } } }
        details { summary { "Lemmas" } dl { @for lemma in LEMMAS { dt id=(format!("lemma-{}", lemma.id)) { (lemma.id) } dd { (formula(lemma.statement)) } } } }
    }
}

/// What the verdicts mean, at the levels of this folder.
fn decision_rule(results: &Results) -> Markup {
    let mut levels: Vec<f64> = Vec::new();
    let own = results.claims.iter().filter_map(|row| row.level).chain(results.phase.iter().map(|row| row.level));
    own.for_each(|level| {
        if !levels.contains(&level) {
            levels.push(level)
        }
    });
    levels.sort_by(f64::total_cmp);
    let levels = levels.iter().map(|level| format!("{}\u{a0}%", hundredths(*level))).collect::<Vec<_>>().join(" or ");
    html! {
        @if !results.claims.is_empty() {
            p {
                @if !levels.is_empty() { strong { "SUPPORTED" } ": the opposite, “the claim holds in at most " (levels) " of runs of this configuration”, is rejected. " strong { "REFUTED" } ": “it holds in at least " (levels) " of runs” is rejected. " strong { "INCONCLUSIVE" } ": neither. " }
                @if results.claims.iter().any(|row| row.level.is_none()) { "A slope or difference is SUPPORTED or REFUTED if its whole interval lies on one side of what is needed. " }
                "All tests of a file are corrected together (Holm, " (ALPHA) "). What would change a verdict is told by Bonferroni's correction, which Holm's may outdo."
            }
        }
        @if !results.phase.is_empty() { p { "A map says in what share of runs a claim holds; its level is " (levels) ". Intervals of its cells hold one by one, at 95\u{a0}%." } }
        p { "A verdict is about the configurations that were run, no proof and no disproof of a theorem." }
    }
}

/// What is estimated, or has no meaning, where tokens are not the unit vectors of orthonormal patterns; else nothing.
fn tokens(points: &[ManifestPoint]) -> Markup {
    let values = |key: &str| points.iter().filter_map(|point| point.parameters.get(key)).collect::<Vec<_>>();
    let are_pictures = values("data.images").into_iter().any(|images| images != "none");
    let are_coherent =
        [values("data.coherence"), values("data.likeness")].concat().into_iter().any(|value| value != "0");
    html! {
        @if are_pictures { p { "Tokens are patches of pictures: accuracies are of held-out pictures, roles and λ are estimated from training pictures." } }
        @if are_pictures || are_coherent { p { "Where patterns are not orthonormal there are no certificates, and what is read off pattern coordinates (Δᶜ, displacement_class, max_range) has no meaning and is left empty." } }
    }
}

/// The command that gives these results again, and all settings.
pub(super) fn origin(results: &Results) -> Markup {
    let manifest = &results.manifest;
    let shipped = SHIPPED.iter().any(|shipped| shipped.text == manifest.simulation);
    html! {
        pre { code { (command(manifest, shipped)) } }
        @if !shipped { p { "The simulation file is below; save it as " code { (manifest.name) ".toml" } "." } }
        div.scroll { table {
            tbody {
                tr { th { "program" } td { "simulate " (manifest.version) ", revision " (manifest.revision) } }
                tr { th { "random generator" } td { (manifest.generator) } }
                tr { th { "engine" } td { (manifest.engine) } }
                tr { th { "runs" } td { (results.number_of_runs()) } }
                @if let Some(block) = manifest.sequential_block { tr { th { "design" } td { "looked at after every " (block) " runs a point" } } }
                tr { th { "SHA-256 of the simulation" } td.hash { (manifest.simulation_sha256) } }
                tr { th { "SHA-256 of the claims" } td.hash { (manifest.claims_sha256) } }
                @for (name, hash) in &manifest.files_sha256 { tr { th { (name) } td.hash { (hash) } } }
            }
        } }
        (advice(results))
        (parameters(&manifest.points))
        details { summary { "Simulation file" } pre { code { (manifest.simulation) } } }
    }
}

/// The command that gives these results again.
fn command(manifest: &Manifest, shipped: bool) -> String {
    let mut words = vec!["simulate run".to_owned()];
    words.push(if shipped { manifest.name.clone() } else { format!("{}.toml", manifest.name) });
    words.extend(manifest.seeds_given.map(|seeds| format!("--seeds {seeds}")));
    words.push(format!("--seed {}", manifest.master_seed));
    words.extend(manifest.overrides.iter().map(|set| format!("--set {}", quoted(set))));
    if manifest.engine != "auto" {
        words.push(format!("--engine {}", manifest.engine));
    }
    if manifest.sequential_block.is_some() {
        words.push("--until-decided".to_owned());
    }
    words.join(" ")
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=,:+".contains(letter);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// Every key: its value if all points share it, else the values of each point.
fn parameters(points: &[ManifestPoint]) -> Markup {
    let Some(first) = points.first() else { return html! {} };
    let same = |key: &str| points.iter().all(|point| point.parameters.get(key) == first.parameters.get(key));
    let (shared, swept): (BTreeMap<_, _>, BTreeMap<_, _>) = first.parameters.iter().partition(|(key, _)| same(key));
    let about = |path: &str| KEYS.iter().find(|key| key.path == path);
    html! {
        @if !swept.is_empty() {
            details { summary { "Grid points: the keys that differ" } div.scroll { table {
                thead { tr { th { "point" } th { "case" } th { "runs" } @for key in swept.keys() { th { (key) } } } }
                tbody { @for point in points.iter().take(MAX_POINTS) { tr {
                    td { (point.point) } td { (point.case) } td { (point.seeds) }
                    @for key in swept.keys() { td { (point.parameters.get(*key).map(String::as_str).unwrap_or_default()) } }
                } } }
            } }
            @if points.len() > MAX_POINTS { p { "The first " (MAX_POINTS) " of " (points.len()) " points; manifest.json has all." } } }
        }
        details { summary { "Settings" @if !swept.is_empty() { " that all points share" } } div.scroll { table {
            thead { tr { th { "key" } th { "symbol" } th { "value" } th { "meaning" } } }
            tbody { @for (key, value) in &shared { tr {
                td { (key) }
                td { @if let Some(key) = about(key) { (formula(key.symbol)) } }
                td { (value) }
                td { @if let Some(key) = about(key) { (formula(key.doc)) } }
            } } }
        } } }
    }
}
