//! The training loop: batches in, observers beside it, a stop reason out.

use super::engine::{Engine, StepReport};
use super::objective::Objective;
use crate::moe::model::{has_finite_norms, has_subnormal};
use crate::patterns::{Batch, Sampler};
use crate::sim::parameters::Parameters;
use crate::sim::words::words;

words! {
    /// Why training ended.
    pub enum StopReason {
        /// All iterations were made.
        Finished = "finished",
        /// The loss was exactly 0 over the whole window.
        ZeroLoss = "zero-loss",
        /// An output, a weight or the norm of weights was no finite number.
        Diverged = "diverged",
        /// A weight of the trained model is below the normal range of 64-bit numbers, where digits are lost.
        Underflow = "underflow",
    }
}

impl StopReason {
    /// Whether there is a trained model whose accuracy means something.
    pub(crate) fn leaves_a_model(self) -> bool {
        !matches!(self, StopReason::Diverged | StopReason::Underflow)
    }

    /// The reason, or that the model which it leaves has weights that nothing can be said of.
    pub(crate) fn unless_unsound(self, engine: &dyn Engine) -> Self {
        if !self.leaves_a_model() {
            return self;
        }
        let weights = [engine.routers(), engine.expert_weights(), engine.shared_weights()];
        let overflows = weights.iter().any(|weights| !has_finite_norms(weights));
        let underflows = weights.iter().any(|weights| has_subnormal(weights));
        match (overflows, underflows) {
            (true, _) => StopReason::Diverged,
            (false, true) => StopReason::Underflow,
            (false, false) => self,
        }
    }
}

/// Sees the engine before the first step (`iteration` 0) and after every step.
pub trait Observer {
    /// `iteration` steps have been made; `report` is the last step's, `None` before the first.
    fn observe(&mut self, iteration: usize, engine: &mut dyn Engine, report: Option<&StepReport>);

    /// The batch that the next step takes.
    fn batch(&mut self, _iteration: usize, _batch: &Batch) {}

    /// What the next step minimises, which an observer may change: annealing. It stays so until it is changed again.
    fn objective(&mut self, _iteration: usize, _objective: &mut Objective) {}
}

/// How long to train, and to what end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// B: samples of a batch.
    pub batch: usize,
    /// T: iterations.
    pub iterations: usize,
    /// Stop after this many iterations in a row without loss; 0: never.
    pub zero_loss_window: usize,
    /// What the first step minimises, and every other unless an observer changes it.
    pub objective: Objective,
}

impl Schedule {
    /// The schedule of the training itself.
    pub fn training(parameters: &Parameters) -> Self {
        let training = &parameters.training;
        Self {
            batch: training.batch,
            iterations: training.iterations,
            zero_loss_window: training.zero_loss_window,
            objective: Objective::from(training),
        }
    }

    /// The schedule of the fine-tuning after pruning: T′ iterations at the same batch size.
    pub fn finetuning(parameters: &Parameters) -> Self {
        let mut schedule = Self { iterations: parameters.pruning.finetune_iterations, ..Self::training(parameters) };
        schedule.objective.regularisers.entropy = parameters.pruning.finetune_entropy;
        schedule
    }
}

/// Trains `engine` on fresh batches; returns why it stopped and after how many iterations.
pub fn train(
    engine: &mut dyn Engine,
    sampler: &mut Sampler,
    schedule: Schedule,
    observers: &mut [&mut dyn Observer],
) -> (StopReason, usize) {
    let mut batch = Batch::default();
    let mut objective = schedule.objective;
    let mut without_loss = 0;
    for observer in observers.iter_mut() {
        observer.observe(0, engine, None);
    }
    for iteration in 0..schedule.iterations {
        sampler.fill(&mut batch, schedule.batch);
        for observer in observers.iter_mut() {
            observer.batch(iteration, &batch);
            observer.objective(iteration, &mut objective);
        }
        let Ok(report) = engine.step(&batch, &objective) else {
            return (StopReason::Diverged, iteration);
        };
        for observer in observers.iter_mut() {
            observer.observe(iteration + 1, engine, Some(&report));
        }
        without_loss = if report.active == 0 { without_loss + 1 } else { 0 };
        if schedule.zero_loss_window > 0 && without_loss >= schedule.zero_loss_window {
            return (StopReason::ZeroLoss, iteration + 1);
        }
    }
    (StopReason::Finished, schedule.iterations)
}
