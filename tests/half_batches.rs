//! The half-batch contrast V: it changes no training, it is what its formula says, and it splits noise from drift.

mod common;

use moe_theory::measure::DriftAndNoise;
use moe_theory::moe::{Model, Pretrained};
use moe_theory::patterns::{Batch, Sampler, Vocabulary};
use moe_theory::record::RunRecord;
use moe_theory::run::run;
use moe_theory::sgd::EngineChoice;
use moe_theory::sgd::{DenseEngine, Engine, Objective, PatternEngine, Rates, TheoryEngine};
use moe_theory::sim::Parameters;

/// A small model that learns, some of whose neurons die and some of whose samples lose their gradient.
const SMALL: &str = "data.patterns=14 data.tokens=5 model.experts=6 model.neurons=4 model.tokens_per_expert=2 \
                     pretrained.router_noise=0.2 pretrained.neuron_scale=0.5 training.iterations=60 \
                     training.router_rate=1.5 training.expert_rate=1.5 roles.proficiency_samples=50 \
                     evaluation.samples=200";

/// Settings, and whether only the dense engine knows them.
const KINDS: [(&str, bool); 4] = [
    ("", false),
    ("data.basis=haar data.replacement=true", false),
    ("data.noise=0.4", true),
    ("data.noise=0.4 data.basis=haar", true),
];

const SEED: u64 = 5;

fn parameters(settings: &str) -> Parameters {
    parameters_with_batch(settings, 8)
}

fn parameters_with_batch(settings: &str, batch: usize) -> Parameters {
    common::point(&format!("{SMALL} training.batch={batch} {settings}")).parameters
}

fn vocabulary(parameters: &Parameters) -> Vocabulary {
    Vocabulary::new(parameters.data.patterns, parameters.data.basis, SEED)
}

fn dense(model: &Model, parameters: &Parameters) -> DenseEngine {
    DenseEngine::new(model, vocabulary(parameters), Rates::from(&parameters.training))
}

fn choices(dense_only: bool) -> &'static [EngineChoice] {
    if dense_only { &[EngineChoice::Dense] } else { &[EngineChoice::Pattern, EngineChoice::Dense] }
}

fn built(choice: EngineChoice, parameters: &Parameters) -> Box<dyn TheoryEngine> {
    choice.build(&Pretrained::constructed(parameters, SEED).model, parameters, SEED)
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// The first, second … sample of a batch, alone.
fn single(batch: &Batch, sample: usize) -> Batch {
    let per_sample = batch.noise.len() / batch.samples();
    Batch {
        tokens_per_sample: batch.tokens_per_sample,
        tokens: batch.sample(sample).to_vec(),
        labels: vec![batch.labels[sample]],
        class_positions: vec![batch.class_positions[sample]],
        noise: batch.noise[sample * per_sample..][..per_sample].to_vec(),
    }
}

/// −∂ℓ/∂w_s of one sample in pattern coordinates, `[k, d]`, by the dense engine at this model.
fn pull(model: &Model, parameters: &Parameters, sample: &Batch) -> Vec<f64> {
    let gradients = dense(model, parameters).gradients(sample).expect("finite");
    vocabulary(parameters).to_patterns(&gradients.routers.transpose()).iter().map(|gradient| -gradient).collect()
}

#[test]
fn tracking_changes_no_bit_of_training() {
    for (settings, dense_only) in KINDS {
        for batch_size in [7, 8] {
            let parameters = parameters_with_batch(settings, batch_size);
            for &choice in choices(dense_only) {
                let (mut plain, mut tracking) = (built(choice, &parameters), built(choice, &parameters));
                tracking.track_contrast();
                let mut sampler = Sampler::training(&parameters.data, SEED);
                let mut batch = Batch::default();
                for _ in 0..parameters.training.iterations {
                    sampler.fill(&mut batch, parameters.training.batch);
                    assert_eq!(plain.step(&batch, &Objective::default()), tracking.step(&batch, &Objective::default()));
                    let (a, b) = (plain.model(), tracking.model());
                    assert_eq!(bits(&a.routers), bits(&b.routers), "{choice:?}, {settings}");
                    assert_eq!(bits(&a.neurons), bits(&b.neurons), "{choice:?}, {settings}");
                }
                assert!(plain.contrast().is_none());
                assert_eq!(tracking.contrast().is_some(), batch_size == 8, "{choice:?}, {settings}");
            }
        }
    }
}

/// Also a batch of even size after one of odd size does not bring the contrast back; starting again does.
#[test]
fn one_batch_of_odd_size_ends_the_contrast() {
    let parameters = parameters("");
    for &choice in choices(false) {
        let mut engine = built(choice, &parameters);
        let mut sampler = Sampler::training(&parameters.data, SEED);
        let mut batch = Batch::default();
        engine.track_contrast();
        assert!(engine.contrast().is_some_and(|contrast| contrast.iter().all(|&v| v == 0.0)));
        for (size, expected) in [(8, true), (7, false), (8, false)] {
            sampler.fill(&mut batch, size);
            engine.step(&batch, &Objective::default()).expect("finite");
            assert_eq!(engine.contrast().is_some(), expected, "{choice:?}");
        }
        engine.track_contrast();
        assert!(engine.contrast().is_some_and(|contrast| contrast.iter().all(|&v| v == 0.0)));
    }
}

#[test]
fn the_contrast_is_that_of_single_samples() {
    for (settings, dense_only) in KINDS {
        let parameters = parameters(settings);
        for &choice in choices(dense_only) {
            let mut engine = built(choice, &parameters);
            engine.track_contrast();
            let before = engine.routers();
            let mut sampler = Sampler::training(&parameters.data, SEED);
            let mut batch = Batch::default();
            let (mut contrast, mut moved) = (vec![0.0; before.len()], vec![0.0; before.len()]);
            let mut inactive = 0;
            for _ in 0..parameters.training.iterations {
                sampler.fill(&mut batch, parameters.training.batch);
                let (model, samples) = (engine.model(), batch.samples());
                let rate = parameters.training.router_rate / samples as f64;
                for sample in 0..samples {
                    let half = if sample < samples / 2 { rate } else { -rate };
                    let pull = pull(&model, &parameters, &single(&batch, sample));
                    for ((v, w), pull) in contrast.iter_mut().zip(&mut moved).zip(pull) {
                        *v += half * pull;
                        *w += rate * pull;
                    }
                }
                inactive += samples - engine.step(&batch, &Objective::default()).expect("finite").active;
            }
            assert!(inactive > 20, "{choice:?}, {settings}: {inactive} samples without gradient");
            let after: Vec<f64> = engine.routers().iter().zip(&before).map(|(w, w_0)| w - w_0).collect();
            for (what, ours, expected) in [("V", engine.contrast().expect("tracked"), contrast), ("W", after, moved)] {
                let largest = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
                assert!(largest > 0.05, "{what} of {choice:?}, {settings}: {largest}");
                for (ours, expected) in ours.iter().zip(&expected) {
                    let off = (ours - expected).abs() / largest;
                    assert!(off < 1e-11, "{what} of {choice:?}, {settings}: off by {off}");
                }
            }
        }
    }
}

/// Mean, standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}

/// Every sample of d = 6, n = 3 with replacement once, all of the same probability: their pulls at `model`, by sample.
fn every_pull(model: &Model, parameters: &Parameters) -> Vec<Vec<f64>> {
    let mut pulls = Vec::new();
    for (class, label) in [(0, 1.0), (1, -1.0)] {
        for code in 0..16 {
            for position in 0..3 {
                let mut tokens = vec![2 + code % 4, 2 + code / 4];
                tokens.insert(position, class);
                let sample = Batch {
                    tokens_per_sample: 3,
                    tokens,
                    labels: vec![label],
                    class_positions: vec![position as u32],
                    noise: vec![],
                };
                pulls.push(pull(model, parameters, &sample));
            }
        }
    }
    pulls
}

/// With a frozen state every step has the same mean η μ and noise of variance (η²/B) Var, both known by enumeration.
#[test]
fn noise_and_drift_of_a_frozen_state_are_those_of_enumeration() {
    const RUNS: u64 = 3000;
    // The rate is so small that nothing moves; all of V and W is proportional to it.
    let parameters = common::point(
        "data.patterns=6 data.tokens=3 data.replacement=true model.experts=4 model.neurons=3 model.tokens_per_expert=2 \
         pretrained.relevant_per_class=1 pretrained.router_noise=0.3 pretrained.neuron_scale=0.4 training.batch=6 \
         training.iterations=10 training.router_rate=1e-6 training.expert_rate=0",
    )
    .parameters;
    let training = &parameters.training;
    let (rate, steps) = (training.router_rate, training.iterations);
    let model = Pretrained::constructed(&parameters, SEED).model;
    let d = model.patterns;
    let pulls = every_pull(&model, &parameters);
    // By expert and run, in units of η²: what V and W say of the class patterns, the others, and V alone.
    let mut seen = vec![[vec![], vec![], vec![], vec![]]; model.experts()];
    for seed in 0..RUNS {
        let mut engine = PatternEngine::new(&model, Rates::from(training));
        engine.track_contrast();
        let mut sampler = Sampler::training(&parameters.data, seed);
        let mut batch = Batch::default();
        for _ in 0..steps {
            sampler.fill(&mut batch, training.batch);
            engine.step(&batch, &Objective::default()).expect("finite");
        }
        let (contrast, after) = (engine.contrast().expect("tracked"), engine.routers());
        for (expert, seen) in seen.iter_mut().enumerate() {
            let (from, to) = (model.router(expert), &after[expert * d..][..d]);
            let split = DriftAndNoise::between(from, to, &contrast[expert * d..][..d]);
            let displacement: f64 = from.iter().zip(to).map(|(w_0, w)| (w - w_0).powi(2)).sum();
            let values = [split.noise_squared, split.leakage_squared, split.drift_squared, displacement];
            for (seen, value) in seen.iter_mut().zip(values) {
                seen.push(value / rate.powi(2));
            }
        }
    }
    let mut drifts_seen = 0;
    for (expert, seen) in seen.iter().enumerate() {
        let coordinate = |v: usize| -> Vec<f64> { pulls.iter().map(|pull| pull[expert * d + v]).collect() };
        let mean_of = |v: usize| mean(&coordinate(v)).0;
        let second: f64 = (0..d).map(|v| coordinate(v).iter().map(|g| g * g).sum::<f64>() / pulls.len() as f64).sum();
        let variance = second - (0..d).map(|v| mean_of(v).powi(2)).sum::<f64>();
        let squared = |from: usize, to: usize| (from..to).map(|v| (steps as f64 * mean_of(v)).powi(2)).sum::<f64>();
        let noise = steps as f64 / training.batch as f64 * variance;
        let expected = [noise, squared(0, 2), squared(2, d), noise + squared(0, d)];
        for (what, (seen, expected)) in
            ["noise", "leakage", "drift", "displacement"].iter().zip(seen.iter().zip(expected))
        {
            let (found, error) = mean(seen);
            let off = (found - expected) / error;
            assert!(off.abs() < 4.0, "{what} of expert {expert}: {found} ± {error}, expected {expected}");
            // The test can tell zero drift, and D² taken for drift, from the truth.
            drifts_seen += usize::from(*what == "drift" && expected > 8.0 * error && noise > 8.0 * error);
        }
    }
    assert!(drifts_seen >= 2, "{drifts_seen} experts with a drift that stands out");
}

fn recorded(settings: &str, choice: EngineChoice) -> RunRecord {
    run(&common::point(&format!("{SMALL} training.batch=8 {settings}")), 0, 3, choice)
}

/// The columns are there if and only if they are asked for, and nothing else of a run changes.
#[test]
fn half_batches_fill_their_columns_and_change_nothing_else() {
    for (settings, dense_only) in KINDS {
        for &choice in choices(dense_only) {
            let plain = recorded(settings, choice);
            let mut tracked = recorded(&format!("{settings} record.half_batches=true"), choice);
            for row in &mut tracked.experts {
                let columns = (row.noise_squared.take(), row.drift_squared.take(), row.leakage_squared.take());
                let (Some(noise), Some(drift), Some(leakage)) = columns else { panic!("{columns:?}") };
                let displacement = row.displacement.expect("not diverged");
                let class = row.displacement_class.expect("not diverged");
                assert!(noise > 0.0 && class < displacement, "{row:?}");
                assert!(
                    (drift + leakage + noise - displacement.powi(2)).abs() < 1e-12 * displacement.powi(2).max(noise)
                );
                assert!(leakage <= class.powi(2) && drift < displacement.powi(2) - class.powi(2));
            }
            assert_eq!(plain, tracked, "{choice:?}, {settings}");
        }
    }
}

#[test]
fn both_engines_fill_the_columns_alike() {
    let [pattern, dense] =
        [EngineChoice::Pattern, EngineChoice::Dense].map(|choice| recorded("record.half_batches=true", choice).experts);
    for (pattern, dense) in pattern.iter().zip(&dense) {
        let columns = [
            (pattern.noise_squared, dense.noise_squared),
            (pattern.drift_squared, dense.drift_squared),
            (pattern.leakage_squared, dense.leakage_squared),
            (pattern.displacement_class, dense.displacement_class),
        ];
        for (ours, theirs) in columns {
            assert!((ours.expect("tracked") - theirs.expect("tracked")).abs() < 1e-12);
        }
    }
}
