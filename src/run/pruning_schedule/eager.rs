//! During training, at half of which the best experts are left.

use super::task_specific::Survival;
use super::{Outcome, PruningContext};
use crate::sim::parameters::Criterion;

pub(super) fn prune(context: PruningContext, criterion: Criterion) -> Option<Outcome> {
    super::task_specific::prune(context, criterion, Survival::HalfWay)
}
