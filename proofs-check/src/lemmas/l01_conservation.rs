//! **L1, conservation.** Σ_v u_{s,v} never changes, for any expert s.
//!
//! *Proof.* Every token is a pattern, so ⟨Σ_v v, x⁽ʲ⁾⟩ = 1. The sum of the coordinates of what one sample adds to w_s is
//! therefore η_r α y a_s Σ_j G_j (σ_j − σ̄) = η_r α y a_s (σ̄ − σ̄ Σ_j G_j) = 0, because the gates sum to 1. A token that
//! occurs twice is two terms of the same sum. So each sample leaves Σ_v u_{s,v} alone, and so does their mean. ∎
//!
//! *Scope.* That of the module. It uses neither hinge nor ReLU: any loss that reaches the router through f alone and any
//! function σ_s of a single token will do. Weight decay would break it.
//!
//! *Check.* |Σ_v u^{(t)} − Σ_v u⁰| at every t, against the rounding of t steps.

use crate::{Tally, Trajectory, tolerance};

/// Compares Σ_v u_{s,v} at every step with its value at t = 0.
pub fn check(trajectory: &Trajectory) -> Tally {
    let mut tally = Tally::default();
    let initial = &trajectory.models[0];
    for expert in 0..trajectory.experts() {
        let sum_0: f64 = initial.router(expert).iter().sum();
        let mut allowed = tolerance::conservation(trajectory, initial, expert, 0);
        for (iteration, _, after) in trajectory.steps() {
            allowed += tolerance::conservation(trajectory, after, expert, iteration);
            let sum: f64 = after.router(expert).iter().sum();
            tally.zero(sum - sum_0, allowed, || format!("sum of router {expert} after step {iteration}"));
        }
    }
    tally
}
