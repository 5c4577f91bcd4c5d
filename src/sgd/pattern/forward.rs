//! One sample forward through all experts.
//!
//! Which tokens an expert chooses is decided by keys of 32 bits, for two vectors of experts at a time. Rounding a score
//! to a key never turns an order around, so l tokens whose keys are at least the l-th largest are the l best. Where more
//! than l tokens reach it, either one pattern stands there several times (`drop_repeated`), or different scores have one
//! key or tie (`choose_by_scores`).

use super::repeats::Repeats;
use super::table::{GROUP, Table};
use super::tables::{Tables, gate, value};
use super::threshold::{Threshold, lth_largest};
use crate::moe::routing::choose_tokens;
use crate::patterns::Pattern;
use crate::simd::Lanes;
use crate::simd::exp::exp;
use pulp::bytemuck::{cast_slice, cast_slice_mut};

/// Sums of exponentials outside this range are taken again relative to the largest score.
const SAFE_TOTALS: std::ops::Range<f64> = 1e-250..1e250;

/// The forward pass of one sample of n tokens.
pub(super) struct Sample<S: Lanes> {
    /// Where the tokens' groups begin in a table, `[n]`.
    pub(super) rows: Vec<u32>,
    /// The experts that choose a token, `[groups, n]`.
    pub(super) chosen: Vec<S::Chosen>,
    /// 1/Σ_{j∈J_s} exp(u_j − shift), by group.
    pub(super) inverses: Vec<[S::f64s; 2]>,
    /// σ̄ = Σ_j G_j σ_j, by group.
    pub(super) means: Vec<[S::f64s; 2]>,
    /// Groups whose exponentials are not those of the table but relative to the largest chosen score.
    pub(super) rescaled: Vec<usize>,
    /// The exponentials of the chosen tokens of these, 0 at the others, `[groups, n]`.
    pub(super) weights: Vec<[S::f64s; 2]>,
    list: Vec<S::Keys>,
}

impl<S: Lanes> Sample<S> {
    /// For samples of `tokens` tokens through the experts of `tables`.
    #[inline(always)]
    pub(super) fn new(simd: S, tables: &Tables, tokens: usize) -> Self {
        let zeros = [simd.splat_f64s(0.0); 2];
        let nobody = simd.above(simd.splat_keys(0.0), simd.splat_keys(0.0));
        Self {
            rows: Vec::with_capacity(tokens),
            chosen: vec![nobody; tables.groups() * tokens],
            inverses: vec![zeros; tables.groups()],
            means: vec![zeros; tables.groups()],
            rescaled: Vec::new(),
            weights: Vec::new(),
            list: Vec::new(),
        }
    }

    /// σ̄ by place.
    #[inline(always)]
    pub(super) fn means(&self) -> &[f64] {
        cast_slice(self.means.as_flattened())
    }
}

/// Chooses, gates and averages for every expert; returns f(x). Sums run in the order of the tokens, and that over the
/// experts in one order for all levels.
#[inline(always)]
pub(super) fn forward<S: Lanes>(
    simd: S,
    tables: &Tables,
    tokens: &[Pattern],
    repeats: &mut Repeats,
    sample: &mut Sample<S>,
) -> f64 {
    sample.rescaled.clear();
    repeats.forget();
    sample.rows.clear();
    sample.rows.extend(tokens.iter().map(|&token| token * tables.groups() as u32));
    for group in 0..tables.groups() {
        choose(simd, tables, tokens, group, repeats, sample);
        if let Some(totals) = gate(simd, tables, group, sample) {
            gate_again(simd, tables, tokens, (group, totals), sample);
        }
    }
    signed_sum(&tables.signs, sample.means())
}

/// The l tokens of each expert of a group.
#[inline(always)]
fn choose<S: Lanes>(
    simd: S,
    tables: &Tables,
    tokens: &[Pattern],
    group: usize,
    repeats: &mut Repeats,
    sample: &mut Sample<S>,
) {
    let keys = &tables.keys::<S>()[group..];
    let rows = sample.rows.as_slice();
    let of_tokens = || rows.iter().map(|&row| keys[row as usize]);
    let threshold = lth_largest(simd, tables.tokens_per_expert, of_tokens(), &mut sample.list);
    let chosen = &mut sample.chosen[group * tokens.len()..][..tokens.len()];
    let mut count = simd.splat_keys(0.0);
    for (chosen, key) in chosen.iter_mut().zip(of_tokens()) {
        *chosen = simd.at_least(key, threshold.key);
        count = simd.count_chosen(count, *chosen);
    }
    let excess = simd.sub_keys(count, simd.splat_keys(tables.tokens_per_expert as f32));
    if simd.any(simd.above(excess, simd.splat_keys(0.0))) {
        repeats.find(tokens);
        if !drop_repeated(simd, keys, (rows, repeats), threshold, (count, excess), chosen) {
            choose_by_scores(simd, tables, tokens, group, chosen);
        }
    }
}

/// Leaves out as many repetitions of the pattern on the threshold as are chosen too many: their scores are equal, and
/// which of them are chosen makes no difference. Does nothing and returns false if other tokens have its key.
#[inline(always)]
fn drop_repeated<S: Lanes>(
    simd: S,
    keys: &[S::Keys],
    (rows, repeats): (&[u32], &Repeats),
    threshold: Threshold<S::Keys>,
    (count, mut excess): (S::Keys, S::Keys),
    chosen: &mut [S::Chosen],
) -> bool {
    let none = simd.splat_keys(0.0);
    let on_threshold = |position: u32| simd.equal(keys[rows[position as usize] as usize], threshold.key);
    let mut firsts = simd.sub_keys(count, threshold.above);
    for &position in repeats.positions() {
        let here = simd.count_chosen(none, on_threshold(position));
        firsts = simd.sub_keys(firsts, here);
    }
    let several = simd.above(firsts, simd.splat_keys(1.0));
    if simd.any(simd.both(several, simd.above(excess, none))) {
        return false;
    }
    for &position in repeats.positions().iter().rev() {
        let drop = simd.both(on_threshold(position), simd.above(excess, none));
        chosen[position as usize] = simd.one_of(chosen[position as usize], drop);
        excess = simd.sub_keys(excess, simd.count_chosen(none, drop));
    }
    true
}

/// The choice by the scores themselves, ties by position.
#[cold]
fn choose_by_scores<S: Lanes>(simd: S, tables: &Tables, tokens: &[Pattern], group: usize, chosen: &mut [S::Chosen]) {
    let lanes = 2 * S::F64_LANES;
    let mut is_chosen = vec![0.0; tokens.len() * lanes];
    let mut positions = Vec::new();
    for lane in 0..lanes {
        let scores = scores(tables, tokens, group * lanes + lane);
        choose_tokens(&scores, tables.tokens_per_expert, &mut positions);
        positions.iter().for_each(|position| is_chosen[position * lanes + lane] = 1.0);
    }
    for (chosen, &is_chosen) in chosen.iter_mut().zip(S::as_keys(&is_chosen)) {
        *chosen = simd.above(is_chosen, simd.splat_keys(0.0));
    }
}

fn scores(tables: &Tables, tokens: &[Pattern], expert: usize) -> Vec<f64> {
    tokens.iter().map(|&token| tables.values.get(token as usize, expert, value::SCORE)).collect()
}

/// Gates and averages one group; returns the sums of exponentials if one of them is not safe.
#[inline(always)]
fn gate<S: Lanes>(simd: S, tables: &Tables, group: usize, sample: &mut Sample<S>) -> Option<[S::f64s; 2]> {
    let cells = &tables.gates.grouped::<S>()[group..];
    let rows = sample.rows.as_slice();
    let mut totals = [simd.splat_f64s(0.0); 2];
    let mut sums = totals;
    for (&row, &chosen) in rows.iter().zip(&sample.chosen[group * rows.len()..]) {
        let cell = &cells[row as usize];
        let chosen = simd.halves(chosen);
        for half in 0..2 {
            let (total, sum) = (totals[half], sums[half]);
            totals[half] = simd.select_f64s(chosen[half], simd.add_f64s(total, cell[half][gate::EXPONENTIAL]), total);
            sums[half] = simd.select_f64s(chosen[half], simd.add_f64s(sum, cell[half][gate::PRODUCT]), sum);
        }
    }
    let mut unsafe_lanes = 0;
    for half in 0..2 {
        let inverse = simd.div_f64s(simd.splat_f64s(1.0), totals[half]);
        sample.inverses[group][half] = inverse;
        sample.means[group][half] = simd.mul_f64s(sums[half], inverse);
        let low = simd.less_than_f64s(totals[half], simd.splat_f64s(SAFE_TOTALS.start));
        let high = simd.greater_than_or_equal_f64s(totals[half], simd.splat_f64s(SAFE_TOTALS.end));
        unsafe_lanes += usize::from(simd.first_true_m64s(simd.or_m64s(low, high)) < S::F64_LANES);
    }
    (unsafe_lanes > 0).then_some(totals)
}

/// Gates relative to the largest chosen score, for scores so far from the shift that the table under- or overflows. The
/// experts of the group whose sums are safe keep their numbers: who else is in their group must not matter.
#[cold]
fn gate_again<S: Lanes>(
    simd: S,
    tables: &Tables,
    tokens: &[Pattern],
    (group, totals): (usize, [S::f64s; 2]),
    sample: &mut Sample<S>,
) {
    let (n, lanes) = (tokens.len(), 2 * S::F64_LANES);
    sample.rescaled.push(group);
    sample.weights.resize(tables.groups() * n, [simd.splat_f64s(0.0); 2]);
    let weights: &mut [f64] = cast_slice_mut(sample.weights[group * n..][..n].as_flattened_mut());
    weights.fill(0.0);
    let inverses: &mut [f64] = cast_slice_mut(&mut sample.inverses[group]);
    let means: &mut [f64] = cast_slice_mut(&mut sample.means[group]);
    let mut positions = Vec::new();
    for lane in 0..lanes {
        let expert = group * lanes + lane;
        let scores = scores(tables, tokens, expert);
        choose_tokens(&scores, tables.tokens_per_expert, &mut positions);
        let number = |table: &Table<2>, position: usize, field| table.get(tokens[position] as usize, expert, field);
        if SAFE_TOTALS.contains(&cast_slice::<_, f64>(&totals)[lane]) {
            for &position in &positions {
                weights[position * lanes + lane] = number(&tables.gates, position, gate::EXPONENTIAL);
            }
            continue;
        }
        let (mut total, mut sum) = (0.0, 0.0);
        for &position in &positions {
            let weight = exp(scores[position] - scores[positions[0]]);
            weights[position * lanes + lane] = weight;
            total += weight;
            sum += weight * number(&tables.values, position, value::ACTIVATION);
        }
        inverses[lane] = 1.0 / total;
        means[lane] = sum / total;
    }
}

/// Σ_s a_s σ̄_s: eight sums, one for each place in a group of eight, added pair by pair.
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

/// The gates of the token at `position` at every expert, `[places]`, appended to `gates`; 0 at an expert that does not
/// choose it. l tied tokens have gates of exactly 1/l.
#[inline(always)]
pub(super) fn gates_at<S: Lanes>(
    simd: S,
    tables: &Tables,
    tokens: &[Pattern],
    position: usize,
    sample: &Sample<S>,
    gates: &mut Vec<f64>,
) {
    let (n, l) = (tokens.len(), tables.tokens_per_expert as f64);
    let first = gates.len();
    let zero = simd.splat_f64s(0.0);
    for group in 0..tables.groups() {
        let weights = match sample.rescaled.contains(&group) {
            true => sample.weights[group * n + position],
            false => tables.gates.grouped::<S>()[sample.rows[position] as usize + group].map(|c| c[gate::EXPONENTIAL]),
        };
        let chosen = simd.halves(sample.chosen[group * n + position]);
        for half in 0..2 {
            let weight = simd.select_f64s(chosen[half], weights[half], zero);
            gates.extend_from_slice(cast_slice(&[simd.mul_f64s(weight, sample.inverses[group][half])]));
        }
    }
    for (expert, gate) in gates[first..].iter_mut().enumerate() {
        // So near to 1/l rounding would decide.
        if (*gate * l - 1.0).abs() <= 1e-9 {
            *gate = exact_gate(tables, tokens, position, expert);
        }
    }
}

/// The gate of a chosen token relative to the best one, so that tied tokens have weights of exactly 1.
#[cold]
fn exact_gate(tables: &Tables, tokens: &[Pattern], position: usize, expert: usize) -> f64 {
    let scores = scores(tables, tokens, expert);
    let mut positions = Vec::new();
    choose_tokens(&scores, tables.tokens_per_expert, &mut positions);
    let weight = |position: usize| exp(scores[position] - scores[positions[0]]);
    weight(position) / positions.iter().map(|&position| weight(position)).sum::<f64>()
}
