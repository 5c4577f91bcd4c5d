//! The small setting, and what its runs and models are asked for.

use crate::common::point;
use moe_theory::moe::Model;
use moe_theory::patterns::{Batch, Sampler};
use moe_theory::record::PruningRow;
use moe_theory::record::RunRecord;
use moe_theory::run::run;
use moe_theory::sgd::EngineChoice;
use moe_theory::sgd::{Engine, Objective, PatternEngine, Rates, TheoryEngine};
use moe_theory::sim::parameters::Criterion;
use moe_theory::sim::{Parameters, Point};

const SMALL: &str = "data.patterns=24 data.tokens=8 model.experts=8 model.neurons=4 model.tokens_per_expert=3 \
                     pretrained.relevant_per_class=1 pretrained.neuron_scale=0.4 training.batch=24 \
                     training.iterations=40 training.expert_rate=0.4 evaluation.samples=300 \
                     pruning.calibration_samples=100 roles.proficiency_samples=50";

/// A run of the small setting with these settings in place of, or beside, its own.
pub fn small(settings: &str, seed: u64) -> RunRecord {
    run(&small_point(settings), seed, 5, EngineChoice::Auto)
}

pub fn small_point(settings: &str) -> Point {
    let key = |setting: &str| setting.split('=').next().unwrap_or_default().to_owned();
    let given: Vec<String> = settings.split_whitespace().map(key).collect();
    let own = SMALL.split_whitespace().filter(|setting| !given.contains(&key(setting)));
    let all: Vec<&str> = own.chain(settings.split_whitespace()).collect();
    point(&all.join(" "))
}

pub fn rows(record: &RunRecord, criterion: Criterion, finetuned: bool) -> Vec<&PruningRow> {
    let own = record.pruning.iter().filter(|row| row.criterion == criterion);
    own.filter(|row| row.finetuned == finetuned).collect()
}

/// Errors of a model on the evaluation samples of a run.
pub fn errors(engine: &mut dyn Engine, parameters: &Parameters, seed: u64) -> u64 {
    let mut batch = Batch::default();
    Sampler::evaluation(&parameters.data, seed).fill(&mut batch, parameters.evaluation.samples);
    let mut outputs = Vec::new();
    engine.outputs(&batch, &mut outputs);
    let f = outputs.chunks_exact(engine.experts()).map(|own| own.iter().sum::<f64>());
    f.zip(&batch.labels).filter(|(f, y)| f * **y <= 0.0).count() as u64
}

/// Trains `model` on the next batches of `sampler`.
pub fn trained(model: &Model, sampler: &mut Sampler, parameters: &Parameters, iterations: usize) -> Model {
    let mut engine = PatternEngine::new(model, Rates::from(&parameters.training));
    let mut batch = Batch::default();
    for _ in 0..iterations {
        sampler.fill(&mut batch, parameters.training.batch);
        engine.step(&batch, &Objective::default()).expect("finite");
    }
    engine.model()
}
