//! One run, complete: every number that an outsider needs to replay it.

use super::trajectory::recorded_iterations;
use crate::moe::Model;
use crate::patterns::{Batch, Sampler, Vocabulary};
use crate::sgd::EngineChoice;
use crate::sgd::train::Schedule;
use crate::sgd::{Engine, Observer, StepReport, StopReason, train};
use crate::sim::{Point, resolved_keys, run_seed};
use crate::systems::starts::pretrained;
use nalgebra::DMatrix;
use std::collections::BTreeMap;

/// The most bytes that the tensors of a trace may take.
pub const MOST_BYTES: usize = 8 << 30;

/// A run's whole training, in ambient coordinates. docs/reference/traces.md gives each tensor's shape.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Why training ended.
    pub stop: StopReason,
    /// Tensors by name.
    pub tensors: Vec<(&'static str, Tensor)>,
    /// Every resolved key under its last part, and what identifies the run.
    pub metadata: BTreeMap<String, String>,
}

/// One tensor.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// Shape, slowest index first.
    pub shape: Vec<usize>,
    /// Numbers in that order.
    pub data: TensorData,
}

/// The numbers of a tensor.
#[derive(Clone, Debug)]
pub enum TensorData {
    /// 64-bit floats.
    F64(Vec<f64>),
    /// 32-bit integers.
    I32(Vec<i32>),
}

impl TensorData {
    /// The numbers as little-endian bytes.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            TensorData::F64(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            TensorData::I32(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        }
    }
}

/// Bytes that the tensors of a trace of this point take.
pub fn trace_bytes(point: &Point) -> usize {
    let (data, model, training) = (&point.parameters.data, &point.parameters.model, &point.parameters.training);
    let tokens = training.iterations.saturating_mul(training.batch).saturating_mul(data.tokens);
    let noise = if data.tokens_are_patterns() { 0 } else { tokens.saturating_mul(8 * data.patterns) };
    let recorded = recorded_iterations(training.iterations, point.parameters.record.record_every).len();
    let routers = (recorded + 2) * model.experts * data.patterns * 8;
    let neurons = 2 * model.experts * model.neurons * data.patterns * 8;
    tokens.saturating_mul(4).saturating_add(noise).saturating_add(routers + neurons + 8 * data.patterns * data.patterns)
}

/// Trains run number `run` of a point again and keeps everything.
pub fn trace(point: &Point, run: u64, master_seed: u64, choice: EngineChoice) -> Trace {
    let parameters = &point.parameters;
    let seed = run_seed(master_seed, parameters, run);
    let (pretrained, failed) = match pretrained(parameters, seed, choice) {
        Ok(pretrained) => (pretrained, false),
        Err(failed) => (*failed.untrained, true),
    };
    let vocabulary = Vocabulary::new(parameters.data.patterns, parameters.data.basis, seed);
    let mut engine = choice.build(&pretrained.model, parameters, seed);
    let mut sampler = Sampler::of_training(parameters, seed);
    let planned = recorded_iterations(parameters.training.iterations, parameters.record.record_every);
    let mut recorder = Recorder::new(planned, &vocabulary);
    let (stop, iterations) = match failed {
        true => (StopReason::Diverged, 0),
        false => train(engine.as_mut(), &mut sampler, Schedule::training(parameters), &mut [&mut recorder]),
    };
    let stop = stop.unless_unsound(engine.as_ref());
    let mut metadata: BTreeMap<String, String> = resolved_keys(parameters)
        .into_iter()
        .map(|(path, value)| (path.rsplit('.').next().unwrap_or_default().to_owned(), value))
        .collect();
    metadata.insert("master_seed".to_owned(), master_seed.to_string());
    metadata.insert("run".to_owned(), run.to_string());
    metadata.insert("run_seed".to_owned(), seed.to_string());
    metadata.insert("stop_reason".to_owned(), stop.name().to_owned());
    metadata.insert("iterations_made".to_owned(), iterations.to_string());
    metadata.insert("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    let tensors = tensors(&pretrained.model, &engine.model(), &vocabulary, recorder);
    Trace { stop, tensors, metadata }
}

/// Keeps batches, and the routers at the planned iterations.
struct Recorder<'a> {
    planned: Vec<usize>,
    vocabulary: &'a Vocabulary,
    tokens_per_sample: usize,
    batch: usize,
    batches: usize,
    tokens: Vec<i32>,
    labels: Vec<i32>,
    noise: Vec<f64>,
    recorded: Vec<i32>,
    routers: Vec<f64>,
}

impl<'a> Recorder<'a> {
    fn new(planned: Vec<usize>, vocabulary: &'a Vocabulary) -> Self {
        Self {
            planned,
            vocabulary,
            tokens_per_sample: 0,
            batch: 0,
            batches: 0,
            tokens: Vec::new(),
            labels: Vec::new(),
            noise: Vec::new(),
            recorded: Vec::new(),
            routers: Vec::new(),
        }
    }
}

impl Observer for Recorder<'_> {
    fn observe(&mut self, iteration: usize, engine: &mut dyn Engine, _report: Option<&StepReport>) {
        if self.planned.binary_search(&iteration).is_ok() {
            self.recorded.push(iteration as i32);
            self.routers.extend(ambient_rows(self.vocabulary, &engine.routers()));
        }
    }

    fn batch(&mut self, _iteration: usize, batch: &Batch) {
        self.batches += 1;
        self.batch = batch.samples();
        self.tokens_per_sample = batch.tokens_per_sample;
        self.tokens.extend(batch.tokens.iter().map(|&token| token as i32));
        self.labels.extend(batch.labels.iter().map(|&label| label as i32));
        self.noise.extend(ambient_rows(self.vocabulary, &batch.noise));
    }
}

/// Rows of pattern coordinates, `[any, d]`, in ambient coordinates.
fn ambient_rows(vocabulary: &Vocabulary, rows: &[f64]) -> Vec<f64> {
    let d = vocabulary.patterns();
    let columns = DMatrix::from_column_slice(d, rows.len() / d, rows);
    vocabulary.to_ambient(columns).as_slice().to_vec()
}

fn tensors(before: &Model, after: &Model, vocabulary: &Vocabulary, recorder: Recorder) -> Vec<(&'static str, Tensor)> {
    let (k, m, d) = (before.experts(), before.neurons_per_expert, before.patterns);
    let real = |shape: &[usize], data: Vec<f64>| Tensor { shape: shape.to_vec(), data: TensorData::F64(data) };
    let integer = |shape: &[usize], data: Vec<i32>| Tensor { shape: shape.to_vec(), data: TensorData::I32(data) };
    let ambient = |rows: &[f64]| ambient_rows(vocabulary, rows);
    let identity: Vec<f64> = DMatrix::<f64>::identity(d, d).as_slice().to_vec();
    let Recorder { batches, batch, tokens_per_sample, .. } = recorder;
    let mut tensors = vec![
        // Row v is pattern v.
        ("basis", real(&[d, d], ambient(&identity))),
        ("signs", real(&[k], before.signs.clone())),
        ("routers_0", real(&[k, d], ambient(&before.routers))),
        ("neurons_0", real(&[k, m, d], ambient(&before.neurons))),
        ("tokens", integer(&[batches, batch, tokens_per_sample], recorder.tokens)),
        ("labels", integer(&[batches, batch], recorder.labels)),
        ("recorded", integer(&[recorder.recorded.len()], recorder.recorded.clone())),
        ("routers", real(&[recorder.recorded.len(), k, d], recorder.routers)),
        ("routers_t", real(&[k, d], ambient(&after.routers))),
        ("neurons_t", real(&[k, m, d], ambient(&after.neurons))),
    ];
    if !recorder.noise.is_empty() {
        tensors.push(("noise", real(&[batches, batch, tokens_per_sample, d], recorder.noise)));
    }
    tensors
}
