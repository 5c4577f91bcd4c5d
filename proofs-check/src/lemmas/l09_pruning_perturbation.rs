//! **L9, pruning perturbation.** Let S be the kept experts and for the pruned ones of sign a let M_a = Σ max_v σ_{s,v}
//! and m_a = Σ min_v σ_{s,v}. For every x
//!
//! m₊ − M₋ ≤ f(x) − f_S(x) ≤ M₊ − m₋, so |f(x) − f_S(x)| ≤ max(M₊, M₋) ≤ Σ_{s∉S} max_v σ_{s,v}.
//!
//! So pruning takes at most M₊ − m₋ from the margin of class o₁ and at most M₋ − m₊ from that of o₂.
//!
//! *Proof.* Expert choice routes each expert by itself: what is pruned changes nothing for the others, and f − f_S =
//! Σ_{s∉S} f_s. a_s f_s(x) = Σ_j G_j σ_j is a weighted mean of activations, so it lies between min_v σ_{s,v} ≥ 0 and
//! max_v σ_{s,v}. ∎
//!
//! The sum over both signs is the plain bound; outputs of opposite sign cannot add up, so the larger of the two is
//! enough. It is attained where all pruned experts of that sign take tokens of largest σ and the others tokens with σ
//! = 0.
//!
//! *Scope.* That of the module, any loss. Token choice with a router that stays also obeys it, if gates of a token's
//! absent experts are not given to others.
//!
//! *Check.* The engine's outputs of the whole and of the pruned model: at the populations' models, several sets, some
//! inputs.

use crate::population::Study;
use crate::{Tally, tolerance};
use moe_theory::moe::Model;
use moe_theory::patterns::{Batch, Sampler};

/// Sets of pruned experts for each model, and inputs.
const SETS: u64 = 8;
const SAMPLES: usize = 32;

/// Compares outputs before and after pruning.
pub fn check(study: &Study) -> Tally {
    check_constant(study, 1.0)
}

/// The same with `factor` times the bounds.
pub fn check_constant(study: &Study, factor: f64) -> Tally {
    let mut tally = Tally::default();
    let trajectory = study.trajectory;
    let mut sampler = Sampler::evaluation(&trajectory.data, trajectory.seed);
    let mut batch = Batch::default();
    for population in study.populations {
        let model = &trajectory.models[population.iteration];
        sampler.fill(&mut batch, SAMPLES);
        let whole = study.engine_outputs(model, &batch);
        let allowed = tolerance::output(model);
        for set in 0..SETS {
            let bits = (trajectory.seed >> 8).rotate_left(7 * set as u32) ^ set;
            let kept: Vec<usize> = (0..model.experts()).filter(|expert| bits >> expert & 1 == 1).collect();
            let pruned = study.engine_outputs(&model.subset(&kept), &batch);
            let (lowest, highest) = bounds(model, &kept);
            for (f, f_s) in whole.iter().zip(pruned) {
                let place = || format!("output at {} with {kept:?} kept", population.iteration);
                let lost = f - f_s;
                tally.at_most(lost, factor * highest, allowed, place);
                tally.at_most(-lost, -factor * lowest, allowed, place);
            }
        }
    }
    tally
}

/// The least and the largest f − f_S.
fn bounds(model: &Model, kept: &[usize]) -> (f64, f64) {
    let (mut lowest, mut highest) = (0.0, 0.0);
    for expert in (0..model.experts()).filter(|expert| !kept.contains(expert)) {
        let activations = model.activations(expert);
        let ends = [f64::min, f64::max].map(|pick| activations.iter().copied().reduce(pick).unwrap_or(0.0));
        let (low, high) = if model.signs[expert] > 0.0 { (ends[0], ends[1]) } else { (-ends[1], -ends[0]) };
        lowest += low;
        highest += high;
    }
    (lowest, highest)
}
