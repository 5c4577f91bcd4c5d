//! The expert stays, with its neurons rounded to few bits: nothing is removed.

use super::{Given, Remains, Way, nothing};
use crate::moe::Model;
use crate::prune::quantise::quantised;

pub(super) const WAY: Way = Way { remove, activation: nothing };

fn remove(model: &Model, kept: &[usize], given: &Given) -> Remains {
    let others: Vec<usize> = (0..model.experts()).filter(|expert| !kept.contains(expert)).collect();
    let rounded = quantised(model, &others, 1 << given.pruning.bits, given.pruning.range);
    Remains::with_all_routers(rounded, (0..model.experts()).collect())
}
