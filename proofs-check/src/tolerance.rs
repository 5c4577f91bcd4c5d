//! How much rounding each check allows, and why.
//!
//! The pattern engine, and the dense engine on the canonical basis, keep u and h themselves: there a coordinate that
//! nothing touches stays bit for bit, and L3, L4 and L7 allow nothing. On a Haar basis the engine keeps w = Σ_v u_v v,
//! and u_v is an inner product of length d: it carries an error of up to d·ε·‖w‖, new after every step because w is
//! rounded anew.

use crate::reading::Reading;
use crate::trajectory::Trajectory;
use moe_theory::moe::Model;

/// ε: the spacing of numbers at 1; one rounding is at most half of it, relative.
const EPSILON: f64 = f64::EPSILON;

/// Roundings in a row that one coordinate, one norm or one gate may carry beside those that the formulas count by d, B,
/// l and m: the exponential, the quotient, the products with rate and sign, the sum with the old weight.
const ROUNDINGS: f64 = 8.0;

/// How much further than rounding a score of a Haar run must lie from the l-th largest one, or a weight from 0, for the
/// check to trust which side the engine saw: the engine's own inner product and the recorded one both err.
const SIDES: f64 = 4.0;

/// L11: how much the 60 steps or fewer of a run may amplify the rounding of scores. Errors feed back through gates and
/// weights, but a gate moves by at most a quarter of its score's error and the updates carry the learning rates, so
/// that growth is slow: over 7,500 runs the largest error seen was 0.2 in these units. An effect of the gauge on what
/// the model does is of the order of the learning rates, about ten orders above the tolerance.
const AMPLIFICATION: f64 = 16.0;

/// Roundings that an expectation over a few thousand inputs, or an output of some experts, may carry.
const SUMMANDS: f64 = 4096.0;

/// How close to a kink two implementations may disagree; rounding is some 1e-15, and a sample this close is rare.
const KINK: f64 = 1e-9;

/// Errors of an inner product with a basis vector, in units of ε times the norm; 0 where the engine keeps the
/// coordinates themselves.
fn turning(trajectory: &Trajectory) -> f64 {
    if trajectory.exact { 0.0 } else { ROUNDINGS * trajectory.patterns() as f64 }
}

/// Change of one coordinate of a weight vector in one step that is rounding alone. `norm` bounds the norm of the vector
/// before and after, `step` the length of the sum of what the step adds, before cancellation. 0 on exact trajectories.
pub fn coordinate(trajectory: &Trajectory, norm: f64, step: f64) -> f64 {
    turning(trajectory) * EPSILON * (norm + step)
}

/// How far below 0 a weight, or below the l-th score a score, must be to be on that side for certain.
pub fn side(trajectory: &Trajectory, norm: f64) -> f64 {
    SIDES * turning(trajectory) * EPSILON * norm
}

/// Error of σ_{s,v}: m weights, each of a vector of norm at most `norm`, and their sum; the reduced state adds m times
/// the offset to a sum of m weights.
pub fn activation(trajectory: &Trajectory, norm: f64) -> f64 {
    (ROUNDINGS * trajectory.models[0].neurons_per_expert as f64 + turning(trajectory)) * EPSILON * norm
}

/// Change of Σ_v u_{s,v} in one step that is rounding alone: d coordinates of the router, rounded each (and turned, on a
/// Haar basis); and the mean of B samples' Σ_j G_j (σ_j − σ̄), where σ̄ is off by l roundings of the largest σ and the sum
/// over the batch by B.
pub fn conservation(trajectory: &Trajectory, model: &Model, expert: usize, iteration: usize) -> f64 {
    let d = trajectory.patterns() as f64;
    let largest = model.activations(expert).into_iter().fold(0.0, f64::max);
    let sums = model.tokens_per_expert + trajectory.batches.get(iteration).map_or(0, |batch| batch.samples());
    let router = model.router(expert);
    let total: f64 = router.iter().map(|u| u.abs()).sum();
    let turned = turning(trajectory) * d * norm(router);
    EPSILON * (ROUNDINGS * total + turned + trajectory.rates.router * largest * (ROUNDINGS + sums as f64) * d.sqrt())
}

/// Error of a length ‖w − w⁰‖₂ or ‖w − w⁰‖₁, of the difference of two norms, and of the sum of a trajectory's bounds:
/// d coordinates of vectors whose norms add up to `norms`, after `steps` steps.
pub fn length(trajectory: &Trajectory, norms: f64, steps: usize) -> f64 {
    let d = trajectory.patterns() as f64;
    (ROUNDINGS + turning(trajectory)) * d * EPSILON * norms * (1 + steps) as f64
}

/// Difference between two runs of one model in gauges that differ by `gauge`: every score is rounded to a multiple of
/// ε·b, √d more on a Haar basis, at every step, and the errors are amplified.
pub fn gauge(trajectory: &Trajectory, gauge: f64, norm: f64) -> f64 {
    let d = trajectory.patterns() as f64;
    AMPLIFICATION * EPSILON * trajectory.models.len() as f64 * (1.0 + norm + gauge.abs() * d.sqrt())
}

/// The Euclidean norm.
pub fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// Error of an expectation of gradients of one router over some thousands of inputs, and of a product of two of them.
pub fn expectation(model: &Model, expert: usize) -> f64 {
    let largest = model.activations(expert).into_iter().fold(0.0, f64::max);
    SUMMANDS * EPSILON * largest
}

/// Error of a router's step of B samples: of the old and the new coordinates, and of the sum.
pub fn step(trajectory: &Trajectory, model: &Model, expert: usize, batch: usize) -> f64 {
    let norms = norm(model.router(expert)) + trajectory.rates.router;
    let largest = model.activations(expert).into_iter().fold(0.0, f64::max);
    let rounding = (ROUNDINGS + turning(trajectory)) * EPSILON * norms;
    rounding + (batch as f64 + SUMMANDS) * EPSILON * trajectory.rates.router * largest
}

/// Error of f or of a sum of max σ.
pub fn output(model: &Model) -> f64 {
    let largest = |expert| model.activations(expert).into_iter().fold(0.0, f64::max);
    SUMMANDS * EPSILON * (0..model.experts()).map(largest).sum::<f64>()
}

/// Whether a reading lies so close to a kink that another implementation may see the other side: the hinge at 1, and
/// the choice of tokens where the engine's scores carry the rounding of a basis.
pub fn near_kink(trajectory: &Trajectory, reading: &Reading) -> bool {
    let tied = !trajectory.exact && reading.choices.iter().any(|choice| choice.clearance < KINK);
    tied || (reading.margin - 1.0).abs() < KINK
}

/// L5: error of a weight that was moved `steps` times, and of its sum of moves. The moves add up to at most η_e/m each.
pub fn reduced(trajectory: &Trajectory, norm: f64, steps: usize) -> f64 {
    let travel = trajectory.rates.expert / trajectory.models[0].neurons_per_expert as f64;
    let roundings = ROUNDINGS + turning(trajectory) + trajectory.models[0].neurons_per_expert as f64;
    2.0 * roundings * EPSILON * steps as f64 * (norm + travel * steps as f64)
}
