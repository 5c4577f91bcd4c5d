//! One sample forward through all experts.

use super::table::{GROUP, Table};
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

/// Sums of exponentials outside this range are taken again relative to the largest score.
const SAFE_TOTALS: std::ops::Range<f64> = 1e-250..1e250;

/// What a forward pass reads: the model as tables.
#[derive(Clone, Copy)]
pub(super) struct Lookup<'a> {
    pub(super) table: &'a Table<LOOKED_UP>,
    /// a_s; 0 past the last expert.
    pub(super) signs: &'a [f64],
    /// l.
    pub(super) tokens_per_expert: usize,
}

/// The forward pass of one sample.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// Where the tokens' rows begin in a table, in cells, `[n]`.
    pub(super) rows: Vec<u32>,
    /// exp(u − shift) at the experts that choose the token, 0 at the others: cell block · n + position.
    pub(super) weights: Table<1>,
    /// 1/Σ_{j∈J_s} exp(u_j − shift), one row.
    pub(super) inverses: Table<1>,
    /// σ̄ = Σ_j G_j σ_j, one row.
    pub(super) means: Table<1>,
}

impl Sample {
    /// For samples of `tokens` tokens and `experts` experts.
    pub(super) fn new(tokens: usize, experts: usize, lanes: usize) -> Self {
        let row = |rows| Table::new(rows, experts, lanes);
        Self { rows: Vec::with_capacity(tokens), weights: row(tokens), inverses: row(1), means: row(1) }
    }

    /// The weight of the token at `position` at an expert.
    fn weight(&mut self, position: usize, expert: usize) -> &mut f64 {
        let lanes = self.weights.places() / self.weights.blocks();
        &mut self.weights.field_mut(expert / lanes * self.rows.len() + position, 0)[expert % lanes]
    }

    /// The gate of the token at `position` at an expert; 0 if the expert does not choose it. l tied tokens have gates
    /// of exactly 1/l.
    pub(super) fn gate(&mut self, position: usize, expert: usize, tokens_per_expert: usize) -> f64 {
        let weight = *self.weight(position, expert);
        let gate = weight * self.inverses.get(0, expert, 0);
        if (gate * tokens_per_expert as f64 - 1.0).abs() > 1e-9 {
            return gate;
        }
        // So near to 1/l rounding would decide; relative to the best token, tied tokens have weights of exactly 1.
        let weights: Vec<f64> = (0..self.rows.len()).map(|position| *self.weight(position, expert)).collect();
        let largest = weights.iter().copied().fold(0.0, f64::max);
        weight / largest / weights.iter().map(|weight| weight / largest).sum::<f64>()
    }
}

/// Chooses, gates and averages for every expert; returns f(x). Sums run in the order of the tokens, and that over the
/// experts in one order for all levels.
#[inline(always)]
pub(super) fn forward<S: Simd>(simd: S, lookup: Lookup, tokens: &[Pattern], sample: &mut Sample) -> f64 {
    let blocks = lookup.table.blocks();
    sample.rows.clear();
    sample.rows.extend(tokens.iter().map(|&token| token * blocks as u32));
    let mut lists = Vec::new();
    for block in 0..blocks {
        if !forward_block(simd, lookup, sample, block, &mut lists) {
            gate_again(lookup, tokens, sample, block * S::F64_LANES..(block + 1) * S::F64_LANES);
        }
    }
    signed_sum(lookup.signs, sample.means.numbers())
}

/// The forward pass of one block of experts; false if a sum of exponentials is not safe.
#[inline(always)]
fn forward_block<S: Simd>(
    simd: S,
    lookup: Lookup,
    sample: &mut Sample,
    block: usize,
    lists: &mut Vec<S::f64s>,
) -> bool {
    let l = lookup.tokens_per_expert;
    let cells = &lookup.table.cells::<S>()[block..];
    let rows = sample.rows.as_slice();
    let threshold = lth_largest(simd, l, rows.iter().map(|&row| cells[row as usize][field::SCORE]), lists);
    let weights = &mut sample.weights.cells_mut::<S>()[block * rows.len()..][..rows.len()];
    let (none, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
    let (mut total, mut sum, mut count) = (none, none, none);
    for (&row, weight) in rows.iter().zip(weights.iter_mut()) {
        let cell = &cells[row as usize];
        let chosen = simd.greater_than_or_equal_f64s(cell[field::SCORE], threshold);
        weight[0] = simd.select_f64s(chosen, cell[field::EXPONENTIAL], none);
        total = simd.add_f64s(total, weight[0]);
        sum = simd.add_f64s(sum, simd.mul_f64s(weight[0], cell[field::ACTIVATION]));
        count = simd.add_f64s(count, simd.select_f64s(chosen, one, none));
    }
    // More than l tokens reach the threshold only where tokens tie on it.
    if any(simd, simd.greater_than_f64s(count, simd.splat_f64s(l as f64))) {
        (total, sum) = break_ties(simd, cells, rows, l, threshold, weights);
    }
    let inverse = simd.div_f64s(one, total);
    sample.inverses.cells_mut::<S>()[block][0] = inverse;
    sample.means.cells_mut::<S>()[block][0] = simd.mul_f64s(sum, inverse);
    let low = simd.less_than_f64s(total, simd.splat_f64s(SAFE_TOTALS.start));
    let high = simd.greater_than_or_equal_f64s(total, simd.splat_f64s(SAFE_TOTALS.end));
    !any(simd, simd.or_m64s(low, high))
}

/// The sums again where tokens tie on the threshold: of these the first ones are chosen, as many as are missing to l.
#[inline(always)]
fn break_ties<S: Simd>(
    simd: S,
    cells: &[[S::f64s; LOOKED_UP]],
    rows: &[u32],
    l: usize,
    threshold: S::f64s,
    weights: &mut [[S::f64s; 1]],
) -> (S::f64s, S::f64s) {
    let (none, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
    let mut missing = simd.splat_f64s(l as f64);
    for &row in rows {
        let above = simd.greater_than_f64s(cells[row as usize][field::SCORE], threshold);
        missing = simd.sub_f64s(missing, simd.select_f64s(above, one, none));
    }
    let (mut total, mut sum) = (none, none);
    for (&row, weight) in rows.iter().zip(weights) {
        let cell = &cells[row as usize];
        let above = simd.greater_than_f64s(cell[field::SCORE], threshold);
        let tied = simd.equal_f64s(cell[field::SCORE], threshold);
        let wanted = simd.and_m64s(tied, simd.greater_than_f64s(missing, none));
        missing = simd.sub_f64s(missing, simd.select_f64s(wanted, one, none));
        weight[0] = simd.select_f64s(simd.or_m64s(above, wanted), cell[field::EXPONENTIAL], none);
        total = simd.add_f64s(total, weight[0]);
        sum = simd.add_f64s(sum, simd.mul_f64s(weight[0], cell[field::ACTIVATION]));
    }
    (total, sum)
}

#[inline(always)]
fn any<S: Simd>(simd: S, mask: S::m64s) -> bool {
    simd.first_true_m64s(mask) < S::F64_LANES
}

/// Σ_s a_s σ̄_s: eight sums, one for each place in a group, added pair by pair.
#[inline(always)]
fn signed_sum(signs: &[f64], means: &[f64]) -> f64 {
    let mut lanes = [0.0; GROUP];
    for (signs, means) in signs.as_chunks::<GROUP>().0.iter().zip(means.as_chunks::<GROUP>().0) {
        for lane in 0..GROUP {
            lanes[lane] += signs[lane] * means[lane];
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
        (0..tokens.len()).for_each(|position| *sample.weight(position, expert) = 0.0);
        let (mut total, mut sum) = (0.0, 0.0);
        for &position in &chosen {
            let weight = exp(scores[position] - scores[chosen[0]]);
            *sample.weight(position, expert) = weight;
            total += weight;
            sum += weight * number(position, field::ACTIVATION);
        }
        sample.inverses.set(0, expert, 0, 1.0 / total);
        sample.means.set(0, expert, 0, sum / total);
    }
}
