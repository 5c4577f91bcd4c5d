//! The reduced state of the neurons (lemma L5).
//!
//! On a noise-free sample the pre-activation of neuron r on pattern v is its weight h_{s,r,v}, and every neuron with
//! h > 0 moves by the same amount. A neuron with h ≤ 0 is frozen for ever (L4). So one offset per (expert, pattern), its
//! running minimum and the initial weights say everything: neuron r lives iff h⁰_r + minimum > 0.

use crate::moe::Model;

/// The changing numbers of one (expert, pattern).
#[derive(Clone, Copy, Debug)]
struct Cell {
    /// How far every live neuron has moved.
    offset: f64,
    /// Smallest offset so far.
    minimum: f64,
    /// Sum of the initial weights of the live neurons.
    live_sum: f64,
    /// Smallest initial weight of a live neuron; +∞ if none lives.
    live_smallest: f64,
    /// Live neurons: the first ones in descending order of initial weight.
    live: u32,
}

/// The neurons of all experts, by cell (pattern · k + expert).
#[derive(Clone, Debug)]
pub struct Cells {
    experts: usize,
    neurons: usize,
    cells: Vec<Cell>,
    /// Initial weights in descending order, `[cells, m]`.
    initial: Vec<f64>,
    /// Which neuron each of them is, `[cells, m]`.
    neuron: Vec<u32>,
    /// Offset at which a dead neuron died, `[cells, m]`: gives the neurons back.
    death: Vec<f64>,
}

impl Cells {
    /// The reduced state of a model at t = 0.
    pub fn new(model: &Model) -> Self {
        let (k, m, d) = (model.experts(), model.neurons_per_expert, model.patterns);
        let mut initial = Vec::with_capacity(k * m * d);
        let mut neuron = Vec::with_capacity(k * m * d);
        let mut cells = Vec::with_capacity(k * d);
        let mut column: Vec<(f64, u32)> = Vec::with_capacity(m);
        for pattern in 0..d {
            for expert in 0..k {
                let weights = model.expert_neurons(expert);
                column.clear();
                column.extend((0..m).map(|r| (weights[r * d + pattern], r as u32)));
                column.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                initial.extend(column.iter().map(|&(weight, _)| weight));
                neuron.extend(column.iter().map(|&(_, r)| r));
                let live = column.iter().take_while(|&&(weight, _)| weight > 0.0).count();
                cells.push(Cell::new(&initial[initial.len() - m..], live));
            }
        }
        Self { experts: k, neurons: m, cells, initial, neuron, death: vec![0.0; k * m * d] }
    }

    /// σ of one cell: (Σ_live h⁰ + live · offset)/m.
    pub fn activation(&self, cell: usize) -> f64 {
        let state = &self.cells[cell];
        // Every live weight is positive; the clamp takes away what rounding leaves of a sum that cancels.
        (state.live_sum + f64::from(state.live) * state.offset).max(0.0) / self.neurons as f64
    }

    /// Moves the live neurons of a cell by `amount` and returns the new σ.
    #[inline]
    pub fn shift(&mut self, cell: usize, amount: f64) -> f64 {
        let state = &mut self.cells[cell];
        if state.live == 0 {
            return 0.0;
        }
        state.offset += amount;
        if state.offset < state.minimum {
            state.minimum = state.offset;
            if state.live_smallest + state.minimum <= 0.0 {
                self.bury(cell);
            }
        }
        self.activation(cell)
    }

    /// Takes the neurons out that the last move killed, and keeps the offset at which they died.
    fn bury(&mut self, cell: usize) {
        let initial = &self.initial[cell * self.neurons..][..self.neurons];
        let state = &mut self.cells[cell];
        let before = state.live as usize;
        let live = initial[..before].iter().take_while(|&&weight| weight + state.minimum > 0.0).count();
        self.death[cell * self.neurons..][live..before].fill(state.offset);
        *state = Cell { offset: state.offset, minimum: state.minimum, ..Cell::new(initial, live) };
    }

    /// The neurons, `[k, m, d]`: h⁰ + offset for the live, h⁰ + offset at death for the dead.
    pub fn neurons(&self) -> Vec<f64> {
        let (k, m) = (self.experts, self.neurons);
        let d = self.cells.len() / k;
        let mut neurons = vec![0.0; k * m * d];
        for (cell, state) in self.cells.iter().enumerate() {
            let (pattern, expert) = (cell / k, cell % k);
            for place in 0..m {
                let at = cell * m + place;
                let moved = if place < state.live as usize { state.offset } else { self.death[at] };
                neurons[(expert * m + self.neuron[at] as usize) * d + pattern] = self.initial[at] + moved;
            }
        }
        neurons
    }
}

impl Cell {
    /// A cell that has not moved, of which the first `live` neurons live.
    fn new(initial: &[f64], live: usize) -> Self {
        let live_weights = &initial[..live];
        Self {
            offset: 0.0,
            minimum: 0.0,
            live_sum: live_weights.iter().sum(),
            live_smallest: live_weights.last().copied().unwrap_or(f64::INFINITY),
            live: live as u32,
        }
    }
}
