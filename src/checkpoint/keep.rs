//! Which experts stay.

use super::audit::ascending;
use super::criterion::RowCriterion;
use super::error::{Result, listed, refused};
use super::layout::{Groups, Layout};
use super::rank::Ranking;
use super::site::{Site, SiteKey};
use chacha20::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How many experts stay, or which.
#[derive(Clone, Debug, PartialEq)]
pub enum Keep {
    /// So many a layer; with the number of all, if it was given, which is checked.
    Count {
        /// Experts that stay.
        kept: u64,
        /// Experts that there must be.
        of: Option<u64>,
    },
    /// All but this share, rounded so that no more goes than was asked for.
    AllBut(f64),
    /// As many as are above the largest gap of Δ, in the layer where they are most.
    Gap,
    /// These, whatever their scores.
    List(PerLayer<u64>),
}

/// What experts are ordered by.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// A score of the rows.
    Criterion(RowCriterion),
    /// Scores made elsewhere. Experts of small score go first.
    Scores(PerLayer<f64>),
}

/// Which of two experts of equal score goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TieBreak {
    /// The one with the smaller number.
    Index,
    /// By a seeded draw.
    Random,
}

/// Lists of numbers by layer, from a file such as `{"0": [1, 3], "mtp layer 0": [2]}`.
#[derive(Clone, Debug, PartialEq)]
pub struct PerLayer<T> {
    place: String,
    layers: BTreeMap<String, Vec<T>>,
}

impl<T: serde::de::DeserializeOwned> PerLayer<T> {
    /// Reads a JSON object of layers and lists. A layer is its number, or what `inspect` calls it.
    pub fn parse(place: &str, text: &[u8]) -> Result<Self> {
        let value: Map<String, Value> = serde_json::from_slice(text).map_err(|error| refused(place, error))?;
        let list = |(layer, list)| match serde_json::from_value(list) {
            Ok(list) => Ok((layer, list)),
            Err(error) => Err(refused(place, format!("{layer}: {error}"))),
        };
        Ok(Self { place: place.to_owned(), layers: value.into_iter().map(list).collect::<Result<_>>()? })
    }

    /// The list of a layer.
    fn of(&self, key: SiteKey) -> Option<&[T]> {
        let name = key.to_string();
        let number = (!key.mtp && key.kind.is_empty()).then(|| key.layer.to_string());
        self.layers.get(&name).or_else(|| self.layers.get(&number?)).map(Vec::as_slice)
    }

    /// Refuses layers that the model lacks.
    fn check(&self, layout: &Layout) -> Result<()> {
        let names: Vec<String> = layout.sites.keys().map(|key| key.to_string()).collect();
        let known = |layer: &String| {
            names.contains(layer) || names.iter().any(|name| name.strip_prefix("layer ") == Some(layer.as_str()))
        };
        match self.layers.keys().find(|layer| !known(layer)) {
            Some(layer) => {
                Err(refused(&self.place, format!("{layer:?}: no such layer; there are {}", listed(&names, 4))))
            }
            None => Ok(()),
        }
    }
}

/// The experts of one router that stay, and what they were chosen by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chosen {
    /// Which router.
    #[serde(flatten)]
    pub site: SiteKey,
    /// The word of the criterion, or `scores` or `list`.
    pub by: String,
    /// One score an expert; empty if a list chose.
    pub scores: Vec<f64>,
    /// In ascending order. After deletion they are numbered in this order.
    pub kept: Vec<u64>,
    /// In ascending order.
    pub pruned: Vec<u64>,
    /// Pairs (kept, pruned) whose order rounding of the stored numbers, or a tie, decided.
    pub undecided: Vec<(u64, u64)>,
}

/// Who stays in every site that is pruned.
pub(crate) struct Chooser<'a> {
    pub layout: &'a Layout,
    pub ranking: Option<&'a Ranking>,
    /// ‖w‖ of the rows of sites that have no partner.
    pub norms: &'a BTreeMap<SiteKey, Vec<f64>>,
    pub order: &'a Order,
    pub tie_break: TieBreak,
    pub seed: u64,
    /// Groups within which equally many stay.
    pub groups: Option<Groups>,
}

impl Chooser<'_> {
    /// The experts that stay in these sites.
    pub(crate) fn choose(&self, keep: &Keep, sites: &[&Site]) -> Result<Vec<Chosen>> {
        if let Keep::List(list) = keep {
            list.check(self.layout)?;
            return sites.iter().map(|site| self.listed(list, site)).collect();
        }
        if let Order::Scores(scores) = self.order {
            scores.check(self.layout)?;
        }
        let gap = if *keep == Keep::Gap { Some(self.above_gap(sites)?) } else { None };
        sites.iter().map(|site| self.ranked(gap.unwrap_or(kept_of(keep, site)?), site)).collect()
    }

    fn listed(&self, list: &PerLayer<u64>, site: &Site) -> Result<Chosen> {
        let bad = |problem: String| Err(refused(format!("{}: {}", list.place, site.key), problem));
        let Some(given) = list.of(site.key) else { return bad("is missing".to_owned()) };
        let mut kept = given.to_vec();
        kept.sort_unstable();
        kept.dedup();
        if kept.len() != given.len() {
            return bad("names an expert twice".to_owned());
        }
        if let Some(expert) = kept.iter().find(|&&expert| expert >= site.experts) {
            return bad(format!("expert {expert}: experts are numbered from 0 to {}", site.experts - 1));
        }
        if kept.is_empty() {
            return bad("no expert is left".to_owned());
        }
        let pruned = (0..site.experts).filter(|expert| !kept.contains(expert)).collect();
        Ok(Chosen { site: site.key, by: "list".to_owned(), scores: Vec::new(), kept, pruned, undecided: Vec::new() })
    }

    fn ranked(&self, kept: u64, site: &Site) -> Result<Chosen> {
        if kept == 0 || kept > site.experts {
            return Err(refused(
                site.key,
                format!("keeping {kept} of {} experts: must be from 1 to {}", site.experts, site.experts),
            ));
        }
        let (by, scores) = self.scores(site)?;
        let order = self.order_of(&scores, site.key);
        let groups = self.groups.map_or(1, |groups| groups.groups);
        let (size, each) = (site.experts / groups, kept / groups);
        let mut chosen: Vec<u64> = (0..groups)
            .flat_map(|group| {
                let in_group = order.iter().rev().filter(move |&&expert| expert / size == group);
                in_group.take(each as usize).copied().collect::<Vec<_>>()
            })
            .collect();
        chosen.sort_unstable();
        let pruned: Vec<u64> = (0..site.experts).filter(|expert| !chosen.contains(expert)).collect();
        let undecided = self.undecided(site.key, &scores, &chosen, &pruned, size);
        Ok(Chosen { site: site.key, by, scores, kept: chosen, pruned, undecided })
    }

    /// Pairs whose scores differ by no more than rounding explains. Only Δ has a bound; other scores must be equal.
    fn undecided(&self, key: SiteKey, scores: &[f64], kept: &[u64], pruned: &[u64], size: u64) -> Vec<(u64, u64)> {
        let is_delta = matches!(
            self.order,
            Order::Criterion(RowCriterion::RouterNormChange | RowCriterion::RouterNormChangeReversed)
        );
        let layer = self.ranking.and_then(|ranking| ranking.layers.iter().find(|layer| layer.site == key));
        let bound = |expert: u64| match layer {
            Some(layer) if is_delta => layer.experts[expert as usize].rounding,
            _ => 0.0,
        };
        let near = |a: u64, b: u64| (scores[a as usize] - scores[b as usize]).abs() <= bound(a) + bound(b);
        let pairs = kept.iter().flat_map(|&kept| pruned.iter().map(move |&pruned| (kept, pruned)));
        pairs.filter(|&(kept, pruned)| kept / size == pruned / size && near(kept, pruned)).collect()
    }

    /// Experts from the first that goes to the last.
    fn order_of(&self, scores: &[f64], key: SiteKey) -> Vec<u64> {
        let mut places: Vec<usize> = (0..scores.len()).collect();
        if self.tie_break == TieBreak::Random {
            places.shuffle(&mut self.random(key));
        }
        let shuffled: Vec<f64> = places.iter().map(|&expert| scores[expert]).collect();
        ascending(&shuffled).into_iter().map(|place| places[place] as u64).collect()
    }

    /// The criterion and the scores; a site without a partner is ranked by its norms.
    fn scores(&self, site: &Site) -> Result<(String, Vec<f64>)> {
        let criterion = match self.order {
            Order::Scores(given) => return given_scores(given, site),
            Order::Criterion(RowCriterion::Random) => {
                let mut random = self.random(site.key);
                let scores = (0..site.experts).map(|_| random.random::<f64>()).collect();
                return Ok((RowCriterion::Random.word().to_owned(), scores));
            }
            Order::Criterion(criterion) => *criterion,
        };
        if let Some(norms) = self.norms.get(&site.key) {
            return Ok((RowCriterion::RouterNorm.word().to_owned(), norms.clone()));
        }
        let layer = self.ranking.and_then(|ranking| ranking.layers.iter().find(|layer| layer.site == site.key));
        let layer = layer.ok_or_else(|| refused(site.key, "was not ranked"))?;
        Ok((criterion.word().to_owned(), layer.scores(criterion)?))
    }

    /// Experts above the largest gap, in the site where they are most.
    fn above_gap(&self, sites: &[&Site]) -> Result<u64> {
        let layers = self.ranking.iter().flat_map(|ranking| &ranking.layers);
        let layers = layers.filter(|layer| sites.iter().any(|site| site.key == layer.site));
        let (mut kept, mut without) = (0, Vec::new());
        for layer in layers {
            match layer.audit.gap {
                Some(gap) if layer.audit.has_two_groups() => kept = kept.max((layer.experts.len() - gap.below) as u64),
                _ => without.push(layer.site),
            }
        }
        match (kept, without.is_empty()) {
            (1.., true) => Ok(kept),
            _ => Err(refused(
                "--gap",
                format!("Δ has no gap in {}: give a number with --keep or --ratio", listed(&without, 5)),
            )),
        }
    }

    /// A stream of random numbers for each router.
    fn random(&self, key: SiteKey) -> impl Rng + use<> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let kind = key.kind.bytes().fold(u64::from(key.mtp), |hash, byte| hash << 8 | u64::from(byte));
        random.set_stream(u64::from(key.layer) ^ kind.rotate_left(32));
        random
    }
}

fn kept_of(keep: &Keep, site: &Site) -> Result<u64> {
    match keep {
        Keep::Count { of: Some(of), .. } if *of != site.experts => {
            Err(refused(format!("--keep …/{of}"), format!("{} has {} experts", site.key, site.experts)))
        }
        Keep::Count { kept, .. } => Ok(*kept),
        // A rounding of the product must not cost an expert.
        Keep::AllBut(ratio) => Ok(site.experts - (ratio * site.experts as f64 + 1e-9).floor() as u64),
        Keep::Gap | Keep::List(_) => Ok(0),
    }
}

fn given_scores(given: &PerLayer<f64>, site: &Site) -> Result<(String, Vec<f64>)> {
    let bad = |problem: String| Err(refused(format!("{}: {}", given.place, site.key), problem));
    match given.of(site.key) {
        None => bad("is missing".to_owned()),
        Some(scores) if scores.len() as u64 != site.experts => {
            bad(format!("{} scores for {} experts", scores.len(), site.experts))
        }
        Some(scores) if scores.iter().any(|score| !score.is_finite()) => bad("a score is not finite".to_owned()),
        Some(scores) => Ok(("scores".to_owned(), scores.to_vec())),
    }
}
