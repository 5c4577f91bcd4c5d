//! During training, at whose end the best experts are left.

use super::task_specific::Survival;
use super::{Outcome, PruningContext};
use crate::sim::parameters::Criterion;

pub(super) fn prune(context: PruningContext, criterion: Criterion) -> Option<Outcome> {
    super::task_specific::prune(context, criterion, Survival::AtTheEnd)
}
