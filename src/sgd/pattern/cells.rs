//! The reduced state of the neurons (lemma L5).
//!
//! On a noise-free sample the pre-activation of neuron r on pattern v is its weight h_{s,r,v}, and every neuron with
//! h > 0 moves by the same amount. A neuron with h ≤ 0 is frozen for ever (L4). So one offset per (expert, pattern) and
//! the initial weights say everything: a neuron dies when the offset first falls to minus its initial weight. The live
//! ones are the first in descending order of initial weight.

use super::table::Table;
use crate::moe::Model;

/// Fields of [`Cells::state`].
pub(super) mod state {
    /// How far every live neuron has moved.
    pub(in super::super) const OFFSET: usize = 0;
    /// Sum of the initial weights of the live neurons.
    pub(in super::super) const LIVE_SUM: usize = 1;
    /// Number of live neurons.
    pub(in super::super) const LIVE: usize = 2;
    /// Smallest initial weight of a live neuron; +∞ if none lives.
    pub(in super::super) const SMALLEST: usize = 3;
}

/// Numbers of the changing state of a (pattern, expert).
pub(super) const STATE: usize = 4;

/// The neurons of all experts.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    experts: usize,
    neurons: usize,
    /// The changing numbers.
    pub(super) state: Table<STATE>,
    /// Initial weights in descending order, `[d, k, m]`; of a dead neuron the weight that it keeps.
    weights: Vec<f64>,
    /// Sums of the first 1, 2, … m of the initial weights, `[d, k, m]`.
    sums: Vec<f64>,
    /// Which neuron each of them is, `[d, k, m]`.
    neuron: Vec<u32>,
}

impl Cells {
    /// The reduced state of a model at t = 0, for vectors of `lanes` numbers.
    pub(super) fn new(model: &Model, lanes: usize) -> Self {
        let (k, m, d) = (model.experts(), model.neurons_per_expert, model.patterns);
        let mut cells = Self {
            experts: k,
            neurons: m,
            state: Table::new(d, k, lanes),
            weights: Vec::with_capacity(k * m * d),
            sums: Vec::with_capacity(k * m * d),
            neuron: Vec::with_capacity(k * m * d),
        };
        let mut column: Vec<(f64, u32)> = Vec::with_capacity(m);
        for pattern in 0..d {
            for expert in 0..k {
                let weights = model.expert_neurons(expert);
                column.clear();
                column.extend((0..m).map(|r| (weights[r * d + pattern], r as u32)));
                column.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                cells.weights.extend(column.iter().map(|&(weight, _)| weight));
                cells.neuron.extend(column.iter().map(|&(_, r)| r));
                let mut sum = 0.0;
                cells.sums.extend(column.iter().map(|&(weight, _)| {
                    sum += weight;
                    sum
                }));
                let live = column.iter().take_while(|&&(weight, _)| weight > 0.0).count();
                cells.set_live(pattern, expert, live);
            }
            for nobody in k..cells.state.places() {
                cells.state.set(pattern, nobody, state::SMALLEST, f64::INFINITY);
            }
        }
        cells
    }

    /// σ of one cell: (Σ_live h⁰ + live · offset)/m.
    pub(super) fn activation(&self, pattern: usize, expert: usize) -> f64 {
        let number = |field| self.state.get(pattern, expert, field);
        // Every live weight is positive; the maximum takes away what rounding leaves of a sum that cancels.
        let sum = number(state::LIVE_SUM) + number(state::LIVE) * number(state::OFFSET);
        sum.max(0.0) * (1.0 / self.neurons as f64)
    }

    /// Takes out the neurons that the last move killed, if any; they keep the weights that they have now.
    pub(super) fn bury(&mut self, pattern: usize, expert: usize) -> bool {
        let offset = self.state.get(pattern, expert, state::OFFSET);
        if self.state.get(pattern, expert, state::SMALLEST) + offset > 0.0 {
            return false;
        }
        let mut live = self.state.get(pattern, expert, state::LIVE) as usize;
        let weights = &mut self.weights[(pattern * self.experts + expert) * self.neurons..][..self.neurons];
        while live > 0 && weights[live - 1] + offset <= 0.0 {
            live -= 1;
            weights[live] += offset;
        }
        self.set_live(pattern, expert, live);
        true
    }

    fn set_live(&mut self, pattern: usize, expert: usize, live: usize) {
        let first = (pattern * self.experts + expert) * self.neurons;
        let (sum, smallest) = match live {
            0 => (0.0, f64::INFINITY),
            _ => (self.sums[first + live - 1], self.weights[first + live - 1]),
        };
        self.state.set(pattern, expert, state::LIVE, live as f64);
        self.state.set(pattern, expert, state::LIVE_SUM, sum);
        self.state.set(pattern, expert, state::SMALLEST, smallest);
    }

    /// The neurons, `[k, m, d]`: h⁰ + offset for the live, h⁰ + offset at death for the dead.
    pub(super) fn neurons(&self) -> Vec<f64> {
        let (k, m) = (self.experts, self.neurons);
        let d = self.weights.len() / (k * m).max(1);
        let mut neurons = vec![0.0; k * m * d];
        for cell in 0..d * k {
            let (pattern, expert) = (cell / k, cell % k);
            let live = self.state.get(pattern, expert, state::LIVE) as usize;
            let offset = self.state.get(pattern, expert, state::OFFSET);
            for place in 0..m {
                let at = cell * m + place;
                let moved = if place < live { offset } else { 0.0 };
                neurons[(expert * m + self.neuron[at] as usize) * d + pattern] = self.weights[at] + moved;
            }
        }
        neurons
    }
}
