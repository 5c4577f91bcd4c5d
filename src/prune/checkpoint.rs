//! The weights of a mixture of experts at one moment, as criteria read them.

use crate::moe::Model;
use std::fmt::Debug;

/// Rows of routers and rows of experts, whatever they mean to the system that they are of.
pub trait Checkpoint: Debug {
    /// k.
    fn experts(&self) -> usize;

    /// The router of one expert; all are of one length, 0 where no expert has one of its own.
    fn router(&self, expert: usize) -> &[f64];

    /// The trained weights of one expert but its router's: rows of [`Checkpoint::row_length`] numbers.
    fn expert_weights(&self, expert: usize) -> &[f64];

    /// Length of a row of an expert's weights: of a neuron, of a scaling vector.
    fn row_length(&self) -> usize;

    /// a_s: the sign of everything that an expert says; `None` if it has none.
    fn sign(&self, expert: usize) -> Option<f64>;

    /// The experts that stand in one group with this one, itself among them: a token's softmax is over one group.
    fn peers(&self, _expert: usize) -> Vec<usize> {
        (0..self.experts()).collect()
    }

    /// Whether coordinate v of a router is its score of pattern v.
    fn is_in_pattern_coordinates(&self) -> bool;
}

impl Checkpoint for Model {
    fn experts(&self) -> usize {
        self.signs.len()
    }

    fn router(&self, expert: usize) -> &[f64] {
        Model::router(self, expert)
    }

    fn expert_weights(&self, expert: usize) -> &[f64] {
        self.expert_neurons(expert)
    }

    fn row_length(&self) -> usize {
        self.patterns
    }

    fn sign(&self, expert: usize) -> Option<f64> {
        Some(self.signs[expert])
    }

    fn is_in_pattern_coordinates(&self) -> bool {
        true
    }
}
