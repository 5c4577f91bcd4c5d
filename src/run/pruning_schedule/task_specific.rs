//! Task-specific expert pruning (Chen et al. 2022, arXiv 2206.00277), for each number kept.
//!
//! Training is cut into windows. At the end of each the experts that are there are scored, here on the run's calibration set
//! in place of the window's own batches, and scores are summed over windows. With Z experts there, one whose share of all
//! sums is below β/Z goes for ever. At last the best are left. The authors keep one; here it is half of the listed number of
//! each sign, since one sign alone is always wrong on one class (L8). Shares say nothing of scores that may be negative:
//! while the sums do not add up to more than 0 nobody goes early. With `pruning.order = largest-first`, a control, nobody
//! goes early either, and the worst are left.

use super::{Outcome, PruningContext, Trained};
use crate::patterns::Sampler;
use crate::prune::statistics::changes_between;
use crate::prune::{Plan, Statistics};
use crate::run::calibration::calibrate;
use crate::sim::parameters::{Criterion, PruningOrder};
use crate::systems::{Setting, System};

/// When the best experts are left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Survival {
    /// After half of training; they go on alone.
    HalfWay,
    /// At its end.
    AtTheEnd,
    /// At its end; then they train alone from the start.
    Again,
}

pub(super) fn prune(context: PruningContext, criterion: Criterion, survival: Survival) -> Option<Outcome> {
    let experts = context.pretrained.experts();
    let numbers = context.setting.parameters.pruning.finetune_kept.numbers(experts);
    let mut models = vec![Trained { kept: experts, tied: 0, model: Some(context.trained.boxed()) }];
    for kept in numbers.into_iter().filter(|&kept| kept < experts) {
        models.push(Windows::new(context, criterion, kept).train(survival)?);
    }
    Some(Outcome::Trained(models))
}

/// A model in training, some of whose experts are gone.
struct Windows<'a> {
    context: PruningContext<'a>,
    criterion: Criterion,
    kept: usize,
    /// The numbers of the experts that are there, ascending.
    alive: Vec<usize>,
    /// Their summed scores.
    sums: Vec<f64>,
    /// The model at t = 0 without the others.
    start: Box<dyn System>,
    model: Box<dyn System>,
    tied: usize,
}

impl<'a> Windows<'a> {
    fn new(context: PruningContext<'a>, criterion: Criterion, kept: usize) -> Self {
        let alive: Vec<usize> = (0..context.pretrained.experts()).collect();
        let sums = vec![0.0; alive.len()];
        let (start, model) = (context.pretrained.boxed(), context.pretrained.boxed());
        Self { context, criterion, kept, alive, sums, start, model, tied: 0 }
    }

    /// The model that is left; `None` if the criterion lacks what it needs.
    fn train(mut self, survival: Survival) -> Option<Trained> {
        let Setting { parameters, seed, .. } = self.context.setting;
        let (all, windows) = (parameters.training.iterations, parameters.pruning.windows);
        let searched = if survival == Survival::HalfWay { all / 2 } else { all };
        let mut sampler = Sampler::of_training(parameters, seed);
        for window in 1..=windows {
            let length = searched * window / windows - searched * (window - 1) / windows;
            let Some(model) = self.context.train_on(self.model.boxed(), &mut sampler, length) else {
                return Some(self.diverged());
            };
            self.model = model;
            self.score()?;
            let left = match window == windows {
                true => {
                    let (best, tied) = self.best();
                    self.tied = tied;
                    best
                }
                false => self.above_share(),
            };
            self.leave(&left);
        }
        let end = match survival {
            Survival::HalfWay => self.context.train_on(self.model.boxed(), &mut sampler, all - searched),
            Survival::AtTheEnd => Some(self.model.boxed()),
            Survival::Again => {
                self.context.train_on(self.start.boxed(), &mut Sampler::of_training(parameters, seed), all)
            }
        };
        Some(Trained { kept: self.kept, tied: self.tied, model: end })
    }

    fn diverged(&self) -> Trained {
        Trained { kept: self.kept, tied: self.tied, model: None }
    }

    /// Adds the scores at this moment.
    fn score(&mut self) -> Option<()> {
        let Setting { parameters, seed, .. } = self.context.setting;
        let (before, after) = (self.start.as_ref(), self.model.as_ref());
        let changes = changes_between(before, after);
        let statistics = Statistics {
            before,
            after,
            early: changes.clone(),
            changes,
            chance: self.chance(),
            calibration: self.criterion.needs_data().then(|| calibrate(after, parameters, seed)),
        };
        let importance = self.criterion.importance();
        let turn = if importance.is_descending() { -1.0 } else { 1.0 };
        for (place, sum) in self.sums.iter_mut().enumerate() {
            *sum += turn * importance.score(place, &statistics)?;
        }
        Some(())
    }

    fn chance(&self) -> Vec<f64> {
        self.alive.iter().map(|&expert| self.context.statistics.chance[expert]).collect()
    }

    /// The places of the experts whose share is not too small, ascending, and in any case of the best of either sign, as
    /// many as the larger half of those that are to be left: whichever sign has the best of all in the end, they are there.
    fn above_share(&self) -> Vec<usize> {
        let pruning = &self.context.setting.parameters.pruning;
        let total: f64 = self.sums.iter().sum();
        if total <= 0.0 || pruning.order == PruningOrder::LargestFirst {
            return (0..self.alive.len()).collect();
        }
        let least = pruning.share_min * total / self.alive.len() as f64;
        let (own, others) = self.sides();
        let half = if others.is_empty() { self.kept } else { self.kept.div_ceil(2) };
        let best: Vec<usize> = [own, others].into_iter().flat_map(|side| self.best_of(side, half).0).collect();
        (0..self.alive.len()).filter(|&place| self.sums[place] >= least || best.contains(&place)).collect()
    }

    /// The places of the best experts of each sign, as many as are to be left, ascending, and how many chance chose among.
    /// Of an odd number the best of all has the larger half on its side.
    fn best(&self) -> (Vec<usize>, usize) {
        let (own, others) = self.sides();
        let on_own_side = if others.is_empty() { self.kept } else { self.kept.div_ceil(2) };
        let (mut best, tied) = self.best_of(own, on_own_side);
        let (others, tied_others) = self.best_of(others, self.kept - on_own_side);
        best.extend(others);
        best.sort_unstable();
        (best, tied.max(tied_others))
    }

    /// The places of the sign that the best of all has, and those of the other one; of one side if there are no signs.
    fn sides(&self) -> (Vec<usize>, Vec<usize>) {
        let first = self.best_of((0..self.alive.len()).collect(), 1).0;
        let sign = |place: usize| self.model.sign(place);
        let is_own = |place: &usize| first.first().is_some_and(|&first| sign(*place) == sign(first));
        (0..self.alive.len()).partition(is_own)
    }

    /// The best of these places, and how many are tied for the last of them.
    fn best_of(&self, places: Vec<usize>, count: usize) -> (Vec<usize>, usize) {
        if count == 0 || count >= places.len() {
            return (if count == 0 { Vec::new() } else { places }, 0);
        }
        let of = |all: &[f64]| places.iter().map(|&place| all[place]).collect::<Vec<f64>>();
        let order = self.context.setting.parameters.pruning.order;
        let plan = Plan::ranked(&of(&self.sums), order, &of(&self.chance()));
        (plan.kept(count).iter().map(|&number| places[number]).collect(), plan.tied(count))
    }

    /// Only the experts at these places stay.
    fn leave(&mut self, left: &[usize]) {
        if left.len() == self.alive.len() {
            return;
        }
        let parameters = self.context.setting.parameters;
        self.alive = left.iter().map(|&place| self.alive[place]).collect();
        self.sums = left.iter().map(|&place| self.sums[place]).collect();
        self.model = self.model.keep(left, None, parameters);
        self.start = self.context.without_others(&self.alive);
    }
}
