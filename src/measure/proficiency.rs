//! Proficiency p_v and, by the same samples, the routing probability λ_v.

use crate::patterns::{Batch, Class, Sampler};
use crate::sgd::Engine;

/// Samples that are passed forward together.
const BLOCK: usize = 256;

/// Estimates for one expert, indexed by class.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Proficiency {
    /// p_v = P[o_v ∈ J_s and its gate ≥ 1/l | x contains o_v], `[2]`.
    pub proficiency: [f64; 2],
    /// P[o_v ∈ J_s | x contains o_v], `[2]`: an estimate of λ_v, for where λ_v has no closed form (token noise).
    pub routed: [f64; 2],
}

/// The largest estimates over the features of each class, `[k]`, of those by feature, `[features][k]`.
pub(crate) fn largest(by_feature: &[Vec<Proficiency>]) -> Vec<Proficiency> {
    let mut largest = by_feature.first().cloned().unwrap_or_default();
    for estimates in by_feature {
        for (largest, estimate) in largest.iter_mut().zip(estimates) {
            for class in [0, 1] {
                largest.proficiency[class] = largest.proficiency[class].max(estimate.proficiency[class]);
                largest.routed[class] = largest.routed[class].max(estimate.routed[class]);
            }
        }
    }
    largest
}

/// Estimates p_v and λ_v of every expert, `[k]`, from `samples` samples per class. Both classes see the same irrelevant
/// tokens and positions. `gate_places` is l, or c in token-choice routing
/// ([`crate::sim::parameters::ModelParameters::gate_places`]).
pub fn estimate(
    engine: &mut dyn Engine,
    sampler: &mut Sampler,
    samples: usize,
    gate_places: usize,
) -> Vec<Proficiency> {
    estimate_features(engine, sampler, samples, gate_places, 1).remove(0)
}

/// As [`estimate`], for each of the first `features` features of both classes, `[features][k]`; all see the same
/// irrelevant tokens and positions.
pub(crate) fn estimate_features(
    engine: &mut dyn Engine,
    sampler: &mut Sampler,
    samples: usize,
    gate_places: usize,
    features: usize,
) -> Vec<Vec<Proficiency>> {
    let experts = engine.experts();
    let threshold = 1.0 / gate_places as f64;
    let mut estimates = vec![vec![Proficiency::default(); experts]; features];
    let mut batch = Batch::default();
    let mut gates = Vec::new();
    let mut remaining = samples;
    while remaining > 0 {
        let block = remaining.min(BLOCK);
        remaining -= block;
        sampler.fill(&mut batch, block);
        for (feature, estimates) in estimates.iter_mut().enumerate() {
            for (number, class) in Class::BOTH.into_iter().enumerate() {
                sampler.set_feature(&mut batch, class, feature);
                engine.class_token_gates(&batch, &mut gates);
                for gates in gates.chunks_exact(experts) {
                    for (estimate, &gate) in estimates.iter_mut().zip(gates) {
                        estimate.proficiency[number] += f64::from(u8::from(gate >= threshold));
                        estimate.routed[number] += f64::from(u8::from(gate > 0.0));
                    }
                }
            }
        }
    }
    for estimate in estimates.iter_mut().flatten() {
        estimate.proficiency = estimate.proficiency.map(|count| count / samples as f64);
        estimate.routed = estimate.routed.map(|count| count / samples as f64);
    }
    estimates
}
