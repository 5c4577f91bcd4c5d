//! **S1, drift.** Let π = P[q ∈ x] and p_v = P[o_v ∈ x]. Then, at any weights,
//!
//! ‖E∇_{w_s} ℓ‖₂ ≤ R_s √(π/8 + (p₁²λ₁² + p₂²λ₂²)/16).
//!
//! π is (n−1)/(d−2) without replacement and 1 − (1 − 1/(d−2))^{n−1} ≤ (n−1)/(d−2) with. If λ₁, λ₂ = O(d^{−1/2}) and n
//! is fixed, the drift is O(R_s/√d): this is where the 1/√d of Theorem 1 comes from, with its constant.
//!
//! *Proof.* Let G_v be the gates' mass on pattern v and g_v = α y a_s G_v (σ_v − σ̄) the coordinate of the negative
//! gradient. Since σ̄ is G_v σ_v + (1 − G_v) times a mean of the other activations, |σ_v − σ̄| ≤ (1 − G_v) R_s and |g_v|
//! ≤ G_v (1 − G_v) R_s ≤ R_s/4; and g_v = 0 unless v is chosen. Hence
//!
//! - |E g_{o_v}| ≤ (R_s/4) P[o_v ∈ J_s] = (R_s/4) p_v λ_v;
//! - |E g_q| ≤ (R_s/4) P[q ∈ J_s] ≤ R_s π/4 for every q, while Σ_q |E g_q| ≤ E‖g‖₁ ≤ R_s/2 by L2. A sum of squares is
//!   at most the largest times the sum: Σ_q |E g_q|² ≤ R_s² π/8. ∎
//!
//! The constants are best possible. First term: d = 4, n = 3, l = 2, one class only, both q always chosen with equal
//! scores and σ = 0, R_s (π = 1, λ = 0) attains R_s/√8. Second: n = l = 2, one class only, equal scores, σ = R_s on q
//! and 0 on o: the drift is (R_s/4)√(1 + π) and the bound (R_s/4)√(1 + 2π).
//!
//! The proof also gives π P[α = 1]/8 for the first term, and P[o_v ∈ x, α = 1, o_v ∈ J_s] for p_v λ_v.
//!
//! *Scope.* That of the module, any class share, also labels that do not follow the class.
//!
//! *Check.* E∇ at recorded models, from the definition (S2 ties the engine's steps to it). On tiny configurations it
//! is a sum over all inputs, λ being checked on the way. Else a sample mean, allowed the radius of
//! [`crate::concentration`].

use crate::law::Occurrence;
use crate::population::{Population, Study};
use crate::tolerance::norm;
use crate::{Tally, Trajectory};

/// The bound.
pub fn bound(range: f64, occurrence: &Occurrence, lambda: [f64; 2]) -> f64 {
    let class: f64 = occurrence.class.iter().zip(lambda).map(|(p, lambda)| p * p * lambda * lambda).sum();
    range * (occurrence.irrelevant / 8.0 + class / 16.0).sqrt()
}

/// Compares the drift of every router with its bound.
pub fn check(study: &Study) -> Tally {
    check_constant(study, 1.0)
}

/// The same against `factor` times the bound.
pub fn check_constant(study: &Study, factor: f64) -> Tally {
    let mut tally = Tally::default();
    let trajectory = study.trajectory;
    let occurrence = Occurrence::of(&trajectory.data);
    for population in study.populations {
        for (expert, &lambda) in population.lambda.iter().enumerate() {
            let drift = norm(population.expert_pull(expert, trajectory.patterns()));
            let range = trajectory.ranges[population.iteration][expert];
            let bound = factor * bound(range, &occurrence, lambda);
            tally.at_most(drift, bound, population.radius(trajectory, expert), || {
                format!("drift of router {expert} at {}", population.iteration)
            });
        }
        if population.inputs.exact {
            check_lambda(trajectory, population, &mut tally);
        }
    }
    tally
}

/// λ as it is told is P[o_v ∈ J_s | x has o_v], by enumeration.
fn check_lambda(trajectory: &Trajectory, population: &Population, tally: &mut Tally) {
    let reader = crate::reading::Reader::new(&trajectory.models[population.iteration]);
    let occurrence = Occurrence::of(&trajectory.data);
    for (expert, told) in population.lambda.iter().enumerate() {
        let mut chosen = [0.0; 2];
        for (sample, weight) in population.inputs.weights.iter().enumerate() {
            let choice = reader.choose(expert, population.inputs.batch.sample(sample));
            for &(pattern, _) in choice.taken.iter().filter(|(pattern, _)| *pattern < 2) {
                chosen[pattern] += weight;
            }
        }
        for class in (0..2).filter(|&class| occurrence.class[class] > 0.0) {
            let lambda = chosen[class] / occurrence.class[class];
            let agrees = (lambda - told[class]).abs() < 1e-9;
            tally.holds(agrees, || format!("lambda of expert {expert} is {lambda}, told as {}", told[class]));
        }
    }
}
