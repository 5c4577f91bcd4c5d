//! Results → one self-contained HTML page: it opens offline, asks for nothing, and its content policy forbids it to.
//!
//! | file | concept |
//! |---|---|
//! | `views` | rows by grid point |
//! | `chart` | a figure as data, which the page's script draws and tabulates |
//! | `experts` | routers over the iterations, Δ against D, proficiency |
//! | `pruned` | accuracy and certificates against the pruning ratio |
//! | `sweeps` | scaling over d, phase maps |
//! | `claims` | cards of claims |
//! | `whisker` | an estimate against its threshold, drawn in the text |
//! | `formula` | formulas with subscripts |
//! | `origin` | command, manifest, parameters |
//!
//! Bands and quantiles are computed here; the script only draws.

mod chart;
mod claims;
mod experts;
mod formula;
mod origin;
mod pruned;
mod sweeps;
mod views;
mod whisker;

use super::results::Results;
use crate::claims::judge::{conclusions, surprises, too_few};
use crate::record::ClaimRow;
use crate::sim::Decision;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chart::Chart;
use formula::formula;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};
use views::Views;

/// Libraries and own files of the page; origin and licences: assets/web/README.md.
const D3: &str = include_str!("../../../assets/web/d3.min.js");
const PLOT: &str = include_str!("../../../assets/web/plot.umd.min.js");
const SCRIPT: &str = include_str!("../../../assets/web/page.js");
const STYLE: &str = include_str!("../../../assets/web/page.css");

/// A chart with what is said of it.
struct Figure {
    chart: Chart,
    /// What it shows and how to read it.
    caption: &'static str,
    /// Of which runs it is drawn.
    drawn_from: DrawnFrom,
    /// What is said in its place if there is no data.
    without: &'static str,
}

/// Of which runs a figure is drawn.
#[derive(Clone, Copy)]
enum DrawnFrom {
    /// Tables that were computed from all runs.
    All,
    /// The first runs of each point, if there are many.
    First,
    /// The first recorded runs of each point, if there are many.
    FirstRecorded,
}

impl DrawnFrom {
    /// A sentence, if it is not all runs.
    fn sentence(self, results: &Results) -> Option<String> {
        let part = match self {
            DrawnFrom::All => None,
            DrawnFrom::First => results.runs.part_drawn(),
            DrawnFrom::FirstRecorded => results.runs.part_recorded(),
        };
        part.map(|part| format!(" Drawn from {part}."))
    }
}

/// The page of a result folder. The same folder gives the same bytes.
pub fn page(results: &Results) -> String {
    let views = Views::new(results);
    let figures = figures(&views);
    let charts: Vec<&Chart> = figures.iter().map(|figure| &figure.chart).filter(|chart| !chart.is_empty()).collect();
    // Serialising texts and finite numbers to JSON cannot fail. `<` never ends the element early.
    let data = serde_json::to_string(&charts).unwrap_or_default().replace('<', "\\u003c");
    let scripts = [D3, PLOT, SCRIPT];
    let name = &results.manifest.name;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy(&scripts));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(format!("simulate {}", results.manifest.version));
                link rel="icon" href="data:,";
                title { (name) ": verdicts" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (head(results))
                main {
                    (contents(&views, &figures))
                }
                footer { p { "Made from the CSV files by simulate " (results.manifest.version) " (" (results.manifest.revision) "). Drawn by D3 and Observable Plot, ISC licence." } }
                script id="data" type="application/json" { (PreEscaped(data)) }
                @for script in scripts { script { (PreEscaped(script)) } }
            }
        }
    };
    page.into_string()
}

/// Nothing is loaded, and no script runs but those that are in the page from here. Styles may stand in the page
/// (`unsafe-inline`): the figures' library sets them on the elements that it draws, and a style can't run anything.
fn policy(scripts: &[&str]) -> String {
    let hash = |script: &&str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(script.as_bytes())));
    let hashes: Vec<String> = scripts.iter().map(hash).collect();
    format!(
        "default-src 'none'; script-src {}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'",
        hashes.join(" ")
    )
}

fn head(results: &Results) -> Markup {
    let manifest = &results.manifest;
    let concluded = conclusions(&results.claims);
    let count = |verdict| concluded.iter().filter(|row| row.verdict.verdict() == verdict).count();
    let expected = concluded.iter().filter(|row| row.expected.is_some()).count();
    let (surprising, few) = (surprises(&results.claims), too_few(&results.claims));
    html! {
        header.page {
            p.kicker { "Does pruning experts by router norm change hold?" }
            h1 { (manifest.name) }
            @if !manifest.aims.is_empty() { p.aims { (manifest.aims) } }
            p.tally {
                @for verdict in [Decision::Supported, Decision::Refuted, Decision::Inconclusive] {
                    @let number = count(verdict.verdict());
                    @if number > 0 { span.count { (number) " " (claims::verdict(verdict)) } }
                }
            }
            p {
                (results.number_of_runs()) " runs at " (results.points().len()) " grid point" @if results.points().len() != 1 { "s" } "; master seed " (manifest.master_seed) ". "
                @if expected > 0 { (expected - surprising.len() - few.len()) " of " (expected) " verdicts as expected." }
            }
            (named("Not as expected: ", &surprising))
            (named("Too few runs to decide: ", &few))
            nav aria-label="Sections" {
                @for (id, title) in SECTIONS { a href=(format!("#{id}")) { (title) } }
            }
        }
    }
}

/// These claims, with a word before them; nothing without a claim.
fn named(what: &str, rows: &[&ClaimRow]) -> Markup {
    html! {
        @if !rows.is_empty() {
            p.warning { strong { (what) } @for (place, row) in rows.iter().enumerate() {
                @if place > 0 { ", " }
                a href=(format!("#claim-{}", row.number)) { (row.claim) @if !row.case.is_empty() { " (" (row.case) ")" } }
            } "." }
        }
    }
}

const SECTIONS: [(&str, &str); 6] = [
    ("claims", "Claims"),
    ("figures", "Figures"),
    ("falsifier", "Falsifier"),
    ("controls", "Negative controls"),
    ("reading", "How to read this"),
    ("origin", "Command and manifest"),
];

fn contents(views: &Views, figures: &[Figure]) -> Markup {
    let results = views.results;
    html! {
        section id="claims" {
            h2 { "Claims" }
            p.lead { "Dot: the estimate. Whisker: its interval, which holds together with all others of this page with 95 % confidence. Upright line: what is needed." }
            noscript { p.warning { "The claims can be read without scripts; the figures below need them." } }
            (claims::cards(views))
        }
        section id="figures" {
            h2 { "Figures" }
            @if let Some(part) = results.runs.part_drawn() {
                p.lead { "Figures of single experts and models are drawn from " (part) ", as many as the page has room for; verdicts, their numbers, fits and maps are of all runs." }
            }
            @if views.hidden > 0 {
                p.lead { "Figures of single grid points show the first " (views.points.len()) " points; " (views.hidden) " more are in the CSV files." }
            }
            @for figure in figures.iter().filter(|figure| !figure.chart.is_empty()) { (figure_place(figure, results)) }
            @if figures.iter().any(|figure| figure.chart.is_empty()) {
                div.missing {
                    h3 { "Not in this simulation" }
                    dl { @for figure in figures.iter().filter(|figure| figure.chart.is_empty()) {
                        dt { (figure.chart.title) } dd { (formula(figure.without)) }
                    } }
                }
            }
        }
        section id="falsifier" { h2 { "Falsifier" } (origin::falsifier(results)) }
        section id="controls" { h2 { "Negative controls" } (origin::controls(results)) }
        section id="reading" { h2 { "How to read this" } (origin::reading()) }
        section id="origin" { h2 { "Command and manifest" } (origin::origin(results)) }
    }
}

fn figure_place(figure: &Figure, results: &Results) -> Markup {
    let chart = &figure.chart;
    html! {
        figure id=(chart.id) {
            h3 { (chart.title) }
            div.controls {}
            div.legend {}
            div.plot role="img" aria-label=(chart.title) {}
            figcaption { (formula(figure.caption)) @if let Some(part) = figure.drawn_from.sentence(results) { (part) } }
            details.data { summary { "Table" } div.scroll {} }
        }
    }
}

fn figures(views: &Views) -> Vec<Figure> {
    let results = views.results;
    vec![
        Figure {
            chart: experts::norms(views),
            caption: "Lines: median over the experts of recorded runs, by the role measured at t = 0; bands: 5 % to 95 %. Choose a single run to see each of its experts.",
            drawn_from: DrawnFrom::FirstRecorded,
            without: "No trajectories were recorded; run again with `--set record.trajectory_runs=10`.",
        },
        Figure {
            chart: experts::change_against_displacement(views),
            caption: "Each point is an expert of one run, at evenly spaced ranks of D, the extremes included. A gauge moves Δ but not D (L11); a rotation moves D but not Δ.",
            drawn_from: DrawnFrom::First,
            without: "No expert has a Δ: every run diverged.",
        },
        Figure {
            chart: sweeps::scaling(results),
            caption: "Points: median over runs, or root mean square. Bands: 2.5 % to 97.5 % of runs; bars: 95 % intervals. Lines: fits of scaling.csv, with slope and pointwise 95 % interval in the legend.",
            drawn_from: DrawnFrom::First,
            without: "This simulation sweeps no d. `simulate run theorem1` does.",
        },
        Figure {
            chart: experts::proficiency(views),
            caption: "Proficiency p: probability that the expert takes the class's pattern with a gate of at least 1/l, if the sample has it. Lines: median over experts of recorded runs; bands: 5 % to 95 %.",
            drawn_from: DrawnFrom::FirstRecorded,
            without: "No trajectories were recorded; run again with `--set record.trajectory_runs=10`.",
        },
        Figure {
            chart: pruned::accuracy(views),
            caption: "Filled: without further fine-tuning, mean over runs; band: 2.5 % to 97.5 % of runs. Open: after fine-tuning for T′ iterations, with the same interval.",
            drawn_from: DrawnFrom::First,
            without: "No pruned model was measured: every run diverged.",
        },
        Figure {
            chart: sweeps::heat_maps(results),
            caption: "Percentage of runs in which the claim holds; + and −: the pointwise 95 % interval lies above or below the level. Heavy line: the estimate crosses the level. Dot and bar: flip of the isotonic fit, and its bracket.",
            drawn_from: DrawnFrom::All,
            without: "This simulation has no map of two parameters. `simulate run phase-loudness` has one.",
        },
        Figure {
            chart: sweeps::curves(results),
            caption: "Share of runs in which the claim holds, with pointwise 95 % intervals, at equal steps of x. Dashed upright: flip of the isotonic fit.",
            drawn_from: DrawnFrom::All,
            without: "This simulation has no map of one parameter. `simulate run ablation` has one for each assumption.",
        },
        Figure {
            chart: pruned::certificates(views),
            caption: "Share of runs whose pruned model is proved to make no error on any input, is refuted by an input, or is left open. Only ratios up to the share of irrelevant experts are tried.",
            drawn_from: DrawnFrom::First,
            without: "No certificates were computed. `simulate run certificates` has them, or `--set certificate.nodes=50`.",
        },
        Figure {
            chart: pruned::margins(views),
            caption: "Proven: y·f(x) is at least this for every input. Median over runs and 2.5 % to 97.5 %. A certificate stops at the first positive bound, so this is no estimate of the margin.",
            drawn_from: DrawnFrom::First,
            without: "No margins were proved: no certificates were computed.",
        },
    ]
}
