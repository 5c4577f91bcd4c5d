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

/// Calls `visit` with f_s(x) of every expert, `[k]`, and the label of each of `samples` fresh samples.
pub fn for_each_sample(
    engine: &mut dyn Engine,
    sampler: &mut Sampler,
    samples: usize,
    mut visit: impl FnMut(&[f64], f64),
) {
    let experts = engine.experts();
    let mut batch = Batch::default();
    let mut outputs = Vec::new();
    let mut remaining = samples;
    while remaining > 0 {
        let block = remaining.min(BLOCK);
        remaining -= block;
        sampler.fill(&mut batch, block);
        engine.outputs(&batch, &mut outputs);
        for (outputs, &label) in outputs.chunks_exact(experts).zip(&batch.labels) {
            visit(outputs, label);
        }
    }
}

/// Counts the errors of the models that keep only the first r experts of an order.
///
/// With expert-choice routing an expert's output does not depend on the others, so one forward pass over the samples
/// serves every r: f of the pruned model is the running sum of the outputs in that order.
#[derive(Clone, Debug)]
pub struct ErrorTally<'a> {
    keep_first: &'a [usize],
    samples: u64,
    /// By r − 1.
    errors: Vec<u64>,
}

impl<'a> ErrorTally<'a> {
    /// For the order `keep_first`.
    pub fn new(keep_first: &'a [usize]) -> Self {
        Self { keep_first, samples: 0, errors: vec![0; keep_first.len()] }
    }

    /// One sample: f_s(x) of every expert, `[k]`, and its label y.
    pub fn add(&mut self, outputs: &[f64], label: f64) {
        self.samples += 1;
        let mut f = 0.0;
        for (errors, &expert) in self.errors.iter_mut().zip(self.keep_first) {
            f += outputs[expert];
            // An output that is no number is an error too.
            *errors += 1 - u64::from(label * f > 0.0);
        }
    }

    /// The errors for r = 1 … (entry r − 1).
    pub fn by_kept(self) -> Vec<Errors> {
        let samples = self.samples;
        self.errors.into_iter().map(|errors| Errors { errors, samples }).collect()
    }
}

/// The errors of the model that keeps only the first r experts of `keep_first`, for r = 1 … k (entry r − 1).
pub fn errors_by_kept(
    engine: &mut dyn Engine,
    sampler: &mut Sampler,
    samples: usize,
    keep_first: &[usize],
) -> Vec<Errors> {
    let mut tally = ErrorTally::new(keep_first);
    for_each_sample(engine, sampler, samples, |outputs, label| tally.add(outputs, label));
    tally.by_kept()
}

/// The errors of the whole model.
pub fn errors(engine: &mut dyn Engine, sampler: &mut Sampler, samples: usize) -> Errors {
    let all: Vec<usize> = (0..engine.experts()).collect();
    let by_kept = errors_by_kept(engine, sampler, samples, &all);
    by_kept.last().copied().unwrap_or(Errors { errors: samples as u64, samples: samples as u64 })
}
