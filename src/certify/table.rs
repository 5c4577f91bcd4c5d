//! What certificates read of a model: scores, weights and activations of every expert, sorted by score, with bounds of
//! their rounding errors.

use super::Support;
use super::noise::NoiseEffect;
use crate::moe::Model;
use crate::moe::routing::descending;
use crate::patterns::{Class, Pattern};

/// How far the scores ⟨w_s, v⟩ and neuron coordinates ⟨w_{s,r}, v⟩ of a [`Model`] may lie from those that are meant.
///
/// Zero for a model in pattern coordinates: it is about its own numbers. A model that was turned from ambient into
/// pattern coordinates carries the rounding of the matrix product.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Radii {
    /// Largest error of a score.
    pub score: f64,
    /// Largest error of a neuron coordinate.
    pub neuron: f64,
}

/// A token as an expert sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// u: its score.
    pub score: f64,
    /// exp(u − the expert's largest score).
    pub weight: f64,
    /// σ.
    pub activation: f64,
}

/// One expert. Ranks number the irrelevant patterns by descending score.
#[derive(Clone, Debug)]
pub struct ExpertTable {
    /// a_s.
    pub sign: f64,
    /// The class patterns.
    pub class: [Seen; 2],
    /// The irrelevant pattern of each rank, minus 2.
    pub patterns: Vec<u32>,
    /// Its score.
    pub scores: Vec<f64>,
    /// Its weight, exp(u − the expert's largest score).
    pub weights: Vec<f64>,
    /// Its activation.
    pub activations: Vec<f64>,
    /// Rank of each irrelevant pattern minus 2.
    pub ranks: Vec<u32>,
    /// Largest activation of any pattern.
    pub largest_activation: f64,
    /// Bound of the relative error of every weight.
    pub weight_error: f64,
    /// Bound of the absolute error of every activation.
    pub activation_error: f64,
    /// Scores closer than this may be equal but for rounding: 0 where scores are the stored numbers.
    pub rounding: f64,
    /// Scores closer than this count as tied: by rounding, or by token noise.
    pub tie: f64,
    /// How far token noise may move the expert's output beside what ties allow; see [`super::noise`].
    pub slack: f64,
    /// For each rank t: tokens that may be chosen when the lowest chosen score is that of t have ranks below this.
    pub chosen_end: Vec<usize>,
    /// For each rank t: tokens that may be left out then have at least this rank.
    pub left_start: Vec<usize>,
    /// Whether one rank can be both chosen and left out at one cut: with replacement, and at ties.
    pub overlaps: bool,
    /// Ranks below this are the upper tier: the patterns above the widest gap of the scores.
    pub upper: usize,
}

/// A model as certificates read it.
#[derive(Clone, Debug)]
pub struct ModelTable {
    /// The experts.
    pub experts: Vec<ExpertTable>,
    /// d − 2.
    pub irrelevant: usize,
    /// n.
    pub tokens: usize,
    /// l.
    pub chosen: usize,
    /// Whether patterns may repeat.
    pub replacement: bool,
}

/// A gap of scores narrower than this does not make two tiers.
const NARROW: f64 = 0.1;

/// Bound on the error of `libm::exp` in units of the last place; its documentation promises less than 1.
const EXP_ERROR: f64 = 4.0;

/// Largest relative error of a weight that the bounds, which are of first order in it, allow for.
const COARSE: f64 = 1e-3;

/// Total weights up to this are not divided by: a weight below 10⁻³⁰⁸ has lost digits, which only a far larger total
/// makes harmless.
pub(super) const LIGHT: f64 = 1e-200;

/// What underflow may take from an output whose total weight exceeds [`LIGHT`], with room to spare.
const UNDERFLOW: f64 = 1e-100;

impl ModelTable {
    /// The table of `model` on `support`; `None` if a weight is not a finite number, or so large that rounding decides the gates.
    pub fn new(model: &Model, support: &Support, radii: Radii) -> Option<Self> {
        if model.routers.iter().chain(&model.neurons).any(|weight| !weight.is_finite()) {
            return None;
        }
        let experts: Vec<ExpertTable> =
            (0..model.experts()).map(|expert| ExpertTable::new(model, expert, support, radii)).collect();
        let is_usable = |own: &ExpertTable| own.largest_activation.is_finite() && own.weight_error <= COARSE;
        if !experts.iter().all(is_usable) {
            return None;
        }
        Some(Self {
            experts,
            irrelevant: model.patterns - 2,
            tokens: support.tokens,
            chosen: model.tokens_per_expert,
            replacement: support.replacement,
        })
    }

    /// The same model where token noise may move each expert's scores and output.
    #[must_use]
    pub fn with_noise(mut self, effects: &[NoiseEffect]) -> Self {
        for (own, effect) in self.experts.iter_mut().zip(effects) {
            own.tie += 2.0 * effect.score;
            own.slack += effect.output;
            (own.chosen_end, own.left_start) = windows(&own.scores, own.tie, self.replacement);
            own.overlaps = own.chosen_end.iter().zip(&own.left_start).any(|(end, start)| start < end);
            own.upper = upper_tier(&own.scores, own.tie);
        }
        self
    }

    /// Most copies of an irrelevant pattern in a sample.
    pub(crate) fn capacity(&self) -> u32 {
        if self.replacement { (self.tokens - 1) as u32 } else { 1 }
    }
}

impl ExpertTable {
    fn new(model: &Model, expert: usize, support: &Support, radii: Radii) -> Self {
        let router = model.router(expert);
        let all = model.activations(expert);
        let top = router.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let bottom = router.iter().copied().fold(f64::INFINITY, f64::min);
        let largest_activation = all.iter().copied().fold(0.0, f64::max);
        let seen = |pattern: usize| Seen {
            score: router[pattern],
            weight: libm::exp(router[pattern] - top),
            activation: all[pattern],
        };
        let mut patterns: Vec<u32> = (0..model.patterns as u32 - 2).collect();
        patterns.sort_by(|&a, &b| descending(router[a as usize + 2], router[b as usize + 2]));
        let mut ranks = vec![0; patterns.len()];
        for (rank, &pattern) in patterns.iter().enumerate() {
            ranks[pattern as usize] = rank as u32;
        }
        let column = |value: &dyn Fn(Seen) -> f64| patterns.iter().map(|&p| value(seen(p as usize + 2))).collect();
        let scores: Vec<f64> = column(&|seen| seen.score);
        let tie = 2.0 * radii.score;
        let (chosen_end, left_start) = windows(&scores, tie, support.replacement);
        let overlaps = chosen_end.iter().zip(&left_start).any(|(end, start)| start < end);
        Self {
            sign: model.signs[expert],
            class: [seen(0), seen(1)],
            weights: column(&|seen| seen.weight),
            activations: column(&|seen| seen.activation),
            upper: upper_tier(&scores, tie),
            scores,
            patterns,
            ranks,
            largest_activation,
            // The difference u − top is rounded once; exp turns its absolute error into a relative one.
            weight_error: f64::EPSILON * (EXP_ERROR + (top - bottom)) + 6.0 * radii.score,
            activation_error: (model.neurons_per_expert as f64 + 3.0) * f64::EPSILON * largest_activation
                + 2.0 * radii.neuron
                + if largest_activation > 0.0 { UNDERFLOW } else { 0.0 },
            rounding: tie,
            tie,
            slack: 0.0,
            chosen_end,
            left_start,
            overlaps,
        }
    }

    /// The token of this rank.
    pub(crate) fn seen(&self, rank: usize) -> Seen {
        Seen { score: self.scores[rank], weight: self.weights[rank], activation: self.activations[rank] }
    }

    /// A token by its pattern's number.
    pub(crate) fn token(&self, pattern: Pattern) -> Seen {
        match pattern {
            0 | 1 => self.class[pattern as usize],
            other => self.seen(self.ranks[other as usize - 2] as usize),
        }
    }

    /// How the expert votes on samples of a class: y a_s.
    pub(crate) fn vote(&self, class: Class) -> f64 {
        class.label() * self.sign
    }

    /// The first rank whose score is at most `score`, up to a tie.
    pub(crate) fn first_at_most(&self, score: f64) -> usize {
        self.scores.partition_point(|&other| other > score + self.tie)
    }

    /// The number of ranks whose score is at least `score`, up to a tie.
    pub(crate) fn count_at_least(&self, score: f64) -> usize {
        self.scores.partition_point(|&other| other >= score - self.tie)
    }
}

/// For each rank the end of the ranks that may be chosen with it and the start of those that may be left out with it.
fn windows(scores: &[f64], tie: f64, replacement: bool) -> (Vec<usize>, Vec<usize>) {
    let mut pairs = Vec::with_capacity(scores.len());
    for (rank, &score) in scores.iter().enumerate() {
        let end = scores.partition_point(|&other| other >= score - tie);
        let start = scores.partition_point(|&other| other > score + tie);
        // A pattern that ties with itself alone is chosen or left out, not both, unless it may repeat.
        let alone = end == rank + 1 && start == rank && !replacement;
        pairs.push((end, if alone { rank + 1 } else { start }));
    }
    pairs.into_iter().unzip()
}

/// The number of ranks above the widest gap; 0 if the scores have no wide one.
fn upper_tier(scores: &[f64], tie: f64) -> usize {
    let mut best = (NARROW.max(tie), 0);
    for (rank, pair) in scores.windows(2).enumerate() {
        if pair[0] - pair[1] > best.0 {
            best = (pair[0] - pair[1], rank + 1);
        }
    }
    best.1
}
