//! The plan of a pruned checkpoint: everything is decided, and everything that can be refused is, before a byte is written.

use super::adapter::Adapter;
use super::config::Config;
use super::criterion::RowCriterion;
use super::error::{Result, listed, refused};
use super::files::{CheckpointFiles, Tensor};
use super::formats::Format;
use super::keep::{Chooser, Chosen, Keep, Order, TieBreak};
use super::layout::{FamilyChoice, Groups, Layout, MTP_COUNTS};
use super::rank::Ranking;
use super::renumber::{NewName, Renumbering};
use super::rows::RouterRows;
use super::site::{Cut, Member, Role, Site, SiteKey};
use safetensors::Dtype;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What "pruned" means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Semantics {
    /// Rows of the router and weights are deleted: the router chooses among those that stay.
    Delete,
    /// The last weights of the pruned experts are 0: the router still chooses among all, and a token that it sends to a pruned
    /// expert gets nothing from it. This is the removal of the paper's experiments. It saves no memory.
    Zero,
}

/// What is to be pruned, and how.
#[derive(Clone, Debug)]
pub struct PruneRequest {
    /// How many stay, or which.
    pub keep: Keep,
    /// By what.
    pub order: Order,
    /// What becomes of the others.
    pub semantics: Semantics,
    /// Which of equals goes first.
    pub tie_break: TieBreak,
    /// Seed of random orders.
    pub seed: u64,
    /// Layers that are pruned, in place of all.
    pub layers: Option<Vec<u32>>,
    /// Choose among all experts in place of within groups.
    pub ungroup: bool,
    /// K becomes at most the number that stays.
    pub lower_top_k: bool,
    /// Heads that predict several tokens go.
    pub drop_mtp: bool,
}

/// What is written of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Copy,
    /// Entries of kept experts along an axis; `experts` were there, of `entries` each.
    Cut {
        axis: usize,
        entries: u64,
        experts: u64,
        kept: Vec<u64>,
    },
    /// The same bytes with 0 for these experts of so many.
    Zero {
        experts: u64,
        pruned: Vec<u64>,
    },
}

/// A tensor of the pruned checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub name: String,
    pub action: Action,
}

/// A pruned checkpoint, decided.
#[derive(Debug)]
pub struct PrunePlan<'a> {
    pub(crate) files: &'a CheckpointFiles,
    /// By the old name; a tensor that is not there goes.
    pub(crate) tensors: BTreeMap<String, Written>,
    /// The new configuration, if it changes.
    pub(crate) config: Option<Config>,
    pub(crate) choice: &'a FamilyChoice,
    /// What was asked.
    pub semantics: Semantics,
    /// Experts that stay, router by router.
    pub chosen: Vec<Chosen>,
    /// What the user must know.
    pub notes: Vec<String>,
}

impl<'a> PrunePlan<'a> {
    /// Decides everything. `ranking` may be absent if nothing is ranked by it: for a list, given scores or a random order.
    ///
    /// # Errors
    /// Anything that would give a checkpoint that some program can't load or that routes otherwise than was asked.
    pub fn new(
        files: &'a CheckpointFiles,
        ranking: Option<&Ranking>,
        choice: &'a FamilyChoice,
        request: &PruneRequest,
    ) -> Result<Self> {
        if Adapter::of(files)?.is_some() {
            return Err(refused(files.shown(), "is an adapter: merge it into its model first, and prune that"));
        }
        let layout = Layout::of(files, choice)?;
        if files.format != Format::Safetensors {
            return Err(refused(
                files.shown(),
                "only safetensors can be pruned; other formats can be inspected and ranked",
            ));
        }
        let sites = pruned_sites(&layout, request)?;
        for site in &sites {
            site.check_members()?;
        }
        let groups = layout.groups.filter(|_| !request.ungroup && request.semantics == Semantics::Delete);
        let norms = norms(files, &layout, ranking)?;
        let chooser = Chooser {
            layout: &layout,
            ranking,
            norms: &norms,
            order: &request.order,
            tie_break: request.tie_break,
            seed: request.seed,
            groups: None,
        };
        if let Some(groups) = groups.filter(|_| !matches!(request.keep, Keep::List(_))) {
            // The number is checked before it decides who stays in a group.
            let first = chooser.choose(&request.keep, &sites)?;
            for chosen in &first {
                check_groups(groups, &layout, chosen.kept.len() as u64, chosen.kept.len() + chosen.pruned.len())?;
            }
        }
        let chosen = Chooser { groups, ..chooser }.choose(&request.keep, &sites)?;
        let mut plan = Self {
            files,
            tensors: BTreeMap::new(),
            config: None,
            choice,
            semantics: request.semantics,
            chosen,
            notes: Vec::new(),
        };
        plan.check_counts(&layout, request, groups)?;
        plan.note(&layout, request, &norms);
        plan.decide_tensors(&layout, request)?;
        if request.semantics == Semantics::Delete {
            plan.decide_config(&layout, request)?;
        }
        Ok(plan)
    }

    /// Refuses what would not load, or would not do what was asked.
    fn check_counts(&self, layout: &Layout, request: &PruneRequest, groups: Option<Groups>) -> Result<()> {
        if request.semantics == Semantics::Zero {
            return Ok(());
        }
        let counts: BTreeSet<usize> = self.chosen.iter().map(|chosen| chosen.kept.len()).collect();
        if counts.len() > 1 {
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

    /// Says what no refusal says.
    fn note(&mut self, layout: &Layout, request: &PruneRequest, norms: &BTreeMap<SiteKey, Vec<f64>>) {
        self.notes.extend(self.files.notes.clone());
        self.notes.extend(layout.family.note.clone());
        self.notes.extend(layout.missing_mtp(self.files).filter(|_| !request.drop_mtp));
        let Some(kept) = self.chosen.first().map(|chosen| chosen.kept.len() as u64) else { return };
        let ranked = matches!(request.order, Order::Criterion(criterion) if criterion != RowCriterion::Random);
        if ranked && !matches!(request.keep, Keep::List(_)) && !request.drop_mtp {
            for key in norms.keys() {
                self.notes.push(format!("{key}: has no partner in the pre-trained checkpoint; ranked by router-norm"));
            }
        }
        let undecided = self.chosen.iter().filter(|chosen| !chosen.undecided.is_empty());
        for chosen in undecided {
            let (stays, goes) = chosen.undecided[0];
            self.notes.push(format!(
                "{}: ties across the cut: experts {stays} (stays) and {goes} (goes) differ by less than rounding ({} such pairs)",
                chosen.site,
                chosen.undecided.len()
            ));
        }
        if request.semantics == Semantics::Zero {
            self.notes.push(
                "zero: all shapes stay, nothing is saved; the router still sends tokens to pruned experts".to_owned(),
            );
            return;
        }
        if layout.groups.is_some() && request.ungroup {
            self.notes.push("experts are no longer chosen within groups: the model routes differently".to_owned());
        }
        let supported = &layout.family.supported;
        if !supported.is_empty() && !supported.contains(&kept) {
            self.notes.push(format!(
                "kernels for {} exist for {} experts, not for {kept}",
                layout.model_type,
                listed(supported, 32)
            ));
        }
        let sizes: Vec<u64> = (1..=kept).filter(|size| kept.is_multiple_of(*size)).collect();
        self.notes.push(format!("{kept} experts can be spread over {} ranks", listed(&sizes, 32)));
    }

    fn decide_tensors(&mut self, layout: &Layout, request: &PruneRequest) -> Result<()> {
        let dropped = if request.drop_mtp { mtp_tensors(self.files, layout) } else { BTreeSet::new() };
        for name in self.files.tensors.keys().filter(|name| !dropped.contains(name.as_str())) {
            self.tensors.insert(name.clone(), Written { name: name.clone(), action: Action::Copy });
        }
        let renumbering = Renumbering::new(layout, &self.chosen);
        for chosen in &self.chosen {
            let site = &layout.sites[&chosen.site];
            for member in &site.members {
                let written = match request.semantics {
                    Semantics::Delete => cut(member, site, chosen, &renumbering),
                    Semantics::Zero => zeroed(member, &self.files.tensors[&member.name], site, chosen)?,
                };
                match written {
                    Some(written) => self.tensors.insert(member.name.clone(), written),
                    None => self.tensors.remove(&member.name),
                };
            }
        }
        let names: BTreeSet<&String> = self.tensors.values().map(|written| &written.name).collect();
        match names.len() == self.tensors.len() {
            true => Ok(()),
            false => Err(refused(self.files.shown(), "two tensors would have one name")),
        }
    }

    fn decide_config(&mut self, layout: &Layout, request: &PruneRequest) -> Result<()> {
        let (Some(old), Some(chosen)) = (&self.files.config, self.chosen.first()) else { return Ok(()) };
        let kept = chosen.kept.len() as u64;
        let mut config = old.clone();
        let set: Vec<&String> = layout.family.experts.iter().filter(|key| config.set_number(key, kept)).collect();
        if set.is_empty() {
            let keys = listed(&layout.family.experts, 4);
            return Err(refused(
                &old.place,
                format!("has no number of experts ({keys}): it would not fit the pruned files"),
            ));
        }
        config.set_number("moe_capacity", kept);
        if layout.top_k.is_some_and(|top_k| kept < top_k) {
            layout.family.top_k.iter().for_each(|key| _ = config.set_number(key, kept));
        }
        if request.ungroup && layout.groups.is_some() {
            let keys = layout.family.groups.iter().chain(&layout.family.groups_kept);
            keys.for_each(|key| _ = config.set_number(key, 1));
        }
        if request.drop_mtp {
            MTP_COUNTS.iter().for_each(|key| _ = config.set_number(key, 0));
        }
        let renumbering = Renumbering::new(layout, &self.chosen);
        for key in ["quantization_config", "compression_config"] {
            if let Some(section) = config.value.get_mut(key) {
                rename_modules(section, &renumbering);
            }
        }
        self.config = (config != *old).then_some(config);
        Ok(())
    }

    /// Bytes of all tensors that are written.
    pub(crate) fn bytes(&self) -> u64 {
        self.tensors.iter().map(|(name, written)| written.bytes(&self.files.tensors[name])).sum()
    }

    /// Numbers of all tensors that are written.
    pub(crate) fn parameters(&self) -> u64 {
        let shape = |(name, written): (&String, &Written)| written.shape(&self.files.tensors[name]);
        self.tensors.iter().map(|entry| shape(entry).iter().product::<u64>()).sum()
    }
}

impl Written {
    /// The shape that is written.
    pub(crate) fn shape(&self, old: &Tensor) -> Vec<u64> {
        let mut shape = old.shape.clone();
        if let Action::Cut { axis, entries, experts, kept } = &self.action {
            shape[*axis] -= entries * (experts - kept.len() as u64);
        }
        shape
    }

    /// The bytes that are written.
    pub(crate) fn bytes(&self, old: &Tensor) -> u64 {
        match &self.action {
            Action::Cut { axis, entries, experts, kept } => {
                old.bytes / old.shape[*axis] * (old.shape[*axis] - entries * (experts - kept.len() as u64))
            }
            Action::Copy | Action::Zero { .. } => old.bytes,
        }
    }
}

/// The sites that are pruned; with one number for all layers that must be all of them.
fn pruned_sites<'l>(layout: &'l Layout, request: &PruneRequest) -> Result<Vec<&'l Site>> {
    let is_dropped = |site: &&Site| request.drop_mtp && site.key.mtp;
    let all: Vec<&Site> = layout.sites.values().filter(|site| !is_dropped(site)).collect();
    let Some(layers) = &request.layers else { return Ok(all) };
    let chosen: Vec<&Site> =
        all.iter().copied().filter(|site| !site.key.mtp && layers.contains(&site.key.layer)).collect();
    if let Some(layer) = layers.iter().find(|&&layer| !chosen.iter().any(|site| site.key.layer == layer)) {
        return Err(refused(format!("--layers {layer}"), "the layer has no router"));
    }
    match request.semantics == Semantics::Delete && chosen.len() < all.len() {
        true => Err(refused(
            "--layers",
            format!(
                "{} has one number of experts for all layers, so {} layers of {} can't be pruned alone. Two ways out: all \
                 layers, or --semantics zero, which keeps all shapes",
                layout.model_type,
                chosen.len(),
                all.len()
            ),
        )),
        false => Ok(chosen),
    }
}

/// ‖w‖ of the rows of sites that the ranking lacks because they have no partner.
fn norms(files: &CheckpointFiles, layout: &Layout, ranking: Option<&Ranking>) -> Result<BTreeMap<SiteKey, Vec<f64>>> {
    let alone = ranking.map(|ranking| ranking.without_partner.as_slice()).unwrap_or_default();
    let norm = |row: &[f64]| row.iter().map(|value| value * value).sum::<f64>().sqrt();
    let sites = alone.iter().filter_map(|key| layout.sites.get(key));
    sites.map(|site| Ok((site.key, RouterRows::read(files, site)?.rows().map(norm).collect()))).collect()
}

/// Refuses numbers that groups don't allow, with the nearest that they do.
fn check_groups(groups: Groups, layout: &Layout, kept: u64, experts: usize) -> Result<()> {
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

/// What becomes of a tensor whose experts are deleted; `None` if it goes.
fn cut(member: &Member, site: &Site, chosen: &Chosen, renumbering: &Renumbering<'_>) -> Option<Written> {
    match &member.cut {
        Cut::Numbered { .. } => match renumbering.name(&member.name) {
            NewName::Same => Some(Written { name: member.name.clone(), action: Action::Copy }),
            NewName::Renamed(name) => Some(Written { name, action: Action::Copy }),
            NewName::Gone => None,
        },
        Cut::Axis { axis, entries } => {
            let action =
                Action::Cut { axis: *axis, entries: *entries, experts: site.experts, kept: chosen.kept.clone() };
            Some(Written { name: member.name.clone(), action })
        }
    }
}

/// What becomes of a tensor whose experts say nothing.
fn zeroed(member: &Member, tensor: &Tensor, site: &Site, chosen: &Chosen) -> Result<Option<Written>> {
    let copy = Written { name: member.name.clone(), action: Action::Copy };
    let last = member.name.rsplit(['.', '/']).next().unwrap_or_default();
    if member.role != Role::Output || last.contains("scale") {
        return Ok(Some(copy));
    }
    let pruned = match member.cut {
        Cut::Numbered { expert, .. } if chosen.kept.contains(&expert) => return Ok(Some(copy)),
        Cut::Numbered { .. } => Action::Zero { experts: 1, pruned: vec![0] },
        Cut::Axis { axis: 0, .. } => Action::Zero { experts: site.experts, pruned: chosen.pruned.clone() },
        Cut::Axis { .. } => {
            return Err(refused(&member.name, "experts stand in columns: --semantics zero can't be done"));
        }
    };
    // In MXFP4 the byte 0 is two zeros. In other packed types it need not be.
    let is_zero = !matches!(
        tensor.dtype,
        Dtype::BOOL
            | Dtype::I8
            | Dtype::I16
            | Dtype::U16
            | Dtype::I32
            | Dtype::U32
            | Dtype::I64
            | Dtype::U64
            | Dtype::F8_E8M0
    ) && (tensor.dtype != Dtype::U8 || last.ends_with("_blocks"));
    match is_zero {
        true => Ok(Some(Written { action: pruned, ..copy })),
        false => {
            let problem =
                format!("is {:?}, packed in a way that is not known: --semantics zero can't be done", tensor.dtype);
            Err(refused(&member.name, problem))
        }
    }
}

/// All tensors of heads that predict several tokens.
fn mtp_tensors<'f>(files: &'f CheckpointFiles, layout: &Layout) -> BTreeSet<&'f str> {
    let is_mtp = |word: &str| word == "mtp" || word == "mtp_layers";
    let layers: BTreeSet<u32> = layout.sites.keys().filter(|key| key.mtp).map(|key| key.layer).collect();
    let by_layer = |name: &str| {
        let words: Vec<&str> = name.split('.').collect();
        let mut pairs = words.windows(2);
        pairs.any(|pair| pair[0] == "layers" && pair[1].parse().is_ok_and(|layer: u32| layers.contains(&layer)))
    };
    // Heads with a name of their own count their layers from 0, as the model does.
    let have_names = files.tensors.keys().any(|name| name.split('.').any(is_mtp));
    let names = files.tensors.keys().map(String::as_str);
    names.filter(|name| if have_names { name.split('.').any(is_mtp) } else { by_layer(name) }).collect()
}

/// Renames modules in lists, as those that a quantisation leaves out.
fn rename_modules(value: &mut Value, renumbering: &Renumbering<'_>) {
    match value {
        Value::Array(list) => {
            list.retain(|item| item.as_str().is_none_or(|name| renumbering.name(name) != NewName::Gone));
            for item in list {
                match item.as_str().map(|name| renumbering.name(name)) {
                    Some(NewName::Renamed(name)) => *item = Value::String(name),
                    _ => rename_modules(item, renumbering),
                }
            }
        }
        Value::Object(section) => {
            let old = std::mem::take(section);
            for (key, mut value) in old {
                rename_modules(&mut value, renumbering);
                match renumbering.name(&key) {
                    NewName::Same => section.insert(key, value),
                    NewName::Renamed(name) => section.insert(name, value),
                    NewName::Gone => None,
                };
            }
        }
        _ => {}
    }
}
