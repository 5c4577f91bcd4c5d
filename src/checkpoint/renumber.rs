//! New names of tensors and modules once experts are gone.

use super::keep::Chosen;
use super::layout::Layout;
use super::pattern::{BlockPattern, leading_number};
use super::site::SiteKey;
use std::collections::BTreeMap;

/// Where kept experts go.
pub(crate) struct Renumbering<'a> {
    patterns: Vec<BlockPattern>,
    numbered: &'a [String],
    prefixes: BTreeMap<(&'a str, u32, &'static str), SiteKey>,
    kept: BTreeMap<SiteKey, &'a [u64]>,
}

/// What becomes of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NewName {
    /// It names no expert.
    Same,
    /// Its expert has another number.
    Renamed(String),
    /// Its expert is gone.
    Gone,
}

impl<'a> Renumbering<'a> {
    pub(crate) fn new(layout: &'a Layout, chosen: &'a [Chosen]) -> Self {
        let sites = layout.sites.values();
        Self {
            patterns: layout.family.blocks(),
            numbered: &layout.family.numbered,
            prefixes: sites.map(|site| ((site.prefix.as_str(), site.key.layer, site.key.kind), site.key)).collect(),
            kept: chosen.iter().map(|chosen| (chosen.site, chosen.kept.as_slice())).collect(),
        }
    }

    /// The new number of an expert; `None` if it is gone.
    pub(crate) fn number(&self, site: SiteKey, expert: u64) -> Option<u64> {
        match self.kept.get(&site) {
            Some(kept) => kept.binary_search(&expert).ok().map(|place| place as u64),
            None => Some(expert),
        }
    }

    /// The new name of a tensor or of a module.
    pub(crate) fn name(&self, name: &str) -> NewName {
        for pattern in &self.patterns {
            let Some(found) = pattern.find(name) else { continue };
            let Some(site) = self.prefixes.get(&(found.prefix, found.layer, pattern.kind())) else { continue };
            for head in self.numbered.iter().filter_map(|numbered| numbered.strip_suffix("{e}")) {
                let Some((expert, tail)) = found.rest.strip_prefix(head).and_then(leading_number) else { continue };
                if !(tail.is_empty() || tail.starts_with(['.', '/'])) {
                    continue;
                }
                let before = &name[..name.len() - found.rest.len()];
                return match self.number(*site, u64::from(expert)) {
                    Some(number) if number == u64::from(expert) => NewName::Same,
                    Some(number) => NewName::Renamed(format!("{before}{head}{number}{tail}")),
                    None => NewName::Gone,
                };
            }
        }
        NewName::Same
    }
}
