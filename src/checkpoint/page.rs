//! A ranking as a page: the audit in words, and a figure of Δ for every router.

use super::criterion::RowCriterion;
use super::rank::{Ranking, SiteRanking};
use maud::{DOCTYPE, Markup, html};

/// Width and height of a figure, and its margin.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 160.0;
const MARGIN: f64 = 20.0;

/// More experts than this have no room for their numbers below the bars.
const MOST_NUMBERED: usize = 64;

const STYLE: &str = "body{font:16px/1.5 sans-serif;max-width:46em;margin:2em auto;padding:0 1em}\
svg{width:100%}.up{fill:#2b6cb0}.down{fill:#c05621}.line{stroke:#444}text{font-size:10px;text-anchor:middle}";

impl Ranking {
    /// The page, complete in itself: no script, nothing that is fetched.
    pub fn page(&self, criterion: RowCriterion) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    title { "Ranking of experts" }
                    style { (STYLE) }
                }
                body {
                    h1 { "Ranking of experts" }
                    p { (self.pretrained) " → " (self.finetuned) ": " (self.model_type) }
                    h2 { "What the theorem says here" }
                    ul { @for sentence in self.sentences().iter().chain(&self.notes) { li { (sentence) } } }
                    h2 { "Δ of every expert" }
                    p { "Each bar is an expert, those that " (criterion.word()) " prunes first on the left; the line on a bar is what rounding may have moved." }
                    @for layer in &self.layers { (figure(layer, criterion)) }
                }
            }
        };
        page.into_string()
    }
}

/// Δ of one router's experts as bars.
fn figure(layer: &SiteRanking, criterion: RowCriterion) -> Markup {
    let order = layer.order(criterion).unwrap_or_else(|| (0..layer.experts.len()).collect());
    let reach = |score: &super::ExpertScore| (score.delta - score.rounding, score.delta + score.rounding);
    let (low, high) = layer
        .experts
        .iter()
        .map(reach)
        .fold((0.0, 0.0), |(low, high): (f64, f64), (from, to)| (low.min(from), high.max(to)));
    let range = if high > low { high - low } else { 1.0 };
    let at = |value: f64| MARGIN + (high - value) / range * (HEIGHT - 2.0 * MARGIN);
    let step = WIDTH / order.len().max(1) as f64;
    html! {
        h3 { (layer.site.to_string()) }
        p { (layer.audit.line()) }
        svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label={ "Δ of the experts of " (layer.site.to_string()) } {
            line class="line" x1="0" x2=(WIDTH) y1=(at(0.0)) y2=(at(0.0)) {}
            @for (place, &expert) in order.iter().enumerate() {
                @let score = &layer.experts[expert];
                @let (x, middle) = (place as f64 * step, (place as f64 + 0.5) * step);
                @let (top, bottom) = (at(score.delta.max(0.0)), at(score.delta.min(0.0)));
                rect class=(if score.delta < 0.0 { "down" } else { "up" }) x=(x + 0.1 * step) width=(0.8 * step) y=(top) height=(bottom - top) {
                    title { "expert " (expert) ": Δ = " (score.delta) }
                }
                line class="line" x1=(middle) x2=(middle) y1=(at(score.delta + score.rounding)) y2=(at(score.delta - score.rounding)) {}
                @if order.len() <= MOST_NUMBERED {
                    text x=(middle) y=(HEIGHT - 4.0) { (expert) }
                }
            }
        }
    }
}
