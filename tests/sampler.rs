//! The distribution of samples, and the first numbers that a seed gives.

mod common;

use moe_theory::measure::Audit;
use moe_theory::moe::Pretrained;
use moe_theory::patterns::{Batch, Purpose, Sampler, stream};
use moe_theory::sim::Parameters;
use rand::Rng;

fn parameters(settings: &str) -> Parameters {
    common::point(settings).parameters
}

fn batch(settings: &str, seed: u64, samples: usize) -> Batch {
    let mut batch = Batch::default();
    Sampler::training(&parameters(settings).data, seed).fill(&mut batch, samples);
    batch
}

/// Fails if the counts are further from their expectations than chance goes once in 10⁹: a χ² of f degrees of freedom
/// exceeds f + 2√(f·x) + 2x with probability at most exp(−x) (Laurent and Massart 2000, lemma 1).
fn assert_fits(what: &str, counts: &[usize], expected: &[f64]) {
    assert_eq!(counts.len(), expected.len());
    let terms = counts.iter().zip(expected).map(|(&count, expected)| (count as f64 - expected).powi(2) / expected);
    let chi_square: f64 = terms.sum();
    let (freedom, x) = ((counts.len() - 1) as f64, 9.0 * std::f64::consts::LN_10);
    let most = freedom + 2.0 * (freedom * x).sqrt() + 2.0 * x;
    assert!(chi_square < most, "{what}: χ² = {chi_square}, at most {most}: {counts:?}");
}

fn assert_uniform(what: &str, counts: &[usize]) {
    let total: usize = counts.iter().sum();
    assert_fits(what, counts, &vec![total as f64 / counts.len() as f64; counts.len()]);
}

/// A change of these numbers is a change of every result: CHANGELOG class "results change".
#[test]
fn the_first_samples_of_a_seed_are_pinned() {
    type Pin = (u64, bool, [u32; 12], [f64; 2], [u32; 2], [f64; 3]);
    let noise_0 = [-0.0961334763210275, -0.03196269536444345, 0.07339405935720271];
    let noise_7 = [-0.1087620637205703, -0.05108573825941097, 0.046305385896877375];
    let pins: [Pin; 4] = [
        (0, false, [3, 9, 10, 2, 17, 0, 1, 8, 17, 13, 7, 18], [1.0, -1.0], [5, 0], noise_0),
        (7, false, [4, 23, 31, 0, 8, 14, 0, 13, 4, 29, 22, 6], [1.0, 1.0], [3, 0], noise_7),
        (0, true, [3, 9, 8, 6, 15, 0, 1, 8, 5, 11, 4, 16], [1.0, -1.0], [5, 0], noise_0),
        (7, true, [4, 23, 31, 0, 6, 12, 0, 13, 13, 29, 21, 11], [1.0, 1.0], [3, 0], noise_7),
    ];
    for (seed, replacement, tokens, labels, positions, noise) in pins {
        let settings =
            format!("data.patterns=32 data.tokens=6 data.replacement={replacement} data.noise=0.5 training.batch=2");
        let batch = batch(&settings, seed, 2);
        assert_eq!(batch.tokens, tokens, "seed {seed}");
        assert_eq!(batch.labels, labels, "seed {seed}");
        assert_eq!(batch.class_positions, positions, "seed {seed}");
        assert_eq!(batch.noise[..3], noise, "seed {seed}");
        assert_eq!(batch.noise.len(), 2 * 6 * 32);
    }
}

/// CHANGELOG class "results change", as above.
#[test]
fn the_first_samples_of_the_other_purposes_are_pinned() {
    let data = parameters("data.patterns=32 data.tokens=6").data;
    let pins = [
        (Sampler::finetuning(&data, 0), [1, 20, 6, 16, 21, 2]),
        (Sampler::evaluation(&data, 0), [3, 22, 21, 1, 8, 7]),
        (Sampler::proficiency(&data, 0), [7, 4, 17, 14, 0, 6]),
    ];
    for (mut sampler, tokens) in pins {
        let mut batch = Batch::default();
        sampler.fill(&mut batch, 1);
        assert_eq!(batch.tokens, tokens);
    }
}

/// CHANGELOG class "results change", as above.
#[test]
fn the_first_weights_of_a_constructed_model_are_pinned() {
    // The first numbers of the first expert's router and neurons, of the last expert's router, the last of its neurons.
    let pins = [
        (
            0,
            [0.9676518771577682, 0.04194623603442836, 0.03797059976743894],
            [0.11592445097387766, 0.020127892056715516, 0.0025217849033220188],
            [-0.021052009074310023, 0.01846872056274452, 0.028877725366195067],
            [0.28565502247169033, 0.029862432484817066, -0.12498176064519365],
        ),
        (
            7,
            [0.9413503343231596, -0.0077400456987587315, -0.02068338506746071],
            [0.3561463838288932, -0.1773835879972187, -0.003553343459144902],
            [0.02922391081016809, -0.06003209801597236, 0.9586291527296317],
            [0.09617728919753404, 0.12556725549595013, 0.2576266454640347],
        ),
    ];
    for (seed, first_router, first_neuron, last_router, last_neuron) in pins {
        let model = Pretrained::constructed(&parameters("pretrained.misaligned=1"), seed).model;
        let neurons = model.expert_neurons(15);
        assert_eq!(model.router(0)[..3], first_router);
        assert_eq!(model.expert_neurons(0)[..3], first_neuron);
        assert_eq!(model.router(15)[..3], last_router);
        assert_eq!(neurons[neurons.len() - 3..], last_neuron);
    }
}

#[test]
fn class_position_and_label_are_what_the_distribution_says() {
    const SAMPLES: usize = 60_000;
    for replacement in [false, true] {
        for share in [0.5, 0.2] {
            let settings = format!(
                "data.patterns=20 data.tokens=7 data.replacement={replacement} data.class_share={share} \
                 training.batch={SAMPLES}"
            );
            let batch = batch(&settings, 11, SAMPLES);
            let (mut classes, mut positions) = ([0; 2], [0; 7]);
            for sample in 0..SAMPLES {
                let tokens = batch.sample(sample);
                let position = batch.class_positions[sample] as usize;
                assert_eq!(tokens.iter().filter(|&&token| token < 2).count(), 1, "one class token");
                assert!(tokens.iter().all(|&token| token < 20));
                assert_eq!(batch.labels[sample], [1.0, -1.0][tokens[position] as usize], "the label is the class");
                classes[tokens[position] as usize] += 1;
                positions[position] += 1;
            }
            let all = SAMPLES as f64;
            assert_fits("class", &classes, &[share * all, (1.0 - share) * all]);
            assert_uniform("position", &positions);
        }
    }
}

/// Four irrelevant patterns; what stands in ordered pairs of places, within a sample and in neighbouring samples.
#[test]
fn irrelevant_patterns_are_uniform() {
    const SAMPLES: usize = 100_000;
    for replacement in [false, true] {
        let settings = format!(
            "data.patterns=6 data.tokens=4 data.replacement={replacement} model.tokens_per_expert=2 \
             training.batch={SAMPLES}"
        );
        let batch = batch(&settings, 12, SAMPLES);
        let irrelevant: Vec<Vec<usize>> = (0..SAMPLES)
            .map(|sample| batch.sample(sample).iter().filter(|&&token| token > 1).map(|&q| q as usize - 2).collect())
            .collect();
        for (first, second) in [(0, 1), (0, 2), (1, 2)] {
            let mut pairs = [0; 16];
            for tokens in &irrelevant {
                pairs[tokens[first] * 4 + tokens[second]] += 1;
            }
            if replacement {
                assert_uniform("pair of places", &pairs);
            } else {
                let (equal, different): (Vec<usize>, Vec<usize>) = (0..16).partition(|pair| pair / 4 == pair % 4);
                assert!(equal.iter().all(|&pair| pairs[pair] == 0), "a pattern stands twice in a sample");
                let different: Vec<usize> = different.iter().map(|&pair| pairs[pair]).collect();
                assert_uniform("pair of places", &different);
            }
        }
        for place in 0..3 {
            let mut pairs = [0; 16];
            for neighbours in irrelevant.chunks_exact(2) {
                pairs[neighbours[0][2 - place] * 4 + neighbours[1][place]] += 1;
            }
            assert_uniform("neighbouring samples", &pairs);
        }
    }
}

#[test]
fn patterns_repeat_with_replacement_only() {
    let repeats = |replacement| {
        let settings = format!("data.patterns=64 data.tokens=16 data.replacement={replacement}");
        let batch = batch(&settings, 13, 5000);
        let repeated = |&sample: &usize| {
            let mut tokens = batch.sample(sample).to_vec();
            tokens.sort_unstable();
            tokens.windows(2).any(|pair| pair[0] == pair[1])
        };
        (0..5000).filter(repeated).count()
    };
    assert_eq!(repeats(false), 0);
    // 15 draws from 62: no repeat with probability Π (1 − i/62).
    let none: f64 = (0..15).map(|i| 1.0 - f64::from(i) / 62.0).product();
    let counts = [repeats(true), 5000 - repeats(true)];
    assert_fits("samples with a repeat", &counts, &[5000.0 * (1.0 - none), 5000.0 * none]);
}

#[test]
fn independent_labels_are_independent_of_the_class() {
    const SAMPLES: usize = 50_000;
    let settings = format!("data.labels=independent data.class_share=0.3 training.batch={SAMPLES}");
    let batch = batch(&settings, 14, SAMPLES);
    let mut table = [0; 4];
    for (sample, &label) in batch.labels.iter().enumerate() {
        let class = batch.sample(sample)[batch.class_positions[sample] as usize] as usize;
        table[2 * class + usize::from(label < 0.0)] += 1;
    }
    let expected = [0.09, 0.21, 0.21, 0.49].map(|share| share * SAMPLES as f64);
    assert_fits("class and label", &table, &expected);
}

/// The label is drawn anew with probability p, and then differs from the class with probability 2·s·(1 − s).
#[test]
fn noisy_labels_differ_from_the_class_as_often_as_the_noise_says() {
    const SAMPLES: usize = 50_000;
    for (noise, share) in [(0.1, 0.5), (0.4, 0.3), (1.0, 0.3)] {
        let settings = format!("data.label_noise={noise} data.class_share={share} training.batch={SAMPLES}");
        let batch = batch(&settings, 16, SAMPLES);
        let mut table = [0; 4];
        for (sample, &label) in batch.labels.iter().enumerate() {
            let class = batch.sample(sample)[batch.class_positions[sample] as usize] as usize;
            table[2 * class + usize::from(label < 0.0)] += 1;
        }
        let shares = [share, 1.0 - share];
        let expected: Vec<f64> = (0..4)
            .map(|cell| {
                let (class, label) = (cell / 2, cell % 2);
                let kept = if class == label { 1.0 - noise } else { 0.0 };
                SAMPLES as f64 * shares[class] * (kept + noise * shares[label])
            })
            .collect();
        assert_fits("class and label", &table, &expected);
        let differ = SAMPLES as f64 * noise * 2.0 * share * (1.0 - share);
        let found = table[1] + table[2];
        assert_fits("labels that differ", &[found, SAMPLES - found], &[differ, SAMPLES as f64 - differ]);
    }
}

/// The distribution of class and label is that of the control; the streams need not be.
#[test]
fn labels_that_are_always_drawn_anew_are_independent_labels() {
    const SAMPLES: usize = 50_000;
    let differing = |labels: &str| {
        let batch = batch(&format!("{labels} data.class_share=0.2 training.batch={SAMPLES}"), 17, SAMPLES);
        let differs = |&sample: &usize| {
            let class = batch.sample(sample)[batch.class_positions[sample] as usize];
            batch.labels[sample] != [1.0, -1.0][class as usize]
        };
        (0..SAMPLES).filter(differs).count()
    };
    let expected = [0.32, 0.68].map(|share| share * SAMPLES as f64);
    for labels in ["data.label_noise=1", "data.labels=independent", "data.labels=independent data.label_noise=0.5"] {
        let found = differing(labels);
        assert_fits(labels, &[found, SAMPLES - found], &expected);
    }
}

/// One number in 10⁹ is drawn anew: whatever reads the stream behind it moves, the class itself does not.
#[test]
fn the_stream_has_a_draw_for_label_noise_only_if_there_is_some() {
    let tokens = |settings: &str| batch(settings, 18, 1).tokens;
    assert_eq!(tokens("data.patterns=64"), tokens("data.patterns=64 data.label_noise=0"));
    assert_ne!(tokens("data.patterns=64"), tokens("data.patterns=64 data.label_noise=1e-9"));
}

#[test]
fn labels_meet_their_assumption_only_if_they_are_always_the_class() {
    let meets = |settings: &str| Audit::new(&parameters(settings), &[]).labels;
    assert!(meets("") && meets("data.noise=0.5"));
    for broken in ["data.label_noise=1e-9", "data.labels=independent", "data.labels=independent data.label_noise=0.1"] {
        assert!(!meets(broken), "{broken}");
    }
}

#[test]
fn noise_has_its_variance_and_moves_no_token() {
    let settings = "data.patterns=50 data.tokens=8 training.batch=400";
    let noisy = batch(&format!("{settings} data.noise=0.3"), 15, 400);
    let plain = batch(settings, 15, 400);
    assert_eq!((&noisy.tokens, &noisy.labels), (&plain.tokens, &plain.labels));
    assert!(plain.noise.is_empty());
    let scaled: Vec<f64> = noisy.noise.iter().map(|value| value / (0.3 / 50f64.sqrt())).collect();
    let numbers = scaled.len() as f64;
    assert_eq!(scaled.len(), 400 * 8 * 50);
    let x = 9.0 * std::f64::consts::LN_10;
    let squares: f64 = scaled.iter().map(|z| z * z).sum();
    assert!((squares - numbers).abs() < 2.0 * (numbers * x).sqrt() + 2.0 * x, "variance {}", squares / numbers);
    let most = (2.0 * numbers * x).sqrt();
    assert!(scaled.iter().sum::<f64>().abs() < most, "mean");
    for lag in [1, 50, 400] {
        let products: f64 = scaled.iter().zip(&scaled[lag..]).map(|(a, b)| a * b).sum();
        assert!(products.abs() < most, "lag {lag}: {products}");
    }
}

#[test]
fn every_purpose_reads_a_stream_of_its_own() {
    use Purpose::{
        Basis, Criterion, Evaluation, EvaluationNoise, Finetuning, FinetuningNoise, Pretrained, Proficiency,
        ProficiencyNoise, Training, TrainingNoise,
    };
    let tokens = [Training, Proficiency, Evaluation, Finetuning];
    let noises = [TrainingNoise, ProficiencyNoise, EvaluationNoise, FinetuningNoise];
    let all = tokens.into_iter().chain(noises).chain([Basis, Pretrained, Criterion]);
    let mut first: Vec<u64> = all.map(|purpose| stream(3, purpose).next_u64()).collect();
    first.sort_unstable();
    first.dedup();
    assert_eq!(first.len(), 11);
}
