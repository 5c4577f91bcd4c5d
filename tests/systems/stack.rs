//! A stack of two layers: gradients against finite differences of an independent definition, the scale that changes no
//! output, the order within a layer, and what is refused.

use crate::{RATES, batch, check_step};
use moe_theory::moe::Pretrained;
use moe_theory::patterns::{Batch, Sampler};
use moe_theory::run::run;
use moe_theory::sgd::{Engine, EngineChoice, Objective};
use moe_theory::sim::parameters::{ModelParameters, Parameters};
use moe_theory::systems::OnRows;
use moe_theory::systems::stack::{Stack, StackEngine};
use proptest::prelude::*;

/// d = 6, of which 0 and 1 are class patterns; two layers of two experts with m = 2 neurons.
const SMALL: &str = "model.system=stack data.patterns=6 data.tokens=4 model.experts=4 model.neurons=2 \
                     pretrained.relevant_per_class=1 training.batch=8";
const D: usize = 6;
const M: usize = 2;

fn parameters(more: &str) -> Parameters {
    crate::common::point(&format!("{SMALL} {more}")).parameters
}

/// Two layers that are constructed alike.
fn start(parameters: &Parameters, seed: u64) -> Stack {
    let model = ModelParameters { experts: parameters.model.experts / 2, ..parameters.model.clone() };
    let layer = Pretrained::constructed(&Parameters { model, ..parameters.clone() }, seed);
    Stack::new(&layer, &layer, parameters)
}

/// A stack with these weights.
fn stack(parameters: &Parameters, (routers, neurons): (&[f64], &[f64])) -> StackEngine {
    StackEngine::new(start(parameters, 0).with_weights(routers.to_vec(), neurons.to_vec()), RATES)
}

/// p_s and whether s carries, of two experts with these scores; `None` where the choice is nearly a tie.
fn gates(scores: [f64; 2], chosen: usize) -> Option<[(f64, bool); 2]> {
    let total = scores[0].exp() + scores[1].exp();
    let carries = |own: f64, other: f64| chosen == 2 || own > other;
    let is_tie = chosen == 1 && (scores[0] - scores[1]).abs() < 1e-3;
    (!is_tie).then(|| {
        [
            (scores[0].exp() / total, carries(scores[0], scores[1])),
            (scores[1].exp() / total, carries(scores[1], scores[0])),
        ]
    })
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// (1/m) Σ_r max(0, ⟨v_r, x⟩); `None` near a kink.
fn activation(neurons: &[f64], x: &[f64]) -> Option<f64> {
    let before: Vec<f64> = neurons.chunks(D).map(|neuron| product(neuron, x)).collect();
    let is_near = before.iter().any(|value| *value != 0.0 && value.abs() < 1e-3);
    (!is_near).then(|| before.iter().map(|value| value.max(0.0)).sum::<f64>() / M as f64)
}

/// out(v) by the definition with full vectors; `None` near a tie or a kink.
fn out(p: &Parameters, (routers, neurons): (&[f64], &[f64]), pattern: usize) -> Option<f64> {
    let (c, g) = (p.model.experts_per_token, p.model.layer_scale);
    let router = |slot: usize| &routers[slot * D..][..D];
    let expert = |slot: usize| &neurons[slot * M * D..][..M * D];
    let mut x = vec![0.0; D];
    x[pattern] = 1.0;
    let first = gates([product(router(0), &x), product(router(1), &x)], c)?;
    let mut hidden = x.clone();
    for class in 0..2 {
        let said = first[class].0 * activation(expert(class), &x)?;
        hidden[class] = if first[class].1 { said } else { 0.0 };
    }
    let scaled: Vec<f64> = hidden.iter().map(|coordinate| g * coordinate).collect();
    let second = gates([product(router(2), &scaled), product(router(3), &scaled)], c)?;
    let value = |number: usize, sign: f64| Some(sign * second[number].0 * activation(expert(2 + number), &hidden)?);
    let (positive, negative) = (value(0, 1.0)?, value(1, -1.0)?);
    Some(if second[0].1 { positive } else { 0.0 } + if second[1].1 { negative } else { 0.0 })
}

/// The mean hinge loss; `None` near a tie or a kink.
fn loss(p: &Parameters, weights: (&[f64], &[f64]), batch: &Batch) -> Option<f64> {
    let mut total = 0.0;
    for (i, label) in batch.labels.iter().enumerate() {
        let f: Option<f64> = batch.sample(i).iter().map(|&token| out(p, weights, token as usize)).sum();
        let slack = 1.0 - label * f?;
        if slack.abs() < 1e-3 {
            return None;
        }
        total += slack.max(0.0);
    }
    Some(total / batch.labels.len() as f64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_step_is_minus_the_gradient_by_finite_differences(
        seed in 0u64..1000,
        chosen in 1usize..=2,
        scale in prop::sample::select(vec![1.0f64, 0.5, 2.0, 3.0]),
        routers in prop::collection::vec(-1.0f64..1.0, 4 * D),
        neurons in prop::collection::vec(-0.5f64..1.5, 4 * M * D),
    ) {
        let parameters = parameters(&format!("model.experts_per_token={chosen} model.layer_scale={scale}"));
        let batch = batch(&parameters, seed);
        let at = |routers: &[f64], neurons: &[f64]| loss(&parameters, (routers, neurons), &batch);
        let Some(loss_0) = at(&routers, &neurons) else { return Ok(()) };
        let mut engine = stack(&parameters, (&routers, &neurons));
        let report = engine.step(&batch, &Objective::default()).expect("finite");
        prop_assert!((report.loss - loss_0).abs() < 1e-12);
        // The rate of layer 2 is divided by g².
        let rate = |place| if place < 2 * D { 1.0 } else { 1.0 / (scale * scale) };
        check_step(|own| at(own, &neurons), [&routers, &engine.routers()], rate)?;
        check_step(|own| at(&routers, own), [&neurons, &engine.expert_weights()], |_| 1.0)?;
    }

    /// A power of two divides layer 2's routers and their changes, bit for bit, and changes nothing else.
    #[test]
    fn the_scale_of_a_layer_changes_norms_and_nothing_else(seed in 0u64..1000, power in -8i32..=8) {
        let scale = 2f64.powi(power);
        let more = "data.patterns=12 model.experts=8 model.experts_per_token=2 pretrained.router_noise=0.1 training.iterations=20";
        let trained = |scale: f64| {
            let settings = SMALL.replace("data.patterns=6 ", "").replace("model.experts=4 ", "");
            let p = crate::common::point(&format!("{settings} {more} model.layer_scale={scale}")).parameters;
            let mut engine = StackEngine::new(start(&p, seed), RATES);
            let mut sampler = Sampler::of_training(&p, seed);
            let mut batch = Batch::default();
            let mut losses = Vec::new();
            for _ in 0..p.training.iterations {
                sampler.fill(&mut batch, p.training.batch);
                losses.push(engine.step(&batch, &Objective::default()).expect("finite").loss);
            }
            (losses, engine.routers(), engine.expert_weights())
        };
        let (plain, scaled) = (trained(1.0), trained(scale));
        prop_assert_eq!(plain.0, scaled.0);
        prop_assert_eq!(plain.2, scaled.2);
        let half = plain.1.len() / 2;
        let divided: Vec<f64> = plain.1[half..].iter().map(|weight| weight / scale).collect();
        prop_assert_eq!(&plain.1[..half], &scaled.1[..half]);
        prop_assert_eq!(&divided, &scaled.1[half..]);
    }
}

/// Accuracies of one run, by the number of experts kept.
fn accuracies(more: &str) -> Vec<Option<f64>> {
    let point = crate::common::point(&format!(
        "model.system=stack data.patterns=32 data.tokens=8 data.features=3 data.rare_share=0.6 model.experts=32 \
         model.neurons=8 model.experts_per_token=4 pretrained.relevant_per_class=1 pretrained.rare_per_class=1 \
         pretrained.special_patterns=4 pretrained.router_scale_relevant=4 pretrained.neuron_scale_relevant=1 \
         training.router_rate=0.5 training.expert_rate=4 training.batch=64 training.iterations=200 \
         pruning.removal=drop evaluation.samples=200 {more}"
    ));
    run(&point, 0, 3, EngineChoice::Auto).pruning.iter().map(|row| row.accuracy).collect()
}

#[test]
fn a_ranking_within_layers_prunes_others_than_one_over_both() {
    let (within, over_both) = (accuracies("pruning.ranking=per-group"), accuracies(""));
    // The same trained model, and the same whole one.
    assert_eq!(within.last(), over_both.last());
    assert_ne!(within, over_both);
}

#[test]
fn fails_on_layers_that_can_not_be_built() {
    let refused = |settings: &str| crate::refused(settings, "");
    for (settings, words) in [
        ("model.system=stack model.experts=6", "model.experts = 6: must be a multiple of 4"),
        ("model.system=stack model.experts=4", "model.experts = 4: must be at least 8, because layer 1 has 4 relevant"),
        ("model.layer_scale=2", "model.layer_scale = 2: must be left at 1"),
        (
            "pruning.ranking=per-group pruning.criterion=naee",
            "pruning.ranking = per-group: must be global, because the criterion naee chooses sets",
        ),
    ] {
        let error = refused(settings);
        assert!(error.contains(words), "{settings}: {error}");
    }
}
