//! The reduced state of the neurons (lemma L5).
//!
//! On a noise-free sample the pre-activation of neuron r on pattern v is its weight h_{s,r,v}, and every neuron with
//! h > 0 moves by the same amount. A neuron with h ≤ 0 is frozen for ever (L4). So one offset per (expert, pattern) and
//! the initial weights say everything: a neuron dies when the offset first falls to minus its initial weight. The live
//! ones are the first in descending order of initial weight.

use super::table::Table;
use crate::moe::Model;
use crate::simd::{Kernel, Lanes, Level};

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
///
/// Which neuron dies next is a question of order, so the neurons of a (pattern, expert) are sorted, but only when the
/// first of them dies: most never do.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    patterns: usize,
    experts: usize,
    neurons: usize,
    /// The changing numbers.
    pub(super) state: Table<STATE>,
    /// h⁰, `[k, m, d]`.
    initial: Vec<f64>,
    /// Where the neurons of a (pattern, expert) stand in `sorted`, `[d, k]`; `UNSORTED` before the first death.
    places: Vec<u32>,
    /// The sorted neurons, m at a place, in descending order of initial weight.
    sorted: Vec<Neuron>,
}

/// Live neurons of one expert by pattern, `[d]` each: their number, the sum of their weights, and the smallest of these.
struct Columns {
    live: Vec<f64>,
    sum: Vec<f64>,
    smallest: Vec<f64>,
}

impl Columns {
    fn new(patterns: usize) -> Self {
        Self { live: vec![0.0; patterns], sum: vec![0.0; patterns], smallest: vec![0.0; patterns] }
    }
}

/// Takes the columns of one expert's neurons `[m, d]`: one pass along the rows, all patterns side by side.
struct Summarise<'a> {
    columns: &'a mut Columns,
    rows: &'a [f64],
}

impl Kernel for Summarise<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, _: S) {
        let Columns { live, sum, smallest } = self.columns;
        live.fill(0.0);
        sum.fill(0.0);
        smallest.fill(f64::INFINITY);
        for row in self.rows.chunks_exact(live.len()) {
            for (((&weight, live), sum), smallest) in row.iter().zip(&mut *live).zip(&mut *sum).zip(&mut *smallest) {
                let lives = weight > 0.0;
                *live += if lives { 1.0 } else { 0.0 };
                *sum += if lives { weight } else { 0.0 };
                *smallest = if lives && weight < *smallest { weight } else { *smallest };
            }
        }
    }
}

/// One neuron of a (pattern, expert).
#[derive(Clone, Copy, Debug)]
struct Neuron {
    /// h⁰; once dead the weight that it keeps.
    weight: f64,
    /// Sum of the h⁰ up to this one.
    sum: f64,
    /// r.
    number: u32,
}

const UNSORTED: u32 = u32::MAX;

impl Cells {
    /// The reduced state of a model at t = 0, for one level of instructions.
    pub(super) fn new(model: &Model, level: Level) -> Self {
        let (k, m, d) = (model.experts(), model.neurons_per_expert, model.patterns);
        let mut state = Table::new(d, k, level.lanes());
        (0..d).for_each(|pattern| {
            (k..state.places()).for_each(|nobody| state.set(pattern, nobody, state::SMALLEST, f64::INFINITY));
        });
        let mut columns = Columns::new(d);
        for expert in 0..k {
            level.run(Summarise { columns: &mut columns, rows: model.expert_neurons(expert) });
            let Columns { live, sum, smallest } = &columns;
            for pattern in 0..d {
                state.set(pattern, expert, state::LIVE, live[pattern]);
                state.set(pattern, expert, state::LIVE_SUM, sum[pattern]);
                state.set(pattern, expert, state::SMALLEST, smallest[pattern]);
            }
        }
        Self {
            patterns: d,
            experts: k,
            neurons: m,
            state,
            initial: model.neurons.clone(),
            places: vec![UNSORTED; d * k],
            sorted: Vec::new(),
        }
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
        let neurons = self.sort(pattern, expert);
        while live > 0 && neurons[live - 1].weight + offset <= 0.0 {
            live -= 1;
            neurons[live].weight += offset;
        }
        let (sum, smallest) = match live {
            0 => (0.0, f64::INFINITY),
            _ => (neurons[live - 1].sum, neurons[live - 1].weight),
        };
        self.state.set(pattern, expert, state::LIVE, live as f64);
        self.state.set(pattern, expert, state::LIVE_SUM, sum);
        self.state.set(pattern, expert, state::SMALLEST, smallest);
        true
    }

    /// The neurons of a cell, sorted now if they were not.
    fn sort(&mut self, pattern: usize, expert: usize) -> &mut [Neuron] {
        let m = self.neurons;
        let place = &mut self.places[pattern * self.experts + expert];
        if *place == UNSORTED {
            let first = self.sorted.len();
            *place = (first / m) as u32;
            self.sorted.extend((0..m).map(|number| Neuron {
                weight: self.initial[(expert * m + number) * self.patterns + pattern],
                sum: 0.0,
                number: number as u32,
            }));
            let neurons = &mut self.sorted[first..];
            neurons.sort_unstable_by(|a, b| b.weight.total_cmp(&a.weight).then(a.number.cmp(&b.number)));
            let mut sum = 0.0;
            for neuron in neurons {
                sum += neuron.weight;
                neuron.sum = sum;
            }
        }
        &mut self.sorted[*place as usize * m..][..m]
    }

    /// The neurons, `[k, m, d]`: h⁰ + offset for the live, h⁰ + offset at death for the dead.
    pub(super) fn neurons(&self) -> Vec<f64> {
        let (m, d) = (self.neurons, self.patterns);
        let mut neurons = self.initial.clone();
        for expert in 0..self.experts {
            for pattern in 0..d {
                let offset = self.state.get(pattern, expert, state::OFFSET);
                let live = self.state.get(pattern, expert, state::LIVE) as usize;
                let column = |number: usize| (expert * m + number) * d + pattern;
                match self.places[pattern * self.experts + expert] {
                    UNSORTED => (0..m).map(column).for_each(|at| {
                        neurons[at] += if neurons[at] > 0.0 { offset } else { 0.0 };
                    }),
                    place => {
                        let sorted = &self.sorted[place as usize * m..][..m];
                        for (rank, neuron) in sorted.iter().enumerate() {
                            let moved = if rank < live { offset } else { 0.0 };
                            neurons[column(neuron.number as usize)] = neuron.weight + moved;
                        }
                    }
                }
            }
        }
        neurons
    }
}
