//! When experts are pruned: at once, one after the other, or while the model trains.

use super::left::Left;
use crate::patterns::Sampler;
use crate::prune::statistics::router_changes;
use crate::prune::{Plan, Statistics};
use crate::sgd::EngineChoice;
use crate::sim::parameters::Criterion;
use crate::sim::parameters::{Parameters, PruningSchedule};

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
    pub(super) model: Option<Left>,
}

/// What all criteria of a run share.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    pub(super) statistics: &'a Statistics<'a>,
    pub(super) parameters: &'a Parameters,
    pub(super) seed: u64,
    pub(super) choice: EngineChoice,
}

impl Shared<'_> {
    /// Prunes by one criterion as the simulation's schedule says; `None` if the criterion lacks what it needs.
    pub(super) fn prune(self, criterion: Criterion) -> Option<Outcome> {
        let pruning = &self.parameters.pruning;
        match pruning.schedule {
            PruningSchedule::OneShot => criterion.importance().plan(self.statistics, pruning.order).map(Outcome::Plan),
            PruningSchedule::Iterative => self.one_by_one(criterion),
            PruningSchedule::HalfWay => self.while_training(criterion, 2),
            PruningSchedule::Windowed => self.while_training(criterion, pruning.windows),
        }
    }

    /// Removes one expert after the other, and scores what is left again before each.
    fn one_by_one(self, criterion: Criterion) -> Option<Outcome> {
        let Self { statistics: whole, parameters, .. } = self;
        let pruning = &parameters.pruning;
        let mut sampler = Sampler::of_finetuning(parameters, self.seed);
        let mut left = Some(Left::all(whole.after, parameters));
        let mut alive: Vec<usize> = (0..whole.after.experts()).collect();
        let mut removed = Vec::new();
        let mut ties = vec![0; alive.len()];
        let mut models = vec![Trained { kept: alive.len(), tied: 0, model: left.clone() }];
        while let Some(model) = left.as_ref().filter(|_| alive.len() > 1) {
            let kept = alive.len() - 1;
            let plan = if removed.is_empty() {
                criterion.importance().plan(whole, pruning.order)?
            } else {
                let (before, after) = (whole.before.subset(&alive), model.experts());
                let statistics = Statistics {
                    changes: router_changes(&before.routers, &after.routers, after.patterns),
                    before: &before,
                    after: &after,
                    early: alive.iter().map(|&expert| whole.early[expert]).collect(),
                    chance: alive.iter().map(|&expert| whole.chance[expert]).collect(),
                    calibration: criterion.needs_data().then(|| model.calibrate(parameters, self.seed)),
                };
                criterion.importance().plan(&statistics, pruning.order)?
            };
            let mut keep = plan.kept(kept).to_vec();
            keep.sort_unstable();
            removed.extend((0..=kept).filter(|place| !keep.contains(place)).map(|place| alive[place]));
            ties[kept - 1] = plan.tied(kept);
            alive = keep.iter().map(|&place| alive[place]).collect();
            left = self.trained(&model.keep(&keep, parameters), &mut sampler, pruning.step_iterations);
            models.push(Trained { kept, tied: ties[kept - 1], model: left.clone() });
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
        let experts = self.statistics.before.experts();
        let numbers = self.parameters.pruning.finetune_kept.numbers(experts);
        let unpruned =
            Trained { kept: experts, tied: 0, model: Some(Left::all(self.statistics.after, self.parameters)) };
        let others = numbers.into_iter().filter(|&kept| kept < experts);
        let trained = others.map(|kept| self.trained_to(criterion, windows, kept));
        std::iter::once(Some(unpruned)).chain(trained).collect::<Option<Vec<Trained>>>().map(Outcome::Trained)
    }

    fn trained_to(self, criterion: Criterion, windows: usize, kept: usize) -> Option<Trained> {
        let Self { statistics: whole, parameters, .. } = self;
        let iterations = parameters.training.iterations;
        let experts = whole.before.experts();
        let mut sampler = Sampler::of_training(parameters, self.seed);
        let mut start = Left::all(whole.before, parameters);
        let mut chance = whole.chance.clone();
        let mut tied = 0;
        for window in 1..=windows {
            let length = iterations * window / windows - iterations * (window - 1) / windows;
            let Some(end) = self.trained(&start, &mut sampler, length) else {
                return Some(Trained { kept, tied, model: None });
            };
            if window == windows {
                return Some(Trained { kept, tied, model: Some(end) });
            }
            let left = experts - (experts - kept) * window / (windows - 1);
            let (before, after) = (start.experts(), end.experts());
            let changes = router_changes(&before.routers, &after.routers, after.patterns);
            let calibration = criterion.needs_data().then(|| end.calibrate(parameters, self.seed));
            let early = changes.clone();
            let statistics = Statistics { before: &before, after: &after, changes, early, chance, calibration };
            let plan = criterion.importance().plan(&statistics, parameters.pruning.order)?;
            let mut keep = plan.kept(left).to_vec();
            keep.sort_unstable();
            tied = tied.max(plan.tied(left));
            chance = keep.iter().map(|&place| statistics.chance[place]).collect();
            start = end.keep(&keep, parameters);
        }
        None
    }

    fn trained(self, left: &Left, sampler: &mut Sampler, iterations: usize) -> Option<Left> {
        left.trained(sampler, iterations, self.parameters, (self.choice, self.seed))
    }
}
