//! A ranking as a page: the audit in words, and a figure of Δ for every router.

use super::criterion::RowCriterion;
use super::rank::{Ranking, SiteRanking};
use maud::{DOCTYPE, Markup, html};

/// Width of a figure of few experts, which has others beside it where there is room, and of one of more.
const NARROW: f64 = 360.0;
const WIDE: f64 = 720.0;

/// Experts that a narrow figure has room for.
const FEW: usize = 16;

/// Height of a figure, its margins above and below, and on the left, where the scale is.
const HEIGHT: f64 = 160.0;
const MARGIN: f64 = 20.0;
const LEFT: f64 = 52.0;

/// More experts than this have no room for their numbers below the bars.
const MOST_NUMBERED: usize = 48;

const STYLE: &str = "body{font:16px/1.5 sans-serif;max-width:72em;margin:2em auto;padding:0 1em}p,ul{max-width:46em}\
ul{padding-left:1.2em}.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(21em,100%),1fr));gap:1em 2em}\
figure{margin:0;overflow-x:auto}figure.wide{grid-column:1/-1}.wide svg{min-width:40em}svg{width:100%;display:block}\
figcaption{font-size:14px}.up{fill:#2b6cb0}.down{fill:#c05621}.line{stroke:#444}\
text{font-size:11px;text-anchor:middle}.scale{text-anchor:end}";

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
                    p { "Each bar is an expert, with its number below; those that " (criterion.word()) " prunes first are on the left. The line on a bar is what rounding may have moved. Every figure has its own scale." }
                    div class="figures" { @for layer in &self.layers { (figure(layer, criterion)) } }
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
    let is_narrow = order.len() <= FEW;
    let width = if is_narrow { NARROW } else { WIDE };
    let step = (width - LEFT) / order.len().max(1) as f64;
    let scale = [low, 0.0, high].into_iter().filter(|&value| value == 0.0 || (at(value) - at(0.0)).abs() > 12.0);
    html! {
        figure class=(if is_narrow { "narrow" } else { "wide" }) {
            figcaption { strong { (layer.site.to_string()) } ": " (layer.audit.line()) }
            svg viewBox={ "0 0 " (width) " " (HEIGHT) } role="img" aria-label={ "Δ of the experts of " (layer.site.to_string()) } {
                @for value in scale { text class="scale" x=(LEFT - 6.0) y=(at(value) + 4.0) { (label(value)) } }
                line class="line" x1=(LEFT) x2=(width) y1=(at(0.0)) y2=(at(0.0)) {}
                @for (place, &expert) in order.iter().enumerate() {
                    @let score = &layer.experts[expert];
                    @let (x, middle) = (LEFT + place as f64 * step, LEFT + (place as f64 + 0.5) * step);
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
}

/// A number of the scale: two digits are enough, and small ones need no zeros.
fn label(value: f64) -> String {
    let text = match value.abs() {
        0.0 => "0".to_owned(),
        0.01..100.0 => format!("{value:.2}"),
        _ => format!("{value:.1e}"),
    };
    text.replace('-', "−")
}
