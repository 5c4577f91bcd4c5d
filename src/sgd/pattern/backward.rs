//! One sample backward: its gradients, added to those of the batch.

use super::forward::{LOOKED_UP, Sample, field};
use super::table::{LANES, Table, rows, vectors_of_block};
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
    pub(super) fn new(patterns: usize, experts: usize) -> Self {
        Self {
            sums: Table::new(patterns, experts),
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
    table: &Table<LOOKED_UP>,
    signs: &[f64],
    sample: &Sample,
    (tokens, label): (&[Pattern], f64),
    gradients: &mut Gradients,
) {
    let of_block = vectors_of_block::<S>();
    let blocks = signs.len() / LANES;
    let table = table.vectors::<S>();
    let weights = sample.weights::<S>();
    let signs = S::as_simd_f64s(signs).0;
    let label = simd.splat_f64s(label);
    let sums = gradients.sums.vectors_mut::<S>();
    for block in 0..blocks {
        for vector in 0..of_block {
            let (inverse, mean) = sample.inverse_and_mean::<S>(block, vector);
            let scale = simd.mul_f64s(simd.mul_f64s(label, signs[block * of_block + vector]), inverse);
            for (position, row) in rows(tokens).enumerate() {
                let cell = row * blocks + block;
                let weight = weights[(position * blocks + block) * of_block + vector];
                let activation = table[(cell * LOOKED_UP + field::ACTIVATION) * of_block + vector];
                let sums = &mut sums[cell * GRADIENT * of_block..][..GRADIENT * of_block];
                let mass = simd.mul_f64s(weight, scale);
                let pull = simd.mul_f64s(mass, simd.sub_f64s(activation, mean));
                let at = [gradient::MASS * of_block + vector, gradient::ROUTER * of_block + vector];
                sums[at[0]] = simd.add_f64s(sums[at[0]], mass);
                sums[at[1]] = simd.add_f64s(sums[at[1]], pull);
            }
        }
    }
    gradients.touch(tokens);
}
