//! **S3, finite-sample bound.** Fix R > 0, a number of steps T and δ in (0, 1), given the model at t = 0 but before
//! the first batch. Let τ be the first t at which R_s^{(t)} > R, and drift_i the bound of S1 on the model after i
//! steps. With probability at least 1 − δ, *for all* t ≤ min(τ, T) at once,
//!
//! D_s^{(t)} ≤ η_r (Σ_{i<t} drift_i + N), N = R·min(√(T/(8Bδ)), √(TL/(4B)) + (√2/3) L/B), L = ln(2/δ).
//!
//! For all k experts at once put δ/k. In particular, on the event that R_s ≤ R and λ_v ≤ λ̄ before every step, |Δ_s| ≤
//! D_s ≤ η_r R (T √(π/8 + (p₁² + p₂²) λ̄²/16) + N/R): O(1/√d) if λ̄ = O(d^{−1/2}), B = Ω(d), and η_r T and η_r² T are
//! O(1).
//!
//! *Proof.* w^{(t)} − w⁰ = −η_r Σ_{i<t} (E[ĝ^{(i)} | past] + noise_i). S1, applied to the weights after i steps,
//! bounds the first terms path by path. M_t = Σ_{i<t} `1[i < τ]` noise_i is a martingale, because {i < τ} is decided
//! by the weights before step i; it is the sum of the noise as long as t ≤ τ. By S2 its squared increments have
//! expectations of at most R²/(8B), and Doob's inequality for the submartingale ‖M_t‖² gives P[max_t ‖M_t‖ ≥
//! √(TR²/(8Bδ))] ≤ δ. Taken sample by sample it is a martingale of TB increments of norm at most a = 2(R/√8)/B, whose
//! conditional variances sum to at most b² = TR²/(8B): the inequality of [`crate::concentration`] gives the second
//! bound. N is the smaller of two constants and does not look at the data, so no union is needed. ∎
//!
//! The martingale is stopped, so nothing is conditioned on the future: an expert that leaves is covered until it does,
//! the step that leads out included. λ̄ need not be fixed before the run, only R. The bound holds for all t at the
//! price of the last one. The logarithm matters for the union over experts: at δ/k = 0.05/16, √(1/(8·0.003)) = 6.3 but
//! √(ln(640)/4) = 1.3.
//!
//! *Scope.* S1 and S2: fresh batches.
//!
//! *Check.* R = 2 R_s⁰. A run fails at δ if any expert breaks its bound at δ/k at any t ≤ τ. The runs are independent,
//! so the failures are compared with δ by the exact binomial tail.

use super::s1_drift;
use crate::concentration::noise_radius;
use crate::law::{Occurrence, lambdas};
use crate::{Tally, Trajectory, tolerance};
use moe_theory::patterns::Batch;

/// δ: each is tested.
pub const DELTAS: [f64; 3] = [0.5, 0.1, 0.01];

/// R as a multiple of R_s at t = 0.
pub const ROOM: f64 = 2.0;

/// Counts whether the run breaks the bounds.
pub fn check(trajectory: &Trajectory) -> Tally {
    check_constant(trajectory, 1.0)
}

/// The same with `factor` times the bound.
pub fn check_constant(trajectory: &Trajectory, factor: f64) -> Tally {
    let mut tally = Tally::default();
    let lambda: Vec<Vec<[f64; 2]>> = trajectory.models.iter().map(|model| lambdas(&trajectory.data, model)).collect();
    for delta in DELTAS {
        let share = (0..trajectory.experts())
            .map(|expert| largest_share(trajectory, &lambda, expert, delta / trajectory.experts() as f64))
            .fold(0.0, f64::max)
            / factor;
        tally.chance(delta, share > 1.0, share);
    }
    tally
}

/// The largest D/bound of one expert over t ≤ τ.
fn largest_share(trajectory: &Trajectory, lambda: &[Vec<[f64; 2]>], expert: usize, delta: f64) -> f64 {
    let occurrence = Occurrence::of(&trajectory.data);
    let room = ROOM * trajectory.ranges[0][expert];
    let batch = trajectory.batches.first().map_or(1, Batch::samples);
    let noise = noise_radius(room, trajectory.iterations, batch, delta);
    let (mut drift, mut largest) = (0.0, 0.0f64);
    for (iteration, _, after) in trajectory.steps() {
        let range = trajectory.ranges[iteration][expert];
        if range > room {
            break;
        }
        drift += s1_drift::bound(range, &occurrence, lambda[iteration][expert]);
        let allowed = tolerance::step(trajectory, after, expert, batch) * (iteration + 1) as f64;
        let displacement = trajectory.changes[iteration + 1][expert].displacement - allowed;
        if displacement > 0.0 {
            largest = largest.max(displacement / (trajectory.rates.router * (drift + noise)));
        }
    }
    largest
}
