//! **L5, reduced state.** All neurons of expert s that are active on v move by the same amount in every step. Let H be
//! the sum of these amounts so far and μ = min(0, smallest H so far). Then h_{s,r,v} > 0 iff h⁰_{s,r,v} + μ > 0, and
//! with n the number of such neurons
//!
//! σ_{s,v} = (1/m)(Σ of the n largest h⁰_{s,r,v} + n H).
//!
//! So the sorted initial weights (static) and two changing numbers, H and μ, give every activation; with the router's
//! u that makes three changing numbers for each (expert, pattern). To give the neurons back as well, keep the offset
//! at which each of them died: an active neuron is h⁰ + H, a dead one h⁰ + (H at its death), one that was never active
//! h⁰.
//!
//! *Proof.* What a step adds to h_{s,r,v} is η_e (y α a_s/m) Σ_{j: x⁽ʲ⁾ = v} G_j 1[h_{s,r,v} > 0], averaged over the
//! batch: it depends on r through the indicator alone. By L4 a neuron that is not active on v never moves at v again.
//! So while it is active its weight is h⁰ + H, and it dies at the first step with h⁰ + H ≤ 0: it is alive iff h⁰ + H' >
//! 0 for all H' so far, 0 among them, that is iff h⁰ + μ > 0. (H⁰ = 0 makes a separate condition h⁰ > 0
//! superfluous.) This is monotone in h⁰, so the living are the first n of the sorted weights. When none is left, H no
//! longer matters. ∎
//!
//! *Scope.* That of the module. The state at T does not tell the steps apart, so a neuron's death cannot be found from
//! H and μ: between them the offset may have jumped past −h⁰ by any amount. Hence the offsets at death.
//!
//! *Check.* H and μ are kept here, by other code than the engine's, from the moves of the neuron with the largest
//! weight of each (expert, pattern). σ and all neurons are rebuilt after every step and compared with the recorded
//! model. Where a weight comes so near 0 that rounding decides whether it dies, the pattern is given up from there on.

use crate::tolerance::norm;
use crate::{Tally, Trajectory, tolerance};
use moe_theory::moe::Model;

/// Compares rebuilt activations and neurons with the recorded ones after every step.
pub fn check(trajectory: &Trajectory) -> Tally {
    let mut tally = Tally::default();
    let first = &trajectory.models[0];
    let norms: Vec<f64> = (0..first.experts()).map(|expert| norm(first.expert_neurons(expert))).collect();
    for (expert, &scale) in norms.iter().enumerate() {
        let mut states: Vec<Reduced> =
            (0..first.patterns).map(|pattern| Reduced::new(first, expert, pattern)).collect();
        for (iteration, before, after) in trajectory.steps() {
            let allowed = tolerance::reduced(trajectory, scale, iteration + 1);
            let activations = after.activations(expert);
            for (pattern, state) in states.iter_mut().enumerate() {
                state.step(&column(before, expert, pattern), &column(after, expert, pattern), allowed);
                if state.undecided {
                    continue;
                }
                let place = |what| format!("{what} of expert {expert} at pattern {pattern} after step {iteration}");
                tally.zero(state.activation() - activations[pattern], allowed, || place("activation"));
                let rebuilt = state.neurons();
                let off = rebuilt.iter().zip(column(after, expert, pattern)).map(|(told, h)| (told - h).abs());
                tally.zero(off.fold(0.0, f64::max), allowed, || place("neurons"));
                tally.holds(state.living() == state.order.len() - state.deaths.len(), || place("living neurons"));
            }
        }
    }
    tally
}

/// h_{s,r,v} of all r.
fn column(model: &Model, expert: usize, pattern: usize) -> Vec<f64> {
    model.expert_neurons(expert).iter().skip(pattern).step_by(model.patterns).copied().collect()
}

/// The reduced state of one (expert, pattern).
struct Reduced {
    /// h⁰, `[m]`.
    initial: Vec<f64>,
    /// Neurons by descending h⁰.
    order: Vec<usize>,
    /// H.
    offset: f64,
    /// μ.
    lowest: f64,
    /// Offset at death of the neurons that are not active, those of smallest h⁰ first; 0 for the never active.
    deaths: Vec<f64>,
    /// Whether rounding decided about a life.
    undecided: bool,
}

impl Reduced {
    fn new(model: &Model, expert: usize, pattern: usize) -> Self {
        let initial = column(model, expert, pattern);
        let mut order: Vec<usize> = (0..initial.len()).collect();
        order.sort_by(|&a, &b| initial[b].total_cmp(&initial[a]));
        let never = initial.iter().filter(|&&h| h <= 0.0).count();
        Self { initial, order, offset: 0.0, lowest: 0.0, deaths: vec![0.0; never], undecided: false }
    }

    /// Takes the move of the neuron that lives longest from `before` and `after`.
    fn step(&mut self, before: &[f64], after: &[f64], allowed: f64) {
        let living = self.order.len() - self.deaths.len();
        let Some(&strongest) = self.order[..living].first() else { return };
        self.offset += after[strongest] - before[strongest];
        self.lowest = self.lowest.min(self.offset);
        for &neuron in self.order[..living].iter().rev() {
            let weight = self.initial[neuron] + self.offset;
            self.undecided |= weight.abs() <= allowed;
            if weight > 0.0 {
                break;
            }
            self.deaths.push(self.offset);
        }
    }

    /// n, from the sorted weights and μ alone.
    fn living(&self) -> usize {
        self.order.iter().filter(|&&neuron| self.initial[neuron] + self.lowest > 0.0).count()
    }

    /// σ, from the sorted weights, H and μ alone.
    fn activation(&self) -> f64 {
        let living = self.living();
        let sum: f64 = self.order[..living].iter().map(|&neuron| self.initial[neuron]).sum();
        (sum + living as f64 * self.offset) / self.order.len() as f64
    }

    /// The neurons given back, `[m]`.
    fn neurons(&self) -> Vec<f64> {
        let mut neurons = self.initial.clone();
        for (rank, &neuron) in self.order.iter().rev().enumerate() {
            neurons[neuron] += self.deaths.get(rank).copied().unwrap_or(self.offset);
        }
        neurons
    }
}
