//! During training, in equal shares at the ends of windows.

use super::{Outcome, PruningContext, Trained};
use crate::patterns::Sampler;
use crate::prune::Statistics;
use crate::prune::statistics::changes_between;
use crate::run::calibration::calibrate;
use crate::sim::parameters::Criterion;
use crate::systems::Setting;

pub(super) fn prune(context: PruningContext, criterion: Criterion) -> Option<Outcome> {
    while_training(context, criterion, context.setting.parameters.pruning.windows)
}

/// Trains a model for each listed number kept, from the pre-trained one on the run's own batches. At the end of
/// window i of W, i < W, its experts are scored over that window alone, and i/(W − 1) of all that are to go are gone.
pub(super) fn while_training(context: PruningContext, criterion: Criterion, windows: usize) -> Option<Outcome> {
    let experts = context.pretrained.experts();
    let numbers = context.setting.parameters.pruning.finetune_kept.numbers(experts);
    let unpruned = Trained { kept: experts, tied: 0, model: Some(context.trained.boxed()) };
    let others = numbers.into_iter().filter(|&kept| kept < experts);
    let trained = others.map(|kept| trained_to(context, criterion, windows, kept));
    std::iter::once(Some(unpruned)).chain(trained).collect::<Option<Vec<Trained>>>().map(Outcome::Trained)
}

fn trained_to(context: PruningContext, criterion: Criterion, windows: usize, kept: usize) -> Option<Trained> {
    let Setting { parameters, seed, .. } = context.setting;
    let iterations = parameters.training.iterations;
    let experts = context.pretrained.experts();
    let mut sampler = Sampler::of_training(parameters, seed);
    let mut start = context.pretrained.boxed();
    let mut chance = context.statistics.chance.clone();
    let mut tied = 0;
    for window in 1..=windows {
        let length = iterations * window / windows - iterations * (window - 1) / windows;
        let Some(end) = context.train_on(start.boxed(), &mut sampler, length) else {
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
        let plan = criterion.importance().plan_for(&statistics, &parameters.pruning)?;
        let mut keep = plan.kept(left).to_vec();
        keep.sort_unstable();
        tied = tied.max(plan.tied(left));
        chance = keep.iter().map(|&place| statistics.chance[place]).collect();
        start = end.keep(&keep, None, parameters);
    }
    None
}
