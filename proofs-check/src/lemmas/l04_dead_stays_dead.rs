//! **L4, dead stays dead.** Once h_{s,r,v} ≤ 0 it never changes again. So the set of neurons that are active on v only
//! shrinks.
//!
//! *Proof.* The coordinate at v of what a sample adds to neuron r is a sum over chosen tokens j with x⁽ʲ⁾ = v of terms
//! with the factor 1[⟨w_{s,r}, x⁽ʲ⁾⟩ > 0] = 1[h_{s,r,v} > 0]. If h_{s,r,v} ≤ 0 all terms are 0, whatever the sample, so the
//! step leaves h_{s,r,v} as it is and the next step meets the same condition. ∎
//!
//! *Scope.* That of the module; it needs the patterns to be orthonormal (tokens with noise or overlap share weights) and
//! the derivative of ReLU at 0 to be 0. Note that a neuron is dead on a pattern, not as a whole.
//!
//! *Check.* Every h_{s,r,v} ≤ 0, at every step; exactly where the engine keeps pattern coordinates. On a Haar basis only
//! weights that are below 0 by more than the engine's inner product may err.

use crate::tolerance::norm;
use crate::{Tally, Trajectory, tolerance};

/// Compares every dead coordinate before and after every step.
pub fn check(trajectory: &Trajectory) -> Tally {
    let mut tally = Tally::default();
    let d = trajectory.patterns();
    let travel = trajectory.rates.expert / trajectory.models[0].neurons_per_expert as f64;
    for (iteration, before, after) in trajectory.steps() {
        let rows = before.neurons.chunks_exact(d).zip(after.neurons.chunks_exact(d));
        for (row, (old, new)) in rows.enumerate() {
            let norms = norm(old) + norm(new);
            let allowed = tolerance::coordinate(trajectory, norms, travel);
            let threshold = -tolerance::side(trajectory, norms + travel);
            for (pattern, (&h, &h_next)) in old.iter().zip(new).enumerate() {
                if h <= threshold {
                    tally.zero(h_next - h, allowed, || {
                        format!("step {iteration}: dead neuron {row} (of all experts) moves at pattern {pattern}")
                    });
                }
            }
        }
    }
    tally
}
