//! All at once, after training.

use super::{Outcome, PruningContext};
use crate::sim::parameters::Criterion;

pub(super) fn prune(context: PruningContext, criterion: Criterion) -> Option<Outcome> {
    let order = context.setting.parameters.pruning.order;
    criterion.importance().plan(context.statistics, order).map(Outcome::Plan)
}
