//! What the worlds share.

use crate::common::point;
use moe_theory::patterns::{Batch, Sampler};
use moe_theory::record::RunRecord;
use moe_theory::run::run;
use moe_theory::sgd::Engine;
use moe_theory::sgd::EngineChoice;
use moe_theory::sim::Parameters;
use moe_theory::stats::interval::clopper_pearson;

/// Miss probability of the intervals that fixed seeds are compared with.
const FAR: f64 = 1e-6;

pub fn parameters(settings: &str) -> Parameters {
    point(settings).parameters
}

pub fn batch(parameters: &Parameters, seed: u64, samples: usize) -> Batch {
    let mut batch = Batch::default();
    Sampler::training(&parameters.data, seed).fill(&mut batch, samples);
    batch
}

/// Asserts that a share of `count` of `total` is compatible with the probability `expected`.
pub fn assert_share(count: usize, total: usize, expected: f64) {
    let interval = clopper_pearson(count as u64, total as u64, FAR);
    assert!((interval.low..=interval.high).contains(&expected), "{count} of {total} for {expected}");
}

pub fn outputs(engine: &mut dyn Engine, batch: &Batch) -> Vec<f64> {
    let mut outputs = Vec::new();
    engine.outputs(batch, &mut outputs);
    outputs
}

pub fn whole_run(settings: &str) -> (Parameters, RunRecord) {
    let point = point(settings);
    let record = run(&point, 3, 7, EngineChoice::Auto);
    (point.parameters, record)
}

pub const SMALL: &str = "data.patterns=40 data.tokens=8 model.neurons=4 training.batch=40 training.iterations=60 \
                     training.expert_rate=0.4 evaluation.samples=300 roles.proficiency_samples=100";
