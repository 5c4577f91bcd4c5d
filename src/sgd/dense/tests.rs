use super::*;
use crate::moe::routing::descending;
use crate::patterns::gaussian::Gaussians;
use crate::patterns::{Purpose, Sampler, stream};
use crate::sim::parameters::{Basis, DataParameters, Labels};
use nalgebra::DMatrix;
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
        ..DataParameters::default()
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

impl DenseEngine {
    /// The positions that an expert chose of a sample.
    fn chosen(&self, expert: usize, sample: usize, tokens_per_sample: usize) -> Vec<usize> {
        let first = self.passes.first_choice(expert, sample);
        let starts = &self.passes.chosen[first..first + self.passes.choices];
        let stride = stride(self.vocabulary.patterns());
        starts.iter().map(|start| start / stride - sample * tokens_per_sample).collect()
    }
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
        // The engine's own exp and order of sums, and nothing else: the canonical basis adds no rounding.
        assert!(largest_difference(&outputs, &expected) < 1e-15);
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
        let (a, b) = (
            canonical.step(&batch, &Objective::default()).expect("finite"),
            haar.step(&batch, &Objective::default()).expect("finite"),
        );
        assert!((a.loss - b.loss).abs() < 1e-12 && a.active == b.active);
    }
    assert!(largest_difference(&canonical.routers(), &model.routers) > 1e-3, "routers move");
    assert!(largest_difference(&canonical.routers(), &haar.routers()) < 1e-12);
    assert!(largest_difference(&canonical.model().neurons, &haar.model().neurons) < 1e-12);
}

/// Random weights, and one token with random noise at every place of a batch of `samples` samples of `tokens` tokens.
fn one_token(d: usize, k: usize, tokens: usize, samples: usize) -> (Model, Batch) {
    let mut random = Gaussians::new(stream((d * k + tokens) as u64, Purpose::Pretrained), 1.0);
    let mut normal = |count| {
        let mut numbers = vec![0.0; count];
        random.fill(&mut numbers);
        numbers
    };
    let signs = (0..k).map(|expert| [1.0, -1.0][expert % 2]).collect();
    let model = Model {
        patterns: d,
        neurons_per_expert: 2,
        tokens_per_expert: 2,
        signs,
        routers: normal(k * d),
        neurons: normal(2 * k * d),
    };
    let batch = Batch {
        tokens_per_sample: tokens,
        tokens: vec![3; samples * tokens],
        labels: vec![1.0; samples],
        class_positions: vec![0; samples],
        noise: normal(d).repeat(samples * tokens),
    };
    (model, batch)
}

#[test]
fn identical_tokens_score_identically_wherever_they_stand() {
    // Sizes below, at and above those at which the product changes its tile, splits a block or leaves an edge.
    for d in [4, 6, 31, 300] {
        for k in [2, 6, 8, 14, 34] {
            for (tokens, samples) in [(2, 1), (5, 1), (7, 3), (16, 9), (33, 4)] {
                for basis in [Basis::Canonical, Basis::Haar] {
                    let (model, batch) = one_token(d, k, tokens, samples);
                    for level in Level::available() {
                        let vocabulary = Vocabulary::new(d, basis, 3);
                        let mut engine = DenseEngine::at_level(level, &model, vocabulary, RATES);
                        engine.route(&batch);
                        let width = engine.routers.width();
                        let scores = &engine.tokens.scores[..tokens * samples * width];
                        for (token, scores_of_token) in scores.chunks(width).enumerate() {
                            assert_eq!(scores_of_token, &scores[..width], "d {d}, k {k}, token {token}, {level:?}");
                        }
                        assert!(engine.passes.gates.iter().all(|&gate| gate == 0.5), "gates of tied tokens are 1/l");
                        for expert in 0..k {
                            for sample in 0..samples {
                                assert_eq!(engine.chosen(expert, sample, tokens), [0, 1], "the smallest positions");
                            }
                        }
                    }
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
        for expert in 0..4 {
            let router = model.router(expert);
            for number in 0..40 {
                let chosen = engine.chosen(expert, number, 7);
                let score = |position: usize| router[batch.sample(number)[position] as usize];
                let mut expected: Vec<usize> = (0..7).collect();
                expected.sort_by(|&a, &b| descending(score(a), score(b)).then(a.cmp(&b)));
                assert_eq!(chosen, expected[..2]);
            }
        }
    }
}

#[test]
fn equal_coordinates_of_different_patterns_tie_exactly_on_the_canonical_basis() {
    let mut engine = engine(&single([0.3, 0.1, 0.3, 0.3], [1.0; 4]), Basis::Canonical);
    engine.route(&sample(&[1, 3, 0, 2]));
    assert_eq!(engine.chosen(0, 0, 4), [1, 2]);
    assert_eq!(engine.passes.gates, [0.5, 0.5]);
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
    let report = engine.step(&sample(&[0, 2]), &Objective::default()).expect("finite");
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
            assert_eq!(engine(&broken, basis).step(&batch, &Objective::default()), Err(Diverged), "router {bad}");
            let mut broken = model(9, 1.0, 1);
            broken.neurons[12] = bad;
            assert_eq!(engine(&broken, basis).gradients(&batch), Err(Diverged), "neuron {bad}");
            assert_eq!(engine(&broken, basis).step(&batch, &Objective::default()), Err(Diverged), "neuron {bad}");
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
        assert_eq!(engine.step(&batch, &Objective::default()), Err(Diverged), "{rates:?}");
    }
}

#[test]
fn a_zero_rate_does_not_move() {
    let model = model(9, 0.3, 2);
    let batch = batch(&data(9, 4, false, 0.2), 8, 1);
    let step = |router, expert| {
        let vocabulary = Vocabulary::new(9, Basis::Canonical, 0);
        let mut engine = DenseEngine::new(&model, vocabulary, Rates { router, expert });
        assert!(engine.step(&batch, &Objective::default()).expect("finite").active > 0);
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
    let report = engine.step(&batch, &Objective::default()).expect("finite");
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
    assert_eq!(engine.step(&empty, &Objective::default()), Ok(StepReport { loss: 0.0, active: 0 }));
    assert_eq!(engine.model(), model);
}

/// Everything that `steps` steps show: reports, weights, contrast, outputs, gates, readings, as bits.
fn trained(level: Level, model: &Model, basis: Basis, data: &DataParameters, samples: usize, steps: usize) -> Vec<u64> {
    let vocabulary = Vocabulary::new(model.patterns, basis, 3);
    let mut engine = DenseEngine::at_level(level, model, vocabulary, RATES);
    engine.track_contrast();
    let mut sampler = Sampler::training(data, 6);
    let (mut batch, mut numbers, mut seen) = (Batch::default(), Vec::new(), Vec::new());
    for _ in 0..steps {
        sampler.fill(&mut batch, samples);
        let report = engine.step(&batch, &Objective::default()).expect("finite");
        seen.extend([report.loss, report.active as f64]);
        seen.extend((0..engine.experts()).map(|expert| engine.range_above(expert, 0.0).unwrap_or(-1.0)));
    }
    sampler.fill(&mut batch, samples);
    engine.outputs(&batch, &mut numbers);
    seen.extend_from_slice(&numbers);
    engine.class_token_gates(&batch, &mut numbers);
    seen.extend_from_slice(&numbers);
    seen.extend(engine.model().neurons);
    seen.extend(engine.routers());
    seen.extend(engine.contrast().unwrap_or_default());
    seen.iter().map(|number| number.to_bits()).collect()
}

#[test]
fn training_has_the_same_bits_at_every_level() {
    for (d, k, m, n, l, samples) in
        [(19, 6, 5, 5, 2, 6), (40, 10, 17, 9, 4, 11), (64, 16, 70, 12, 5, 8), (9, 2, 600, 3, 2, 4)]
    {
        let mut random = Gaussians::new(stream(d as u64, Purpose::Pretrained), 0.4);
        let mut normal = |count| {
            let mut numbers = vec![0.0; count];
            random.fill(&mut numbers);
            numbers
        };
        let model = Model {
            patterns: d,
            neurons_per_expert: m,
            tokens_per_expert: l,
            signs: (0..k).map(|expert| [1.0, -1.0][expert % 2]).collect(),
            routers: normal(k * d),
            neurons: normal(k * m * d),
        };
        for basis in [Basis::Canonical, Basis::Haar] {
            for noise in [0.0, 0.3] {
                let data = data(d, n, true, noise);
                let expected = trained(Level::Baseline, &model, basis, &data, samples, 12);
                for level in Level::available() {
                    let found = trained(level, &model, basis, &data, samples, 12);
                    assert!(found == expected, "d {d}, {basis:?}, noise {noise}, {}", level.name());
                }
            }
        }
    }
}
