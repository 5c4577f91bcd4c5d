//! A ranking in words: what the theorem says of these checkpoints, and what it does not.

use super::audit::{SiteAudit, ascending};
use super::criterion::RowCriterion;
use super::family::Effect;
use super::rank::{Ranking, SiteRanking};
use super::scores::ExpertScore;
use crate::stats::median;

impl SiteRanking {
    /// Experts from the first that goes to the last, by a criterion; `None` where it is not known.
    pub fn order(&self, criterion: RowCriterion) -> Option<Vec<usize>> {
        let scores: Option<Vec<f64>> = self.experts.iter().map(|score| criterion.of(score)).collect();
        scores.map(|scores| ascending(&scores))
    }
}

impl SiteAudit {
    /// The audit of one router in one line.
    pub fn line(&self) -> String {
        if !self.trained {
            return "did not change: nothing is ranked here".to_owned();
        }
        let gap = match self.gap {
            Some(gap) => format!("largest gap {:.0} % of the range, above {} experts", 100.0 * gap.share, gap.below),
            None => "all Δ are equal".to_owned(),
        };
        let p = self.groups_p_value.map(|p| format!(" (p = {p:.2})")).unwrap_or_default();
        let groups = if self.has_two_groups() { "two groups" } else { "no two groups" };
        let ties = match self.tied_pairs {
            0 => String::new(),
            1 => ", 1 pair tied".to_owned(),
            pairs => format!(", {pairs} pairs tied"),
        };
        format!("{gap}, {groups}{p}, {} of Δ negative{ties}", self.negative)
    }
}

impl Ranking {
    /// What the audit means, one sentence an item.
    pub fn sentences(&self) -> Vec<String> {
        let trained: Vec<&SiteAudit> = self.trained().map(|layer| &layer.audit).collect();
        let (all, changed) = (self.layers.len(), trained.len());
        let mut sentences = if changed > 0 { self.of_changes(&trained) } else { Vec::new() };
        if changed < all {
            sentences.push(format!("{} of {all} routers did not change: Δ ranks nothing there.", all - changed));
        }
        let strangers: Vec<String> = self.layers.iter().filter_map(strangers).collect();
        if !strangers.is_empty() {
            sentences.push(format!(
                "Experts may be permuted between the two checkpoints, so that Δ compares strangers: {}.",
                super::error::listed(&strangers, 5)
            ));
        }
        let tied: usize = trained.iter().map(|audit| audit.tied_pairs).sum();
        if tied > 0 {
            sentences.push(format!("{tied} pairs of experts differ in Δ by no more than rounding of the stored numbers may explain: their order means nothing."));
        }
        let open = match self.effect {
            Effect::Renormalised => "softmax that is normalised over the chosen experts",
            Effect::Softmax => "softmax over all experts",
            Effect::Independent => "gates that are not softmax",
        };
        sentences.push(format!(
            "The theorem is about one layer of experts that choose tokens. It says nothing of layers on top of each other ({all} here), of {open}, or of experts that all tokens share. Δ never measures a loss: evaluate the pruned model."
        ));
        sentences
    }

    /// The routers that changed.
    fn trained(&self) -> impl Iterator<Item = &SiteRanking> {
        self.layers.iter().filter(|layer| layer.audit.trained)
    }

    /// What the audits of the routers that changed mean.
    fn of_changes(&self, trained: &[&SiteAudit]) -> Vec<String> {
        let all = trained.len();
        let typical = |value: fn(&SiteAudit) -> Option<f64>| {
            let values: Vec<f64> = trained.iter().filter_map(|audit| value(audit)).collect();
            median(&values)
        };
        let shown = |value: Option<f64>| value.map_or("unknown".to_owned(), |value| format!("{value:.2}"));
        let mut sentences = Vec::new();
        let gaps = trained.iter().filter(|audit| audit.has_two_groups()).count();
        let gap = format!(
            "In {gaps} of {all} routers Δ falls into two groups (a gap of more than half the range, in both halves of the coordinates, p ≤ 0.05). "
        );
        sentences.push(match gaps {
            0 => gap + "The theorem prunes below such a gap: here its premise does not show, and Δ is a heuristic.",
            _ if gaps == all => gap + "This is what the theorem's premise looks like; it is no proof of it.",
            _ => gap + "Elsewhere the theorem's premise does not show, and Δ is a heuristic.",
        });
        let experts: usize = self.trained().map(|layer| layer.experts.len()).sum();
        let negative: usize = trained.iter().map(|audit| audit.negative).sum();
        sentences.push(format!(
            "{negative} of {experts} Δ are negative: signed and absolute order agree by Kendall's τ = {} (median of routers). The paper prunes the smallest signed Δ.",
            shown(typical(|audit| audit.tau_abs))
        ));
        let shift = typical(|audit| audit.common_shift);
        let percent = shift.map_or("unknown".to_owned(), |shift| format!("{:.1} %", 100.0 * shift));
        let tau = shown(typical(|audit| audit.tau_less_mean));
        sentences.push(match self.effect {
            Effect::Independent => format!(
                "One vector added to all rows makes {percent} of the change; here each gate depends on its own row alone, so that such a vector counts (τ without it = {tau})."
            ),
            _ => format!(
                "One vector added to all rows, which softmax does not see and Δ does, makes {percent} of the change (τ with Δ without it = {tau})."
            ),
        });
        if let Some(tau) = typical(|audit| audit.tau_folded) {
            sentences.push(format!(
                "The layer before the router multiplies its input by γ: with γ in the rows the order agrees by τ = {tau:.2}."
            ));
        }
        sentences
    }

    /// One row an expert, for a table.
    pub fn rows(&self, criterion: RowCriterion) -> Vec<RankRow> {
        let rows = |layer: &SiteRanking| {
            let mut places = vec![None; layer.experts.len()];
            for (place, expert) in layer.order(criterion).into_iter().flatten().enumerate() {
                places[expert] = Some(place);
            }
            let row = |(expert, score): (usize, &ExpertScore)| RankRow::of(layer, expert, score, places[expert]);
            layer.experts.iter().enumerate().map(row).collect::<Vec<_>>()
        };
        self.layers.iter().flat_map(rows).collect()
    }
}

fn strangers(layer: &SiteRanking) -> Option<String> {
    let (expert, other) = layer.audit.permuted.first()?;
    let count = layer.audit.permuted.len();
    Some(format!("{}: {count} experts, expert {expert} is nearest to the old expert {other}", layer.site))
}

/// One line of the CSV of a ranking.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct RankRow {
    /// The layer, as `inspect` calls it.
    pub layer: String,
    /// The expert's number.
    pub expert: usize,
    /// Its place in the order of pruning, from 0; empty where the criterion is not known.
    pub place: Option<usize>,
    /// Δ.
    pub delta: f64,
    /// |Δ|.
    pub delta_abs: f64,
    /// D.
    pub displacement: f64,
    /// Δ less the mean over experts.
    pub delta_less_mean: f64,
    /// The γ-folded Δ.
    pub delta_folded: Option<f64>,
    /// ‖w⁰‖.
    pub norm_before: f64,
    /// ‖w‖.
    pub norm: f64,
    /// ‖W − W⁰‖.
    pub expert_change: Option<f64>,
    /// ‖W‖.
    pub expert_magnitude: Option<f64>,
    /// mean_r ‖w_r − w_r⁰‖.
    pub neuron_change: Option<f64>,
    /// max_r ‖w_r‖.
    pub max_neuron_norm: Option<f64>,
    /// max_r of the variance within w_r.
    pub max_var: Option<f64>,
    /// mean |W| over root mean square.
    pub aimer: Option<f64>,
    /// The bound on Δ's rounding.
    pub rounding: f64,
    /// Experts that are tied with it.
    pub tied: usize,
}

impl RankRow {
    fn of(layer: &SiteRanking, expert: usize, score: &ExpertScore, place: Option<usize>) -> Self {
        Self {
            layer: layer.site.to_string(),
            expert,
            place,
            delta: score.delta,
            delta_abs: score.delta.abs(),
            displacement: score.displacement,
            delta_less_mean: score.delta_less_mean,
            delta_folded: score.delta_folded,
            norm_before: score.norm_before,
            norm: score.norm,
            expert_change: score.weights.map(|weights| weights.expert_change),
            expert_magnitude: score.weights.map(|weights| weights.expert_magnitude),
            neuron_change: score.weights.and_then(|weights| weights.neuron_change),
            max_neuron_norm: score.weights.and_then(|weights| weights.max_neuron_norm),
            max_var: score.weights.and_then(|weights| weights.max_var),
            aimer: score.weights.map(|weights| weights.aimer),
            rounding: score.rounding,
            tied: score.tied,
        }
    }
}
