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

/// Errors among all samples, and among those whose class token is the common feature and a rare one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureErrors {
    /// Of all samples.
    pub all: Errors,
    /// Of the samples with a rare feature (f ≥ 1).
    pub rare: Errors,
}

impl FeatureErrors {
    /// Of the samples with the common feature, f = 0.
    pub fn common(self) -> Errors {
        Errors { errors: self.all.errors - self.rare.errors, samples: self.all.samples - self.rare.samples }
    }

    /// The accuracies on common and on rare features; each is empty without such a sample, and both without a rare one:
    /// then the common one is the accuracy itself.
    pub(crate) fn accuracies(self) -> [Option<f64>; 2] {
        let any_rare = self.rare.samples > 0;
        [self.common(), self.rare].map(|errors| (any_rare && errors.samples > 0).then(|| errors.accuracy()))
    }
}

/// Calls `visit` with f_s(x) of every expert, `[k]`, and the label of each of `samples` fresh samples.
pub fn for_each_sample(
    engine: &mut dyn Engine,
    sampler: &mut Sampler,
    samples: usize,
    mut visit: impl FnMut(&[f64], f64),
) {
    for_each_featured_sample(engine, sampler, samples, |outputs, label, _| visit(outputs, label));
}

/// As [`for_each_sample`], with the number of the feature that the class token is.
pub(crate) fn for_each_featured_sample(
    engine: &mut dyn Engine,
    sampler: &mut Sampler,
    samples: usize,
    mut visit: impl FnMut(&[f64], f64, usize),
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
        for (sample, outputs) in outputs.chunks_exact(experts).enumerate() {
            visit(outputs, batch.labels[sample], batch.feature(sample));
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
    rare_samples: u64,
    /// Of the samples with a rare feature, by r − 1.
    rare_errors: Vec<u64>,
}

impl<'a> ErrorTally<'a> {
    /// For the order `keep_first`.
    pub fn new(keep_first: &'a [usize]) -> Self {
        let zeros = vec![0; keep_first.len()];
        Self { keep_first, samples: 0, errors: zeros.clone(), rare_samples: 0, rare_errors: zeros }
    }

    /// One sample with the number of the feature that its class token is.
    pub(crate) fn add_featured(&mut self, outputs: &[f64], label: f64, feature: usize) {
        if feature > 0 {
            self.rare_samples += 1;
            count_errors(&mut self.rare_errors, self.keep_first, outputs, label);
        }
        self.add(outputs, label);
    }

    /// One sample: f_s(x) of every expert, `[k]`, and its label y.
    pub fn add(&mut self, outputs: &[f64], label: f64) {
        self.samples += 1;
        count_errors(&mut self.errors, self.keep_first, outputs, label);
    }

    /// As [`ErrorTally::by_kept`], with those of the samples with a rare feature apart.
    pub(crate) fn by_kept_and_feature(self) -> Vec<FeatureErrors> {
        let (samples, rare_samples) = (self.samples, self.rare_samples);
        let pairs = self.errors.into_iter().zip(self.rare_errors);
        pairs
            .map(|(errors, rare)| FeatureErrors {
                all: Errors { errors, samples },
                rare: Errors { errors: rare, samples: rare_samples },
            })
            .collect()
    }

    /// The errors for r = 1 … (entry r − 1).
    pub fn by_kept(self) -> Vec<Errors> {
        let samples = self.samples;
        self.errors.into_iter().map(|errors| Errors { errors, samples }).collect()
    }
}

/// Adds the errors of one sample for every number of experts kept.
fn count_errors(errors: &mut [u64], keep_first: &[usize], outputs: &[f64], label: f64) {
    let mut f = 0.0;
    for (errors, &expert) in errors.iter_mut().zip(keep_first) {
        f += outputs[expert];
        // An output that is no number is an error too.
        *errors += 1 - u64::from(label * f > 0.0);
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

/// The errors of the whole model, with those of the samples with a rare feature apart.
pub fn feature_errors(engine: &mut dyn Engine, sampler: &mut Sampler, samples: usize) -> FeatureErrors {
    let all: Vec<usize> = (0..engine.experts()).collect();
    let mut tally = ErrorTally::new(&all);
    for_each_featured_sample(engine, sampler, samples, |outputs, label, feature| {
        tally.add_featured(outputs, label, feature);
    });
    let none = Errors { errors: 0, samples: 0 };
    let errors = Errors { errors: samples as u64, samples: samples as u64 };
    tally.by_kept_and_feature().pop().unwrap_or(FeatureErrors { all: errors, rare: none })
}

/// The errors of the whole model.
pub fn errors(engine: &mut dyn Engine, sampler: &mut Sampler, samples: usize) -> Errors {
    let all: Vec<usize> = (0..engine.experts()).collect();
    let by_kept = errors_by_kept(engine, sampler, samples, &all);
    by_kept.last().copied().unwrap_or(Errors { errors: samples as u64, samples: samples as u64 })
}
