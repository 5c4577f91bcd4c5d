//! A setting that is tried.

use super::Region;
use crate::patterns::StandardNormal;
use crate::patterns::Stream;
use rand::RngExt;
use rand::distr::Distribution;
use rand::seq::SliceRandom;

/// A value for each dimension of a region; `None` where the key keeps its default.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// By dimension.
    pub values: Vec<Option<f64>>,
}

impl Candidate {
    /// The default of every key.
    pub fn default_of(region: &Region) -> Self {
        Self { values: vec![None; region.dimensions.len()] }
    }

    /// Value of a key, or `otherwise` if it has its default.
    fn get(&self, region: &Region, path: &str, otherwise: f64) -> f64 {
        let place = region.dimensions.iter().position(|dimension| dimension.path == path);
        place.and_then(|place| self.values[place]).unwrap_or(otherwise)
    }

    fn set(&mut self, region: &Region, path: &str, value: f64) {
        if let Some(place) = region.dimensions.iter().position(|dimension| dimension.path == path) {
            let Some(old) = self.values[place] else { return };
            if old != value {
                self.values[place] = Some(value);
            }
        }
    }

    /// With sizes that fit each other: k even, 2R_c + W ≤ k, l ≤ n < d, B even.
    #[must_use]
    pub(crate) fn repaired(mut self, region: &Region) -> Self {
        let k = 2.0 * (self.get(region, "model.experts", 16.0) / 2.0).round();
        self.set(region, "model.experts", k);
        let relevant = self.get(region, "pretrained.relevant_per_class", 2.0).min(k / 2.0);
        self.set(region, "pretrained.relevant_per_class", relevant);
        let misaligned = self.get(region, "pretrained.misaligned", 0.0).min(k - 2.0 * relevant);
        self.set(region, "pretrained.misaligned", misaligned);
        let patterns = self.get(region, "data.patterns", 24.0);
        let tokens = self.get(region, "data.tokens", 16.0).min(patterns - 1.0);
        self.set(region, "data.tokens", tokens);
        let chosen = self.get(region, "model.tokens_per_expert", 4.0).min(tokens);
        self.set(region, "model.tokens_per_expert", chosen);
        let batch = self.get(region, "training.batch", 128.0);
        self.set(region, "training.batch", 2.0 * (batch / 2.0).round().max(1.0));
        self
    }
}

/// A Latin hypercube: `count` candidates that have one value in each of `count` equal parts of every range.
pub(crate) fn latin_hypercube(region: &Region, count: usize, random: &mut Stream) -> Vec<Candidate> {
    let mut columns = Vec::new();
    for dimension in &region.dimensions {
        let mut parts: Vec<usize> = (0..count).collect();
        parts.shuffle(random);
        let place = |part: usize, random: &mut Stream| (part as f64 + random.random_range(0.0..1.0)) / count as f64;
        columns.push(parts.into_iter().map(|part| dimension.at(place(part, random))).collect::<Vec<f64>>());
    }
    (0..count)
        .map(|row| Candidate { values: columns.iter().map(|column| Some(column[row])).collect() }.repaired(region))
        .collect()
}

/// A candidate near `from`: a few of its values move by about `step` of their range.
pub(crate) fn neighbour(region: &Region, from: &Candidate, step: f64, random: &mut Stream) -> Candidate {
    let mut values = from.values.clone();
    let moves = 3.0 / values.len().max(1) as f64;
    for (value, dimension) in values.iter_mut().zip(&region.dimensions) {
        if random.random_bool(moves.min(1.0)) {
            let place = value.map_or_else(|| random.random_range(0.0..1.0), |value| dimension.place(value));
            let gaussian: f64 = StandardNormal.sample(random);
            *value = Some(dimension.at(place + step * gaussian));
        }
    }
    Candidate { values }.repaired(region)
}
