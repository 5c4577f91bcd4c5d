//! During training, all at once after half of it: two windows.

use super::windowed::while_training;
use super::{Outcome, PruningContext};
use crate::sim::parameters::Criterion;

pub(super) fn prune(context: PruningContext, criterion: Criterion) -> Option<Outcome> {
    while_training(context, criterion, 2)
}
