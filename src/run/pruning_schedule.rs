//! When experts are pruned: at once, one after the other, or while the model trains. Each schedule is a file here, with a
//! function `prune`, and a row of the catalogue of schedules.

use crate::catalogue::files;
use crate::catalogue::schedules::schedules;
use crate::patterns::Sampler;
use crate::prune::{Plan, Statistics};
use crate::sgd::train;
use crate::sgd::train::Schedule;
use crate::sim::parameters::Criterion;
use crate::systems::{Setting, System};

mod task_specific;

schedules!(files[PRUNE: fn(PruningContext, Criterion) -> Option<Outcome> = prune]);

/// What a criterion's pruning leaves.
pub(super) enum Outcome {
    /// Kept experts of the trained model.
    Plan(Plan),
    /// Models that were trained after or between removals.
    Trained(Vec<Trained>),
}

/// A pruned model that went on training.
pub(super) struct Trained {
    pub(super) kept: usize,
    /// The most experts that were tied at any of its removals; 0 if chance chose none.
    pub(super) tied: usize,
    /// `None` if it diverged or underflowed.
    pub(super) model: Option<Box<dyn System>>,
}

/// What all criteria of a run share.
#[derive(Clone, Copy)]
pub(super) struct PruningContext<'a> {
    pub(super) statistics: &'a Statistics<'a>,
    /// The system at t = 0.
    pub(super) pretrained: &'a dyn System,
    /// The system that is pruned.
    pub(super) trained: &'a dyn System,
    pub(super) setting: Setting<'a>,
}

impl PruningContext<'_> {
    /// Prunes by one criterion as the simulation's schedule says; `None` if the criterion lacks what it needs.
    pub(super) fn prune(self, criterion: Criterion) -> Option<Outcome> {
        PRUNE[self.setting.parameters.pruning.schedule as usize](self, criterion)
    }

    /// The system at t = 0 without the experts that are gone.
    fn without_others(self, alive: &[usize]) -> Box<dyn System> {
        self.pretrained.keep(alive, None, self.setting.parameters)
    }

    /// A system after further iterations on the batches of `sampler`; `None` if it diverged or underflowed.
    fn train_on(self, system: Box<dyn System>, sampler: &mut Sampler, iterations: usize) -> Option<Box<dyn System>> {
        if iterations == 0 {
            return Some(system);
        }
        let mut engine = system.engine(&self.setting);
        // Windows have their lengths whatever the loss is.
        let schedule = Schedule { iterations, zero_loss_window: 0, ..Schedule::training(self.setting.parameters) };
        let (stop, _) = train(engine.as_mut(), sampler, schedule, &mut []);
        let is_one = stop.unless_unsound(engine.as_ref()).leaves_a_model();
        is_one.then(|| system.with_weights_of(engine.as_ref()))
    }
}
