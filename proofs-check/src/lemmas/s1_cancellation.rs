//! **S1′, cancellation.** Let λ₁ = λ₂ = 0 for expert s, z the irrelevant tokens of a sample in their order, Φ(z) = Σ_j
//! G_j (σ_j − σ̄) x⁽ʲ⁾, and β(z) = E[yα | z]. Then
//!
//! - E[−∇_{w_s} ℓ] = a_s E[β(z) Φ(z)] = a_s `(E[β] E[Φ] + Cov(β, Φ))`, and ‖E∇_{w_s} ℓ‖₂ ≤ R_s √(π E|β|/8);
//! - it is exactly 0 where β = 0, so while α ≡ 1 and the classes are balanced.
//!
//! *Proof.* λ = 0 says that the class token is (with probability 1) not among the top l, so J_s is the top l of z.
//! Ties among tokens of z are broken by their order in z, whatever the position of the class token. So Φ depends on z
//! alone, and the negative gradient is y α a_s Φ(z). z is independent of the class and the position of its token (not
//! of α): the expectation given z is a_s β(z) Φ(z). With α ≡ 1, β = E[y | z] = p₁ − p₂. For the bound repeat the proof
//! of S1 with the coordinate β(z) Φ_q: |E[β Φ_q]| ≤ (R_s/4) π because |β| ≤ 1, and Σ_q |E[β Φ_q]| ≤ (R_s/2) E|β|. ∎
//!
//! So there are *two* ways to a drift. Cov(β, Φ) needs a margin that depends on the irrelevant tokens. `E[β] E[Φ]`
//! does not: it needs only that one class has more active samples than the other, p₁ P[α = 1 | o₁] ≠ p₂ P[α = 1 | o₂],
//! be it by the class share or because one class is learned before the other.
//!
//! The symmetry that is used is D's: (class, position) is independent of z. Expert choice is needed in that the class
//! token takes no gate and no place from the others.
//!
//! *Scope.* That of the module, and the label follows the class.
//!
//! *Check.* For some z: the engine's step on all n samples that put o_v somewhere into z must be y_v a_s Φ(z) times
//! the share of them that is active, for both classes. Where all inputs are listed: the identity and the bound.

use crate::law::{Occurrence, completions};
use crate::population::{Population, Study};
use crate::reading::Reader;
use crate::tolerance::norm;
use crate::{Tally, Trajectory, tolerance};
use moe_theory::patterns::{Class, Pattern};
use std::collections::BTreeMap;

/// Sequences z on which each population is checked by the engine.
const SEQUENCES: usize = 4;

/// Compares the steps of routers with λ = 0.
pub fn check(study: &Study) -> Tally {
    let mut tally = Tally::default();
    for population in study.populations {
        let blind: Vec<usize> =
            (0..population.lambda.len()).filter(|&expert| population.lambda[expert] == [0.0; 2]).collect();
        if blind.is_empty() {
            continue;
        }
        let stride = (population.inputs.weights.len() / SEQUENCES).max(1);
        for sample in (0..population.inputs.weights.len()).step_by(stride) {
            check_sequence(study, population, &blind, &population.inputs.irrelevant(sample), &mut tally);
        }
        if population.inputs.exact {
            check_expectation(study.trajectory, population, &blind, &mut tally);
        }
    }
    tally
}

/// The engine's steps on all samples that complete z.
fn check_sequence(study: &Study, population: &Population, blind: &[usize], z: &[Pattern], tally: &mut Tally) {
    let trajectory = study.trajectory;
    let model = &trajectory.models[population.iteration];
    let reader = Reader::new(model);
    for class in Class::BOTH {
        let batch = completions(z, class);
        let readings: Vec<_> = (0..batch.samples()).map(|i| reader.read(batch.sample(i), class.label())).collect();
        if readings.iter().any(|reading| tolerance::near_kink(trajectory, reading)) {
            continue;
        }
        let active = readings.iter().filter(|reading| reading.active()).count() as f64 / readings.len() as f64;
        let Some(pull) = study.engine_pull(model, &batch) else { continue };
        for &expert in blind {
            let weight = class.label() * model.signs[expert] * active;
            let mut off = pull[expert * model.patterns..][..model.patterns].to_vec();
            reader.add_spread(&reader.choose(expert, z), expert, -weight, &mut off);
            let largest = off.iter().fold(0.0, |largest: f64, g| largest.max(g.abs()));
            let scale = tolerance::expectation(model, expert) + 16.0 * f64::EPSILON * norm(model.router(expert));
            tally.zero(largest, scale, || format!("step of router {expert} on {class:?} with {z:?} is not that of z"));
        }
    }
}

/// E[−∇] = a_s E[β Φ], and the bound.
fn check_expectation(trajectory: &Trajectory, population: &Population, blind: &[usize], tally: &mut Tally) {
    let model = &trajectory.models[population.iteration];
    let reader = Reader::new(model);
    // P[z] and P[z] β(z).
    let mut sequences: BTreeMap<Vec<Pattern>, (f64, f64)> = BTreeMap::new();
    for (sample, weight) in population.inputs.weights.iter().enumerate() {
        let batch = &population.inputs.batch;
        let reading = reader.read(batch.sample(sample), batch.labels[sample]);
        let (probability, beta) = sequences.entry(population.inputs.irrelevant(sample)).or_default();
        *probability += weight;
        *beta += if reading.active() { weight * reading.label } else { 0.0 };
    }
    let absolute: f64 = sequences.values().map(|(_, beta)| beta.abs()).sum();
    let occurrence = Occurrence::of(&trajectory.data);
    for &expert in blind {
        let pull = population.expert_pull(expert, model.patterns);
        let mut off = pull.to_vec();
        for (z, (_, beta)) in &sequences {
            reader.add_spread(&reader.choose(expert, z), expert, -beta * model.signs[expert], &mut off);
        }
        let allowed = tolerance::expectation(model, expert);
        tally.zero(norm(&off), allowed, || format!("drift of router {expert} is not that of beta and Phi"));
        let range = trajectory.ranges[population.iteration][expert];
        let bound = range * (occurrence.irrelevant * absolute / 8.0).sqrt();
        tally.at_most(norm(pull), bound, allowed, || format!("drift of router {expert} with E|beta| = {absolute}"));
    }
}
