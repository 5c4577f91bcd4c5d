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

/// Estimates p_v and λ_v of every expert, `[k]`, from `samples` samples per class. Both classes see the same irrelevant
/// tokens and positions.
pub fn estimate(
    engine: &mut dyn Engine,
    sampler: &mut Sampler,
    samples: usize,
    tokens_per_expert: usize,
) -> Vec<Proficiency> {
    let experts = engine.experts();
    let threshold = 1.0 / tokens_per_expert as f64;
    let mut estimates = vec![Proficiency::default(); experts];
    let mut batch = Batch::default();
    let mut gates = Vec::new();
    let mut remaining = samples;
    while remaining > 0 {
        let block = remaining.min(BLOCK);
        remaining -= block;
        sampler.fill(&mut batch, block);
        for (number, class) in Class::BOTH.into_iter().enumerate() {
            batch.set_class(class);
            engine.class_token_gates(&batch, &mut gates);
            for gates in gates.chunks_exact(experts) {
                for (estimate, &gate) in estimates.iter_mut().zip(gates) {
                    estimate.proficiency[number] += f64::from(u8::from(gate >= threshold));
                    estimate.routed[number] += f64::from(u8::from(gate > 0.0));
                }
            }
        }
    }
    for estimate in &mut estimates {
        estimate.proficiency = estimate.proficiency.map(|count| count / samples as f64);
        estimate.routed = estimate.routed.map(|count| count / samples as f64);
    }
    estimates
}
