//! The expert goes with its router.

use super::{Given, Remains, Way, nothing};
use crate::moe::Model;

pub(super) const WAY: Way = Way { remove, activation: nothing };

fn remove(model: &Model, kept: &[usize], _given: &Given) -> Remains {
    Remains::smaller(model.subset(kept), kept.to_vec())
}
