//! The ranking of all experts of a fine-tuned checkpoint by what fine-tuning did to their routers.

use super::adapter::Adapter;
use super::audit::SiteAudit;
use super::criterion::RowCriterion;
use super::error::{Result, listed, refused};
use super::experts;
use super::family::Effect;
use super::files::CheckpointFiles;
use super::layout::{FamilyChoice, Layout};
use super::rows::{RouterRows, gamma};
use super::scores::{ExpertScore, RouterState, scores};
use super::site::{Site, SiteKey};
use serde::Serialize;
use std::collections::BTreeMap;

/// The scores of one router's experts, and its audit.
#[derive(Clone, Debug, Serialize)]
pub struct SiteRanking {
    /// Which router.
    #[serde(flatten)]
    pub site: SiteKey,
    /// In the order of the experts.
    pub experts: Vec<ExpertScore>,
    /// Whether the theorem's premise shows.
    pub audit: SiteAudit,
}

/// The ranking of a fine-tuned checkpoint.
#[derive(Clone, Debug, Serialize)]
pub struct Ranking {
    /// The pre-trained checkpoint.
    pub pretrained: String,
    /// The fine-tuned checkpoint, or the adapter.
    pub finetuned: String,
    /// Its type.
    pub model_type: String,
    /// What deleting does to the gates.
    pub effect: Effect,
    /// One entry a router that both have.
    pub layers: Vec<SiteRanking>,
    /// Routers of heads that the pre-trained checkpoint lacks: nothing is known of their change.
    pub without_partner: Vec<SiteKey>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

impl SiteRanking {
    /// The scores of a criterion; small ones go first.
    ///
    /// # Errors
    /// The router did not change, and the criterion is about its change; something that it needs is not known.
    pub(crate) fn scores(&self, criterion: RowCriterion) -> Result<Vec<f64>> {
        if criterion.needs_change() && !self.audit.trained {
            let problem = "its router did not change: Δ ranks nothing there; give another criterion (--by)";
            return Err(refused(self.site, problem));
        }
        let scores: Option<Vec<f64>> = self.experts.iter().map(|score| criterion.of(score)).collect();
        scores.ok_or_else(|| refused(self.site, format!("{}: is not known here", criterion.word())))
    }
}

impl Ranking {
    /// The scores of a criterion, layer by layer, as [`Order::Scores`](super::Order::Scores) takes them.
    ///
    /// # Errors
    /// A layer has no scores of this criterion.
    pub fn scores(&self, criterion: RowCriterion) -> Result<BTreeMap<String, Vec<f64>>> {
        self.layers.iter().map(|layer| Ok((layer.site.to_string(), layer.scores(criterion)?))).collect()
    }

    /// Reads the routers of two checkpoints, and with `read_experts`, or where the criterion needs them, all weights of
    /// their experts.
    ///
    /// # Errors
    /// Checkpoints that are no pair: layers, numbers of experts or widths differ. Routers that can't be read. No router
    /// changed, and the criterion is about their change.
    pub fn of(
        before: &CheckpointFiles,
        after: &CheckpointFiles,
        choice: &FamilyChoice,
        criterion: RowCriterion,
        read_experts: bool,
    ) -> Result<Self> {
        let read_experts = read_experts || criterion.needs_experts();
        let layout = Layout::of(before, choice)?;
        let mut ranking = Self {
            pretrained: before.shown(),
            finetuned: after.shown(),
            model_type: layout.model_type.clone(),
            effect: layout.effect,
            layers: Vec::new(),
            without_partner: Vec::new(),
            notes: before.notes.clone(),
        };
        match Adapter::of(after)? {
            Some(_) if read_experts => {
                return Err(refused(after.shown(), "is an adapter: to score the experts' weights, merge it first"));
            }
            Some(adapter) => ranking.add_adapter(before, &layout, &adapter)?,
            None => ranking.add_checkpoint(before, &layout, after, choice, read_experts)?,
        }
        let has_order = !criterion.needs_change() || ranking.layers.iter().any(|layer| layer.audit.trained);
        match has_order {
            true => Ok(ranking),
            false => Err(refused(
                after.shown(),
                format!(
                    "no router changed: Δ ranks nothing (D = 0 in all {} layers); the router was frozen, or these are \
                     not the two checkpoints of one fine-tuning",
                    ranking.layers.len()
                ),
            )),
        }
    }

    fn add_checkpoint(
        &mut self,
        before: &CheckpointFiles,
        layout: &Layout,
        after: &CheckpointFiles,
        choice: &FamilyChoice,
        read_experts: bool,
    ) -> Result<()> {
        let after_layout = Layout::of(after, choice)?;
        self.notes.extend(after.notes.clone());
        for (key, site) in &after_layout.sites {
            let Some(partner) = layout.sites.get(key) else {
                if key.mtp {
                    self.without_partner.push(*key);
                    continue;
                }
                return Err(refused(
                    after.shown(),
                    format!("{key} has a router, and {} has none there", before.shown()),
                ));
            };
            check_pair(partner, site)?;
            if let Some(table) = &site.table {
                self.notes.push(format!("{key}: routed by a table of tokens ({table}): Δ says nothing there"));
            }
            let mut layer = ranked(layout, partner, &state(before, partner)?, &state(after, site)?);
            if read_experts {
                let weights = experts::weight_scores((before, partner), (after, site))?;
                layer.experts.iter_mut().zip(weights).for_each(|(score, weights)| score.weights = Some(weights));
            }
            self.layers.push(layer);
        }
        let lost: Vec<&SiteKey> =
            layout.sites.keys().filter(|key| !key.mtp && !after_layout.sites.contains_key(key)).collect();
        match lost.is_empty() {
            true => Ok(()),
            false => Err(refused(after.shown(), format!("lacks the routers of {}", listed(&lost, 5)))),
        }
    }

    fn add_adapter(&mut self, before: &CheckpointFiles, layout: &Layout, adapter: &Adapter<'_>) -> Result<()> {
        let mut stacked = false;
        for site in layout.sites.values() {
            let old = state(before, site)?;
            let rows = adapter.rows(&old.rows, site)?.unwrap_or_else(|| old.rows.clone());
            let new = RouterState { rows, gamma: old.gamma.clone() };
            self.layers.push(ranked(layout, site, &old, &new));
            stacked |= adapter.changes_stacked_experts(site);
        }
        if stacked {
            self.notes.push(
                "the adapter also changes experts that stand in one tensor; programs order its columns differently, and its \
                 shapes don't tell which did, so nothing is said of the experts' own weights"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

fn ranked(layout: &Layout, site: &Site, old: &RouterState, new: &RouterState) -> SiteRanking {
    let experts = scores(old, new, &layout.family);
    SiteRanking { site: site.key, audit: SiteAudit::of(old, new, &experts), experts }
}

fn state(files: &CheckpointFiles, site: &Site) -> Result<RouterState> {
    Ok(RouterState { rows: RouterRows::read(files, site)?, gamma: gamma(files, site)? })
}

/// Refuses two sites that can't be those of one router.
fn check_pair(before: &Site, after: &Site) -> Result<()> {
    for (what, old, new) in [("experts", before.experts, after.experts), ("columns", before.hidden, after.hidden)] {
        if old != new {
            let problem = format!("the pre-trained router {} has {old} {what}, the fine-tuned {new}", before.router);
            return Err(refused(format!("{} ({})", after.key, after.router), problem));
        }
    }
    Ok(())
}
