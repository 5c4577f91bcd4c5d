//! **L6.** |Δ_s| ≤ D_s: a router's norm changes by no more than the router moves.
//!
//! *Proof.* The triangle inequality: ‖w‖ ≤ ‖w⁰‖ + ‖w − w⁰‖, and the same with w and w⁰ exchanged. ∎
//!
//! Equality holds iff w and w⁰ point the same way (or one is 0). L11 sharpens it: |Δ_s| ≤ |Δᶜ_s| ≤ D_s.
//!
//! *Scope.* Every pair of vectors; what can fail is the measurement.
//!
//! *Check.* Δ and D as the measurements tell them, at every t.

use crate::{Tally, Trajectory, tolerance};

/// Compares Δ and D of every router at every step.
pub fn check(trajectory: &Trajectory) -> Tally {
    let mut tally = Tally::default();
    for (iteration, changes) in trajectory.changes.iter().enumerate().skip(1) {
        for (expert, change) in changes.iter().enumerate() {
            let allowed = tolerance::length(trajectory, change.norm_0 + change.norm, 0);
            tally.at_most(change.delta.abs(), change.displacement, allowed, || {
                format!("norm change of router {expert} after {iteration} steps against its displacement")
            });
        }
    }
    tally
}
