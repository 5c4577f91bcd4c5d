//! The plan of a pruned checkpoint: everything is decided, and everything that can be refused is, before a byte is written.

mod notes;
mod refusals;
mod written;

pub(crate) use written::{Action, Written};
use written::{cut, zeroed};

use super::adapter::Adapter;
use super::config::{Config, Counts};
use super::error::{Result, listed, refused};
use super::files::CheckpointFiles;
use super::formats::Format;
use super::keep::{Chooser, Chosen, Keep, Order, TieBreak};
use super::layout::{FamilyChoice, Layout, MTP_COUNTS};
use super::rank::Ranking;
use super::renumber::{NewName, Renumbering};
use super::rows::RouterRows;
use super::site::{Site, SiteKey};
use refusals::check_groups;
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
            let problem = "is an adapter: merge it first, with PeftModel.from_pretrained(model, adapter).merge_and_unload()\
                .save_pretrained(DIR) of peft, and prune that";
            return Err(refused(files.shown(), problem));
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
        let (Some(old), Some(kept)) = (&self.files.config, self.most_kept()) else { return Ok(()) };
        let own = layout.sites.keys().find_map(|key| old.of_layer(key.layer, &layout.family.experts));
        if let Some((path, number)) = own {
            let problem = format!(
                "{path} = {number}: numbers of single layers can't be changed yet; --semantics zero keeps them"
            );
            return Err(refused(&old.place, problem));
        }
        let mut config = old.clone();
        let numbers = self.numbers_by_layer(layout, old);
        let set = layout.family.experts.iter().filter(|key| match &numbers {
            Some(numbers) => config.set_list(key, numbers),
            None => config.set_number(key, kept),
        });
        if set.count() == 0 {
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

    /// How many experts stay in the layer where they are most.
    fn most_kept(&self) -> Option<u64> {
        self.chosen.iter().map(|chosen| chosen.kept.len() as u64).max()
    }

    /// One number of experts a layer; `None` where one number says it all.
    fn numbers_by_layer(&self, layout: &Layout, config: &Config) -> Option<Vec<u64>> {
        let (_, before) = layout.count.as_ref()?;
        let mut after: BTreeMap<u32, u64> = layout.sites.values().map(|site| (site.key.layer, site.experts)).collect();
        after.extend(self.chosen.iter().map(|chosen| (chosen.site.layer, chosen.kept.len() as u64)));
        let is_one = after.values().all(|&count| Some(count) == self.most_kept());
        let layers = match before {
            Counts::PerLayer(counts) => counts.len() as u64,
            Counts::One(_) if is_one => return None,
            Counts::One(_) => config.first("num_hidden_layers").and_then(Value::as_u64).unwrap_or(after.len() as u64),
        };
        let of = |layer: u32| after.get(&layer).copied().or_else(|| before.of(layer));
        (0..u32::try_from(layers).ok()?).map(of).collect()
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
    match request.semantics == Semantics::Delete && chosen.len() < all.len() && !layout.family.count_per_layer {
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
