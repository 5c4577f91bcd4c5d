//! The step itself: scores and neurons of the touched patterns move, and the tables that follow from them.

use super::PatternEngine;
use super::backward::{GRADIENT, gradient};
use super::cells::{STATE, state};
use super::forward::{LOOKED_UP, field};
use super::table::{LANES, vectors_of_block};
use crate::simd::exp::exp;
use pulp::Simd;

/// What the step multiplies gradients by.
#[derive(Clone, Copy)]
struct Scales<V> {
    /// η_r/B.
    router: V,
    /// η_e/(B m).
    neuron: V,
    /// 1/m.
    share: V,
}

/// A vector of experts and a pattern.
#[derive(Clone, Copy)]
struct Place {
    /// The block of a row, counted through the table.
    cell: usize,
    block: usize,
    vector: usize,
}

impl Place {
    /// Where a field is in the table of looked-up numbers, in vectors.
    #[inline(always)]
    fn looked_up<S: Simd>(self, field: usize) -> usize {
        (self.cell * LOOKED_UP + field) * vectors_of_block::<S>() + self.vector
    }
}

/// Moves routers and neurons by the gradients of a batch of `samples` samples and clears these; false if a score or an
/// activation is no finite number then.
#[inline(always)]
pub(super) fn update<S: Simd>(simd: S, engine: &mut PatternEngine, samples: usize) -> bool {
    let blocks = engine.signs.len() / LANES;
    let m = engine.shape.neurons_per_expert;
    let scales = Scales {
        router: simd.splat_f64s(engine.rates.router / samples as f64),
        neuron: simd.splat_f64s(engine.rates.expert / (samples * m) as f64),
        share: simd.splat_f64s(1.0 / m as f64),
    };
    let touched = std::mem::take(&mut engine.gradients.touched);
    // 0, or not a number once some difference of a number from itself is not 0.
    let mut finite = simd.splat_f64s(0.0);
    for &pattern in &touched {
        for block in 0..blocks {
            for vector in 0..vectors_of_block::<S>() {
                let place = Place { cell: pattern as usize * blocks + block, block, vector };
                let (score, before, dead) = update_vector(simd, engine, place, scales);
                if simd.first_true_m64s(dead) < S::F64_LANES {
                    engine.bury(pattern as usize, block * LANES + vector * S::F64_LANES, S::F64_LANES);
                }
                let activation = engine.table.vectors::<S>()[place.looked_up::<S>(field::ACTIVATION)];
                engine.ranges.note(simd, block, vector, before, activation);
                finite = simd.add_f64s(finite, simd.sub_f64s(score, score));
                finite = simd.add_f64s(finite, simd.sub_f64s(activation, activation));
            }
            let looked_up = engine.table.block_mut(pattern as usize, block);
            looked_up[field::EXPONENTIAL * LANES..][..LANES].iter_mut().for_each(|number| *number = exp(*number));
        }
    }
    engine.gradients.touched = touched;
    engine.gradients.clear();
    simd.reduce_sum_f64s(finite) == 0.0
}

/// Moves one vector of experts; leaves u − shift where its exponential belongs. Returns u, the σ of before and where
/// neurons died.
#[inline(always)]
fn update_vector<S: Simd>(
    simd: S,
    engine: &mut PatternEngine,
    place: Place,
    scales: Scales<S::f64s>,
) -> (S::f64s, S::f64s, S::m64s) {
    let of_block = vectors_of_block::<S>();
    let at = |field: usize| field * of_block + place.vector;
    let zero = simd.splat_f64s(0.0);
    let gradients = &mut engine.gradients.sums.vectors_mut::<S>()[place.cell * GRADIENT * of_block..][..GRADIENT * of_block];
    let mass = std::mem::replace(&mut gradients[at(gradient::MASS)], zero);
    let pull = std::mem::replace(&mut gradients[at(gradient::ROUTER)], zero);
    let table = &mut engine.table.vectors_mut::<S>()[place.cell * LOOKED_UP * of_block..][..LOOKED_UP * of_block];
    let cells = &mut engine.cells.state.vectors_mut::<S>()[place.cell * STATE * of_block..][..STATE * of_block];

    let score = simd.add_f64s(table[at(field::SCORE)], simd.mul_f64s(scales.router, pull));
    table[at(field::SCORE)] = score;
    let shift = S::as_simd_f64s(&engine.shifts).0[place.block * of_block + place.vector];
    table[at(field::EXPONENTIAL)] = simd.sub_f64s(score, shift);

    let offset = simd.add_f64s(cells[at(state::OFFSET)], simd.mul_f64s(scales.neuron, mass));
    cells[at(state::OFFSET)] = offset;
    let sum = simd.add_f64s(cells[at(state::LIVE_SUM)], simd.mul_f64s(cells[at(state::LIVE)], offset));
    let activation = simd.mul_f64s(simd.max_f64s(sum, zero), scales.share);
    let before = std::mem::replace(&mut table[at(field::ACTIVATION)], activation);
    let dead = simd.less_than_or_equal_f64s(simd.add_f64s(offset, cells[at(state::SMALLEST)]), zero);
    (score, before, dead)
}

impl PatternEngine {
    /// Buries the neurons that died in the cells of some experts, and corrects their σ.
    #[cold]
    fn bury(&mut self, pattern: usize, first: usize, experts: usize) {
        for expert in first..first + experts {
            if self.cells.bury(pattern, expert) {
                let activation = self.cells.activation(pattern, expert);
                self.table.set(pattern, expert, field::ACTIVATION, activation);
            }
        }
    }
}
