//! **L2, step bound.** For every sample ‖∇_{w_s} ℓ‖₁ ≤ R_s/2 and ‖∇_{w_s} ℓ‖₂ ≤ R_s/√8, the first norm taken in pattern
//! coordinates. So |Δ_s| ≤ D_s ≤ (η_r/√8) Σ_{t<T} R_s^{(t)}, where R_s^{(t)} is taken before step t.
//!
//! *Proof.* If α = 0 the gradient is 0. Else its coordinate at v is, up to a sign common to all v, g_v = Σ_{j: x⁽ʲ⁾ = v} G_j
//! (σ_v − σ̄). All terms of one coordinate have one sign, because equal tokens have equal σ. Let A be the patterns with
//! σ_v > σ̄, p the gates' mass on them and μ₊, μ₋ the means of σ, weighted by the gates, on A and off A (if p is 0 or
//! 1, g = 0). Then σ̄ = p μ₊ + (1 − p) μ₋, hence Σ_{v∈A} g_v = p (μ₊ − σ̄) = p (1 − p)(μ₊ − μ₋) ≤ R_s/4. By L1 the other
//! coordinates sum to minus the same number P ≤ R_s/4. So ‖g‖₁ = 2P ≤ R_s/2, and since a vector of numbers of one sign
//! has a 2-norm no larger than its sum, ‖g‖₂² ≤ P² + P² ≤ R_s²/8.
//!
//! The batch's gradient is a mean of such vectors, so by convexity it obeys the same bounds, and step t moves w_s by at
//! most η_r R_s^{(t)}/√8. D_s is at most the sum of the steps; |Δ_s| ≤ D_s is L6. ∎
//!
//! Both constants are best possible: one sample, l = 2, two patterns with equal scores and σ = 0 and R_s.
//!
//! *Scope.* That of the module. R_s may be replaced by the range of σ over the patterns chosen in the batch.
//!
//! *Check.* Both norms of the gradients of single samples, taken from the dense engine's gradient at the recorded model;
//! both norms of every step; D_s at every t. And that the engine's R_s is that of its model.

use crate::tolerance::norm;
use crate::{Tally, Trajectory, tolerance};

/// Compares gradients, steps and displacements with their bounds.
pub fn check(trajectory: &Trajectory) -> Tally {
    let mut tally = Tally::default();
    check_ranges(trajectory, &mut tally);
    check_gradients(trajectory, &mut tally);
    check_steps(trajectory, &mut tally);
    tally
}

/// R_s of the engine is max σ − min σ of its model.
fn check_ranges(trajectory: &Trajectory, tally: &mut Tally) {
    let travel = trajectory.rates.expert / trajectory.models[0].neurons_per_expert as f64;
    for (iteration, (model, ranges)) in trajectory.models.iter().zip(&trajectory.ranges).enumerate() {
        for (expert, range) in ranges.iter().enumerate() {
            let activations = model.activations(expert);
            let largest = activations.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let smallest = activations.iter().copied().fold(f64::INFINITY, f64::min);
            // Offsets of the reduced state add up to at most the travel.
            let scale = norm(model.expert_neurons(expert)) + travel * iteration as f64;
            let allowed = tolerance::activation(trajectory, scale);
            let agrees = (range - (largest - smallest)).abs() <= allowed;
            tally.holds(agrees, || format!("range of expert {expert} at {iteration} is told as {range:e}"));
        }
    }
}

fn check_gradients(trajectory: &Trajectory, tally: &mut Tally) {
    for probe in &trajectory.probes {
        let model = &trajectory.models[probe.iteration];
        for (expert, gradient) in probe.gradient.chunks_exact(trajectory.patterns()).enumerate() {
            // Samples without loss, and experts whose tokens all have one σ, say nothing.
            if gradient.iter().all(|&g| g == 0.0) {
                continue;
            }
            let range = trajectory.ranges[probe.iteration][expert];
            let largest = model.activations(expert).into_iter().fold(0.0, f64::max);
            let allowed = tolerance::length(trajectory, largest, 0);
            let place = |which| format!("{which}-norm of a gradient of router {expert} at {}", probe.iteration);
            tally.at_most(sum_of_absolutes(gradient), range / 2.0, allowed, || place(1));
            tally.at_most(norm(gradient), range / 8f64.sqrt(), allowed, || place(2));
        }
    }
}

fn check_steps(trajectory: &Trajectory, tally: &mut Tally) {
    let rate = trajectory.rates.router;
    for expert in 0..trajectory.experts() {
        let mut sum_of_ranges = 0.0;
        for (iteration, before, after) in trajectory.steps() {
            let range = trajectory.ranges[iteration][expert];
            sum_of_ranges += range;
            let (u, u_next) = (before.router(expert), after.router(expert));
            let step: Vec<f64> = u_next.iter().zip(u).map(|(next, u)| next - u).collect();
            let norms = norm(u) + norm(u_next);
            let allowed = tolerance::length(trajectory, norms, 0);
            let place = |which| format!("{which}-norm of step {iteration} of router {expert}");
            tally.at_most(sum_of_absolutes(&step), rate * range / 2.0, allowed, || place(1));
            tally.at_most(norm(&step), rate * range / 8f64.sqrt(), allowed, || place(2));
            let change = &trajectory.changes[iteration + 1][expert];
            let allowed = tolerance::length(trajectory, norms, iteration + 1);
            let bound = rate * sum_of_ranges / 8f64.sqrt();
            let place = |what| format!("{what} of router {expert} after step {iteration}");
            tally.at_most(change.displacement, bound, allowed, || place("displacement"));
            tally.at_most(change.delta.abs(), bound, allowed, || place("norm change"));
        }
    }
}

fn sum_of_absolutes(values: &[f64]) -> f64 {
    values.iter().map(|value| value.abs()).sum()
}
