//! The attentive gate: its losses of gates, its gradients and those of the gate that comes after it against finite
//! differences of an independent definition, what is undefined of it, and what is refused.

use crate::{RATES, batch, check_step};
use moe_theory::measure::Role;
use moe_theory::patterns::Batch;
use moe_theory::run::run;
use moe_theory::sgd::{Engine, EngineChoice, Objective};
use moe_theory::sim::parameters::{Criterion, Parameters};
use moe_theory::systems::attentive::{AttentiveEngine, AttentiveGate};
use moe_theory::systems::gate_losses::{importance, similarity};
use moe_theory::systems::{OnRows, Setting, System};
use proptest::prelude::*;

const SMALL: &str = "model.system=attentive-gate model.gate=attentive data.patterns=8 data.tokens=4 model.experts=4 \
                     model.neurons=3 model.key_length=2 pretrained.relevant_per_class=1 training.batch=6 \
                     pruning.criterion=mass";
const SLOTS: usize = 4;

/// The small setting, with other values of some keys.
fn settings(more: &str) -> String {
    crate::settings(SMALL, more)
}

fn parameters(more: &str) -> Parameters {
    crate::common::point(&settings(more)).parameters
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let weights: Vec<f64> = scores.iter().map(|score| score.exp()).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

/// The sample-similarity loss as the authors write it, with a coefficient for each of its halves.
fn authors_similarity(gates: &[Vec<f64>], distances: &[f64], (same, different): (f64, f64)) -> f64 {
    let (samples, experts) = (gates.len(), gates[0].len());
    let mut sum = 0.0;
    for x in 0..samples {
        for y in 0..samples {
            for i in 0..experts {
                for j in 0..experts {
                    let product = distances[x * samples + y] * gates[x][i] * gates[y][j];
                    let count = experts as f64;
                    sum += if i == j { same * product / count } else { -different * product / (count * count - count) };
                }
            }
        }
    }
    sum / (samples * (samples - 1)) as f64
}

fn gates() -> impl Strategy<Value = Vec<Vec<f64>>> {
    (2usize..6, 2usize..5).prop_flat_map(|(samples, experts)| {
        let scores = prop::collection::vec(prop::collection::vec(-3.0f64..3.0, experts), samples);
        scores.prop_map(|rows| rows.iter().map(|row| softmax(row)).collect())
    })
}

/// Symmetric distances with 0 along the diagonal.
fn distances(samples: usize, numbers: &[f64]) -> Vec<f64> {
    let at = |x: usize, y: usize| if x == y { 0.0 } else { numbers[(x.min(y) * samples + x.max(y)) % numbers.len()] };
    (0..samples * samples).map(|place| at(place / samples, place % samples)).collect()
}

proptest! {
    #[test]
    fn a_1_where_all_distances_are_one_the_similarity_loss_has_the_gradient_of_the_importance_loss(gates in gates()) {
        let (samples, experts) = (gates.len() as f64, gates[0].len() as f64);
        // CV² = E/B² Σ I² − 1 and the similarity loss Σ I²/((E − 1)(B² − B)) + a constant.
        let factor = samples / (experts * (experts - 1.0) * (samples - 1.0));
        let by_importance = importance(&gates).gradient;
        let everywhere = similarity(&gates, &vec![1.0; gates.len() * gates.len()]).gradient;
        for (found, expected) in everywhere.iter().flatten().zip(by_importance.iter().flatten()) {
            prop_assert!((found - factor * expected).abs() < 1e-12, "{found} {expected}");
        }
        // A distance is 0 from a sample to itself; what then is missing rewards gates that are sharp.
        let no_diagonal = similarity(&gates, &distances(gates.len(), &[1.0])).gradient;
        let own = 2.0 / ((experts - 1.0) * samples * (samples - 1.0));
        for ((found, expected), gate) in no_diagonal.iter().flatten().zip(by_importance.iter().flatten()).zip(gates.iter().flatten()) {
            prop_assert!((found - (factor * expected - own * gate)).abs() < 1e-12, "{found} {expected} {gate}");
        }
    }

    #[test]
    fn both_coefficients_of_the_authors_act_as_one(
        gates in gates(),
        numbers in prop::collection::vec(0.0f64..1.0, 7),
        same in 0.0f64..2.0,
        different in 0.0f64..2.0,
    ) {
        let (samples, experts) = (gates.len(), gates[0].len() as f64);
        let of = distances(samples, &numbers);
        let found = similarity(&gates, &of);
        prop_assert!((found.value - authors_similarity(&gates, &of, (1.0, 1.0))).abs() < 1e-12);
        // Σ_{i≠j} p_i p_j′ = 1 − Σ_i p_i p_i′.
        let constant = of.iter().sum::<f64>() / (samples * (samples - 1)) as f64 / (experts * experts - experts);
        let sharing = found.value + constant;
        let expected = sharing * (experts - 1.0) * (same / experts + different / (experts * experts - experts)) - different * constant;
        prop_assert!((authors_similarity(&gates, &of, (same, different)) - expected).abs() < 1e-12);
    }

    #[test]
    fn gradients_of_the_losses_of_gates_by_finite_differences(gates in gates(), numbers in prop::collection::vec(0.0f64..1.0, 7)) {
        let of = distances(gates.len(), &numbers);
        for (loss, value) in [
            (importance(&gates), &(|gates: &[Vec<f64>]| importance(gates).value) as &dyn Fn(&[Vec<f64>]) -> f64),
            (similarity(&gates, &of), &|gates: &[Vec<f64>]| similarity(gates, &of).value),
        ] {
            for x in 0..gates.len() {
                for s in 0..gates[0].len() {
                    let moved = |by: f64| { let mut gates = gates.clone(); gates[x][s] += by; value(&gates) };
                    let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                    prop_assert!((slope - loss.gradient[x][s]).abs() < 1e-8, "{slope} {}", loss.gradient[x][s]);
                }
            }
        }
    }
}

/// All trained weights of a gate with its experts.
#[derive(Clone)]
struct Weights {
    maps: Vec<f64>,
    routers: Vec<f64>,
    neurons: Vec<f64>,
}

/// Gates and f of a sample by brute force; `None` near a kink or a tie.
fn pass(parameters: &Parameters, weights: &Weights, tokens: &[u32]) -> Option<(Vec<f64>, f64)> {
    let mut hidden = [[0.0; 3]; SLOTS];
    for (s, hidden) in hidden.iter_mut().enumerate() {
        for (r, hidden) in hidden.iter_mut().enumerate() {
            for &token in tokens {
                let weight = weights.neurons[(s * 3 + r) * 8 + token as usize];
                if weight.abs() < 1e-3 {
                    return None;
                }
                *hidden += weight.max(0.0);
            }
        }
    }
    let mean = |row: &[f64]| tokens.iter().map(|&token| row[token as usize]).sum::<f64>() / tokens.len() as f64;
    let is_attentive = weights.routers.is_empty();
    let scores: Vec<f64> = (0..SLOTS)
        .map(|s| match is_attentive {
            true => {
                let query = [mean(&weights.maps[..8]), mean(&weights.maps[8..16])];
                let key = |a: usize| (0..3).map(|r| weights.maps[16 + a * 3 + r] * hidden[s][r]).sum::<f64>();
                (query[0] * key(0) + query[1] * key(1)) / 2f64.sqrt()
            }
            false => mean(&weights.routers[s * 8..][..8]),
        })
        .collect();
    let mut sorted = scores.clone();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let chosen = if is_attentive { SLOTS } else { parameters.model.experts_per_token };
    if chosen < SLOTS && sorted[chosen - 1] - sorted[chosen] < 1e-3 {
        return None;
    }
    let gates = softmax(&scores);
    let carried = (0..SLOTS).filter(|&s| scores[s] >= sorted[chosen - 1]);
    let f = carried.map(|s| gates[s] * [1.0, -1.0][s % 2] * hidden[s].iter().sum::<f64>() / 3.0).sum();
    Some((gates, f))
}

/// The mean hinge loss and the losses of gates; `None` near a kink.
fn loss(p: &Parameters, weights: &Weights, batch: &Batch) -> Option<f64> {
    let (mut total, mut gates) = (0.0, Vec::new());
    for (sample, label) in batch.labels.iter().enumerate() {
        let (own, f) = pass(p, weights, batch.sample(sample))?;
        let slack = 1.0 - label * f;
        if slack.abs() < 1e-3 {
            return None;
        }
        total += slack.max(0.0);
        gates.push(own);
    }
    let samples = batch.samples();
    let token = |sample: usize| batch.sample(sample)[batch.class_positions[sample] as usize];
    let distance = |place: usize| f64::from(u8::from(token(place / samples) != token(place % samples)));
    let distances: Vec<f64> = (0..samples * samples).map(distance).collect();
    let of_gates = match weights.routers.is_empty() {
        true => {
            let sums = (0..SLOTS).map(|s| gates.iter().map(|own| own[s]).sum::<f64>());
            let mean = samples as f64 / SLOTS as f64;
            let variation = sums.map(|sum| (sum - mean).powi(2)).sum::<f64>() / SLOTS as f64 / (mean * mean);
            p.training.importance_loss * variation
                + p.training.similarity_loss * authors_similarity(&gates, &distances, (1.0, 1.0))
        }
        false => 0.0,
    };
    Some(total / samples as f64 + of_gates)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn a_step_is_minus_the_gradient_by_finite_differences(
        seed in 0u64..1000,
        is_attentive: bool,
        chosen in 1usize..=SLOTS,
        importance in prop::sample::select(vec![0.0, 0.7]),
        similarity in prop::sample::select(vec![0.0, 2.0, -1.0]),
        maps in prop::collection::vec(-1.0f64..1.0, 22),
        routers in prop::collection::vec(-2.0f64..2.0, 32),
        neurons in prop::collection::vec(-1.0f64..1.0, 96),
    ) {
        let gate = match is_attentive {
            true => "model.gate=attentive".to_owned(),
            false => format!("model.gate=ordinary model.experts_per_token={chosen} pretrained.attentive_iterations=0"),
        };
        let parameters = parameters(&format!("{gate} training.importance_loss={importance} training.similarity_loss={similarity}"));
        let batch = batch(&parameters, seed);
        let routers = if is_attentive { Vec::new() } else { routers };
        let begun = AttentiveGate::new(&parameters, seed).with_maps(maps.clone());
        let model = if is_attentive { begun } else { begun.with_ordinary_gate(routers.clone()) };
        let mut engine = AttentiveEngine::new(model.with_weights(routers.clone(), neurons.clone()), RATES);
        let before = Weights { maps, routers, neurons };
        let Some(loss_0) = loss(&parameters, &before, &batch) else { return Ok(()) };
        let report = engine.step(&batch, &Objective::from(&parameters.training)).expect("finite");
        prop_assert!((report.loss - loss_0).abs() < 1e-12, "{} {loss_0}", report.loss);
        let after = Weights { maps: engine.shared_weights(), routers: engine.routers(), neurons: engine.expert_weights() };
        let parts: [fn(&mut Weights) -> &mut Vec<f64>; 3] = [|w| &mut w.maps, |w| &mut w.routers, |w| &mut w.neurons];
        for (number, part) in parts.into_iter().enumerate() {
            let (old, new) = (part(&mut before.clone()).clone(), part(&mut after.clone()).clone());
            if !is_attentive && number != 1 {
                prop_assert_eq!(old, new, "experts are frozen");
                continue;
            }
            let at = |own: &[f64]| {
                let mut weights = before.clone();
                *part(&mut weights) = own.to_vec();
                loss(&parameters, &weights, &batch)
            };
            // The rate of neurons holds 1/m in their gradient already.
            check_step(at, [&old, &new], |_| 1.0)?;
        }
    }

    #[test]
    fn a_dropped_expert_was_never_there_and_a_silent_one_keeps_its_gate(seed in 0u64..1000, gone in 0usize..SLOTS) {
        let kept: Vec<usize> = (0..SLOTS).filter(|&expert| expert != gone).collect();
        let gates = |removal: &str| {
            let parameters = parameters(&format!("pruning.removal={removal}"));
            let left = AttentiveGate::new(&parameters, seed).keep(&kept, None, &parameters);
            let setting = Setting { parameters: &parameters, seed, choice: EngineChoice::Auto };
            let (mut engine, mut gates) = (left.engine(&setting), Vec::new());
            engine.class_token_gates(&batch(&parameters, seed), &mut gates);
            (engine.experts(), gates)
        };
        let ((three, of_three), (four, of_four)) = (gates("drop"), gates("zero-slot"));
        prop_assert_eq!((three, four), (3, 4));
        prop_assert!(of_three.chunks(3).all(|own| (own.iter().sum::<f64>() - 1.0).abs() < 1e-12));
        prop_assert!(of_four.chunks(4).all(|own| own[gone] == 0.0 && own.iter().sum::<f64>() < 1.0 - 1e-9));
    }
}

#[test]
fn a_run_leaves_the_norm_change_empty_and_the_gate_that_comes_after_has_one() {
    let at = |gate: &str, criterion: &str| {
        let more = format!(
            "model.gate={gate} pruning.criterion={criterion} pruning.criteria=all training.iterations=50 record.trajectory_runs=1"
        );
        run(&crate::common::point(&settings(&more)), 0, 1, EngineChoice::Auto)
    };
    let attentive = at("attentive", "mass");
    for row in &attentive.experts {
        assert_eq!((row.norm_0, row.norm_t, row.delta, row.displacement), (None, None, None, None));
        assert_eq!((row.delta_centred, row.displacement_class), (None, None));
        for criterion in Criterion::ALL.iter().filter(|criterion| criterion.name().starts_with("router-")) {
            assert_eq!(row.scores[*criterion], None, "{criterion}");
        }
        assert!(row.scores[Criterion::Mass].is_some_and(|mass| mass > 0.0));
        assert_eq!((row.role, row.built_role == Role::Undefined), (Role::Undefined, false));
    }
    assert!(!attentive.trajectory.is_empty());
    assert!(attentive.trajectory.iter().all(|row| (row.norm, row.delta, row.displacement) == (None, None, None)));
    assert!(!attentive.pruning.iter().any(|row| row.criterion.name().starts_with("router-")));
    let anew = at("ordinary", "router-norm-change");
    assert!(anew.experts.iter().all(|row| row.delta.is_some() && row.norm_0.is_some_and(|norm| norm > 0.0)));
    assert!(anew.experts.iter().any(|row| row.displacement.is_some_and(|moved| moved > 0.0)));
    assert!(anew.trajectory.iter().all(|row| row.delta.is_some()));
}

#[test]
fn fails_on_what_the_system_does_not_have() {
    let refused = |more: &str, claim: &str| crate::refused(&settings(more), claim);
    for (more, words) in [
        (
            "pruning.criterion=router-norm-change",
            "Δ is undefined here because model.gate = attentive: an attentive gate",
        ),
        ("model.experts_per_token=2", "model.experts_per_token = 2: must be left at 1, because with model.gate"),
        ("model.gate=hash", "model.gate = hash: must be ordinary or attentive"),
        ("training.batch=1 training.similarity_loss=1", "training.batch = 1: must be at least 2"),
        ("training.load_loss=1", "training.load_loss = 1: must be left at 0.0, because it is not read"),
        ("model.merging=causal", "model.merging = causal: must be left at own"),
    ] {
        let error = refused(more, "");
        assert!(error.contains(words), "{more}: {error}");
    }
    for claim in [
        "[[claim]]\nid = \"T1c\"\non = \"all\"\nroles = \"built\"",
        "[[claim]]\nid = \"mine\"\nholds = \"min(delta) > 0\"",
    ] {
        let error = refused("", claim);
        assert!(error.contains("must not be judged: Δ is undefined here because model.gate = attentive"), "{error}");
    }
    let error = refused("model.system=simplified-moe", "");
    assert!(error.contains("model.gate = attentive: must be left at ordinary"), "{error}");
}
