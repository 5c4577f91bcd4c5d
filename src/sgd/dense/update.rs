//! The step of the dense engine.

use super::DenseEngine;
use super::gradients::Way;
use crate::patterns::Batch;
use crate::simd::{Kernel, Lanes};
use pulp::Simd;

/// Moves routers and neurons against their gradients, expert by expert, and adds to the half-batch contrast. `false` if a
/// weight is then no finite number.
pub(super) struct Descend<'a> {
    pub(super) engine: &'a mut DenseEngine,
    pub(super) batch: &'a Batch,
}

impl Kernel for Descend<'_> {
    type Output = bool;
    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) -> bool {
        let Self { engine, batch } = self;
        let rates = engine.rates;
        let mut zero = simd.splat_f64s(0.0);
        let mut router_zero = 0.0;
        for (expert, &sign) in engine.signs.iter().enumerate() {
            let way = Way { expert, sign, batch, passes: &engine.passes, tokens: &engine.tokens.numbers };
            engine.backward.expert(simd, way);
            let gradient = engine.backward.neurons.numbers();
            zero = descend(simd, engine.neurons[expert].numbers_mut(), gradient, rates.expert, zero);

            let gradient = &engine.backward.router;
            for (row, slope) in gradient.iter().enumerate() {
                let weight = engine.routers.get(row, expert) - rates.router * slope;
                engine.routers.set(row, expert, weight);
                router_zero += 0.0 * weight;
            }
            if let Some(contrast) = &mut engine.contrast {
                // S_A − S_B′ = 2 S_A − (S_A + S_B′), and S = −gradient.
                let contrast = &mut contrast[expert * gradient.len()..][..gradient.len()];
                let halves = engine.backward.first_half.iter().zip(gradient);
                for (contrast, (first, both)) in contrast.iter_mut().zip(halves) {
                    *contrast += (both - 2.0 * first) * rates.router;
                }
            }
        }
        let mut sums = [0.0; 8];
        S::as_mut_simd_f64s(&mut sums).0[0] = zero;
        sums.iter().sum::<f64>() + router_zero == 0.0
    }
}

/// w ← w − η ∂w. Returns `zero` + Σ 0·w, which is 0 as long as all weights are finite.
#[inline(always)]
fn descend<S: Simd>(simd: S, weights: &mut [f64], gradient: &[f64], rate: f64, mut zero: S::f64s) -> S::f64s {
    let (rate, nothing) = (simd.splat_f64s(rate), simd.splat_f64s(0.0));
    for (weight, &slope) in S::as_mut_simd_f64s(weights).0.iter_mut().zip(S::as_simd_f64s(gradient).0) {
        *weight = simd.sub_f64s(*weight, simd.mul_f64s(rate, slope));
        zero = simd.add_f64s(zero, simd.mul_f64s(nothing, *weight));
    }
    zero
}
