//! S3: the finite-sample bound on what an irrelevant router moves by.

use super::{Definition, PLAIN, Rule};
use crate::claims::observation::{Observation, RunDecision};
use crate::measure::Role;
use crate::record::ExpertRow;
use crate::sim::{ClaimId, ClaimSpec, Parameters};
use crate::stats::extreme;

pub(super) const CLAIMS: &[Definition] = &[Definition {
    id: ClaimId::S3,
    statement: "no irrelevant router moves further than the finite-sample bound",
    holds_if: "no irrelevant expert with R_s ≤ R and λ ≤ Λ at every t has a D above η_r·R·(T·√(π/8 + (p₁² + p₂²)·Λ²/16) + min(√(T/(8·B·ε)), √(T·L/(4·B)) + √2·L/(3·B))), where π = (n − 1)/(d − 2), L = ln(2/ε), ε = (1 − level)/k",
    figure: "smallest ratio of bound to D",
    source: "ours: lemma S3, with δ/k for each of the k experts",
    rule: Rule::WithinRange(within_finite_sample_bound),
    ..PLAIN
}];

/// For all experts together: each has the share δ/k of δ = 1 − level.
fn within_finite_sample_bound(run: &Observation, claim: &ClaimSpec, [range, lambda]: [f64; 2]) -> RunDecision {
    let delta = (1.0 - claim.level) / run.experts.len() as f64;
    let bound = displacement_bound(run.parameters, range, lambda, delta);
    let irrelevant: Vec<&ExpertRow> =
        run.experts.iter().filter(|row| row.role_by(claim.roles) == Role::Irrelevant).collect();
    let stayed = |row: &&&ExpertRow| {
        row.max_range.is_some_and(|max| max <= range) && row.lambda_max.is_some_and(|max| max <= lambda)
    };
    let inside: Vec<&&ExpertRow> = irrelevant.iter().filter(stayed).collect();
    let ratios = inside.iter().map(|row| row.displacement.map(|displacement| bound / displacement));
    let smallest = extreme(ratios, f64::min);
    let (outside, experts) = ((irrelevant.len() - inside.len()) as u64, irrelevant.len() as u64);
    // A router that left the premise, or diverged, violates nothing.
    RunDecision { outside, experts, ..RunDecision::new(smallest.is_none_or(|ratio| ratio >= 1.0), smallest) }
}

/// The right side of lemma S3 for one expert with R_s ≤ `range` and λ ≤ `lambda` at every t, at error `delta`: the three
/// terms of [`bound_terms`] with the noise at its (1 − δ)-quantile in place of its root mean square.
pub(crate) fn displacement_bound(parameters: &Parameters, range: f64, lambda: f64, delta: f64) -> f64 {
    let training = &parameters.training;
    let (iterations, batch) = (training.iterations as f64, training.batch as f64);
    let [drift, leakage, _] = bound_terms(parameters, range, lambda);
    let logarithm = libm::log(2.0 / delta);
    // Doob's inequality, or Pinelis's, whichever is smaller.
    let doob = (iterations / (8.0 * batch * delta)).sqrt();
    let pinelis = (iterations * logarithm / (4.0 * batch)).sqrt() + 2f64.sqrt() / 3.0 * logarithm / batch;
    drift.hypot(leakage) + training.router_rate * range * doob.min(pinelis)
}

/// What lemmas S1 and S2 allow an expert with these R and λ at every t to be moved in T steps: drift along irrelevant
/// patterns η_r R T √(π/8), leakage η_r R T λ √(p₁² + p₂²)/4, and the root mean square of the noise η_r R √(T/(8B)).
pub(crate) fn bound_terms(parameters: &Parameters, range: f64, lambda: f64) -> [f64; 3] {
    let (data, training) = (&parameters.data, &parameters.training);
    let share = (data.tokens - 1) as f64 / (data.patterns - 2) as f64;
    let (one, two) = (data.class_share, 1.0 - data.class_share);
    let iterations = training.iterations as f64;
    let step = training.router_rate * range;
    [
        step * iterations * (share / 8.0).sqrt(),
        step * iterations * lambda * one.hypot(two) / 4.0,
        step * (iterations / (8.0 * training.batch as f64)).sqrt(),
    ]
}
