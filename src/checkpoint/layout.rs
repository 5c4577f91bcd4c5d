//! Where a checkpoint has its routers and experts, by its family, checked against its configuration.

use super::config::Counts;
use super::error::{Result, listed, refused};
use super::family::{Effect, Families, Family};
use super::files::CheckpointFiles;
use super::site::{Site, SiteKey};
use std::collections::BTreeMap;

/// How a user tells what a checkpoint is.
#[derive(Clone, Debug)]
pub struct FamilyChoice {
    /// The known families and the user's.
    pub families: Families,
    /// The name of the router with `{l}` for the layer, for a model of no family.
    pub router_pattern: Option<String>,
}

/// Experts that are chosen within groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Groups {
    /// Groups of equally many experts, one behind the other.
    pub groups: u64,
    /// Groups that a token may use.
    pub kept: u64,
}

/// The routers and experts of a checkpoint.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// The word of `model_type`, or what stood for it.
    pub model_type: String,
    pub family: Family,
    pub sites: BTreeMap<SiteKey, Site>,
    /// The key of the number of experts in the configuration, and the number, or numbers by layer.
    pub count: Option<(String, Counts)>,
    /// K.
    pub top_k: Option<u64>,
    /// Only where there is more than one group.
    pub groups: Option<Groups>,
    pub effect: Effect,
}

/// Keys of the number of heads that predict several tokens.
pub(crate) const MTP_COUNTS: [&str; 3] = ["num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_modules"];

/// The family of a checkpoint without a configuration, by its names.
const WITHOUT_CONFIG: &str = "vmoe";

impl Layout {
    /// Finds routers and experts.
    ///
    /// # Errors
    /// A family that is unknown or refused, no router, shapes or numbers that contradict each other.
    pub(crate) fn of(files: &CheckpointFiles, choice: &FamilyChoice) -> Result<Self> {
        let (model_type, family) = family_of(files, choice)?;
        if let Some(reason) = &family.refuse {
            return Err(refused(
                files.shown(),
                format!("model_type {model_type}: can't be ranked or pruned: {reason}"),
            ));
        }
        let config = files.config.as_ref();
        let number = |keys: &[String]| config.map_or(Ok(None), |config| config.number(keys));
        let value = |keys: &[String]| number(keys).map(|found| found.map(|(_, number)| number));
        let zero = family.zero_experts.iter().cloned().collect::<Vec<_>>();
        let sites = sites(files, &family, value(&zero)?.unwrap_or(0))?;
        if sites.is_empty() {
            let names = family.blocks().iter().map(|block| format!("{block}.{}", family.router[0])).collect::<Vec<_>>();
            let problem =
                format!("model_type {model_type}: no router was found: no tensor is named {}", listed(&names, 2));
            return Err(refused(files.shown(), problem));
        }
        let effect = match family.renormalised_if.as_deref().and_then(|key| config?.first(key)?.as_bool()) {
            Some(true) => Effect::Renormalised,
            _ => family.effect,
        };
        let layout = Self {
            count: match config {
                Some(config) if family.count_per_layer => config.counts(&family.experts)?,
                _ => number(&family.experts)?.map(|(key, count)| (key, Counts::One(count))),
            },
            top_k: value(&family.top_k)?,
            groups: groups(files, &family)?,
            model_type,
            sites,
            effect,
            family,
        };
        layout.check_count(files)?;
        Ok(layout)
    }

    /// Refuses a configuration that has another number of experts than the files.
    fn check_count(&self, files: &CheckpointFiles) -> Result<()> {
        let (Some((key, counts)), Some(config)) = (&self.count, &files.config) else { return Ok(()) };
        for site in self.sites.values() {
            let has = || format!("{} has {} experts ({})", site.key, site.experts, site.router);
            let own = config.of_layer(site.key.layer, &self.family.experts);
            let expected = own.or_else(|| Some((key.clone(), counts.of(site.key.layer)?)));
            let problem = match expected {
                Some((_, count)) if count == site.experts => continue,
                Some((key, count)) => format!("{key} = {count}, but {}", has()),
                None => format!("{key} has no number for it, but {}", has()),
            };
            return Err(refused(&config.place, problem));
        }
        Ok(())
    }

    /// What a configuration promises and the files lack: heads that predict several tokens.
    pub(crate) fn missing_mtp(&self, files: &CheckpointFiles) -> Option<String> {
        let promised = |key: &&str| files.config.as_ref()?.first(key)?.as_u64().filter(|&heads| heads > 0);
        let key = MTP_COUNTS.iter().find(|key| promised(key).is_some())?;
        let is_there = self.sites.keys().any(|key| key.mtp);
        (!is_there).then(|| {
            format!("{key} promises heads that predict several tokens, the files have none with experts; strict programs fail (prune --drop-mtp sets it to 0)")
        })
    }

    /// E, where all sites have equally many.
    pub(crate) fn experts(&self) -> Option<u64> {
        let mut counts = self.sites.values().map(|site| site.experts);
        let first = counts.next()?;
        counts.all(|count| count == first).then_some(first)
    }
}

fn family_of(files: &CheckpointFiles, choice: &FamilyChoice) -> Result<(String, Family)> {
    let config = files.config.as_ref();
    if let Some(pattern) = &choice.router_pattern {
        return Ok((format!("--router-pattern {pattern}"), Family::of_router(pattern, config)?));
    }
    match config {
        Some(config) => match choice.families.of(config) {
            Some((name, family)) => Ok((name, family.clone())),
            None => Err(unknown(files)),
        },
        None => match choice.families.get(WITHOUT_CONFIG) {
            Some(family) if !sites(files, family, 0)?.is_empty() => Ok((WITHOUT_CONFIG.to_owned(), family.clone())),
            _ => Err(unknown(files)),
        },
    }
}

/// The refusal of an unknown type, with what looks like a router by its shape.
fn unknown(files: &CheckpointFiles) -> super::CheckpointError {
    let config = files.config.as_ref();
    let types = config.map(|config| config.model_types()).unwrap_or_default();
    let what = if types.is_empty() {
        "no config.json with a model_type".to_owned()
    } else {
        format!("model_type {}", types.join(", "))
    };
    let candidates = candidates(files);
    let advice = match candidates.first() {
        Some(_) => {
            let shown: Vec<String> =
                candidates.iter().map(|(pattern, layers)| format!("{pattern} ({layers} layers)")).collect();
            format!("by their shapes these may be routers: {}; confirm one with --router-pattern", listed(&shown, 4))
        }
        None => {
            "nothing looks like a router; name it with --router-pattern, or give its family with --family".to_owned()
        }
    };
    refused(files.shown(), format!("{what}: unknown; {advice}"))
}

/// Patterns of tensors that have the shape of a router: two axes, one of them the number of experts, which the
/// configuration or the experts beside them say. With the number of their layers.
pub(crate) fn candidates(files: &CheckpointFiles) -> Vec<(String, usize)> {
    let counts: Vec<u64> =
        files.config.iter().flat_map(|config| config.expert_counts()).map(|(_, count)| count).collect();
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for (name, tensor) in &files.tensors {
        let [rows, columns] = tensor.shape.as_slice() else { continue };
        if name.contains("expert") || !(counts.contains(rows) || counts.contains(columns)) {
            continue;
        }
        let Some((pattern, block)) = layered(name) else { continue };
        let siblings = files.tensors.range(block.clone()..).take_while(|(name, _)| name.starts_with(&block));
        if siblings.into_iter().any(|(name, _)| name.contains("expert")) {
            *found.entry(pattern).or_default() += 1;
        }
    }
    found.into_iter().collect()
}

/// The pattern of a name with its first number in place of the layer, and the beginning of its siblings' names.
fn layered(name: &str) -> Option<(String, String)> {
    let parts: Vec<&str> = name.split('.').collect();
    let layer = parts.iter().position(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))?;
    let mut pattern = parts.clone();
    pattern[layer] = "{l}";
    let first = layer.checked_sub(1)?;
    let block = parts.get(..layer + 2)?;
    Some((pattern[first..].join("."), format!("{}.", block.join("."))))
}

/// The sites of all blocks that have a router.
fn sites(files: &CheckpointFiles, family: &Family, zero_experts: u64) -> Result<BTreeMap<SiteKey, Site>> {
    let hidden_layers = files.config.iter().flat_map(|config| config.find("num_hidden_layers"));
    let hidden_layers = hidden_layers.filter_map(|(_, value)| value.as_u64()).max().unwrap_or(u64::MAX);
    let patterns = family.blocks();
    let mut blocks: BTreeMap<(SiteKey, &str), BTreeMap<&str, &str>> = BTreeMap::new();
    for name in files.tensors.keys() {
        for pattern in &patterns {
            let Some(found) = pattern.find(name) else { continue };
            let is_mtp = found.prefix.split(['.', '/']).any(|word| word == "mtp" || word == "mtp_layers");
            let mtp = is_mtp || u64::from(found.layer) >= hidden_layers;
            let key = SiteKey { mtp, kind: pattern.kind(), layer: found.layer };
            blocks.entry((key, found.prefix)).or_default().insert(found.rest, name);
            break;
        }
    }
    let mut sites: BTreeMap<SiteKey, Site> = BTreeMap::new();
    for ((key, prefix), block) in &blocks {
        let parent = parent_of(block);
        if let Some(mut site) = Site::new(*key, prefix, block, files, family, zero_experts)? {
            let places = family.norm.iter().flat_map(|norm| {
                let inner = block.get(norm.as_str()).map(|name| (*name).to_owned());
                inner.into_iter().chain(parent.iter().map(move |parent| format!("{parent}{norm}")))
            });
            site.norm = places.into_iter().find(|name| files.tensors.contains_key(name));
            if let Some(other) = sites.insert(*key, site) {
                let problem = format!("{prefix} and {} both have a router; they can't be told apart", other.prefix);
                return Err(refused(key, problem));
            }
        }
    }
    Ok(sites)
}

/// The beginning of the names of what holds a block: `model.layers.3.` of `model.layers.3.mlp.`.
fn parent_of(block: &BTreeMap<&str, &str>) -> Option<String> {
    let (rest, name) = block.iter().next()?;
    let block = name[..name.len() - rest.len()].trim_end_matches(['.', '/']);
    block.rfind(['.', '/']).map(|end| block[..=end].to_owned())
}

fn groups(files: &CheckpointFiles, family: &Family) -> Result<Option<Groups>> {
    let Some(config) = &files.config else { return Ok(None) };
    if let Some((key, word)) = family.groups_if.as_deref().and_then(|text| text.split_once('='))
        && config.first(key).and_then(|value| value.as_str()) != Some(word)
    {
        return Ok(None);
    }
    let groups = config.number(&family.groups)?.map_or(1, |(_, number)| number);
    let kept = config.number(&family.groups_kept)?.map_or(1, |(_, number)| number);
    Ok((groups > 1).then_some(Groups { groups, kept }))
}
