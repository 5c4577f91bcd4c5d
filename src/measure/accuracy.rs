//! Errors on fresh samples, at every number of experts kept in one pass.

use crate::patterns::{Batch, Sampler};
use crate::sgd::Engine;

/// Samples that are passed forward together.
const BLOCK: usize = 256;

/// Errors among samples: a sample is an error iff y f(x) ≤ 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errors {
    /// Misclassified samples.
    pub errors: u64,
    /// Samples.
    pub samples: u64,
}

impl Errors {
    /// Share of samples that are classified correctly.
    pub fn accuracy(self) -> f64 {
        1.0 - self.errors as f64 / self.samples as f64
    }
}

/// The errors of the model that keeps only the first r experts of `keep_first`, for r = 1 … k (entry r − 1).
///
/// With expert-choice routing an expert's output does not depend on the others, so one forward pass over the samples
/// serves every r: f of the pruned model is the running sum of the outputs in the order of `keep_first`.
pub fn errors_by_kept(
    engine: &mut dyn Engine,
    sampler: &mut Sampler,
    samples: usize,
    keep_first: &[usize],
) -> Vec<Errors> {
    let experts = engine.experts();
    let mut errors = vec![0; keep_first.len()];
    let mut batch = Batch::default();
    let mut outputs = Vec::new();
    let mut remaining = samples;
    while remaining > 0 {
        let block = remaining.min(BLOCK);
        remaining -= block;
        sampler.fill(&mut batch, block);
        engine.outputs(&batch, &mut outputs);
        for (outputs, &label) in outputs.chunks_exact(experts).zip(&batch.labels) {
            let mut f = 0.0;
            for (errors, &expert) in errors.iter_mut().zip(keep_first) {
                f += outputs[expert];
                // An output that is no number is an error too.
                *errors += 1 - u64::from(label * f > 0.0);
            }
        }
    }
    errors.into_iter().map(|errors| Errors { errors, samples: samples as u64 }).collect()
}

/// The errors of the whole model.
pub fn errors(engine: &mut dyn Engine, sampler: &mut Sampler, samples: usize) -> Errors {
    let all: Vec<usize> = (0..engine.experts()).collect();
    let by_kept = errors_by_kept(engine, sampler, samples, &all);
    by_kept.last().copied().unwrap_or(Errors { errors: samples as u64, samples: samples as u64 })
}
