//! **S4, growth.** Let y_v a_s = +1 (the expert votes for class v). In a step with the batch 𝓑 let A be the samples of
//! class v with α = 1 and o_v ∈ J_s, and gap = σ_{s,o_v} − max σ_{s,q} over the q that s takes beside o_v in A. If gap
//! ≥ 0, the step moves u_{s,o_v} by
//!
//! (η_r/B) Σ_{x∈A} G_o (σ_{s,o_v} − σ̄) ≥ (η_r/B) gap Σ_{x∈A} G_o (1 − G_o) ≥ η_r (|A|/B) gap min_A G_o (1 − G_o) ≥ 0,
//!
//! *whatever the batch*. So given the weights, with gap over all q and κ the smaller of G(1 − G) at the two gates G =
//! 1/(1 + (l−1) exp(e − u_o)) of e = min_q u_q and e = max_q u_q,
//!
//! E[move of u_{s,o_v}] ≥ η_r P[y = v] P[α = 1, o_v ∈ J_s | v] κ gap.
//!
//! *Proof.* Only samples that contain o_v and choose it move u_{s,o_v}: those of A, with y a_s = +1. One sample has
//! one class token, so the other l − 1 chosen ones are irrelevant, and σ̄ = G_o σ_o + (1 − G_o) μ with μ a mean of
//! their activations: σ_o − σ̄ = (1 − G_o)(σ_o − μ) ≥ (1 − G_o) gap. G_o lies between the values at the two ends, as
//! each of the other scores lies between them, and G(1 − G) is concave, so smallest at an end. The expectation of a
//! sum over the batch is B times that of one sample. ∎
//!
//! Stronger than a statement about expectations: while gap ≥ 0, u_{s,o_v} never falls. For a misaligned expert (y_v
//! a_s = −1) all signs turn, and u_{s,o_v} falls by as much: it learns to hide its feature.
//!
//! *Scope.* That of the module, and the label follows the class. Independent labels make |A| count with both signs.
//!
//! *Check.* Every step of every expert with gap > 0, for both signs. The expected move on the populations.

use crate::population::{Population, Study, own_class};
use crate::reading::Reader;
use crate::{Tally, Trajectory, tolerance};
use moe_theory::moe::Model;
use moe_theory::patterns::Class;

/// Compares moves of the routers at class patterns.
pub fn check(study: &Study) -> Tally {
    let mut tally = Tally::default();
    check_steps(study.trajectory, &mut tally);
    for population in study.populations {
        check_expectation(study.trajectory, population, &mut tally);
    }
    tally
}

fn check_steps(trajectory: &Trajectory, tally: &mut Tally) {
    for (iteration, before, after) in trajectory.steps() {
        let batch = &trajectory.batches[iteration];
        let reader = Reader::new(before);
        let readings: Vec<_> =
            (0..batch.samples()).map(|sample| reader.read(batch.sample(sample), batch.labels[sample])).collect();
        if readings.iter().any(|reading| tolerance::near_kink(trajectory, reading)) {
            continue;
        }
        for (expert, sign) in before.signs.iter().enumerate() {
            for class in Class::BOTH {
                let own = class.pattern();
                let activations = reader.activations(expert);
                let (mut gap, mut weight) = (f64::INFINITY, 0.0);
                for reading in readings.iter().filter(|reading| reading.label == class.label() && reading.active()) {
                    let choice = &reading.choices[expert];
                    let gate = choice.gate(own);
                    if gate > 0.0 {
                        weight += gate * (1.0 - gate) / batch.samples() as f64;
                        let others = choice.taken.iter().filter(|(pattern, _)| *pattern != own);
                        gap = others.fold(gap, |gap: f64, &(q, _)| gap.min(activations[own] - activations[q]));
                    }
                }
                if weight > 0.0 && gap > 0.0 {
                    let moved = (after.router(expert)[own] - before.router(expert)[own]) * sign * class.label();
                    let allowed = tolerance::step(trajectory, before, expert, batch.samples());
                    tally.at_most(trajectory.rates.router * weight * gap, moved, allowed, || {
                        format!("move of router {expert} at {class:?} in step {iteration}, bound first")
                    });
                }
            }
        }
    }
}

fn check_expectation(trajectory: &Trajectory, population: &Population, tally: &mut Tally) {
    let model = &trajectory.models[population.iteration];
    for (expert, &sign) in model.signs.iter().enumerate() {
        let own = own_class(sign).pattern();
        let activations = model.activations(expert);
        let gap = activations[own] - activations[2..].iter().copied().fold(0.0, f64::max);
        let taken = population.taken[expert][own];
        if gap > 0.0 && taken > 0.0 {
            let bound = taken * smallest_weight(model, expert, own) * gap;
            let moved = population.expert_pull(expert, model.patterns)[own];
            // Holds for every sample, so for every mean: no room for chance.
            tally.at_most(bound, moved, tolerance::expectation(model, expert), || {
                format!("expected move of router {expert} at {}, bound first", population.iteration)
            });
        }
    }
}

/// κ: the least G(1 − G) of o_v beside l − 1 irrelevant patterns.
fn smallest_weight(model: &Model, expert: usize, own: usize) -> f64 {
    let router = model.router(expert);
    let others = model.tokens_per_expert as f64 - 1.0;
    let weight = |score: f64| {
        let gate = 1.0 / (1.0 + others * (score - router[own]).exp());
        gate * (1.0 - gate)
    };
    let lowest = router[2..].iter().copied().fold(f64::INFINITY, f64::min);
    let highest = router[2..].iter().copied().fold(f64::NEG_INFINITY, f64::max);
    weight(lowest).min(weight(highest))
}
