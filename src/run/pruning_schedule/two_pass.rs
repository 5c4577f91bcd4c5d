//! During a first training, which finds the experts that train alone in a second one.

use super::task_specific::Survival;
use super::{Outcome, PruningContext};
use crate::sim::parameters::Criterion;

pub(super) fn prune(context: PruningContext, criterion: Criterion) -> Option<Outcome> {
    super::task_specific::prune(context, criterion, Survival::Again)
}
