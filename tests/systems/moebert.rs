//! MoEBERT: importance and homogeneity, who is dealt what, gradients against finite differences of an independent
//! definition, what is undefined of it, and what is refused.

use crate::{RATES, batch};
use moe_theory::patterns::Batch;
use moe_theory::run::run;
use moe_theory::sgd::{Engine, EngineChoice, Loss, Objective};
use moe_theory::sim::parameters::{Criterion, Parameters};
use moe_theory::systems::moebert::{Moebert, MoebertEngine, Teacher};
use moe_theory::systems::{OnRows, Setting, System};
use proptest::prelude::*;

const SMALL: &str = "model.system=moebert model.gate=hash data.patterns=8 data.tokens=4 model.experts=4 model.neurons=3 \
                     model.teacher_neurons=5 model.shared_neurons=1 pretrained.neuron_scale=1 \
                     pretrained.teacher_iterations=5 training.batch=6 pruning.criterion=mass";

/// The small setting, with other values of some keys.
fn settings(more: &str) -> String {
    crate::settings(SMALL, more)
}

fn parameters(more: &str) -> Parameters {
    crate::common::point(&settings(more)).parameters
}

fn experts(parameters: &Parameters, seed: u64) -> (Teacher, Vec<f64>, Moebert) {
    let teacher = Teacher::new(parameters, seed);
    let importance = teacher.importance(&batch(parameters, seed), Loss::Logistic);
    let system = Moebert::new(&teacher, &importance, parameters, seed);
    (teacher, importance, system)
}

/// The numbers of the teacher's neurons that an expert has.
fn hand(teacher: &Teacher, system: &Moebert, expert: usize) -> Vec<usize> {
    let number =
        |own: &[f64]| teacher.neurons.chunks(8).position(|neuron| neuron == own).expect("a neuron of the teacher");
    weights_of(system, expert).chunks(8).map(number).collect()
}

fn weights_of(system: &Moebert, expert: usize) -> Vec<f64> {
    let all = MoebertEngine::new(system.clone(), RATES).expert_weights();
    let length = all.len() / 4;
    all[expert * length..][..length].to_vec()
}

/// out(v) by brute force; `None` near a kink or a tie.
fn says(p: &Parameters, system: &Moebert, (routers, neurons): (&[f64], &[f64]), pattern: usize) -> Option<f64> {
    let mut out = 0.0;
    for (sign, own) in [(1.0, [0, 2]), (-1.0, [1, 3])] {
        let shares: Vec<f64> = match system.hashed(pattern) {
            Some(number) => (0..2).map(|expert| f64::from(u8::from(expert == number))).collect(),
            None => {
                let weights = own.map(|expert| routers[expert * 8 + pattern].exp());
                if (weights[0] - weights[1]).abs() < 1e-3 {
                    return None;
                }
                let share = |place: usize| weights[place] / (weights[0] + weights[1]);
                (0..2).map(|place| if weights[place] >= weights[1 - place] { share(place) } else { 0.0 }).collect()
            }
        };
        for (share, expert) in shares.iter().zip(own) {
            for r in 0..p.model.neurons {
                let weight = neurons[(expert * p.model.neurons + r) * 8 + pattern];
                if weight.abs() < 1e-3 {
                    return None;
                }
                out += share * sign * weight.max(0.0) / p.model.teacher_neurons as f64;
            }
        }
    }
    Some(out)
}

/// The mean loss of labels and of the distance from the teacher.
fn loss(p: &Parameters, system: &Moebert, weights: (&[f64], &[f64]), batch: &Batch) -> Option<f64> {
    let mut total = 0.0;
    for (sample, label) in batch.labels.iter().enumerate() {
        let mut f = 0.0;
        for &token in batch.sample(sample) {
            let out = says(p, system, weights, token as usize)?;
            total += 0.5 * p.training.distillation * (system.target(token as usize) - out).powi(2);
            f += out;
        }
        total += (1.0 + (-label * f).exp()).ln();
    }
    Some(total / batch.samples() as f64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn homogeneity_makes_both_inner_products_equal(seed in 0u64..1000, pull in -1.0f64..1.0, neuron in 0usize..10) {
        let parameters = parameters("");
        let teacher = Teacher::new(&parameters, seed);
        let batch = batch(&parameters, seed);
        let tokens = batch.sample(0);
        let [first, second] = teacher.products(neuron, tokens, pull);
        prop_assert!((first - second).abs() <= 4.0 * f64::EPSILON * first.abs(), "{first} {second}");
        // Both are −pull times what the neuron adds to F.
        let mut without = teacher.clone();
        without.neurons[neuron * 8..][..8].fill(0.0);
        let adds: f64 = tokens.iter().map(|&token| teacher.says(token as usize) - without.says(token as usize)).sum();
        prop_assert!((first + pull * adds).abs() < 1e-12);
        prop_assert!(neuron > 4 || adds >= 0.0);
    }

    #[test]
    fn the_important_are_shared_and_the_rest_is_dealt_rank_by_rank(
        seed in 0u64..1000,
        shared in 0usize..=3,
        deal in prop::sample::select(vec!["importance", "inverse", "random"]),
    ) {
        let least = shared + 2 * (3 - shared);
        let more = format!("model.shared_neurons={shared} pretrained.deal={deal} model.teacher_neurons={}", least + 1);
        let parameters = parameters(&more);
        let (teacher, importance, system) = experts(&parameters, seed);
        let of_a_sign = least + 1;
        for sign in [0, 1] {
            let hands = [hand(&teacher, &system, sign), hand(&teacher, &system, sign + 2)];
            prop_assert!(hands.iter().flatten().all(|neuron| neuron / of_a_sign == sign));
            prop_assert_eq!(&hands[0][..shared], &hands[1][..shared]);
            let rest: Vec<usize> = (shared..3).flat_map(|place| [hands[0][place], hands[1][place]]).collect();
            let order: Vec<usize> = hands[0][..shared].iter().chain(&rest).copied().collect();
            let mut distinct = order.clone();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(distinct.len(), least);
            let by = |one: usize, two: usize| match deal {
                "importance" => importance[one] >= importance[two],
                "inverse" => importance[one] <= importance[two],
                _ => true,
            };
            prop_assert!(order.windows(2).all(|pair| by(pair[0], pair[1])), "{order:?} {importance:?}");
            // One neuron is thrown away: the last in the order.
            let thrown = (sign * of_a_sign..(sign + 1) * of_a_sign).find(|neuron| !order.contains(neuron)).expect("one");
            prop_assert!(by(order[least - 1], thrown));
        }
    }

    #[test]
    fn experts_that_have_all_neurons_are_the_teacher_whatever_the_order(
        seed in 0u64..1000,
        deal in prop::sample::select(vec!["importance", "inverse", "random"]),
    ) {
        let more = format!("model.neurons=5 model.shared_neurons=5 pretrained.deal={deal}");
        let parameters = parameters(&more);
        let (teacher, _, system) = experts(&parameters, seed);
        let batch = batch(&parameters, seed);
        let mut found = Vec::new();
        MoebertEngine::new(system, RATES).outputs(&batch, &mut found);
        for (sample, own) in found.chunks(4).enumerate() {
            let expected: f64 = batch.sample(sample).iter().map(|&token| teacher.says(token as usize)).sum();
            prop_assert!((own.iter().sum::<f64>() - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn i_4_with_the_hinge_importance_is_0_once_margins_reach_1(seed in 0u64..1000) {
        let parameters = parameters("");
        let teacher = Teacher::new(&parameters, seed);
        let mut batch = batch(&parameters, seed);
        for sample in 0..batch.samples() {
            let output: f64 = batch.sample(sample).iter().map(|&token| teacher.says(token as usize)).sum();
            batch.labels[sample] = if output.abs() < 1e-6 { 0.0 } else { 2.0 / output };
        }
        prop_assume!(batch.labels.iter().all(|label| *label != 0.0));
        prop_assert!(teacher.importance(&batch, Loss::Hinge).iter().all(|importance| *importance == 0.0));
        prop_assert!(teacher.importance(&batch, Loss::Logistic).iter().any(|importance| *importance > 0.0));
    }

    #[test]
    fn a_step_is_minus_the_gradient_by_finite_differences(
        seed in 0u64..1000,
        gate in prop::sample::select(vec!["hash", "ordinary"]),
        distillation in prop::sample::select(vec![0.0, 5.0]),
        routers in prop::collection::vec(-1.0f64..1.0, 32),
        neurons in prop::collection::vec(-1.0f64..1.0, 96),
    ) {
        let parameters = parameters(&format!("model.gate={gate} training.loss=logistic training.distillation={distillation}"));
        let system = experts(&parameters, seed).2;
        let batch = batch(&parameters, seed);
        let routers = if gate == "hash" { Vec::new() } else { routers };
        let at = |w: &[f64], n: &[f64]| loss(&parameters, &system, (w, n), &batch);
        let Some(loss_0) = at(&routers, &neurons) else { return Ok(()) };
        let mut engine = MoebertEngine::new(system.with_weights(routers.clone(), neurons.clone()), RATES);
        let report = engine.step(&batch, &Objective::from(&parameters.training)).expect("finite");
        prop_assert!((report.loss - loss_0).abs() < 1e-12, "{} {loss_0}", report.loss);
        for (place, (after, before)) in engine.routers().iter().zip(&routers).enumerate() {
            let moved = |by: f64| { let mut w = routers.clone(); w[place] += by; at(&w, &neurons) };
            let (Some(up), Some(down)) = (moved(1e-5), moved(-1e-5)) else { return Ok(()) };
            prop_assert!((after - before + (up - down) / 2e-5).abs() < 1e-8, "router {place}");
        }
        for (place, (after, before)) in engine.expert_weights().iter().zip(&neurons).enumerate() {
            let moved = |by: f64| { let mut n = neurons.clone(); n[place] += by; at(&routers, &n) };
            let (Some(up), Some(down)) = (moved(1e-5), moved(-1e-5)) else { return Ok(()) };
            prop_assert!((after - before + (up - down) / 2e-5).abs() < 1e-8, "neuron {place}");
        }
    }

    #[test]
    fn a_token_whose_hashed_expert_is_gone_hears_nothing_in_its_place(seed in 0u64..1000, gone in 0usize..4) {
        let kept: Vec<usize> = (0..4).filter(|&expert| expert != gone).collect();
        let outputs = |removal: Option<&str>| {
            let parameters = parameters(&format!("pruning.removal={}", removal.unwrap_or("drop")));
            let whole = experts(&parameters, seed).2;
            let setting = Setting { parameters: &parameters, seed, choice: EngineChoice::Auto };
            let left = if removal.is_some() { whole.keep(&kept, None, &parameters) } else { whole.boxed() };
            let mut found = Vec::new();
            left.engine(&setting).outputs(&batch(&parameters, seed), &mut found);
            found
        };
        let mut expected = outputs(None);
        expected.iter_mut().skip(gone).step_by(4).for_each(|output| *output = 0.0);
        prop_assert_eq!(outputs(Some("zero-slot")), expected.clone());
        let without: Vec<f64> = expected.chunks(4).flat_map(|own| kept.iter().map(|&expert| own[expert])).collect();
        prop_assert_eq!(outputs(Some("drop")), without);
    }
}

#[test]
fn hash_routing_leaves_the_norm_change_empty_and_a_trained_gate_has_one() {
    let at = |gate: &str, criterion: &str| {
        let more =
            format!("model.gate={gate} pruning.criterion={criterion} pruning.criteria=all training.iterations=20");
        run(&crate::common::point(&settings(&more)), 0, 1, EngineChoice::Auto)
    };
    let hashed = at("hash", "mass");
    for row in &hashed.experts {
        assert_eq!((row.norm_0, row.norm_t, row.delta, row.displacement), (None, None, None, None));
        // Whatever the table sends: hard and soft counts are the same.
        assert_eq!(row.scores[Criterion::SoftCount], row.scores[Criterion::Frequency]);
    }
    let gated = at("ordinary", "router-norm-change");
    assert!(gated.experts.iter().all(|row| row.norm_0.is_some() && row.delta.is_some()));
    assert!(gated.experts.iter().any(|row| row.displacement.is_some_and(|moved| moved > 0.0)));
}

#[test]
fn fails_on_what_the_system_does_not_have() {
    let refused = |more: &str, claim: &str| crate::refused(&settings(more), claim);
    for (more, words) in [
        ("pruning.criterion=router-displacement", "Δ is undefined here because model.gate = hash: hash routing"),
        ("model.gate=attentive", "model.gate = attentive: must be ordinary or hash"),
        ("model.shared_neurons=4", "model.shared_neurons = 4: must be from 0 to 3, because model.neurons = 3"),
        ("model.teacher_neurons=4", "model.teacher_neurons = 4: must be at least 5, because model.experts / 2 = 2"),
        ("pruning.removal=novice", "pruning.removal = novice: must be zero-slot or drop"),
    ] {
        let error = refused(more, "");
        assert!(error.contains(words), "{more}: {error}");
    }
    let error = refused("", "[[claim]]\nid = \"T2a\"\non = \"all\"");
    assert!(error.contains("its experts have no roles"), "{error}");
}
