//! Results → one self-contained HTML page: it opens offline, asks for nothing, and its content policy forbids it to.
//!
//! | file | concept |
//! |---|---|
//! | `answer` | the first screen: question, setting, one sentence a claim |
//! | `figures` | drawings with their captions and tables |
//! | `claims` | the table of claims, with what is behind each |
//! | `whisker` | an estimate against its threshold, drawn in the text |
//! | `formula` | formulas with subscripts, lemmas as links |
//! | `origin` | command, manifest, parameters |
//!
//! Everything that is told stands in the page without its script, which adds hover, highlighting and a choice of points.

mod answer;
mod claims;
mod figures;
mod formula;
mod origin;
mod whisker;

use super::charts::{Chart, charts};
use super::results::Results;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

const SCRIPT: &str = include_str!("../../../assets/web/page.js");
const STYLE: &str = include_str!("../../../assets/web/page.css");

/// A part of the page that has a heading.
struct Section {
    id: &'static str,
    title: &'static str,
    content: Markup,
}

/// The page of a result folder. The same folder gives the same bytes.
pub fn page(results: &Results) -> String {
    let charts = charts(results);
    let main = answer::main_chart(results, &charts);
    let sections = sections(results, &charts, main);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(format!("simulate {}", results.manifest.version));
                link rel="icon" href="data:,";
                title { (results.manifest.name) ": verdicts" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                div.first.beside[main.is_some_and(|main| charts[main].views.len() == 1)] {
                    (answer::head(results, main.map(|main| &charts[main])))
                    @if let Some(main) = main { (figures::figure(&charts[main], figures::OF_ANSWER)) }
                }
                main {
                    nav aria-label="Sections" { @for section in &sections { a href=(format!("#{}", section.id)) { (section.title) } } }
                    @for section in &sections { section id=(section.id) { h2 { (section.title) } (section.content) } }
                }
                footer { p { "Made from the CSV files by simulate " (results.manifest.version) " (" (results.manifest.revision) ")." } }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// Nothing is loaded, and no script runs but the page's own. Styles may stand in the page (`unsafe-inline`): one can't run
/// anything. Images may be `data:` for the empty icon, without which a browser asks a server for one.
fn policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(SCRIPT.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{hash}'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )
}

/// The parts below the first screen; those without content are left out.
fn sections(results: &Results, charts: &[Chart], main: Option<usize>) -> Vec<Section> {
    let others: Vec<&Chart> =
        charts.iter().enumerate().filter(|(place, _)| Some(*place) != main).map(|(_, chart)| chart).collect();
    let some = |id, title, content: Option<Markup>| content.map(|content| Section { id, title, content });
    let sections = [
        some("claims", "Claims", claims::tables(results)),
        some("undefined", "What is undefined", origin::undefined(results)),
        some("figures", "Figures", figures::all(results, &others)),
        some("falsifier", "Falsifier", origin::falsifier(results)),
        some("controls", "Negative controls", origin::controls(results)),
        some("reading", "How to read this", Some(origin::reading(results))),
        some("origin", "Command and manifest", Some(origin::origin(results))),
    ];
    sections.into_iter().flatten().collect()
}
