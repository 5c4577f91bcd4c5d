//! A silent expert: one whose neurons are all 0. Its router still takes tokens, which then contribute 0.

use super::{Given, Remains, Way, levelled, nothing};
use crate::moe::Model;

pub(super) const WAY: Way = Way { remove, activation: nothing };

fn remove(model: &Model, kept: &[usize], _given: &Given) -> Remains {
    Remains::with_all_routers(levelled(model, kept, |_| 0.0), kept.to_vec())
}
