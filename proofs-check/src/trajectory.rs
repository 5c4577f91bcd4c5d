//! Training, recorded: the model at every step and all that a check reads.

use crate::configuration::Configuration;
use moe_theory::measure::norms::RouterChange;
use moe_theory::moe::Model;
use moe_theory::patterns::{Batch, Sampler, Vocabulary};
use moe_theory::sgd::train::Schedule;
use moe_theory::sgd::{DenseEngine, Engine, Objective, Observer, PatternEngine, Rates, StepReport, StopReason, train};
use moe_theory::sim::parameters::{Basis, DataParameters};

/// Which engine trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// The pattern engine, which keeps the reduced state.
    Pattern,
    /// The dense engine, which keeps plain weights on the run's basis.
    Dense,
}

impl EngineKind {
    /// Both engines.
    pub const BOTH: [EngineKind; 2] = [EngineKind::Pattern, EngineKind::Dense];

    /// The engine's name.
    pub fn word(self) -> &'static str {
        match self {
            EngineKind::Pattern => "pattern",
            EngineKind::Dense => "dense",
        }
    }
}

/// The router gradient of one sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// Steps made before it was taken.
    pub iteration: usize,
    /// ∇_{w_s} ℓ of the sample in pattern coordinates, `[k, d]`.
    pub gradient: Vec<f64>,
}

/// A recorded run. All weights are in pattern coordinates.
#[derive(Clone, Debug)]
pub struct Trajectory {
    /// Whether the engine keeps the pattern coordinates themselves, so that they carry no rounding of a basis.
    pub exact: bool,
    /// η_r and η_e.
    pub rates: Rates,
    /// The model before the first step and after every step.
    pub models: Vec<Model>,
    /// R_s as the engine tells it at each of these models, `[k]` each.
    pub ranges: Vec<Vec<f64>>,
    /// The routers' changes since t = 0 as the measurements tell them at each of these models, `[k]` each.
    pub changes: Vec<Vec<RouterChange>>,
    /// The batch of each step.
    pub batches: Vec<Batch>,
    /// Router gradients of two samples of each batch.
    pub probes: Vec<Probe>,
    /// Whether all steps were made.
    pub finished: bool,
    /// The distribution of the inputs.
    pub data: DataParameters,
    /// T: steps planned.
    pub iterations: usize,
    /// The run's seed.
    pub seed: u64,
}

impl Trajectory {
    /// d.
    pub fn patterns(&self) -> usize {
        self.models[0].patterns
    }

    /// k.
    pub fn experts(&self) -> usize {
        self.models[0].experts()
    }

    /// Iteration, model before and model after, for every step.
    pub fn steps(&self) -> impl Iterator<Item = (usize, &Model, &Model)> {
        self.models.windows(2).enumerate().map(|(iteration, pair)| (iteration, &pair[0], &pair[1]))
    }

    /// Trains `initial` with one of the engines as the configuration says.
    pub fn of(configuration: &Configuration, initial: &Model, kind: EngineKind) -> Self {
        let parameters = &configuration.parameters;
        let rates = Rates::from(&parameters.training);
        match kind {
            EngineKind::Pattern => {
                let mut engine = PatternEngine::new(initial, rates);
                Self::record(configuration, &mut engine, true)
            }
            EngineKind::Dense => {
                let mut engine = DenseEngine::new(initial, configuration.vocabulary(), rates);
                Self::record(configuration, &mut engine, parameters.data.basis == Basis::Canonical)
            }
        }
    }

    /// Trains `engine` as the configuration says. `exact`: the engine keeps the pattern coordinates themselves.
    pub fn record(configuration: &Configuration, engine: &mut dyn Engine, exact: bool) -> Self {
        let parameters = &configuration.parameters;
        let training = &parameters.training;
        let mut recorder = Recorder {
            vocabulary: configuration.vocabulary(),
            trajectory: Trajectory {
                exact,
                rates: Rates::from(training),
                models: Vec::new(),
                ranges: Vec::new(),
                changes: Vec::new(),
                batches: Vec::new(),
                probes: Vec::new(),
                finished: false,
                data: parameters.data.clone(),
                iterations: training.iterations,
                seed: configuration.seed,
            },
        };
        let mut sampler = Sampler::training(&parameters.data, configuration.seed);
        let schedule = Schedule {
            batch: training.batch,
            iterations: training.iterations,
            zero_loss_window: training.zero_loss_window,
            objective: Objective::from(training),
        };
        let (reason, _) = train(engine, &mut sampler, schedule, &mut [&mut recorder]);
        recorder.trajectory.finished = reason == StopReason::Finished;
        recorder.trajectory
    }
}

struct Recorder {
    vocabulary: Vocabulary,
    trajectory: Trajectory,
}

impl Observer for Recorder {
    fn observe(&mut self, _iteration: usize, engine: &mut dyn Engine, _report: Option<&StepReport>) {
        let Some(engine) = engine.theory() else { return };
        let trajectory = &mut self.trajectory;
        let model = engine.model();
        // A floor below 0 makes the engine tell every range.
        let range = |expert| engine.range_above(expert, -1.0).unwrap_or(f64::NAN);
        trajectory.ranges.push((0..model.experts()).map(range).collect());
        let initial = trajectory.models.first().unwrap_or(&model);
        let change = |expert| RouterChange::between(initial.router(expert), model.router(expert));
        trajectory.changes.push((0..model.experts()).map(change).collect());
        trajectory.models.push(model);
    }

    fn batch(&mut self, iteration: usize, batch: &Batch) {
        let trajectory = &mut self.trajectory;
        if let Some(model) = trajectory.models.last() {
            let mut engine = DenseEngine::new(model, self.vocabulary.clone(), trajectory.rates);
            let last = batch.samples() - 1;
            for sample in if last == 0 { vec![0] } else { vec![0, last] } {
                if let Ok(gradients) = engine.gradients(&single(batch, sample)) {
                    let gradient = self.vocabulary.to_patterns(&gradients.routers.transpose()).as_slice().to_vec();
                    trajectory.probes.push(Probe { iteration, gradient });
                }
            }
        }
        trajectory.batches.push(batch.clone());
    }
}

/// One noise-free sample of a batch.
fn single(batch: &Batch, sample: usize) -> Batch {
    Batch {
        tokens_per_sample: batch.tokens_per_sample,
        tokens: batch.sample(sample).to_vec(),
        labels: vec![batch.labels[sample]],
        class_positions: vec![batch.class_positions[sample]],
        noise: Vec::new(),
    }
}
