//! The dense engine's gradients against central finite differences of an independent forward pass, in ambient
//! coordinates, away from kinks and ties.

use moe_theory::moe::Model;
use moe_theory::patterns::{Batch, Purpose, Sampler, Vocabulary, stream};
use moe_theory::sgd::{DenseEngine, Rates};
use moe_theory::sim::parameters::{Basis, DataParameters, Labels};
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestRunner};
use rand_distr::{Distribution, StandardNormal};
use std::cell::Cell;

/// Distance from every kink and tie below which a case is set aside.
const CLEARANCE: f64 = 1e-3;
/// h of the central difference (L(w + h) − L(w − h)) / 2h. Tokens are shorter than about 4, so no score moves by more
/// than 4e-6: far from `CLEARANCE`.
const STEP: f64 = 1e-6;
/// Allowed |difference| / (1 + |slope|). Rounding of the loss L costs about 1e-16 · L / h, 1e-9 for the largest L; the
/// truncation, h²/6 times the third derivative, is about 1e-12. The largest seen in 20,000 cases is 1.7e-9.
const TOLERANCE: f64 = 2e-8;

/// What a case is made from.
#[derive(Clone, Copy, Debug)]
struct Case {
    half_experts: usize,
    neurons: usize,
    patterns: usize,
    tokens: usize,
    chosen: usize,
    replacement: bool,
    noise: f64,
    haar: bool,
    samples: usize,
    neuron_scale: f64,
    seed: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    let sizes = (2usize..=6, any::<bool>()).prop_flat_map(|(tokens, replacement)| {
        let fewest_patterns = if replacement { 4 } else { (tokens + 1).max(4) };
        (Just(tokens), Just(replacement), fewest_patterns..=10, 2..=tokens)
    });
    let noise = prop_oneof![Just(0.0), 0.05..1.0];
    // From nearly all samples active (f ~ 0) to about half of them (|f| > 1).
    let scale = 0.3..4.0;
    (1usize..=3, 1usize..=4, sizes, noise, any::<bool>(), 1usize..=5, scale, any::<u64>()).prop_map(
        |(half_experts, neurons, (tokens, replacement, patterns, chosen), noise, haar, samples, neuron_scale, seed)| {
            Case {
                half_experts,
                neurons,
                patterns,
                tokens,
                chosen,
                replacement,
                noise,
                haar,
                samples,
                neuron_scale,
                seed,
            }
        },
    )
}

/// The ambient weights and data of a case, as nested vectors: nothing of the library's forward pass.
struct Plain {
    chosen: usize,
    signs: Vec<f64>,
    /// `[k][d]`.
    routers: Vec<Vec<f64>>,
    /// `[k][m][d]`.
    neurons: Vec<Vec<Vec<f64>>>,
    /// `[B][n][d]`.
    samples: Vec<Vec<Vec<f64>>>,
    labels: Vec<f64>,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sum = 0.0;
    for i in 0..a.len() {
        sum += a[i] * b[i];
    }
    sum
}

impl Plain {
    /// A token is chosen iff fewer than l tokens beat it: by score, or by position at equal scores.
    fn choice(&self, expert: usize, tokens: &[Vec<f64>]) -> (Vec<f64>, Vec<bool>) {
        let scores: Vec<f64> = tokens.iter().map(|token| dot(&self.routers[expert], token)).collect();
        let mut is_chosen = Vec::new();
        for j in 0..scores.len() {
            let mut better = 0;
            for i in 0..scores.len() {
                if scores[i] > scores[j] || (scores[i] == scores[j] && i < j) {
                    better += 1;
                }
            }
            is_chosen.push(better < self.chosen);
        }
        (scores, is_chosen)
    }

    fn output(&self, tokens: &[Vec<f64>]) -> f64 {
        let mut f = 0.0;
        for expert in 0..self.signs.len() {
            let (scores, is_chosen) = self.choice(expert, tokens);
            let (mut numerator, mut denominator) = (0.0, 0.0);
            for j in (0..tokens.len()).filter(|&j| is_chosen[j]) {
                let mut activation = 0.0;
                for neuron in &self.neurons[expert] {
                    activation += f64::max(0.0, dot(neuron, &tokens[j])) / self.neurons[expert].len() as f64;
                }
                numerator += scores[j].exp() * activation;
                denominator += scores[j].exp();
            }
            f += self.signs[expert] * numerator / denominator;
        }
        f
    }

    fn margins(&self) -> Vec<f64> {
        self.samples.iter().zip(&self.labels).map(|(tokens, label)| label * self.output(tokens)).collect()
    }

    fn loss(&self) -> f64 {
        let mut sum = 0.0;
        for margin in self.margins() {
            sum += f64::max(0.0, 1.0 - margin);
        }
        sum / self.labels.len() as f64
    }

    /// Whether every hinge, every ReLU of a chosen token and every border between chosen and other tokens is further
    /// than `CLEARANCE` from its kink. Identical tokens may tie: exchanging them changes nothing.
    fn is_smooth(&self) -> bool {
        let far_from_hinge = self.margins().iter().all(|margin| (1.0 - margin).abs() > CLEARANCE);
        far_from_hinge
            && self.samples.iter().all(|tokens| {
                (0..self.signs.len()).all(|expert| {
                    let (scores, is_chosen) = self.choice(expert, tokens);
                    let chosen = || (0..tokens.len()).filter(|&j| is_chosen[j]);
                    let others = || (0..tokens.len()).filter(|&j| !is_chosen[j]);
                    let border =
                        chosen().all(|j| others().all(|i| tokens[i] == tokens[j] || scores[j] - scores[i] > CLEARANCE));
                    let neurons = &self.neurons[expert];
                    border && chosen().all(|j| neurons.iter().all(|neuron| dot(neuron, &tokens[j]).abs() > CLEARANCE))
                })
            })
    }

    /// The central difference of the loss in the weight that `weight` points at.
    fn slope(&mut self, weight: impl Fn(&mut Plain) -> &mut f64) -> f64 {
        let middle = *weight(self);
        *weight(self) = middle + STEP;
        let above = self.loss();
        *weight(self) = middle - STEP;
        let below = self.loss();
        *weight(self) = middle;
        (above - below) / (2.0 * STEP)
    }
}

/// The case for the engine (model in pattern coordinates, vocabulary, batch) and for the plain forward pass.
fn build(case: &Case) -> (Model, Vocabulary, Batch, Plain) {
    let (k, m, d) = (2 * case.half_experts, case.neurons, case.patterns);
    let mut generator = stream(case.seed, Purpose::Pretrained);
    let mut normal = |count: usize, scale: f64| -> Vec<f64> {
        (0..count).map(|_| StandardNormal.sample(&mut generator)).map(|value: f64| scale * value).collect()
    };
    let model = Model {
        patterns: d,
        neurons_per_expert: m,
        tokens_per_expert: case.chosen,
        signs: (0..k).map(|expert| [1.0, -1.0][expert % 2]).collect(),
        routers: normal(k * d, 1.0),
        neurons: normal(k * m * d, case.neuron_scale),
    };
    let basis = if case.haar { Basis::Haar } else { Basis::Canonical };
    let data = DataParameters {
        patterns: d,
        tokens: case.tokens,
        replacement: case.replacement,
        noise: case.noise,
        class_share: 0.5,
        basis,
        labels: Labels::Class,
        label_noise: 0.0,
        ..DataParameters::default()
    };
    let mut batch = Batch::default();
    Sampler::training(&data, case.seed).fill(&mut batch, case.samples);
    let vocabulary = Vocabulary::new(d, basis, case.seed);
    let plain = plain(&model, &vocabulary, &batch);
    (model, vocabulary, batch, plain)
}

fn plain(model: &Model, vocabulary: &Vocabulary, batch: &Batch) -> Plain {
    let (d, n) = (model.patterns, batch.tokens_per_sample);
    let turn = |coordinates: &[f64]| -> Vec<f64> {
        let Some(matrix) = vocabulary.matrix() else { return coordinates.to_vec() };
        (0..d).map(|row| (0..d).map(|pattern| matrix[(row, pattern)] * coordinates[pattern]).sum()).collect()
    };
    let token = |number: usize| {
        let mut coordinates = vec![0.0; d];
        coordinates[batch.tokens[number] as usize] = 1.0;
        if !batch.noise.is_empty() {
            for (pattern, coordinate) in coordinates.iter_mut().enumerate() {
                *coordinate += batch.noise[number * d + pattern];
            }
        }
        turn(&coordinates)
    };
    Plain {
        chosen: model.tokens_per_expert,
        signs: model.signs.clone(),
        routers: (0..model.experts()).map(|expert| turn(model.router(expert))).collect(),
        neurons: (0..model.experts())
            .map(|expert| model.expert_neurons(expert).chunks(d).map(turn).collect())
            .collect(),
        samples: (0..batch.samples()).map(|sample| (sample * n..(sample + 1) * n).map(token).collect()).collect(),
        labels: batch.labels.clone(),
    }
}

/// Compares every component; returns how many samples are active.
fn compare(case: &Case) -> Result<usize, TestCaseError> {
    let (model, vocabulary, batch, mut plain) = build(case);
    if !plain.is_smooth() {
        return Err(TestCaseError::reject("near a kink or a tie"));
    }
    let mut engine = DenseEngine::new(&model, vocabulary, Rates { router: 0.1, expert: 0.1 });
    let gradients = engine.gradients(&batch).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert!((gradients.loss - plain.loss()).abs() < 1e-12);
    prop_assert_eq!(gradients.active, plain.margins().iter().filter(|&&margin| margin < 1.0).count());
    let check = |name: String, gradient: f64, slope: f64| {
        let difference = (gradient - slope).abs() / (1.0 + slope.abs());
        prop_assert!(difference < TOLERANCE, "{}: gradient {}, difference quotient {}", name, gradient, slope);
        Ok(())
    };
    for expert in 0..model.experts() {
        for i in 0..case.patterns {
            let slope = plain.slope(|plain| &mut plain.routers[expert][i]);
            check(format!("router {expert}, coordinate {i}"), gradients.routers[(expert, i)], slope)?;
            for r in 0..case.neurons {
                let slope = plain.slope(|plain| &mut plain.neurons[expert][r][i]);
                check(format!("neuron {r} of {expert}, coordinate {i}"), gradients.neurons[expert][(r, i)], slope)?;
            }
        }
    }
    Ok(gradients.active)
}

#[test]
fn gradients_are_the_slopes_of_the_mean_loss() {
    let failing_seeds = FileFailurePersistence::WithSource("proptest-regressions");
    let config =
        Config { cases: 1024, failure_persistence: Some(Box::new(failing_seeds)), ..Config::with_source_file(file!()) };
    let (compared, set_aside, mixed) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let result = TestRunner::new(config).run(&cases(), |case| match compare(&case) {
        Ok(active) => {
            compared.set(compared.get() + 1);
            // Only such a batch tells a mean over all samples from a mean over the active ones.
            mixed.set(mixed.get() + usize::from(active > 0 && active < case.samples));
            Ok(())
        }
        Err(TestCaseError::Reject(reason)) => {
            set_aside.set(set_aside.get() + 1);
            Err(TestCaseError::Reject(reason))
        }
        Err(failure) => Err(failure),
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    assert!(compared.get() > 3 * set_aside.get(), "{} compared, {} set aside", compared.get(), set_aside.get());
    assert!(mixed.get() > 100, "only {} cases with active and inactive samples", mixed.get());
}
