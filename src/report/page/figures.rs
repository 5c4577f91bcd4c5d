//! Drawings in the page: side by side, each with its table.

use super::formula::formula;
use crate::report::charts::Chart;
use crate::report::charts::points::MAX_POINTS;
use crate::report::drawing::draw;
use crate::report::drawing::view::View;
use crate::report::numbers::tied;
use crate::report::results::Results;
use maud::{Markup, PreEscaped, html};

/// Drawings that the first screen shows before the others are asked for.
pub(super) const OF_ANSWER: usize = 4;

/// The same in the section of figures: a row of a wide window.
const OF_SECTION: usize = 3;

/// Figures that the section shows before the others are asked for.
const FIGURES: usize = 3;

/// The figures that are not on the first screen.
pub(super) fn all(results: &Results, charts: &[&Chart]) -> Option<Markup> {
    (!charts.is_empty()).then_some(())?;
    let hidden = results.points().len().saturating_sub(MAX_POINTS);
    Some(html! {
        @if let Some(part) = results.runs.part_drawn() {
            p.lead { "Experts and models are drawn from " (part) ", as many as the page has room for; verdicts, their numbers, fits and maps are of all runs." }
        }
        @if let Some(part) = results.runs.part_recorded() { p.lead { "Courses over the iterations are drawn from " (part) "." } }
        @if hidden > 0 { p.lead { "Drawings of single grid points show the first " (MAX_POINTS) " points; " (hidden) " more are in the CSV files." } }
        div.figures { @for chart in charts.iter().take(FIGURES) { (figure(chart, OF_SECTION)) } }
        @if charts.len() > FIGURES {
            details.more {
                summary { "Further figures: " (charts[FIGURES..].iter().map(|chart| chart.heading).collect::<Vec<_>>().join("; ")) }
                div.figures { @for chart in &charts[FIGURES..] { (figure(chart, OF_SECTION)) } }
            }
        }
    })
}

/// A figure, of which the first drawings are shown.
pub(super) fn figure(chart: &Chart, shown: usize) -> Markup {
    let (first, others) = chart.views.split_at(chart.views.len().min(shown));
    html! {
        figure.many[chart.views.len() > 1] id=(chart.id) {
            h3 { (chart.heading) }
            div.views { @for view in first { (drawing(view)) } }
            @if !others.is_empty() {
                details.more { summary { (others.len()) " further drawings" } div.views { @for view in others { (drawing(view)) } } }
            }
            figcaption { (formula(&tied(chart.caption))) }
        }
    }
}

/// A drawing, the same as the file of `--figures`, and the numbers behind its marks, in their order.
fn drawing(view: &View) -> Markup {
    let columns = view.columns.len();
    html! {
        div.view data-of=(view.of) {
            (PreEscaped(draw(view)))
            details.data { summary { "Numbers" } div.scroll { table {
                thead { tr { @for column in &view.columns { th { (column) } } } }
                tbody { @for row in view.table() { tr { @for cell in row.iter().take(columns) { td { (cell) } } } } }
            } } }
        }
    }
}
