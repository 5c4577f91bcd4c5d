//! One sample backward: its gradients, added to those of the batch.

use super::forward::Sample;
use super::table::Table;
use super::tables::{Tables, gate, value};
use crate::patterns::Pattern;
use crate::simd::Lanes;

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
    /// Room for d patterns; the first `touches` are those of the active samples, each once.
    touched: Vec<Pattern>,
    touches: usize,
    is_touched: Vec<bool>,
}

impl Gradients {
    /// None yet, for d patterns.
    pub(super) fn new(patterns: usize, experts: usize, lanes: usize) -> Self {
        Self {
            sums: Table::new(patterns, experts, lanes),
            // One more, so that a write past the last touched pattern has a place.
            touched: vec![0; patterns + 1],
            touches: 0,
            is_touched: vec![false; patterns],
        }
    }

    /// Patterns with a gradient.
    #[inline(always)]
    pub(super) fn touched(&self) -> &[Pattern] {
        &self.touched[..self.touches]
    }

    /// Notes which patterns have a gradient.
    #[inline(always)]
    fn touch(&mut self, tokens: &[Pattern]) {
        for &token in tokens {
            // No branch: every token is written, and kept if it is new.
            self.touched[self.touches] = token;
            self.touches += usize::from(!std::mem::replace(&mut self.is_touched[token as usize], true));
        }
    }

    /// No pattern has a gradient; the sums themselves are cleared where they are used.
    pub(super) fn clear(&mut self) {
        for &pattern in &self.touched[..self.touches] {
            self.is_touched[pattern as usize] = false;
        }
        self.touches = 0;
    }
}

/// Adds the gradient of the sample that was last passed forward; `pull` is its −∂ℓ/∂f. A token that an expert does not choose
/// has weight 0 there and adds 0.
#[inline(always)]
pub(super) fn backward<S: Lanes>(
    simd: S,
    tables: &Tables,
    sample: &Sample<S>,
    (tokens, pull): (&[Pattern], f64),
    gradients: &mut Gradients,
) {
    let n = tokens.len();
    let signs = S::as_simd_f64s(&tables.signs).0.as_chunks::<2>().0;
    let pull = simd.splat_f64s(pull);
    let zero = simd.splat_f64s(0.0);
    for (group, signs) in signs.iter().enumerate() {
        let (means, inverses) = (sample.means[group], sample.inverses[group]);
        let scales = [0, 1].map(|half| simd.mul_f64s(simd.mul_f64s(pull, signs[half]), inverses[half]));
        let gates = &tables.gates.grouped::<S>()[group..];
        let values = &tables.values.grouped::<S>()[group..];
        let sums = &mut gradients.sums.grouped_mut::<S>()[group..];
        let rescaled = sample.rescaled.contains(&group);
        let chosen = &sample.chosen[group * n..][..n];
        for (position, (&row, &chosen)) in sample.rows.iter().zip(chosen).enumerate() {
            let row = row as usize;
            let (gates, values, sums) = (&gates[row], &values[row], &mut sums[row]);
            let chosen = simd.halves(chosen);
            for half in 0..2 {
                let weight = match rescaled {
                    true => sample.weights[group * n + position][half],
                    false => gates[half][gate::EXPONENTIAL],
                };
                let mass = simd.select_f64s(chosen[half], simd.mul_f64s(weight, scales[half]), zero);
                let pull = simd.mul_f64s(mass, simd.sub_f64s(values[half][value::ACTIVATION], means[half]));
                let sums = &mut sums[half];
                sums[gradient::MASS] = simd.add_f64s(sums[gradient::MASS], mass);
                sums[gradient::ROUTER] = simd.add_f64s(sums[gradient::ROUTER], pull);
            }
        }
    }
    gradients.touch(tokens);
}
