//! The pairs (token, expert) of one sample, in blocks of one softmax each.

use crate::patterns::Pattern;

/// A token at an expert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The expert.
    pub expert: usize,
    /// Position of the token in its sample.
    pub position: usize,
    /// Its pattern.
    pub pattern: Pattern,
    /// G: its share of the block's softmax.
    pub gate: f64,
    /// Whether G·σ enters the output: the pair was chosen, the expert had room, and was not pruned.
    pub carries: bool,
}

/// The pairs of one sample, block after block.
#[derive(Clone, Debug, Default)]
pub struct Routed {
    /// All pairs.
    pub pairs: Vec<Pair>,
    /// Where each block ends in `pairs`.
    pub ends: Vec<usize>,
    /// Room for the positions that are chosen, kept from sample to sample.
    pub(super) chosen: Vec<usize>,
    /// Room for the scores of one choice.
    pub(super) scores: Vec<f64>,
}

impl Routed {
    /// The blocks, in order.
    pub fn blocks(&self) -> impl Iterator<Item = &[Pair]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.pairs[start..end])
    }

    /// The pairs that carry.
    pub fn carrying(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter().filter(|pair| pair.carries)
    }

    pub(super) fn clear(&mut self) {
        self.pairs.clear();
        self.ends.clear();
    }

    pub(super) fn end_block(&mut self) {
        self.ends.push(self.pairs.len());
    }
}
