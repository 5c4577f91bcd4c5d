//! MoV: its gradients at step 0, against finite differences of an independent definition, what pruning leaves of it, and
//! what is refused of it.

use crate::{RATES, batch, check_step, refused};
use moe_theory::measure::Role;
use moe_theory::patterns::Batch;
use moe_theory::run::run;
use moe_theory::sgd::{Engine, EngineChoice, Objective};
use moe_theory::sim::parameters::{Criterion, Gates, Parameters};
use moe_theory::systems::mov::{Mov, MovEngine};
use moe_theory::systems::{OnRows, Setting, System};
use proptest::prelude::*;

const SMALL: &str = "model.system=mov data.patterns=8 data.tokens=4 model.experts=4 model.neurons=6 \
                     pretrained.router_noise=0.02 pretrained.neuron_scale=1 training.batch=16";

fn parameters(more: &str) -> Parameters {
    crate::common::point(&format!("{SMALL} {more}")).parameters
}

/// p_s and whether s carries, `[k]`, of a token, straight from the definition; `None` where a choice is nearly a tie.
fn gates(model: &Mov, routers: &[f64], pattern: usize, parameters: &Parameters) -> Option<Vec<(f64, bool)>> {
    let hidden = model.hidden(pattern);
    let scores: Vec<f64> =
        routers.chunks(hidden.len()).map(|router| router.iter().zip(hidden).map(|(w, h)| w * h).sum()).collect();
    let c = parameters.model.experts_per_token;
    let mut sorted = scores.clone();
    sorted.sort_by(|a, b| b.total_cmp(a));
    if c < scores.len() && sorted[c - 1] - sorted[c] < 1e-3 {
        return None;
    }
    let is_chosen = |score: f64| score >= sorted[c - 1];
    let counts = |score: f64| parameters.model.gates == Gates::Raw || is_chosen(score);
    let total: f64 = scores.iter().filter(|&&score| counts(score)).map(|score| score.exp()).sum();
    Some(
        scores.iter().map(|&score| (if counts(score) { score.exp() / total } else { 0.0 }, is_chosen(score))).collect(),
    )
}

/// f of every sample for these weights, `[k, m]` each.
fn outputs(model: &Mov, (routers, vectors): (&[f64], &[f64]), batch: &Batch, p: &Parameters) -> Option<Vec<f64>> {
    let out = |pattern: usize| -> Option<f64> {
        let hidden = model.hidden(pattern);
        let m = hidden.len();
        let gates = gates(model, routers, pattern, p)?;
        let value = |expert: usize| -> f64 {
            (0..m).map(|r| model.signs()[r] * hidden[r] * vectors[expert * m + r]).sum::<f64>() / m as f64
        };
        Some(gates.iter().enumerate().filter(|(_, gate)| gate.1).map(|(expert, gate)| gate.0 * value(expert)).sum())
    };
    (0..batch.samples()).map(|i| batch.sample(i).iter().map(|&token| out(token as usize)).sum()).collect()
}

/// The mean hinge loss; `None` near a tie or a kink.
fn loss(model: &Mov, weights: (&[f64], &[f64]), batch: &Batch, p: &Parameters) -> Option<f64> {
    let slacks = outputs(model, weights, batch, p)?.into_iter().zip(&batch.labels).map(|(f, y)| 1.0 - y * f);
    let slacks: Vec<f64> = slacks.collect();
    let near = slacks.iter().any(|slack| slack.abs() < 1e-3);
    (!near).then(|| slacks.iter().map(|slack| slack.max(0.0)).sum::<f64>() / slacks.len() as f64)
}

fn summed(engine: &mut MovEngine, batch: &Batch) -> Vec<f64> {
    let mut found = Vec::new();
    engine.outputs(batch, &mut found);
    found.chunks(engine.experts()).map(|own| own.iter().sum()).collect()
}

/// How far the routers move in one step from l = 1.
fn router_moves_at_step_0(more: &str, seed: u64) -> Vec<f64> {
    let parameters = parameters(more);
    let mut engine = MovEngine::new(Mov::new(&parameters, seed), RATES);
    let before = (engine.routers(), engine.expert_weights());
    assert!(before.1.iter().all(|&l| l == 1.0));
    let report = engine.step(&batch(&parameters, seed), &Objective::default()).expect("finite");
    assert!(report.active > 0);
    assert_ne!(engine.expert_weights(), before.1, "the vectors move");
    engine.routers().iter().zip(&before.0).map(|(after, before)| after - before).collect()
}

#[test]
fn mv_0_soft_and_renormalised_gates_leave_the_routers_exactly_where_they_are() {
    for seed in 0..20 {
        for gates in ["model.experts_per_token=4", "model.experts_per_token=2 model.gates=renormalised"] {
            let moves = router_moves_at_step_0(gates, seed);
            assert!(moves.iter().all(|&by| by == 0.0), "{gates} {seed}: {moves:?}");
        }
    }
}

#[test]
fn mv_0_masked_gates_shrink_the_output_and_move_the_routers() {
    for seed in 0..20 {
        for chosen in 1..4 {
            let masked = parameters(&format!("model.experts_per_token={chosen}"));
            let moves = router_moves_at_step_0(&format!("model.experts_per_token={chosen}"), seed);
            assert!(moves.iter().any(|by| by.abs() > 1e-6), "{chosen} of 4, {seed}");
            // A sample for each pattern, of one token.
            let singles =
                Batch { tokens: (0..8).collect(), tokens_per_sample: 1, labels: vec![1.0; 8], ..Batch::default() };
            let outputs =
                |parameters: &Parameters| summed(&mut MovEngine::new(Mov::new(parameters, seed), RATES), &singles);
            let (masked_outputs, soft_outputs) = (outputs(&masked), outputs(&parameters("model.experts_per_token=4")));
            let model = Mov::new(&masked, seed);
            let routers = MovEngine::new(model.clone(), RATES).routers();
            for (pattern, (masked, soft)) in masked_outputs.iter().zip(&soft_outputs).enumerate() {
                let hidden = model.hidden(pattern);
                let score = |router: &[f64]| router.iter().zip(hidden).map(|(w, h)| w * h).sum::<f64>().exp();
                let mut shares: Vec<f64> = routers.chunks(hidden.len()).map(score).collect();
                shares.sort_by(|a, b| b.total_cmp(a));
                let mass = shares[..chosen].iter().sum::<f64>() / shares.iter().sum::<f64>();
                assert!(mass < 1.0 && (masked - mass * soft).abs() < 1e-15, "{masked} of {soft} at {mass}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn a_step_is_minus_the_gradient_by_finite_differences(
        seed in 0u64..1000,
        chosen in 1usize..=4,
        renormalised: bool,
        routers in prop::collection::vec(-1.0f64..1.0, 24),
        vectors in prop::collection::vec(-1.0f64..3.0, 24),
    ) {
        let gates = if renormalised && chosen > 1 { "renormalised" } else { "raw" };
        let parameters = parameters(&format!("model.experts_per_token={chosen} model.gates={gates}"));
        let model = Mov::new(&parameters, seed);
        let batch = batch(&parameters, seed);
        let at = |routers: &[f64], vectors: &[f64]| loss(&model, (routers, vectors), &batch, &parameters);
        let Some(loss_0) = at(&routers, &vectors) else { return Ok(()) };
        let mut engine = MovEngine::new(model.with_weights(routers.clone(), vectors.clone()), RATES);
        let expected = outputs(&model, (&routers, &vectors), &batch, &parameters).expect("no tie");
        for (found, expected) in summed(&mut engine, &batch).iter().zip(&expected) {
            prop_assert!((found - expected).abs() < 1e-12);
        }
        let report = engine.step(&batch, &Objective::default()).expect("finite");
        prop_assert!((report.loss - loss_0).abs() < 1e-12);
        check_step(|own| at(own, &vectors), [&routers, &engine.routers()], |_| 1.0)?;
        check_step(|own| at(&routers, own), [&vectors, &engine.expert_weights()], |_| 1.0)?;
    }

    #[test]
    fn a_silent_expert_is_missed_and_a_dropped_one_was_never_there(
        seed in 0u64..1000,
        routers in prop::collection::vec(-1.0f64..1.0, 24),
        vectors in prop::collection::vec(-1.0f64..3.0, 24),
        gone in 0usize..4,
    ) {
        let kept: Vec<usize> = (0..4).filter(|&expert| expert != gone).collect();
        let outputs = |system: &dyn System, parameters: &Parameters| {
            let mut found = Vec::new();
            let setting = Setting { parameters, seed, choice: EngineChoice::Auto };
            system.engine(&setting).outputs(&batch(parameters, seed), &mut found);
            found
        };
        let silent = parameters("model.experts_per_token=4 pruning.removal=zero-slot");
        let whole = Mov::new(&silent, seed).with_weights(routers.clone(), vectors.clone());
        let mut expected = outputs(&whole, &silent);
        expected.iter_mut().skip(gone).step_by(4).for_each(|output| *output = 0.0);
        prop_assert_eq!(outputs(whole.keep(&kept, None, &silent).as_ref(), &silent), expected);

        let dropped = parameters("model.experts_per_token=4 pruning.removal=drop");
        let left = whole.keep(&kept, None, &dropped);
        prop_assert_eq!(left.experts(), 3);
        let rows = |of: &[f64]| kept.iter().flat_map(|&expert| of[expert * 6..][..6].to_vec()).collect::<Vec<_>>();
        // Experts that never were: of three, each with the softmax over three.
        let hidden = Mov::new(&silent, seed);
        let batch = batch(&dropped, seed);
        let found = outputs(left.as_ref(), &dropped);
        let three = Parameters { model: moe_theory::sim::parameters::ModelParameters { experts_per_token: 3, ..dropped.model.clone() }, ..dropped.clone() };
        let f = self::outputs(&hidden, (&rows(&routers), &rows(&vectors)), &batch, &three).expect("soft");
        for (own, f) in found.chunks(3).zip(f) {
            prop_assert!((own.iter().sum::<f64>() - f).abs() < 1e-12);
        }
        for (expert, &place) in kept.iter().enumerate() {
            prop_assert_eq!(left.router(expert), &routers[place * 6..][..6]);
            prop_assert_eq!(left.expert_weights(expert), &vectors[place * 6..][..6]);
        }
    }
}

#[test]
fn a_run_learns_and_leaves_empty_what_the_system_does_not_have() {
    let point = crate::common::point(
        "model.system=mov data.patterns=32 data.tokens=8 model.experts=8 model.neurons=64 model.experts_per_token=8 \
         pretrained.router_noise=0.02 pretrained.neuron_scale=1 training.router_rate=10 training.expert_rate=100 \
         training.iterations=600 pruning.criteria=all pruning.finetune_kept=[4]",
    );
    let record = run(&point, 0, 1, EngineChoice::Auto);
    let body = &record.run.body;
    assert_eq!((body.accuracy_finetuned, body.gamma, body.path_margin), (Some(1.0), None, None));
    assert!(body.accuracy_pretrained.is_some_and(|accuracy| accuracy < 0.9));
    for row in &record.experts {
        assert_eq!((row.sign, row.role, row.built_role), (None, Role::Undefined, Role::Undefined));
        assert_eq!((row.max_range, row.lambda_max, row.learned), (None, None, None));
        assert_eq!(
            (row.delta_centred, row.displacement_class, row.scores[Criterion::RouterNormChangeCentred]),
            (None, None, None)
        );
        assert!(
            row.delta.is_some_and(|delta| delta > 0.0)
                && row.scores[Criterion::NeuronChange].is_some_and(|change| change > 0.0)
        );
        assert!(row.scores[Criterion::Mass].is_some_and(|mass| mass > 0.0));
    }
    let mass: f64 = record.experts.iter().filter_map(|row| row.scores[Criterion::Mass]).sum();
    assert!((mass - 8.0 * 1000.0).abs() < 1e-6, "the gates of every token sum to 1: {mass}");
    assert!(record.pruning.iter().any(|row| row.finetuned && row.kept == 4 && row.accuracy.is_some()));
}

#[test]
fn fails_on_what_the_system_does_not_have() {
    for (more, words) in [
        (
            "model.tokens_per_expert=2",
            "model.tokens_per_expert = 2: must be left at 4, because it is not read, because",
        ),
        ("pretrained.twins=1", "pretrained.twins = 1: must be left at 0"),
        ("training.entropy=0.1", "training.entropy = 0.1: must be left at 0.0"),
        ("pruning.removal=novice", "pruning.removal = novice: must be zero-slot or drop, because model.system = mov"),
        ("pruning.criterion=router-norm-change-centred", "must be a criterion that needs no mean over patterns"),
        ("pruning.fewest_bits=true", "pruning.fewest_bits = true: must be false, because model.system = mov"),
        ("data.noise=0.1", "data.noise = 0.1: must be 0, because model.system = mov"),
        ("certificate.nodes=1", "certificate.nodes = 1: must be 0, because model.system = mov"),
        ("record.half_batches=true", "record.half_batches = true: must be false, because model.system = mov"),
        ("model.experts_per_token=5", "model.experts_per_token = 5: must be from 1 to 4"),
    ] {
        let error = refused(&format!("{SMALL} {more}"), "");
        assert!(error.contains(words), "{more}: {error}");
    }
    for (claim, words) in [
        ("[[claim]]\nid = \"T0\"", "must be \"all\", because model.system = mov"),
        ("[[claim]]\nid = \"T2a\"\non = \"all\"", "its experts have no roles"),
    ] {
        let error = refused(SMALL, claim);
        assert!(error.contains(words), "{claim}: {error}");
    }
}
