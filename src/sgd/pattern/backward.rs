//! One sample backward: its gradients, added to those of the batch.

use super::forward::{Lookup, Sample, field};
use super::table::Table;
use crate::patterns::Pattern;
use pulp::Simd;

/// Fields of the gradients of a batch, by (pattern, expert).
pub(super) mod gradient {
    /// Σ y a_s G: moves the neurons.
    pub(in super::super) const MASS: usize = 0;
    /// Σ y a_s G (σ − σ̄): moves the router.
    pub(in super::super) const ROUTER: usize = 1;
}

/// Numbers of the gradient of a (pattern, expert).
pub(super) const GRADIENT: usize = 2;

/// The gradients of a batch and where they are.
#[derive(Clone, Debug)]
pub(super) struct Gradients {
    pub(super) sums: Table<GRADIENT>,
    /// Patterns of the active samples, each once, and whether a pattern is among them.
    pub(super) touched: Vec<Pattern>,
    is_touched: Vec<bool>,
}

impl Gradients {
    /// None yet, for d patterns.
    pub(super) fn new(patterns: usize, experts: usize, lanes: usize) -> Self {
        Self {
            sums: Table::new(patterns, experts, lanes),
            touched: Vec::with_capacity(patterns),
            is_touched: vec![false; patterns],
        }
    }

    /// Notes which patterns have a gradient.
    #[inline(always)]
    fn touch(&mut self, tokens: &[Pattern]) {
        for &token in tokens {
            if !std::mem::replace(&mut self.is_touched[token as usize], true) {
                self.touched.push(token);
            }
        }
    }

    /// No pattern has a gradient; the sums themselves are cleared where they are used.
    pub(super) fn clear(&mut self) {
        for pattern in self.touched.drain(..) {
            self.is_touched[pattern as usize] = false;
        }
    }
}

/// Adds the gradient of the sample that was last passed forward, of label `label`. A token that an expert does not choose
/// has weight 0 there and adds 0.
#[inline(always)]
pub(super) fn backward<S: Simd>(
    simd: S,
    lookup: Lookup,
    sample: &Sample,
    (tokens, label): (&[Pattern], f64),
    gradients: &mut Gradients,
) {
    let rows = sample.rows.as_slice();
    let cells = lookup.table.cells::<S>();
    let signs = S::as_simd_f64s(lookup.signs).0;
    let label = simd.splat_f64s(label);
    let sums = gradients.sums.cells_mut::<S>();
    for block in 0..lookup.table.blocks() {
        let mean = sample.means.cells::<S>()[block][0];
        let scale = simd.mul_f64s(simd.mul_f64s(label, signs[block]), sample.inverses.cells::<S>()[block][0]);
        let weights = &sample.weights.cells::<S>()[block * rows.len()..][..rows.len()];
        for (&row, weight) in rows.iter().zip(weights) {
            let mass = simd.mul_f64s(weight[0], scale);
            let activation = cells[row as usize + block][field::ACTIVATION];
            let pull = simd.mul_f64s(mass, simd.sub_f64s(activation, mean));
            let sums = &mut sums[row as usize + block];
            sums[gradient::MASS] = simd.add_f64s(sums[gradient::MASS], mass);
            sums[gradient::ROUTER] = simd.add_f64s(sums[gradient::ROUTER], pull);
        }
    }
    gradients.touch(tokens);
}
