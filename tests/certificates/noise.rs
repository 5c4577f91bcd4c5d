//! Token noise, and models on another basis.

use crate::small::{ample, for_each_input, margin, small, smallest_margin, table};
use moe_theory::certify::noise::bounded;
use moe_theory::certify::{Budget, ModelTable, Stored, Support, Verdict, certify};
use moe_theory::moe::Model;
use moe_theory::patterns::{Class, Pattern, Purpose, Vocabulary, stream};
use moe_theory::sim::parameters::Basis;
use nalgebra::DMatrix;
use rand::RngExt;

/// Samples with token noise of length at most `radius`, each against a certificate that allows for it.
#[test]
fn a_bound_with_token_noise_holds_on_noisy_samples() {
    let (mut positive, mut tight) = (0, 0);
    for seed in 0..400 {
        let small = small(6_000_000 + seed, (8, 4));
        let model = &small.model;
        let d = model.patterns;
        let all: Vec<usize> = (0..model.experts()).collect();
        let mut random = stream(seed, Purpose::TrainingNoise);
        let radius = [0.003, 0.03, 0.3][random.random_range(0..3)];
        let noisy = table(&small).with_noise(&bounded(model, radius));
        for class in Class::BOTH {
            let support = Support { classes: vec![class], ..small.support.clone() };
            let bound = certify(&noisy, &support, &all, Budget { target: 1e3, ..ample() }).margin_lower;
            let quiet = certify(&table(&small), &support, &all, ample()).margin_lower;
            positive += u32::from(bound > 0.0);
            tight += u32::from(quiet > 0.0);
            let mut smallest = f64::INFINITY;
            for _ in 0..200 {
                let mut tokens: Vec<Vec<f64>> = Vec::new();
                let mut standing: Vec<usize> = (2..d).collect();
                for position in 0..small.support.tokens {
                    let place = random.random_range(0..standing.len());
                    let pattern = if position == 0 { class.pattern() } else { standing[place] };
                    if position > 0 && !small.support.replacement {
                        standing.swap_remove(place);
                    }
                    let mut token: Vec<f64> = (0..d).map(|_| random.random_range(-1.0..1.0)).collect();
                    let length = token.iter().map(|x| x * x).sum::<f64>().sqrt();
                    token.iter_mut().for_each(|x| *x *= radius / length);
                    token[pattern] += 1.0;
                    tokens.push(token);
                }
                smallest = smallest.min(class.label() * noisy_output(model, &tokens));
            }
            assert!(bound <= smallest, "seed {seed}: {bound} {smallest}");
        }
    }
    assert!(positive > 50 && tight > positive, "{positive} {tight}");
}

/// f of tokens in pattern coordinates, from the definition.
fn noisy_output(model: &Model, tokens: &[Vec<f64>]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let output = |expert: usize| {
        let mut scored: Vec<(f64, f64)> = tokens
            .iter()
            .map(|token| {
                let neurons = model.expert_neurons(expert).chunks_exact(model.patterns);
                let sum: f64 = neurons.map(|neuron| dot(neuron, token).max(0.0)).sum();
                (dot(model.router(expert), token), sum / model.neurons_per_expert as f64)
            })
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        let top = scored[0].0;
        let sums = scored[..model.tokens_per_expert].iter().fold((0.0, 0.0), |sums, (score, activation)| {
            let weight = (score - top).exp();
            (sums.0 + weight * activation, sums.1 + weight)
        });
        model.signs[expert] * sums.0 / sums.1
    };
    (0..model.experts()).map(output).sum()
}

#[test]
fn a_model_on_another_basis_is_certified_by_its_stored_numbers() {
    let mut refuted = 0;
    for seed in 0..400 {
        let small = small(7_000_000 + seed, (8, 4));
        let (model, d) = (&small.model, small.model.patterns);
        let vocabulary = Vocabulary::new(d, Basis::Haar, seed);
        let rows = |rows: &[f64]| -> Vec<f64> {
            let columns = DMatrix::from_column_slice(d, rows.len() / d, rows);
            vocabulary.to_ambient(columns).as_slice().to_vec()
        };
        let identity: Vec<f64> = DMatrix::<f64>::identity(d, d).as_slice().to_vec();
        let stored = Stored {
            basis: rows(&identity),
            signs: model.signs.clone(),
            routers: rows(&model.routers),
            neurons: rows(&model.neurons),
            tokens_per_expert: model.tokens_per_expert,
        };
        let (turned, radii) = stored.model().expect("sizes fit");
        let all: Vec<usize> = (0..model.experts()).collect();
        let turned_table = ModelTable::new(&turned, &small.support, radii).expect("finite");
        let certificate = certify(&turned_table, &small.support, &all, ample());
        let truth = Class::BOTH.map(|class| smallest_margin(&small, &all, class)).into_iter().fold(f64::NAN, f64::min);
        assert!(radii.score > 0.0 && radii.score < 1e-11);
        // Scores that tie in the model may fall either way on the basis, and the bound allows for the worse.
        assert!(certificate.margin_lower <= truth + 1e-12, "seed {seed}");
        if truth > 1e-6 && table(&small).experts.iter().all(|own| !own.overlaps || small.support.replacement) {
            assert_ne!(certificate.verdict, Verdict::Counterexample, "seed {seed}");
        }
        if let (Verdict::Counterexample, Some((input, _))) = (certificate.verdict, &certificate.worst) {
            refuted += 1;
            let sorted = |tokens: &[Pattern]| {
                let mut tokens = tokens.to_vec();
                tokens.sort_unstable();
                tokens
            };
            // Whichever way its ties fall.
            for_each_input(&small, input.class, &mut |tokens| {
                if sorted(tokens) == sorted(&input.tokens) {
                    let found = margin(model, &all, input.class, tokens);
                    assert!(found <= 1e-9, "seed {seed}: {found} {input:?}");
                }
            });
        }
    }
    assert!(refuted > 50, "{refuted}");
}
