//! What a plan refuses: numbers of experts that would not load, or would not do what was asked.

use super::{PrunePlan, PruneRequest, Semantics};
use crate::checkpoint::error::{Result, listed, refused};
use crate::checkpoint::keep::Chosen;
use crate::checkpoint::layout::{Groups, Layout};
use std::collections::BTreeSet;

impl PrunePlan<'_> {
    /// Refuses what would not load, or would not do what was asked.
    pub(super) fn check_counts(&self, layout: &Layout, request: &PruneRequest, groups: Option<Groups>) -> Result<()> {
        if request.semantics == Semantics::Zero {
            return Ok(());
        }
        let counts: BTreeSet<usize> = self.chosen.iter().map(|chosen| chosen.kept.len()).collect();
        if counts.len() > 1 && !layout.family.count_per_layer {
            let counts: Vec<usize> = counts.into_iter().collect();
            let problem = format!(
                "layers would keep {} experts, but {} has one number for all layers. Two ways out: keep equally \
                many in every layer, or --semantics zero, which keeps all shapes",
                listed(&counts, 8),
                layout.model_type
            );
            return Err(refused(self.files.shown(), problem));
        }
        for chosen in &self.chosen {
            let kept = chosen.kept.len() as u64;
            let site = &layout.sites[&chosen.site];
            if let Some(table) = &site.table {
                let problem = "names experts by number, token by token: its layer can't be cut; use --semantics zero";
                return Err(refused(table, problem));
            }
            let least = layout.family.least;
            if kept < least {
                let problem = format!(
                    "{kept} of {} experts would stay, {} needs at least {least}",
                    site.experts, layout.model_type
                );
                return Err(refused(chosen.site, problem));
            }
            if let Some(top_k) = layout.top_k.filter(|&top_k| kept < top_k) {
                let way = match layout.family.fixed_top_k {
                    true => format!("{} can't work with another number", layout.model_type),
                    false if request.lower_top_k => continue,
                    false => "--lower-top-k lowers it".to_owned(),
                };
                return Err(refused(
                    chosen.site,
                    format!("{kept} of {} experts would stay, and every token uses {top_k}; {way}", site.experts),
                ));
            }
            if let Some(groups) = groups {
                check_groups(groups, layout, kept, site.experts as usize)?;
                check_list_groups(groups, chosen, site.experts)?;
            }
        }
        Ok(())
    }
}

/// Refuses numbers that groups don't allow, with the nearest that they do.
pub(super) fn check_groups(groups: Groups, layout: &Layout, kept: u64, experts: usize) -> Result<()> {
    let experts = experts as u64;
    let top_k = layout.top_k.unwrap_or(1);
    let is_valid = |kept: u64| {
        kept.is_multiple_of(groups.groups)
            && kept / groups.groups >= 2
            && groups.kept.saturating_mul(kept / groups.groups) >= top_k
    };
    if !experts.is_multiple_of(groups.groups) || groups.kept > groups.groups {
        let problem = format!("{} groups of which {} are used don't fit {experts} experts", groups.groups, groups.kept);
        return Err(refused("config.json", problem));
    }
    if is_valid(kept) {
        return Ok(());
    }
    let below = (1..kept).rev().find(|&kept| is_valid(kept));
    let above = (kept + 1..=experts).find(|&kept| is_valid(kept));
    let nearest: Vec<String> = below.into_iter().chain(above).map(|kept| kept.to_string()).collect();
    Err(refused(
        format!("keeping {kept} of {experts}"),
        format!(
            "experts are chosen within {} groups, so equally many must stay in each, at least 2, and {top_k} in the {} that a \
             token uses; the nearest numbers are {}; or --ungroup, which routes differently",
            groups.groups,
            groups.kept,
            nearest.join(" and ")
        ),
    ))
}

fn check_list_groups(groups: Groups, chosen: &Chosen, experts: u64) -> Result<()> {
    let size = experts / groups.groups;
    let each = chosen.kept.len() as u64 / groups.groups;
    let count = |group: u64| chosen.kept.iter().filter(|&&expert| expert / size == group).count() as u64;
    match (0..groups.groups).find(|&group| count(group) != each) {
        Some(group) => {
            let problem = format!(
                "group {group} would keep {} experts: all {} groups must keep {each}",
                count(group),
                groups.groups
            );
            Err(refused(chosen.site, problem))
        }
        None => Ok(()),
    }
}
