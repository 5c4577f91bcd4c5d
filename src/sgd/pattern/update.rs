//! The step itself: scores and neurons of the touched patterns move, and the tables that follow from them.

use super::PatternEngine;
use super::backward::{GRADIENT, gradient};
use super::cells::state;
use super::forward::field;
use crate::simd::exp::exp;
use pulp::Simd;
use std::ops::Range;

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

/// Moves routers and neurons by the gradients of a batch of `samples` samples and clears these; false if a score or an
/// activation is no finite number then.
#[inline(always)]
pub(super) fn update<S: Simd>(simd: S, engine: &mut PatternEngine, samples: usize) -> bool {
    let blocks = engine.table.blocks();
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
            let cell = pattern as usize * blocks + block;
            let (before, dead) = update_cell(simd, engine, cell, block, scales);
            if simd.first_true_m64s(dead) < S::F64_LANES {
                engine.bury(pattern as usize, block * S::F64_LANES..(block + 1) * S::F64_LANES);
            }
            let looked_up = engine.table.cells::<S>()[cell];
            let (score, activation) = (looked_up[field::SCORE], looked_up[field::ACTIVATION]);
            engine.ranges.note(simd, block, before, activation);
            finite = simd.add_f64s(finite, simd.sub_f64s(score, score));
            finite = simd.add_f64s(finite, simd.sub_f64s(activation, activation));
            let exponentials = &mut engine.table.field_mut(cell, field::EXPONENTIAL)[..S::F64_LANES];
            exponentials.iter_mut().for_each(|number| *number = exp(*number));
        }
    }
    engine.gradients.touched = touched;
    engine.gradients.clear();
    simd.reduce_sum_f64s(finite) == 0.0
}

/// Moves one cell; leaves u − shift where its exponential belongs. Returns the σ of before and where neurons died.
#[inline(always)]
fn update_cell<S: Simd>(
    simd: S,
    engine: &mut PatternEngine,
    cell: usize,
    block: usize,
    scales: Scales<S::f64s>,
) -> (S::f64s, S::m64s) {
    let zero = simd.splat_f64s(0.0);
    let gradients = std::mem::replace(&mut engine.gradients.sums.cells_mut::<S>()[cell], [zero; GRADIENT]);
    let looked_up = &mut engine.table.cells_mut::<S>()[cell];
    let neurons = &mut engine.cells.state.cells_mut::<S>()[cell];
    let score = simd.add_f64s(looked_up[field::SCORE], simd.mul_f64s(scales.router, gradients[gradient::ROUTER]));
    looked_up[field::SCORE] = score;
    looked_up[field::EXPONENTIAL] = simd.sub_f64s(score, S::as_simd_f64s(&engine.shifts).0[block]);
    let moved = simd.mul_f64s(scales.neuron, gradients[gradient::MASS]);
    let offset = simd.add_f64s(neurons[state::OFFSET], moved);
    neurons[state::OFFSET] = offset;
    let sum = simd.add_f64s(neurons[state::LIVE_SUM], simd.mul_f64s(neurons[state::LIVE], offset));
    let activation = simd.mul_f64s(simd.max_f64s(sum, zero), scales.share);
    let before = std::mem::replace(&mut looked_up[field::ACTIVATION], activation);
    let dead = simd.less_than_or_equal_f64s(simd.add_f64s(offset, neurons[state::SMALLEST]), zero);
    (before, dead)
}

impl PatternEngine {
    /// Buries the neurons that died in the cells of some experts, and corrects their σ.
    #[cold]
    fn bury(&mut self, pattern: usize, experts: Range<usize>) {
        for expert in experts {
            if self.cells.bury(pattern, expert) {
                let activation = self.cells.activation(pattern, expert);
                self.table.set(pattern, expert, field::ACTIVATION, activation);
            }
        }
    }
}
