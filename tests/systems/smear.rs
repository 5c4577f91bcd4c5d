//! SMEAR and Lory: identical experts stay identical (L-2), gradients against finite differences of an independent
//! definition, what is ascribed to experts, what pruning leaves, and what is refused.

use crate::{RATES, batch, check_step, refused};
use moe_theory::moe::Pretrained;
use moe_theory::patterns::Batch;
use moe_theory::sgd::{Engine, EngineChoice, Objective};
use moe_theory::sim::parameters::{Merging, Parameters};
use moe_theory::systems::smear::{Smear, SmearEngine};
use moe_theory::systems::{OnRows, Setting, System};
use proptest::prelude::*;

const SMALL: &str = "model.system=smear data.patterns=8 data.tokens=4 model.experts=4 model.neurons=3 \
                     model.tokens_per_expert=4 pretrained.relevant_per_class=1 training.batch=8";

/// The small setting, with other values of some keys.
fn settings(more: &str) -> String {
    crate::settings(SMALL, more)
}

fn parameters(more: &str) -> Parameters {
    crate::common::point(&settings(more)).parameters
}

fn merged(parameters: &Parameters, seed: u64) -> Smear {
    Smear::new(&Pretrained::constructed(parameters, seed).model, parameters)
}

/// Shares of a segment over experts 0, 2 (sign +1) and 1, 3 (sign −1).
fn shares(routers: &[f64], segment: &[u32], temperature: f64) -> [f64; 4] {
    let score = |expert: usize| -> f64 {
        segment.iter().map(|&token| routers[expert * 8 + token as usize]).sum::<f64>() / segment.len() as f64
    };
    let weights: Vec<f64> = (0..4).map(|expert| (score(expert) / temperature).exp()).collect();
    [0, 1, 2, 3].map(|expert| weights[expert] / (weights[expert] + weights[(expert + 2) % 4]))
}

/// f of a sample whose shares are read off `readers`, which are kept fixed where no gradient flows; `None` near a kink.
fn output(parameters: &Parameters, readers: &[[f64; 4]], neurons: &[f64], tokens: &[u32]) -> Option<f64> {
    let mut f = 0.0;
    let length = tokens.len() / parameters.data.segments;
    for (place, &token) in tokens.iter().enumerate() {
        let shares = readers[place / length];
        for first in [0, 1] {
            for r in 0..3 {
                let weight = |expert: usize| neurons[(expert * 3 + r) * 8 + token as usize];
                let average = shares[first] * weight(first) + shares[first + 2] * weight(first + 2);
                if average.abs() < 1e-3 {
                    return None;
                }
                f += [1.0, -1.0][first] * average.max(0.0) / 3.0;
            }
        }
    }
    Some(f)
}

/// The mean hinge loss. Shares that teach no router are those of `frozen`.
fn loss(p: &Parameters, routers: &[f64], frozen: &[f64], neurons: &[f64], batch: &Batch) -> Option<f64> {
    let (segments, temperature) = (p.data.segments, p.model.temperature);
    let mut total = 0.0;
    for (i, &label) in batch.labels.iter().enumerate() {
        let tokens = batch.sample(i);
        let parts: Vec<&[u32]> = tokens.chunks(tokens.len() / segments).collect();
        let readers: Vec<[f64; 4]> = (0..segments)
            .map(|segment| match (p.model.merging, segment) {
                (Merging::Own, _) => shares(routers, parts[segment], temperature),
                (_, 0) => shares(frozen, parts[0], temperature),
                (Merging::Causal, _) => shares(routers, parts[segment - 1], temperature),
                (Merging::Prefix, _) => shares(routers, parts[0], temperature),
            })
            .collect();
        let slack = 1.0 - label * output(p, &readers, neurons, tokens)?;
        if slack.abs() < 1e-3 {
            return None;
        }
        total += slack.max(0.0);
    }
    Some(total / batch.samples() as f64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn a_step_is_minus_the_gradient_by_finite_differences(
        seed in 0u64..1000,
        merging in prop::sample::select(vec!["own", "causal", "prefix"]),
        segments in prop::sample::select(vec![2usize, 4]),
        temperature in 0.2f64..3.0,
        routers in prop::collection::vec(-2.0f64..2.0, 32),
        neurons in prop::collection::vec(-1.0f64..1.0, 96),
    ) {
        let more = format!("model.merging={merging} data.segments={segments} model.temperature={temperature}");
        let parameters = parameters(&more);
        let batch = batch(&parameters, seed);
        let at = |w: &[f64], n: &[f64]| loss(&parameters, w, &routers, n, &batch);
        let Some(loss_0) = at(&routers, &neurons) else { return Ok(()) };
        let model = merged(&parameters, seed).with_weights(routers.clone(), neurons.clone());
        let mut engine = SmearEngine::new(model, RATES);
        let report = engine.step(&batch, &Objective::default()).expect("finite");
        prop_assert!((report.loss - loss_0).abs() < 1e-12);
        check_step(|own| at(own, &neurons), [&routers, &engine.routers()], |_| 1.0)?;
        check_step(|own| at(&routers, own), [&neurons, &engine.expert_weights()], |_| 1.0)?;
    }

    #[test]
    fn l_2_identical_experts_with_equal_routers_stay_identical_for_ever(
        seed in 0u64..1000,
        merging in prop::sample::select(vec!["own", "causal", "prefix"]),
    ) {
        let more = format!("model.merging={merging} data.segments=2 model.experts=8 pretrained.relevant_per_class=2 \
                            pretrained.copies=2");
        let parameters = parameters(&more);
        let mut engine = SmearEngine::new(merged(&parameters, seed), RATES);
        let start = engine.routers();
        for round in 0..50 {
            engine.step(&batch(&parameters, seed + round), &Objective::default()).expect("finite");
        }
        let (routers, neurons) = (engine.routers(), engine.expert_weights());
        prop_assert_ne!(&routers, &start);
        // Experts 0 and 2 are copies of one relevant expert, 1 and 3 of the other; 4 and 6 are none.
        for (one, other, are_copies) in [(0, 2, true), (1, 3, true), (4, 6, false)] {
            prop_assert_eq!(routers[one * 8..][..8] == routers[other * 8..][..8], are_copies);
            prop_assert_eq!(neurons[one * 24..][..24] == neurons[other * 24..][..24], are_copies);
        }
    }

    #[test]
    fn i10_a_merged_expert_says_no_more_than_the_mixture(seed in 0u64..1000, temperature in 0.1f64..3.0) {
        // Of one sign: f is what the merged expert says, and Σ Γ A what the mixture would.
        let parameters = parameters(&format!("model.temperature={temperature}"));
        let mut model = Pretrained::constructed(&parameters, seed).model;
        model.signs = vec![1.0; 4];
        let system = Smear::new(&model, &parameters);
        let mut is_less = false;
        system.for_each_routed(&batch(&parameters, seed), &mut |sample| {
            let mixture: f64 = sample.pairs.iter().map(|pair| pair.gate * pair.activation).sum();
            let merged: f64 = sample.outputs.iter().sum();
            assert!(merged <= mixture + 1e-12, "{merged} {mixture}");
            is_less |= merged < mixture - 1e-9;
        });
        prop_assert!(is_less);
    }

    #[test]
    fn a_dropped_expert_was_never_there_and_a_silent_one_keeps_its_share(seed in 0u64..1000, gone in 0usize..4) {
        let kept: Vec<usize> = (0..4).filter(|&expert| expert != gone).collect();
        let dropped = parameters("pruning.removal=drop");
        let silent = parameters("pruning.removal=zero-slot");
        let batch = batch(&dropped, seed);
        let gates = |parameters: &Parameters| {
            let left = merged(parameters, seed).keep(&kept, None, parameters);
            let setting = Setting { parameters, seed, choice: EngineChoice::Auto };
            let (mut engine, mut gates) = (left.engine(&setting), Vec::new());
            engine.class_token_gates(&batch, &mut gates);
            (engine.experts(), gates)
        };
        let (three, gates_of_three) = gates(&dropped);
        let (four, gates_of_four) = gates(&silent);
        prop_assert_eq!((three, four), (3, 4));
        for own in gates_of_three.chunks(3) {
            prop_assert!((own.iter().sum::<f64>() - 2.0).abs() < 1e-12, "a sign's shares sum to 1: {own:?}");
        }
        for own in gates_of_four.chunks(4) {
            prop_assert!(own[gone] == 0.0 && own.iter().sum::<f64>() < 2.0 - 1e-9);
        }
    }
}

#[test]
fn topics_stay_as_often_as_they_are_told_to_and_divide_features_and_patterns() {
    for (stay, expected) in [(1.0, 1.0), (0.0, 0.5), (0.6, 0.8)] {
        let parameters = crate::common::point(&format!(
            "data.patterns=20 data.tokens=8 data.replacement=true data.features=4 data.topics=2 data.segments=4 \
             data.topic_stay={stay} model.tokens_per_expert=2 training.batch=4000",
        ))
        .parameters;
        let batch = batch(&parameters, 3);
        let topic = |token: u32| if token < 8 { token / 2 % 2 } else { token % 2 };
        let (mut stays, mut pairs, mut first, mut features) = (0, 0, 0, [0; 4]);
        for sample in 0..batch.samples() {
            let tokens = batch.sample(sample);
            let topics: Vec<u32> = tokens
                .chunks(2)
                .map(|segment| {
                    assert_eq!(topic(segment[0]), topic(segment[1]), "{segment:?}");
                    topic(segment[0])
                })
                .collect();
            first += topics[0];
            stays += topics.windows(2).filter(|pair| pair[0] == pair[1]).count();
            pairs += 3;
            assert_eq!(tokens.iter().filter(|&&token| token < 8).count(), 1);
            features[batch.feature(sample)] += 1;
            let token = tokens[batch.class_positions[sample] as usize];
            assert_eq!(batch.labels[sample], if token.is_multiple_of(2) { 1.0 } else { -1.0 });
        }
        let share = f64::from(stays as u32) / f64::from(pairs);
        assert!((share - expected).abs() < 0.02, "{stay}: {share}");
        assert!((f64::from(first) / 4000.0 - 0.5).abs() < 0.04);
        assert!(features.iter().all(|&count| (850..1150).contains(&count)), "{features:?}");
    }
}

#[test]
fn fails_on_segments_and_topics_that_contradict() {
    for (settings, words) in [
        (
            "model.system=smear model.merging=causal",
            "data.segments = 1: must be at least 2, because model.merging = causal",
        ),
        ("model.system=smear data.segments=3", "data.segments = 3: must divide data.tokens = 16"),
        ("model.system=smear model.experts_per_token=2", "model.experts_per_token = 2: must be left at 1"),
        ("data.segments=2", "data.segments = 2: must be 1, because nothing reads it"),
        ("model.merging=causal", "model.merging = causal: must be left at own, because it is not read"),
        ("data.topic_stay=0.5", "data.topic_stay = 0.5: must be 1, because data.topics = 1 or data.segments = 1"),
        ("data.topics=2", "data.features = 1: must be a multiple of data.topics = 2"),
        ("data.topics=2 data.features=2", "data.replacement = false: must be true, because data.topics = 2"),
        (
            "data.topics=2 data.features=2 data.replacement=true data.rare_share=0.1",
            "data.rare_share = 0.1: must be 0, because data.topics = 2",
        ),
        (
            "data.topics=2 data.features=2 data.replacement=true data.spurious=0.1",
            "data.spurious = 0.1: must be 0, because data.topics = 2",
        ),
        (
            "data.topics=2 data.features=2 data.replacement=true pretrained.kind=upstream",
            "data.topics = 2: must be 1, because pretrained.kind = upstream",
        ),
    ] {
        let error = refused(settings, "");
        assert!(error.contains(words), "{settings}: {error}");
    }
    let claim = "[[claim]]\nid = \"T1c\"\non = \"all\"";
    let error = refused("model.system=smear", claim);
    assert!(error.contains("roles = measured: must be \"built\", because model.system = smear"), "{error}");
}
