//! After training, one after the other.

use super::{Outcome, PruningContext, Trained};
use crate::patterns::Sampler;
use crate::prune::statistics::changes_between;
use crate::prune::{Plan, Statistics};
use crate::run::calibration::calibrate;
use crate::sim::parameters::Criterion;
use crate::systems::Setting;

/// Removes one expert after the other, and scores what is left again before each.
pub(super) fn prune(context: PruningContext, criterion: Criterion) -> Option<Outcome> {
    let PruningContext { statistics: whole, setting: Setting { parameters, seed, .. }, .. } = context;
    let pruning = &parameters.pruning;
    let mut sampler = Sampler::of_finetuning(parameters, seed);
    let mut left = Some(context.trained.boxed());
    let mut alive: Vec<usize> = (0..whole.after.experts()).collect();
    let mut removed = Vec::new();
    let mut ties = vec![0; alive.len()];
    let mut models = vec![Trained { kept: alive.len(), tied: 0, model: Some(context.trained.boxed()) }];
    while let Some(model) = left.as_ref().filter(|_| alive.len() > 1) {
        let kept = alive.len() - 1;
        let plan = if removed.is_empty() {
            criterion.importance().plan_for(whole, pruning)?
        } else {
            let (before, after) = (context.without_others(&alive), model.as_ref());
            let statistics = Statistics {
                changes: changes_between(before.as_ref(), after),
                before: before.as_ref(),
                after,
                early: alive.iter().map(|&expert| whole.early[expert]).collect(),
                chance: alive.iter().map(|&expert| whole.chance[expert]).collect(),
                calibration: criterion.needs_data().then(|| calibrate(after, parameters, seed)),
            };
            criterion.importance().plan_for(&statistics, pruning)?
        };
        let mut keep = plan.kept(kept).to_vec();
        keep.sort_unstable();
        removed.extend((0..=kept).filter(|place| !keep.contains(place)).map(|place| alive[place]));
        ties[kept - 1] = plan.tied(kept);
        alive = keep.iter().map(|&place| alive[place]).collect();
        left = context.train_on(model.keep(&keep, None, parameters), &mut sampler, pruning.step_iterations);
        models.push(Trained { kept, tied: ties[kept - 1], model: left.as_ref().map(|left| left.boxed()) });
    }
    if pruning.step_iterations > 0 {
        return Some(Outcome::Trained(models));
    }
    alive.extend(removed.into_iter().rev());
    Some(Outcome::Plan(Plan::Nested { keep_first: alive, tied: ties }))
}
