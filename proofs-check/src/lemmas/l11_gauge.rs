//! **L11, gauge.** Let two runs differ at t = 0 only by w_s → w_s + b_s Σ_v v. Then they route the same tokens with the same
//! gates to the same outputs, and take the same steps, for ever. σ, D_s and Δᶜ_s (the norm change of the router without
//! its mean over patterns) are equal. Δ_s is not: with S = Σ_v u_{s,v},
//!
//! Δ_s(b) = (‖w_s‖² − ‖w_s⁰‖²) / (‖w_s + b Σ_v v‖ + ‖w_s⁰ + b Σ_v v‖), where ‖w + b Σ_v v‖² = ‖w‖² + 2bS + b²d.
//!
//! So a gauge never changes the sign of Δ_s; it changes its size whenever Δ_s ≠ 0 and b is neither 0 nor −2S/d; Δ_s(b) → 0
//! as |b| → ∞; and |Δ_s| ≤ |Δᶜ_s| ≤ D_s.
//!
//! *Proof.* ⟨Σ_v v, x⁽ʲ⁾⟩ = 1 for every token, so all scores of s grow by the same b: their order, their ties and their
//! softmax are the same, hence J, G, f, α and the gradients, none of which reads w_s in another way. So both runs
//! take the same first step, after which the routers differ by b_s Σ_v v again; induction. σ does not read w_s. D_s is a
//! difference in which the gauge cancels, and the mean that Δᶜ_s takes off contains it. By L1 S is the same at both
//! ends, so that ‖w + b Σ_v v‖² − ‖w⁰ + b Σ_v v‖² = ‖w‖² − ‖w⁰‖², and the formula is a² − c² = (a − c)(a + c). Its
//! denominator is equal to that of Δ_s iff 2bS + b²d = 0, and smallest at b = −S/d, the gauge of Δᶜ_s: hence |Δ_s| ≤
//! |Δᶜ_s|. In that gauge L6 says |Δᶜ_s| ≤ D_s. (If the denominator is 0, both routers are 0 there and Δ_s(b) = 0.) ∎
//!
//! *Scope.* That of the module. In finite precision a score u + b is rounded to a multiple of ε·b, which may break an exact
//! tie, so runs whose scores may tie are not compared; and kinks of hinge and ReLU are met within ε·b of the point
//! with a probability of order ε·b.
//!
//! *Check.* σ, D and Δᶜ of both runs at every t, up to rounding amplified by b and by the steps; Δ of the second run
//! against the formula; Δ differs where the formula says so; |Δ| ≤ |Δᶜ| ≤ D in both.

use crate::tolerance::norm;
use crate::{Tally, Trajectory, tolerance};
use moe_theory::measure::norms::RouterChange;

/// Compares a run with the same run in the gauge `gauge`, `[k]`.
pub fn check(plain: &Trajectory, gauged: &Trajectory, gauge: &[f64]) -> Tally {
    let mut tally = Tally::default();
    tally.holds(plain.models.len() == gauged.models.len(), || "one run is shorter than the other".into());
    // The rounding of any expert reaches the others through the output.
    let largest = gauge.iter().copied().fold(0.0, f64::max);
    for (iteration, (model, other)) in plain.models.iter().zip(&gauged.models).enumerate() {
        for (expert, &b) in gauge.iter().enumerate() {
            let scale = norm(model.router(expert)) + norm(model.expert_neurons(expert));
            let allowed = tolerance::gauge(plain, largest, scale);
            let place = |what: &str| format!("{what} of expert {expert} after {iteration} steps, b = {b}");
            for (a, c) in model.activations(expert).iter().zip(other.activations(expert)) {
                tally.zero(a - c, allowed, || place("activation"));
            }
            let (change, moved) = (&plain.changes[iteration][expert], &gauged.changes[iteration][expert]);
            tally.zero(change.displacement - moved.displacement, allowed, || place("displacement"));
            tally.zero(change.delta_centred - moved.delta_centred, allowed, || place("centred norm change"));
            let predicted = norm_change_in_gauge(plain.models[0].router(expert), model.router(expert), b);
            tally.zero(moved.delta - predicted, allowed, || place("norm change against the formula"));
            if (predicted - change.delta).abs() > 2.0 * allowed {
                tally.holds((moved.delta - change.delta).abs() > allowed, || place("the same norm change"));
            }
            for change in [change, moved] {
                check_order(change, allowed, &mut tally, || place("order of the measures"));
            }
        }
    }
    tally
}

/// |Δ| ≤ |Δᶜ| ≤ D.
fn check_order(change: &RouterChange, allowed: f64, tally: &mut Tally, place: impl Fn() -> String) {
    let RouterChange { delta, delta_centred, displacement, .. } = *change;
    tally.holds(delta.abs() <= delta_centred.abs() + allowed, &place);
    tally.holds(delta_centred.abs() <= displacement + allowed, &place);
}

/// Δ(b) from the routers without the gauge.
fn norm_change_in_gauge(before: &[f64], after: &[f64], b: f64) -> f64 {
    let norm_with = |router: &[f64]| router.iter().map(|u| (u + b) * (u + b)).sum::<f64>().sqrt();
    let difference: f64 = after.iter().zip(before).map(|(u, u_0)| (u - u_0) * (u + u_0)).sum();
    let denominator = norm_with(after) + norm_with(before);
    if denominator == 0.0 { 0.0 } else { difference / denominator }
}
