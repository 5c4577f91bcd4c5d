//! The step itself: scores and neurons of the touched patterns move, and the tables that follow from them.

use super::PatternEngine;
use super::backward::{GRADIENT, gradient};
use super::cells::state;
use super::tables::value;
use crate::simd::Lanes;
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
pub(super) fn update<S: Lanes>(simd: S, engine: &mut PatternEngine, samples: usize) -> bool {
    let blocks = engine.tables.blocks();
    let m = engine.shape.neurons_per_expert;
    let scales = Scales {
        router: simd.splat_f64s(engine.rates.router / samples as f64),
        neuron: simd.splat_f64s(engine.rates.expert / (samples * m) as f64),
        share: simd.splat_f64s(1.0 / m as f64),
    };
    // 0, or not a number once some difference of a number from itself is not 0.
    let mut finite = simd.splat_f64s(0.0);
    // Block by block, so that a block's bounds stay in registers.
    for block in 0..blocks {
        let mut bounds = engine.ranges.block::<S>(block);
        for touch in 0..engine.gradients.touched().len() {
            let pattern = engine.gradients.touched()[touch] as usize;
            let cell = pattern * blocks + block;
            let (before, dead) = update_cell(simd, engine, cell, scales);
            if simd.first_true_m64s(dead) < S::F64_LANES {
                engine.bury(pattern, block * S::F64_LANES..(block + 1) * S::F64_LANES);
            }
            let values = engine.tables.values.cells::<S>()[cell];
            bounds.note(simd, before, values[value::ACTIVATION]);
            for value in values {
                finite = simd.add_f64s(finite, simd.sub_f64s(value, value));
            }
            engine.tables.refresh(simd, cell);
        }
        engine.ranges.set_block(block, bounds);
    }
    engine.gradients.clear();
    simd.reduce_sum_f64s(finite) == 0.0
}

/// Moves one cell. Returns the σ of before and where neurons died.
#[inline(always)]
fn update_cell<S: Lanes>(
    simd: S,
    engine: &mut PatternEngine,
    cell: usize,
    scales: Scales<S::f64s>,
) -> (S::f64s, S::m64s) {
    let zero = simd.splat_f64s(0.0);
    let gradients = std::mem::replace(&mut engine.gradients.sums.cells_mut::<S>()[cell], [zero; GRADIENT]);
    let values = &mut engine.tables.values.cells_mut::<S>()[cell];
    let neurons = &mut engine.cells.state.cells_mut::<S>()[cell];
    values[value::SCORE] =
        simd.add_f64s(values[value::SCORE], simd.mul_f64s(scales.router, gradients[gradient::ROUTER]));
    let moved = simd.mul_f64s(scales.neuron, gradients[gradient::MASS]);
    let offset = simd.add_f64s(neurons[state::OFFSET], moved);
    neurons[state::OFFSET] = offset;
    let sum = simd.add_f64s(neurons[state::LIVE_SUM], simd.mul_f64s(neurons[state::LIVE], offset));
    let activation = simd.mul_f64s(simd.max_f64s(sum, zero), scales.share);
    let before = std::mem::replace(&mut values[value::ACTIVATION], activation);
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
                self.tables.values.set(pattern, expert, value::ACTIVATION, activation);
            }
        }
    }
}
