//! When experts are pruned: at once, one after the other, or while the model trains.

use super::calibration::calibrate;
use crate::patterns::Sampler;
use crate::prune::statistics::changes_between;
use crate::prune::{Plan, Statistics};
use crate::sgd::train;
use crate::sgd::train::Schedule;
use crate::sim::parameters::{Criterion, PruningSchedule};
use crate::systems::{Setting, System};

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
        let pruning = &self.setting.parameters.pruning;
        match pruning.schedule {
            PruningSchedule::OneShot => criterion.importance().plan(self.statistics, pruning.order).map(Outcome::Plan),
            PruningSchedule::Iterative => self.one_by_one(criterion),
            PruningSchedule::HalfWay => self.while_training(criterion, 2),
            PruningSchedule::Windowed => self.while_training(criterion, pruning.windows),
        }
    }

    /// Removes one expert after the other, and scores what is left again before each.
    fn one_by_one(self, criterion: Criterion) -> Option<Outcome> {
        let Self { statistics: whole, setting: Setting { parameters, seed, .. }, .. } = self;
        let pruning = &parameters.pruning;
        let mut sampler = Sampler::of_finetuning(parameters, seed);
        let mut left = Some(self.trained.boxed());
        let mut alive: Vec<usize> = (0..whole.after.experts()).collect();
        let mut removed = Vec::new();
        let mut ties = vec![0; alive.len()];
        let mut models = vec![Trained { kept: alive.len(), tied: 0, model: Some(self.trained.boxed()) }];
        while let Some(model) = left.as_ref().filter(|_| alive.len() > 1) {
            let kept = alive.len() - 1;
            let plan = if removed.is_empty() {
                criterion.importance().plan(whole, pruning.order)?
            } else {
                let (before, after) = (self.without_others(&alive), model.as_ref());
                let statistics = Statistics {
                    changes: changes_between(before.as_ref(), after),
                    before: before.as_ref(),
                    after,
                    early: alive.iter().map(|&expert| whole.early[expert]).collect(),
                    chance: alive.iter().map(|&expert| whole.chance[expert]).collect(),
                    calibration: criterion.needs_data().then(|| calibrate(after, parameters, seed)),
                };
                criterion.importance().plan(&statistics, pruning.order)?
            };
            let mut keep = plan.kept(kept).to_vec();
            keep.sort_unstable();
            removed.extend((0..=kept).filter(|place| !keep.contains(place)).map(|place| alive[place]));
            ties[kept - 1] = plan.tied(kept);
            alive = keep.iter().map(|&place| alive[place]).collect();
            left = self.train_on(model.keep(&keep, None, parameters), &mut sampler, pruning.step_iterations);
            models.push(Trained { kept, tied: ties[kept - 1], model: left.as_ref().map(|left| left.boxed()) });
        }
        if pruning.step_iterations > 0 {
            return Some(Outcome::Trained(models));
        }
        alive.extend(removed.into_iter().rev());
        Some(Outcome::Plan(Plan::Nested { keep_first: alive, tied: ties }))
    }

    /// Trains a model for each listed number kept, from the pre-trained one on the run's own batches. At the end of
    /// window i of W, i < W, its experts are scored over that window alone, and i/(W − 1) of all that are to go are gone.
    fn while_training(self, criterion: Criterion, windows: usize) -> Option<Outcome> {
        let experts = self.pretrained.experts();
        let numbers = self.setting.parameters.pruning.finetune_kept.numbers(experts);
        let unpruned = Trained { kept: experts, tied: 0, model: Some(self.trained.boxed()) };
        let others = numbers.into_iter().filter(|&kept| kept < experts);
        let trained = others.map(|kept| self.trained_to(criterion, windows, kept));
        std::iter::once(Some(unpruned)).chain(trained).collect::<Option<Vec<Trained>>>().map(Outcome::Trained)
    }

    fn trained_to(self, criterion: Criterion, windows: usize, kept: usize) -> Option<Trained> {
        let Setting { parameters, seed, .. } = self.setting;
        let iterations = parameters.training.iterations;
        let experts = self.pretrained.experts();
        let mut sampler = Sampler::of_training(parameters, seed);
        let mut start = self.pretrained.boxed();
        let mut chance = self.statistics.chance.clone();
        let mut tied = 0;
        for window in 1..=windows {
            let length = iterations * window / windows - iterations * (window - 1) / windows;
            let Some(end) = self.train_on(start.boxed(), &mut sampler, length) else {
                return Some(Trained { kept, tied, model: None });
            };
            if window == windows {
                return Some(Trained { kept, tied, model: Some(end) });
            }
            let left = experts - (experts - kept) * window / (windows - 1);
            let (before, after) = (start.as_ref(), end.as_ref());
            let changes = changes_between(before, after);
            let calibration = criterion.needs_data().then(|| calibrate(after, parameters, seed));
            let early = changes.clone();
            let statistics = Statistics { before, after, changes, early, chance, calibration };
            let plan = criterion.importance().plan(&statistics, parameters.pruning.order)?;
            let mut keep = plan.kept(left).to_vec();
            keep.sort_unstable();
            tied = tied.max(plan.tied(left));
            chance = keep.iter().map(|&place| statistics.chance[place]).collect();
            start = end.keep(&keep, None, parameters);
        }
        None
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
