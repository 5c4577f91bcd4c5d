//! All at once, after training.

use super::{Outcome, PruningContext};
use crate::sim::parameters::Criterion;

pub(super) fn prune(context: PruningContext, criterion: Criterion) -> Option<Outcome> {
    let pruning = &context.setting.parameters.pruning;
    criterion.importance().plan_for(context.statistics, pruning).map(Outcome::Plan)
}
