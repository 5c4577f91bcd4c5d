//! **L8, one-sign impossibility.** f_s has the sign of a_s or is 0. If all kept experts share a sign, every sample of
//! the class that this sign votes against is an error, with or without fine-tuning. With ρ > 1 − 2/k at most one
//! expert is kept, so no method of pruning survives ρ > 1 − 2/k on both classes.
//!
//! *Proof.* f_s = a_s Σ_j G_j σ_j with G_j ≥ 0 and σ_j ≥ 0. If a_s = a for all kept s, then a f(x) ≥ 0 for every x,
//! and for y = −a this is y f(x) ≤ 0: an error. Training moves routers and neurons and never a_s. The number kept is
//! (1 − ρ)k < 2. Without experts f = 0, an error for both classes. ∎
//!
//! So the accuracy is at most the share of one class. *Scope.* Wider than the module's: any routing with gates ≥ 0,
//! any loss, any noise, any number of experts of either sign.
//!
//! *Check.* Every set of experts of one sign that is a single one, all of the sign, or all but one, of trained models:
//! the engine's outputs on inputs of both classes, before and after fine-tuning steps on fresh batches.

use crate::Tally;
use crate::population::{Study, own_class};
use moe_theory::patterns::{Batch, Class, Sampler};
use moe_theory::sgd::Objective;

/// Inputs of each batch, and fine-tuning steps.
const SAMPLES: usize = 24;
const STEPS: usize = 4;

/// Counts samples of the other class that are no error.
pub fn check(study: &Study) -> Tally {
    let mut tally = Tally::default();
    let trajectory = study.trajectory;
    let model = &trajectory.models[trajectory.models.len() - 1];
    let mut sampler = Sampler::finetuning(&trajectory.data, trajectory.seed);
    let mut batch = Batch::default();
    for kept in one_sign_sets(&model.signs) {
        let pruned = model.subset(&kept);
        let mut engine = (study.make)(&pruned, trajectory.rates);
        let other = if own_class(pruned.signs[0]) == Class::One { Class::Two } else { Class::One };
        let mut outputs = Vec::new();
        for step in 0..=STEPS {
            sampler.fill(&mut batch, SAMPLES);
            if step < STEPS && engine.step(&batch, &Objective::default()).is_err() {
                break;
            }
            batch.set_class(other);
            engine.outputs(&batch, &mut outputs);
            for of_experts in outputs.chunks_exact(kept.len()) {
                let margin = other.label() * of_experts.iter().sum::<f64>();
                tally.holds(margin <= 0.0, || format!("experts {kept:?} of one sign give a margin of {margin:e}"));
                let signed = of_experts.iter().zip(&pruned.signs).all(|(output, sign)| output * sign >= 0.0);
                tally.holds(signed, || format!("an expert of {kept:?} has an output of the wrong sign"));
            }
        }
    }
    tally
}

/// Sets of experts that share a sign.
fn one_sign_sets(signs: &[f64]) -> Vec<Vec<usize>> {
    let mut sets: Vec<Vec<usize>> = (0..signs.len()).map(|expert| vec![expert]).collect();
    for sign in [1.0, -1.0] {
        let all: Vec<usize> = (0..signs.len()).filter(|&expert| signs[expert] == sign).collect();
        if all.len() > 1 {
            let without = |left: usize| all.iter().copied().filter(|&expert| expert != left).collect();
            sets.extend(all.iter().map(|&left| without(left)));
            sets.push(all);
        }
    }
    sets
}
