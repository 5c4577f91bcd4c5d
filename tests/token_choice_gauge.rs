//! Lemma L12: in token choice one vector added to all routers of a group changes norms and nothing else.

mod common;

use moe_theory::measure::norms::RouterChange;
use moe_theory::moe::{Model, Pretrained, Routed, RoutingRule};
use moe_theory::patterns::{Batch, Sampler};
use moe_theory::sgd::{Engine, GeneralEngine, Objective, TheoryEngine};
use moe_theory::sim::Parameters;
use proptest::prelude::*;

/// Allowed difference after a few steps; a gauge of size 10 costs scores a few of their last bits.
const TOLERANCE: f64 = 1e-9;

/// Settings of any token choice.
fn token_choice() -> impl Strategy<Value = (String, u64)> {
    let gates = prop_oneof![Just("raw"), Just("renormalised")];
    let priority = prop_oneof![Just("position"), Just("gate")];
    let capacity = prop_oneof![Just(0.0), 0.3..1.5];
    let regularisers = (prop_oneof![Just(0.0), 0.1..2.0], prop_oneof![Just(0.0), -1.0..1.0]);
    (gates, priority, capacity, regularisers, 1usize..=3, 1usize..=3, 1usize..=2, any::<u64>()).prop_map(
        |(gates, priority, capacity, (load_balance, entropy), c, groups, half, seed)| {
            let size = 2 * half;
            let c = c.min(size).max(if gates == "renormalised" { 2 } else { 1 });
            let settings = format!(
                "data.patterns=9 data.tokens=5 data.replacement=true model.experts={} model.groups={groups} \
                 model.neurons=3 model.routing=token-choice model.gates={gates} model.experts_per_token={c} \
                 model.capacity={capacity} model.priority={priority} pretrained.relevant_per_class=1 \
                 pretrained.neuron_scale=1.5 pretrained.router_noise=0.7 training.batch=8 training.router_rate=1 \
                 training.expert_rate=1 training.load_balance={load_balance} training.entropy={entropy}",
                size * groups
            );
            (settings, seed)
        },
    )
}

/// The model with `shift`, `[M, d]`, added to the routers of each group.
fn gauged(model: &Model, shift: &[f64]) -> Model {
    let size = model.routers.len() * model.patterns / shift.len();
    let moved = model.routers.iter().enumerate();
    let routers = moved.map(|(place, u)| u + shift[place / size * model.patterns + place % model.patterns]).collect();
    Model { routers, ..model.clone() }
}

/// Fails if two rows of numbers are not the same up to rounding.
fn check_equal(what: &str, a: &[f64], b: &[f64]) -> Result<(), TestCaseError> {
    prop_assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        prop_assert!((a - b).abs() < TOLERANCE * (1.0 + a.abs()), "{}: {} {}", what, a, b);
    }
    Ok(())
}

fn routed(rule: &RoutingRule, model: &Model, batch: &Batch) -> Vec<Routed> {
    let of = |sample: usize| {
        let mut routed = Routed::default();
        rule.route(&model.routers, model.patterns, batch.sample(sample), &mut routed);
        routed
    };
    (0..batch.samples()).map(of).collect()
}

/// The changes of all routers between two models.
fn changes(before: &Model, after: &Model) -> Vec<RouterChange> {
    (0..before.experts()).map(|expert| RouterChange::between(before.router(expert), after.router(expert))).collect()
}

/// ‖w_s − w̄‖ for each expert, w̄ the mean router of its group.
fn norms_between(model: &Model, groups: usize) -> Vec<f64> {
    let size = model.experts() / groups;
    let mean = |expert: usize, pattern: usize| {
        let first = expert / size * size;
        (first..first + size).map(|other| model.router(other)[pattern]).sum::<f64>() / size as f64
    };
    let square = |expert: usize| {
        let router = model.router(expert).iter().enumerate();
        router.map(|(pattern, u)| (u - mean(expert, pattern)).powi(2)).sum::<f64>()
    };
    (0..model.experts()).map(|expert| square(expert).sqrt()).collect()
}

fn start(settings: &str, seed: u64) -> (Parameters, Model, Sampler) {
    let parameters = common::point(settings).parameters;
    let model = Pretrained::constructed(&parameters, seed).model;
    let sampler = Sampler::of_training(&parameters, seed);
    (parameters, model, sampler)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Choices, gates, outputs and steps are the same, so are D and the norm change between experts; the mean router of a group
    /// stays where it is.
    #[test]
    fn l12_a_vector_on_all_routers_of_a_group_changes_norms_alone(
        (settings, seed) in token_choice(), shifts in prop::collection::vec(-10.0..10.0, 27),
    ) {
        let (parameters, model, mut sampler) = start(&settings, seed);
        let groups = parameters.model.groups;
        let shift = &shifts[..groups * model.patterns];
        let other = gauged(&model, shift);
        let rule = RoutingRule::new(&parameters.model, parameters.data.tokens);
        let mut engines = [&model, &other].map(|model| GeneralEngine::new(model, &parameters));
        let mut batch = Batch::default();
        for _ in 0..4 {
            sampler.fill(&mut batch, parameters.training.batch);
            let models = engines.each_ref().map(|engine| engine.model());
            for (a, b) in routed(&rule, &models[0], &batch).iter().zip(routed(&rule, &models[1], &batch)) {
                prop_assert_eq!(&a.ends, &b.ends);
                for (a, b) in a.pairs.iter().zip(&b.pairs) {
                    prop_assert_eq!((a.expert, a.position, a.carries), (b.expert, b.position, b.carries));
                    check_equal("gate", &[a.gate], &[b.gate])?;
                }
            }
            let outputs = engines.each_mut().map(|engine| {
                let mut outputs = Vec::new();
                engine.outputs(&batch, &mut outputs);
                outputs
            });
            check_equal("output", &outputs[0], &outputs[1])?;
            let reports = engines.each_mut().map(|engine| engine.step(&batch, &Objective::from(&parameters.training)).expect("finite"));
            prop_assert_eq!(reports[0].active, reports[1].active);
            let after = engines.each_ref().map(|engine| engine.model());
            check_equal("neuron", &after[0].neurons, &after[1].neurons)?;
            check_equal("router", &gauged(&after[0], shift).routers, &after[1].routers)?;
        }
        let after = engines.each_ref().map(|engine| engine.model());
        let displacements = [(&model, &after[0]), (&other, &after[1])]
            .map(|(before, after)| changes(before, after).iter().map(|change| change.displacement).collect::<Vec<_>>());
        check_equal("displacement", &displacements[0], &displacements[1])?;
        for model in [&model, &after[0]] {
            check_equal("between", &norms_between(model, groups), &norms_between(&gauged(model, shift), groups))?;
        }
        let size = model.routers.len() / groups;
        for place in 0..groups * model.patterns {
            let of = |model: &Model| model.routers.chunks_exact(size).nth(place / model.patterns).map(|group| {
                group.chunks_exact(model.patterns).map(|router| router[place % model.patterns]).sum::<f64>()
            }).unwrap_or(f64::NAN);
            check_equal("mean router", &[of(&model)], &[of(&after[0])])?;
        }
    }
}

/// Two experts in one group: a step moves their routers by m and −m, so that a gauge along m makes either the one whose norm grows.
#[test]
fn l12_a_gauge_turns_the_orders_of_the_norm_change_and_of_the_centred_one_round() {
    for seed in 0..20 {
        let (parameters, model, mut sampler) = start(
            "data.patterns=9 data.tokens=5 model.experts=2 model.neurons=3 model.routing=token-choice \
             model.experts_per_token=1 pretrained.relevant_per_class=1 pretrained.neuron_scale=0.3 \
             pretrained.router_noise=0.3 training.batch=32",
            seed,
        );
        let mut batch = Batch::default();
        sampler.fill(&mut batch, parameters.training.batch);
        let step = |model: &Model| {
            let mut engine = GeneralEngine::new(model, &parameters);
            engine.step(&batch, &Objective::from(&parameters.training)).expect("finite");
            changes(model, &engine.model())
        };
        let mut engine = GeneralEngine::new(&model, &parameters);
        engine.step(&batch, &Objective::from(&parameters.training)).expect("finite");
        let after = engine.model();
        let moved: Vec<f64> = after.router(0).iter().zip(model.router(0)).map(|(u, u_0)| u - u_0).collect();
        let size = moved.iter().map(|m| m * m).sum::<f64>().sqrt();
        assert!(size > 1e-3, "seed {seed}: {size}");
        let along =
            |sign: f64| step(&gauged(&model, &moved.iter().map(|m| sign * 100.0 * m / size).collect::<Vec<_>>()));
        let (up, down) = (along(1.0), along(-1.0));
        assert!(up[0].delta > up[1].delta && down[0].delta < down[1].delta, "seed {seed}: {up:?} {down:?}");
        let centred = [&up, &down].map(|changes| changes[0].delta_centred - changes[1].delta_centred);
        assert!(centred[0] > 0.0 && centred[1] < 0.0, "seed {seed}: {centred:?}");
        assert!((up[0].displacement - down[0].displacement).abs() < TOLERANCE, "seed {seed}");
    }
}

/// L1 and what follows of it in L11, |Δ| ≤ |Δᶜ|, are about expert choice: a token's gates sum to 1 over experts, not an expert's
/// over tokens.
#[test]
fn l12_the_centred_norm_change_bounds_nothing_in_token_choice() {
    let (mut beyond, mut all) = (0, 0);
    for seed in 0..20 {
        let (parameters, model, mut sampler) = start(
            "data.patterns=32 data.tokens=8 model.experts=8 model.neurons=4 model.routing=token-choice \
             model.experts_per_token=2 training.batch=32",
            seed,
        );
        let mut engine = GeneralEngine::new(&model, &parameters);
        let mut batch = Batch::default();
        for _ in 0..60 {
            sampler.fill(&mut batch, parameters.training.batch);
            engine.step(&batch, &Objective::from(&parameters.training)).expect("finite");
        }
        for change in changes(&model, &engine.model()) {
            all += 1;
            beyond += u32::from(change.delta.abs() > change.delta_centred.abs() + TOLERANCE);
            assert!(change.delta.abs() <= change.displacement + TOLERANCE, "seed {seed}: {change:?}");
        }
    }
    assert!(all == 160 && beyond > 16, "{beyond} of {all}");
}
