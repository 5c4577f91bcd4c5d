//! The capacity of experts in token-choice routing, as in V-MoE (Riquelme et al. 2021, arXiv 2106.05974, algorithms 1 and
//! 2), with one sample as the group of tokens that share the room.

use super::routed::Routed;
use super::routing::descending;
use crate::sim::parameters::Priority;
use crate::sim::parameters::{CapacityRounding, ModelParameters};
use crate::stats::decimal::product;

/// Room for tokens at every expert.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Capacity {
    /// Tokens of a sample that an expert has room for.
    slots: usize,
    /// c.
    choices: usize,
    priority: Priority,
}

impl Capacity {
    /// Room for the nearest integer to ratio·c·n/k tokens, at least 1, or for the next multiple of 4; k is the number of
    /// experts of the group.
    pub(crate) fn new(model: &ModelParameters, tokens: usize, experts: usize) -> Self {
        let choices = model.experts_per_token;
        let room = product(model.capacity, (choices * tokens) as f64) / experts as f64;
        let slots = match model.capacity_rounding {
            CapacityRounding::Nearest => (room.round() as usize).max(1),
            CapacityRounding::UpToFours => (room.ceil() as usize).next_multiple_of(4),
        };
        Self { slots, choices, priority: model.priority }
    }

    /// Takes from the pairs of the blocks from number `first` on those that find no room: all first choices come before
    /// all second ones; within a rank tokens come by their positions, or by their largest gate, ties by position. A
    /// block lists its token's chosen experts first, in descending order of score.
    pub(super) fn limit(&self, routed: &mut Routed, first: usize, experts: usize) {
        let start_of = |block: usize| if block == 0 { 0 } else { routed.ends[block - 1] };
        let mut blocks: Vec<(usize, usize)> =
            (first..routed.ends.len()).map(|block| (start_of(block), routed.ends[block])).collect();
        if self.priority == Priority::Gate {
            // A stable sort: equal gates keep the order of positions.
            let largest = |block: &(usize, usize)| routed.pairs.get(block.0).map_or(0.0, |pair| pair.gate);
            blocks.sort_by(|a, b| descending(largest(a), largest(b)));
        }
        let mut taken = vec![0; experts];
        for rank in 0..self.choices {
            for &(start, end) in &blocks {
                let Some(pair) = routed.pairs[start..end].get_mut(rank) else { continue };
                pair.carries = taken[pair.expert] < self.slots;
                taken[pair.expert] += usize::from(pair.carries);
            }
        }
    }
}
