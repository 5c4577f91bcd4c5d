use super::*;
use crate::moe::routing::descending;
use crate::patterns::{Purpose, Sampler, stream};
use crate::sim::parameters::{Basis, DataParameters, Labels};
use rand_distr::{Distribution, StandardNormal};

const RATES: Rates = Rates { router: 0.2, expert: 0.5 };

fn data(patterns: usize, tokens: usize, replacement: bool, noise: f64) -> DataParameters {
    let basis = Basis::Canonical;
    DataParameters {
        patterns,
        tokens,
        replacement,
        noise,
        class_share: 0.5,
        basis,
        labels: Labels::Class,
        label_noise: 0.0,
    }
}

fn batch(data: &DataParameters, samples: usize, seed: u64) -> Batch {
    let mut batch = Batch::default();
    Sampler::training(data, seed).fill(&mut batch, samples);
    batch
}

/// k = 4 experts of m = 3 neurons with l = 2; every weight N(0, scale²).
fn model(patterns: usize, scale: f64, seed: u64) -> Model {
    let mut generator = stream(seed, Purpose::Pretrained);
    let mut normal = |count| -> Vec<f64> {
        (0..count).map(|_| StandardNormal.sample(&mut generator)).map(|value: f64| scale * value).collect()
    };
    Model {
        patterns,
        neurons_per_expert: 3,
        tokens_per_expert: 2,
        signs: vec![1.0, -1.0, 1.0, -1.0],
        routers: normal(4 * patterns),
        neurons: normal(12 * patterns),
    }
}

/// One expert of sign +1 with one neuron and l = 2, on four patterns.
fn single(router: [f64; 4], neuron: [f64; 4]) -> Model {
    Model {
        patterns: 4,
        neurons_per_expert: 1,
        tokens_per_expert: 2,
        signs: vec![1.0],
        routers: router.to_vec(),
        neurons: neuron.to_vec(),
    }
}

/// One sample of class One whose class token stands first.
fn sample(tokens: &[u32]) -> Batch {
    Batch {
        tokens_per_sample: tokens.len(),
        tokens: tokens.to_vec(),
        labels: vec![1.0],
        class_positions: vec![0],
        noise: vec![],
    }
}

fn engine(model: &Model, basis: Basis) -> DenseEngine {
    DenseEngine::new(model, Vocabulary::new(model.patterns, basis, 3), RATES)
}

fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn noise_free_outputs_are_those_of_the_definition() {
    for replacement in [false, true] {
        let model = model(11, 1.0, 1);
        let batch = batch(&data(11, 6, replacement, 0.0), 9, 2);
        let expected: Vec<f64> = (0..9).flat_map(|number| model.expert_outputs(batch.sample(number))).collect();
        let mut outputs = Vec::new();
        engine(&model, Basis::Canonical).outputs(&batch, &mut outputs);
        assert_eq!(outputs, expected, "the canonical basis adds no rounding");
        engine(&model, Basis::Haar).outputs(&batch, &mut outputs);
        assert!(largest_difference(&outputs, &expected) < 1e-13);
    }
}

#[test]
fn a_model_comes_back_from_its_basis() {
    let model = model(17, 1.0, 4);
    assert_eq!(engine(&model, Basis::Canonical).model(), model);
    let back = engine(&model, Basis::Haar).model();
    assert!(largest_difference(&back.routers, &model.routers) < 1e-12);
    assert!(largest_difference(&back.neurons, &model.neurons) < 1e-12);
    assert_eq!(Model { routers: model.routers.clone(), neurons: model.neurons.clone(), ..back }, model);
}

#[test]
fn both_bases_train_alike_with_noise() {
    let model = model(12, 0.5, 5);
    let data = data(12, 5, false, 0.3);
    let mut sampler = Sampler::training(&data, 6);
    let mut batch = Batch::default();
    let (mut canonical, mut haar) = (engine(&model, Basis::Canonical), engine(&model, Basis::Haar));
    for _ in 0..20 {
        sampler.fill(&mut batch, 16);
        let (a, b) = (canonical.step(&batch).expect("finite"), haar.step(&batch).expect("finite"));
        assert!((a.loss - b.loss).abs() < 1e-12 && a.active == b.active);
    }
    assert!(largest_difference(&canonical.routers(), &model.routers) > 1e-3, "routers move");
    assert!(largest_difference(&canonical.routers(), &haar.routers()) < 1e-12);
    assert!(largest_difference(&canonical.model().neurons, &haar.model().neurons) < 1e-12);
}

#[test]
fn identical_tokens_score_identically_wherever_they_stand() {
    // Blocks below, at and above the sizes at which the product changes its kernel, splits its block or leaves an edge.
    for d in [4, 6, 31, 300, 600] {
        for k in [2, 6, 8, 13, 64] {
            for columns in [1, 5, 6, 7, 16, 33, 130] {
                let routers = DMatrix::from_fn(k, d, |row, column| libm::sin((1 + row * d + column) as f64));
                let token = DMatrix::from_fn(d, 1, |row, _| libm::cos((7 * row) as f64));
                let tokens = DMatrix::from_fn(d, columns, |row, _| token[row]);
                let scores = routers * tokens;
                for column in 1..columns {
                    assert_eq!(
                        scores.column(column),
                        scores.column(0),
                        "d = {d}, k = {k}, column {column} of {columns}"
                    );
                }
            }
        }
    }
}

#[test]
fn ties_go_to_the_smallest_position_on_every_basis() {
    for basis in [Basis::Canonical, Basis::Haar] {
        // All tokens of a sample but the class token are one pattern: every choice is decided by ties.
        let model = model(9, 1.0, 8);
        let mut batch = batch(&data(9, 7, true, 0.0), 40, 9);
        for (sample, tokens) in batch.tokens.chunks_mut(7).enumerate() {
            tokens.iter_mut().filter(|token| **token >= 2).for_each(|token| *token = 2 + (sample % 7) as u32);
        }
        let mut engine = engine(&model, basis);
        engine.route(&batch);
        for (expert, pass) in engine.passes.iter().enumerate() {
            let router = model.router(expert);
            for (number, chosen) in pass.chosen.chunks(2).enumerate() {
                let score = |position: usize| router[batch.sample(number)[position] as usize];
                let mut expected: Vec<usize> = (0..7).collect();
                expected.sort_by(|&a, &b| descending(score(a), score(b)).then(a.cmp(&b)));
                assert_eq!(chosen, [number * 7 + expected[0], number * 7 + expected[1]]);
            }
        }
    }
}

#[test]
fn equal_coordinates_of_different_patterns_tie_exactly_on_the_canonical_basis() {
    let mut engine = engine(&single([0.3, 0.1, 0.3, 0.3], [1.0; 4]), Basis::Canonical);
    engine.route(&sample(&[1, 3, 0, 2]));
    assert_eq!(engine.passes[0].chosen, [1, 2]);
    assert_eq!(engine.passes[0].gates, [0.5, 0.5]);
}

#[test]
fn class_tokens_have_a_gate_only_where_chosen() {
    let mut gates = vec![9.0];
    let gate = |u: f64, others: f64| u.exp() / (u.exp() + others.exp());
    let mut chosen = engine(&single([0.7, 0.0, 0.2, -0.4], [1.0; 4]), Basis::Haar);
    chosen.class_token_gates(&sample(&[0, 2, 3]), &mut gates);
    assert!(largest_difference(&gates, &[gate(0.7, 0.2)]) < 1e-14);
    let mut passed_over = engine(&single([-0.7, 0.0, 0.2, -0.4], [1.0; 4]), Basis::Haar);
    passed_over.class_token_gates(&sample(&[0, 2, 3]), &mut gates);
    assert_eq!(gates, [0.0]);
}

#[test]
fn class_token_gates_are_those_of_brute_force() {
    let model = model(9, 1.0, 3);
    let batch = batch(&data(9, 5, false, 0.0), 30, 4);
    let mut expected = Vec::new();
    for sample in 0..30 {
        for expert in 0..4 {
            let scores: Vec<f64> = batch.sample(sample).iter().map(|&v| model.router(expert)[v as usize]).collect();
            let own = scores[batch.class_positions[sample] as usize];
            let mut best = scores.clone();
            best.sort_by(|a, b| b.total_cmp(a));
            let gate = own.exp() / (best[0].exp() + best[1].exp());
            expected.push(if own >= best[1] { gate } else { 0.0 });
        }
    }
    assert!(expected.contains(&0.0));
    let mut gates = Vec::new();
    engine(&model, Basis::Haar).class_token_gates(&batch, &mut gates);
    assert!(largest_difference(&gates, &expected) < 1e-13);
}

#[test]
fn the_loss_is_the_mean_over_all_samples() {
    // f = σ = 3 on the first sample (y f = 3, inactive) and 0.5 on the second (loss 0.5).
    let mut engine = engine(&single([1.0, 0.0, 1.0, 1.0], [3.0, 0.0, 3.0, 0.5]), Basis::Canonical);
    let mut batch = sample(&[0, 2]);
    batch.tokens.extend([3, 3]);
    batch.labels.push(1.0);
    batch.class_positions.push(0);
    let gradients = engine.gradients(&batch).expect("finite");
    assert_eq!((gradients.loss, gradients.active), (0.25, 1));
    assert_eq!(gradients.neurons[0].as_slice(), [0.0, 0.0, 0.0, -0.5]);
}

#[test]
fn a_margin_of_exactly_one_has_no_gradient() {
    let mut engine = engine(&single([0.5; 4], [2.0, 0.0, 0.0, 0.0]), Basis::Canonical);
    let before = engine.model();
    let report = engine.step(&sample(&[0, 2])).expect("finite");
    assert_eq!(report, StepReport { loss: 0.0, active: 0 });
    assert_eq!(engine.model(), before);
}

#[test]
fn a_neuron_at_exactly_zero_is_dead() {
    let mut engine = engine(&single([0.5; 4], [0.5, 0.0, 0.0, 0.0]), Basis::Canonical);
    let gradients = engine.gradients(&sample(&[0, 2])).expect("finite");
    assert_eq!(gradients.neurons[0].as_slice(), [-0.5, 0.0, 0.0, 0.0]);
}

#[test]
fn a_weight_that_is_no_finite_number_is_divergence() {
    let batch = batch(&data(9, 4, false, 0.0), 8, 1);
    for basis in [Basis::Canonical, Basis::Haar] {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut broken = model(9, 1.0, 1);
            broken.routers[12] = bad;
            assert_eq!(engine(&broken, basis).gradients(&batch), Err(Diverged), "router {bad}");
            assert_eq!(engine(&broken, basis).step(&batch), Err(Diverged), "router {bad}");
            let mut broken = model(9, 1.0, 1);
            broken.neurons[12] = bad;
            assert_eq!(engine(&broken, basis).gradients(&batch), Err(Diverged), "neuron {bad}");
            assert_eq!(engine(&broken, basis).step(&batch), Err(Diverged), "neuron {bad}");
        }
    }
}

#[test]
fn a_weight_that_overflows_in_the_step_is_divergence() {
    let model = single([0.0, 0.5, 0.5, 0.5], [1e-3; 4]);
    // Tokens of length 4 and 1: f is small before the step, the gradients are not.
    let mut batch = sample(&[0, 2]);
    batch.noise = vec![3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    for rates in [Rates { router: 0.0, expert: f64::MAX }, Rates { router: f64::INFINITY, expert: 0.0 }] {
        let mut engine = DenseEngine::new(&model, Vocabulary::new(4, Basis::Canonical, 0), rates);
        assert!(engine.gradients(&batch).is_ok());
        assert_eq!(engine.step(&batch), Err(Diverged), "{rates:?}");
    }
}

#[test]
fn a_zero_rate_does_not_move() {
    let model = model(9, 0.3, 2);
    let batch = batch(&data(9, 4, false, 0.2), 8, 1);
    let step = |router, expert| {
        let vocabulary = Vocabulary::new(9, Basis::Canonical, 0);
        let mut engine = DenseEngine::new(&model, vocabulary, Rates { router, expert });
        assert!(engine.step(&batch).expect("finite").active > 0);
        engine.model()
    };
    let still_routers = step(0.0, 0.5);
    assert_eq!(still_routers.routers, model.routers);
    assert_ne!(still_routers.neurons, model.neurons);
    let still_neurons = step(0.5, 0.0);
    assert_eq!(still_neurons.neurons, model.neurons);
    assert_ne!(still_neurons.routers, model.routers);
}

#[test]
fn routers_and_neurons_move_from_the_same_forward_pass() {
    let model = model(9, 0.3, 2);
    let batch = batch(&data(9, 4, false, 0.2), 8, 1);
    let mut engine = engine(&model, Basis::Canonical);
    let gradients = engine.gradients(&batch).expect("finite");
    assert_eq!(engine.model(), model, "gradients() leaves the weights");
    let report = engine.step(&batch).expect("finite");
    assert_eq!(report, StepReport { loss: gradients.loss, active: gradients.active });
    let stepped = engine.model();
    let moved = |weights: &[f64], gradient: &DMatrix<f64>, rate: f64| -> Vec<f64> {
        weights.iter().zip(gradient.transpose().iter()).map(|(weight, slope)| weight - rate * slope).collect()
    };
    assert_eq!(stepped.routers, moved(&model.routers, &gradients.routers, RATES.router));
    for (expert, gradient) in gradients.neurons.iter().enumerate() {
        assert_eq!(stepped.expert_neurons(expert), moved(model.expert_neurons(expert), gradient, RATES.expert));
    }
}

#[test]
fn competitors_are_those_of_brute_force() {
    let mut model = model(9, 1.0, 3);
    // Expert 0: two ties with o₁ and one with o₂.
    model.routers[..9].copy_from_slice(&[0.5, -0.25, 0.5, 0.75, -0.25, 0.5, -3.0, 0.25, 1.0]);
    let mut canonical = engine(&model, Basis::Canonical);
    assert_eq!(canonical.competitors(0, Class::One), Competitors { above: 2, tied: 2 });
    assert_eq!(canonical.competitors(0, Class::Two), Competitors { above: 5, tied: 1 });
    let mut haar = engine(&model, Basis::Haar);
    for expert in 1..4 {
        for class in Class::BOTH {
            let router = model.router(expert);
            let mut above = 0;
            for q in 2..9 {
                above += usize::from(router[q] > router[class.pattern()]);
            }
            assert_eq!(canonical.competitors(expert, class), Competitors { above, tied: 0 });
            assert_eq!(haar.competitors(expert, class), Competitors { above, tied: 0 });
        }
    }
}

#[test]
fn the_range_is_that_of_the_pattern_activations() {
    let model = model(9, 1.0, 3);
    for basis in [Basis::Canonical, Basis::Haar] {
        let mut engine = engine(&model, basis);
        for expert in 0..4 {
            let mut activations = model.activations(expert);
            activations.sort_by(f64::total_cmp);
            let range = activations[8] - activations[0];
            let found = engine.range_above(expert, 0.0).expect("above 0");
            assert!((found - range).abs() < 1e-13);
            assert_eq!(engine.range_above(expert, found), None, "the floor itself is not above the floor");
            assert_eq!(engine.range_above(expert, 0.99 * found), Some(found));
        }
    }
}

#[test]
fn nothing_of_the_last_batch_is_left() {
    let model = model(9, 0.3, 3);
    let noise_free = data(9, 4, false, 0.0);
    let batches = [
        batch(&noise_free, 8, 1),
        batch(&noise_free, 8, 2),
        batch(&data(9, 4, false, 0.2), 8, 3),
        batch(&noise_free, 8, 4),
        batch(&noise_free, 5, 5),
    ];
    for basis in [Basis::Canonical, Basis::Haar] {
        let mut used = engine(&model, basis);
        for batch in &batches {
            assert_eq!(used.gradients(batch), engine(&model, basis).gradients(batch));
        }
    }
}

#[test]
fn an_empty_batch_moves_nothing() {
    let model = model(9, 1.0, 3);
    let mut engine = engine(&model, Basis::Canonical);
    let empty = Batch { tokens_per_sample: 4, ..Batch::default() };
    assert_eq!(engine.step(&empty), Ok(StepReport { loss: 0.0, active: 0 }));
    assert_eq!(engine.model(), model);
}
