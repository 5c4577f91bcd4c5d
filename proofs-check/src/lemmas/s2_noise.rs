//! **S2, noise.** Let ĝ_s be the mean over a batch of B independent samples of ∇_{w_s} ℓ at fixed weights. Then
//!
//! E‖ĝ_s − E∇_{w_s} ℓ‖² = (E‖∇_{w_s} ℓ‖² − ‖E∇_{w_s} ℓ‖²)/B ≤ R_s² P[α = 1]/(8B).
//!
//! With fresh batches the differences ĝ_s^{(t)} − E[ĝ_s^{(t)} | weights before step t] are a martingale difference
//! sequence.
//!
//! *Proof.* The first equality is the variance of a mean of independent vectors. ‖∇_{w_s} ℓ‖² ≤ R_s²/8 if α = 1 (L2)
//! and 0 else. The weights before step t are a function of the earlier batches, the batch of step t is independent of
//! them. ∎
//!
//! 1/8 is best possible, so that centring gains nothing in general: d = 4, n = 3, l = 2, balanced classes, α ≡ 1, both
//! q always chosen with equal scores and σ = 0, R_s: the gradient is y a_s (R_s/4)(q − q′), its expectation 0 (S1′)
//! and its squared norm always R_s²/8.
//!
//! *Scope.* That of the module. Fresh batches only: samples of a finite training set that are met again are not
//! independent of the weights.
//!
//! *Check.* (a) Every recorded step is the mean of the samples' negative gradients, read from the definition, times
//! η_r: what makes the rest a statement about the engine. (b) E‖∇‖² ≤ R_s² P[α = 1]/8 on the populations. (c) ½‖ĝ −
//! ĝ′‖² over pairs of fresh batches by the engine, with the excess that chance allows.

use crate::concentration::variance_excess;
use crate::population::Study;
use crate::reading::Reader;
use crate::{Tally, Trajectory, tolerance};
use moe_theory::patterns::{Batch, Sampler};

/// Samples drawn for (c), and the most pairs of batches.
const SAMPLES: usize = 4000;
const PAIRS: usize = 200;

/// Compares steps, squared norms and variances.
pub fn check(study: &Study) -> Tally {
    let samples = study.trajectory.batches.first().map_or(1, Batch::samples);
    check_constant(study, 8.0, (SAMPLES / (2 * samples)).clamp(1, PAIRS))
}

/// The same against R_s²/(`constant`·B), with `pairs` pairs of batches.
pub fn check_constant(study: &Study, constant: f64, pairs: usize) -> Tally {
    let mut tally = Tally::default();
    check_steps(study.trajectory, &mut tally);
    check_squares(study, constant, &mut tally);
    check_variance(study, constant, pairs, &mut tally);
    tally
}

fn check_steps(trajectory: &Trajectory, tally: &mut Tally) {
    let (d, rate) = (trajectory.patterns(), trajectory.rates.router);
    for (iteration, before, after) in trajectory.steps() {
        let batch = &trajectory.batches[iteration];
        let reader = Reader::new(before);
        let readings: Vec<_> =
            (0..batch.samples()).map(|sample| reader.read(batch.sample(sample), batch.labels[sample])).collect();
        if readings.iter().any(|reading| tolerance::near_kink(trajectory, reading)) {
            continue;
        }
        for expert in 0..trajectory.experts() {
            let mut mean = vec![0.0; d];
            for reading in &readings {
                reader.add_pull(reading, expert, rate / batch.samples() as f64, &mut mean);
            }
            let steps = after.router(expert).iter().zip(before.router(expert)).map(|(next, u)| next - u);
            let off = steps.zip(&mean).fold(0.0, |off: f64, (step, mean)| off.max((step - mean).abs()));
            let allowed = tolerance::step(trajectory, before, expert, batch.samples());
            tally.zero(off, allowed, || format!("step {iteration} of router {expert} against the mean of its samples"));
        }
    }
}

fn check_squares(study: &Study, constant: f64, tally: &mut Tally) {
    let trajectory = study.trajectory;
    for population in study.populations {
        let model = &trajectory.models[population.iteration];
        let reader = Reader::new(model);
        let inputs = &population.inputs;
        let active = |sample: usize| reader.read(inputs.batch.sample(sample), inputs.batch.labels[sample]).active();
        let share: f64 = (0..inputs.weights.len()).filter(|&at| active(at)).map(|at| inputs.weights[at]).sum();
        for (expert, &squares) in population.squares.iter().enumerate() {
            let range = trajectory.ranges[population.iteration][expert];
            // Holds for every sample, so for every mean: no room for chance.
            let allowed = tolerance::expectation(model, expert).powi(2) + 1e-12 * range * range;
            tally.at_most(squares, range * range * share / constant, allowed, || {
                format!("mean squared gradient of router {expert} at {}", population.iteration)
            });
        }
    }
}

fn check_variance(study: &Study, constant: f64, pairs: usize, tally: &mut Tally) {
    let trajectory = study.trajectory;
    let iteration = trajectory.models.len() / 2;
    let model = &trajectory.models[iteration];
    let samples = trajectory.batches.first().map_or(1, Batch::samples);
    let mut sampler = Sampler::evaluation(&trajectory.data, !trajectory.seed);
    let mut batch = Batch::default();
    let mut draw = || {
        sampler.fill(&mut batch, samples);
        study.engine_pull(model, &batch)
    };
    let mut sums = vec![0.0; trajectory.experts()];
    for _ in 0..pairs {
        let (Some(one), Some(other)) = (draw(), draw()) else { return };
        for (at, (a, b)) in one.iter().zip(&other).enumerate() {
            sums[at / model.patterns] += 0.5 * (a - b) * (a - b);
        }
    }
    for (expert, sum) in sums.into_iter().enumerate() {
        let range = trajectory.ranges[iteration][expert];
        let bound = range * range / (constant * samples as f64);
        let rounding = 1e-12 * range * range + tolerance::expectation(model, expert).powi(2);
        let allowed = bound * variance_excess(samples, pairs) + rounding;
        tally.at_most(sum / pairs as f64, bound, allowed, || {
            format!("variance of the batch gradient of router {expert} at {iteration}, B = {samples}")
        });
    }
}
