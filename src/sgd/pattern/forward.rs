//! One sample forward through all experts.

use super::table::{LANES, Table, rows, vectors_of_block};
use super::threshold::lth_largest;
use crate::moe::routing::choose_tokens;
use crate::patterns::Pattern;
use crate::simd::exp::exp;
use pulp::Simd;

/// Fields of the table that tokens are looked up in.
pub(super) mod field {
    /// u, the score.
    pub(in super::super) const SCORE: usize = 0;
    /// exp(u − shift).
    pub(in super::super) const EXPONENTIAL: usize = 1;
    /// σ.
    pub(in super::super) const ACTIVATION: usize = 2;
}

/// Numbers of a (pattern, expert) that the forward pass looks up.
pub(super) const LOOKED_UP: usize = 3;

/// Fields of the sums of a sample.
mod sums {
    /// 1/Σ_{j∈J_s} exp(u_j − shift).
    pub(super) const INVERSE: usize = 0;
    /// σ̄ = Σ_j G_j σ_j.
    pub(super) const MEAN: usize = 1;
}

/// Sums of exponentials outside this range are taken again relative to the largest score.
const SAFE_TOTALS: std::ops::Range<f64> = 1e-250..1e250;

/// The forward pass of one sample.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// By position in the sample: exp(u − shift) at the experts that choose the token, 0 at the others.
    weights: Table<1>,
    /// By expert (one row): 1/Σ weights, σ̄.
    sums: Table<2>,
}

impl Sample {
    /// For samples of `tokens` tokens and `experts` experts.
    pub(super) fn new(tokens: usize, experts: usize) -> Self {
        Self { weights: Table::new(tokens, experts), sums: Table::new(1, experts) }
    }

    /// σ̄ of an expert.
    pub(super) fn mean(&self, expert: usize) -> f64 {
        self.sums.get(0, expert, sums::MEAN)
    }

    /// The gate of the token at `position` at an expert; 0 if the expert does not choose it. l tied tokens have gates
    /// of exactly 1/l.
    pub(super) fn gate(&self, position: usize, expert: usize, tokens: usize, tokens_per_expert: usize) -> f64 {
        let weight = self.weights.get(position, expert, 0);
        let gate = weight * self.sums.get(0, expert, sums::INVERSE);
        if (gate * tokens_per_expert as f64 - 1.0).abs() > 1e-9 {
            return gate;
        }
        // So near to 1/l rounding would decide; relative to the best token, tied tokens have weights of exactly 1.
        let weights = || (0..tokens).map(|token| self.weights.get(token, expert, 0));
        let largest = weights().fold(0.0, f64::max);
        weight / largest / weights().map(|weight| weight / largest).sum::<f64>()
    }

    /// The weights, by position and vector of experts.
    #[inline(always)]
    pub(super) fn weights<S: Simd>(&self) -> &[S::f64s] {
        self.weights.vectors::<S>()
    }

    /// 1/Σ weights and σ̄ of a vector of experts.
    #[inline(always)]
    pub(super) fn inverse_and_mean<S: Simd>(&self, block: usize, vector: usize) -> (S::f64s, S::f64s) {
        let of_block = vectors_of_block::<S>();
        let sums = &self.sums.vectors::<S>()[2 * of_block * block..][..2 * of_block];
        (sums[sums::INVERSE * of_block + vector], sums[sums::MEAN * of_block + vector])
    }
}

/// What a forward pass reads: the model as tables.
#[derive(Clone, Copy)]
pub(super) struct Lookup<'a> {
    pub(super) table: &'a Table<LOOKED_UP>,
    /// a_s; 0 past the last expert.
    pub(super) signs: &'a [f64],
    /// l.
    pub(super) tokens_per_expert: usize,
}

/// Chooses, gates and averages for every expert; returns f(x). Sums run in the order of the tokens, and that over the
/// experts in one order for all levels.
#[inline(always)]
pub(super) fn forward<S: Simd>(simd: S, lookup: Lookup, tokens: &[Pattern], sample: &mut Sample) -> f64 {
    let blocks = lookup.signs.len() / LANES;
    let mut lists = Vec::new();
    for block in 0..blocks {
        for vector in 0..vectors_of_block::<S>() {
            let place = Place { block, blocks, vector };
            if !forward_vector(simd, lookup, tokens, sample, place, &mut lists) {
                gate_again(lookup, tokens, sample, place.first_expert::<S>()..place.first_expert::<S>() + S::F64_LANES);
            }
        }
    }
    signed_sum::<S>(lookup.signs, sample)
}

/// A vector of experts.
#[derive(Clone, Copy)]
struct Place {
    block: usize,
    blocks: usize,
    vector: usize,
}

impl Place {
    fn first_expert<S: Simd>(self) -> usize {
        self.block * LANES + self.vector * S::F64_LANES
    }

    /// Where the block of a row begins in a table of `fields` fields, in vectors.
    #[inline(always)]
    fn start<S: Simd>(self, row: usize, fields: usize) -> usize {
        (row * self.blocks + self.block) * fields * vectors_of_block::<S>()
    }
}

/// The forward pass of one vector of experts; false if a sum of exponentials is not safe.
#[inline(always)]
fn forward_vector<S: Simd>(
    simd: S,
    lookup: Lookup,
    tokens: &[Pattern],
    sample: &mut Sample,
    place: Place,
    lists: &mut Vec<S::f64s>,
) -> bool {
    let of_block = vectors_of_block::<S>();
    let l = lookup.tokens_per_expert;
    let table = lookup.table.vectors::<S>();
    let cell = |row: usize| &table[place.start::<S>(row, LOOKED_UP)..][..LOOKED_UP * of_block];
    let scores = rows(tokens).map(|row| cell(row)[field::SCORE * of_block + place.vector]);
    let threshold = lth_largest(simd, l, scores, lists);
    let weights = sample.weights.vectors_mut::<S>();
    let (none, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
    let (mut total, mut sum, mut count) = (none, none, none);
    for (position, row) in rows(tokens).enumerate() {
        let cell = cell(row);
        let chosen = simd.greater_than_or_equal_f64s(cell[field::SCORE * of_block + place.vector], threshold);
        let weight = simd.select_f64s(chosen, cell[field::EXPONENTIAL * of_block + place.vector], none);
        weights[place.start::<S>(position, 1) + place.vector] = weight;
        total = simd.add_f64s(total, weight);
        sum = simd.add_f64s(sum, simd.mul_f64s(weight, cell[field::ACTIVATION * of_block + place.vector]));
        count = simd.add_f64s(count, simd.select_f64s(chosen, one, none));
    }
    // More than l tokens reach the threshold only where tokens tie on it.
    if any::<S>(simd, simd.greater_than_f64s(count, simd.splat_f64s(l as f64))) {
        (total, sum) = break_ties(simd, lookup, tokens, threshold, weights, place);
    }
    let inverse = simd.div_f64s(one, total);
    let sums = &mut sample.sums.vectors_mut::<S>()[place.start::<S>(0, 2)..][..2 * of_block];
    sums[sums::INVERSE * of_block + place.vector] = inverse;
    sums[sums::MEAN * of_block + place.vector] = simd.mul_f64s(sum, inverse);
    let low = simd.less_than_f64s(total, simd.splat_f64s(SAFE_TOTALS.start));
    let high = simd.greater_than_or_equal_f64s(total, simd.splat_f64s(SAFE_TOTALS.end));
    !any::<S>(simd, simd.or_m64s(low, high))
}

/// The pass again where tokens tie on the threshold: of these the first ones are chosen, as many as are missing to l.
#[inline(always)]
fn break_ties<S: Simd>(
    simd: S,
    lookup: Lookup,
    tokens: &[Pattern],
    threshold: S::f64s,
    weights: &mut [S::f64s],
    place: Place,
) -> (S::f64s, S::f64s) {
    let of_block = vectors_of_block::<S>();
    let table = lookup.table.vectors::<S>();
    let cell = |row: usize| &table[place.start::<S>(row, LOOKED_UP)..][..LOOKED_UP * of_block];
    let score = |row: usize| cell(row)[field::SCORE * of_block + place.vector];
    let (none, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
    let mut missing = simd.splat_f64s(lookup.tokens_per_expert as f64);
    for row in rows(tokens) {
        let above = simd.greater_than_f64s(score(row), threshold);
        missing = simd.sub_f64s(missing, simd.select_f64s(above, one, none));
    }
    let (mut total, mut sum) = (none, none);
    for (position, row) in rows(tokens).enumerate() {
        let cell = cell(row);
        let above = simd.greater_than_f64s(score(row), threshold);
        let tied = simd.equal_f64s(score(row), threshold);
        let wanted = simd.and_m64s(tied, simd.greater_than_f64s(missing, none));
        missing = simd.sub_f64s(missing, simd.select_f64s(wanted, one, none));
        let chosen = simd.or_m64s(above, wanted);
        let weight = simd.select_f64s(chosen, cell[field::EXPONENTIAL * of_block + place.vector], none);
        weights[place.start::<S>(position, 1) + place.vector] = weight;
        total = simd.add_f64s(total, weight);
        sum = simd.add_f64s(sum, simd.mul_f64s(weight, cell[field::ACTIVATION * of_block + place.vector]));
    }
    (total, sum)
}

#[inline(always)]
fn any<S: Simd>(simd: S, mask: S::m64s) -> bool {
    simd.first_true_m64s(mask) < S::F64_LANES
}

/// Σ_s a_s σ̄_s: eight sums, one for each place in a block, added pair by pair.
#[inline(always)]
fn signed_sum<S: Simd>(signs: &[f64], sample: &Sample) -> f64 {
    let mut lanes = [0.0; LANES];
    for (signs, sums) in signs.chunks_exact(LANES).zip(sample.sums.row(0).chunks_exact(2 * LANES)) {
        for lane in 0..LANES {
            lanes[lane] += signs[lane] * sums[sums::MEAN * LANES + lane];
        }
    }
    let four: [f64; 4] = std::array::from_fn(|lane| lanes[lane] + lanes[lane + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

/// Gates relative to the largest chosen score, for scores so far from the shift that the table under- or overflows.
#[cold]
fn gate_again(lookup: Lookup, tokens: &[Pattern], sample: &mut Sample, experts: std::ops::Range<usize>) {
    let mut chosen = Vec::new();
    for expert in experts {
        let number = |position: usize, field| lookup.table.get(tokens[position] as usize, expert, field);
        let scores: Vec<f64> = (0..tokens.len()).map(|position| number(position, field::SCORE)).collect();
        choose_tokens(&scores, lookup.tokens_per_expert, &mut chosen);
        (0..tokens.len()).for_each(|position| sample.weights.set(position, expert, 0, 0.0));
        let (mut total, mut sum) = (0.0, 0.0);
        for &position in &chosen {
            let weight = exp(scores[position] - scores[chosen[0]]);
            sample.weights.set(position, expert, 0, weight);
            total += weight;
            sum += weight * number(position, field::ACTIVATION);
        }
        sample.sums.set(0, expert, sums::INVERSE, 1.0 / total);
        sample.sums.set(0, expert, sums::MEAN, sum / total);
    }
}
