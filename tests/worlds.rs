//! Worlds outside the theory's setting: samples, routing with room and groups, pruning, and whole runs.

mod common;

use moe_theory::claims::Analysis;
use moe_theory::claims::definitions::definition;
use moe_theory::claims::judge::Design;
use moe_theory::measure::{Role, proficiency};
use moe_theory::moe::{Model, Pretrained, Routed, RoutingRule};
use moe_theory::patterns::{Batch, Class, Sampler};
use moe_theory::record::PruningRow;
use moe_theory::run::upstream::upstream_parameters;
use moe_theory::run::{EngineChoice, RunRecord, pretrained, run};
use moe_theory::sgd::{Engine, PlainEngine};
use moe_theory::sim::parameters::Removal;
use moe_theory::sim::{Overrides, Parameters, Simulation};
use moe_theory::stats::interval::clopper_pearson;
use proptest::prelude::*;

/// Miss probability of the intervals that fixed seeds are compared with.
const FAR: f64 = 1e-6;

fn parameters(settings: &str) -> Parameters {
    common::point(settings).parameters
}

fn batch(parameters: &Parameters, seed: u64, samples: usize) -> Batch {
    let mut batch = Batch::default();
    Sampler::training(&parameters.data, seed).fill(&mut batch, samples);
    batch
}

/// Asserts that a share of `count` of `total` is compatible with the probability `expected`.
fn assert_share(count: usize, total: usize, expected: f64) {
    let interval = clopper_pearson(count as u64, total as u64, FAR);
    assert!((interval.low..=interval.high).contains(&expected), "{count} of {total} for {expected}");
}

#[test]
fn features_have_their_frequencies_in_both_classes() {
    let parameters = parameters("data.features=4 data.rare_share=0.3 data.rare_decay=0.5 data.class_share=0.7");
    let batch = batch(&parameters, 5, 20_000);
    // Weights 1, 1/2, 1/4 of the rare ones.
    let expected = [0.7, 0.3 * 4.0 / 7.0, 0.3 * 2.0 / 7.0, 0.3 / 7.0];
    let samples = 0..batch.samples();
    for (class, share) in [(Class::One, 0.7), (Class::Two, 0.3)] {
        for (feature, expected) in expected.iter().enumerate() {
            let is_it = |sample: usize| {
                let token = batch.sample(sample)[batch.class_positions[sample] as usize] as usize;
                token == class.feature(feature) && batch.labels[sample] == class.label()
            };
            assert_share(samples.clone().filter(|&sample| is_it(sample)).count(), 20_000, share * expected);
        }
    }
    for sample in samples {
        let features = batch.sample(sample).iter().filter(|&&token| token < 8).count();
        assert_eq!(features, 1, "one class token");
    }
}

#[test]
fn spurious_patterns_agree_with_the_class_as_often_as_the_key_says_and_stand_nowhere_else() {
    for replacement in [false, true] {
        let settings = format!(
            "data.patterns=40 data.tokens=8 data.features=2 data.rare_share=0.5 data.spurious=0.6 \
             data.spurious_agreement=0.8 data.replacement={replacement}"
        );
        let batch = batch(&parameters(&settings), 2, 20_000);
        let (mut carrying, mut agreeing, mut first) = (0, 0, 0);
        for sample in 0..batch.samples() {
            let tokens = batch.sample(sample);
            let spurious: Vec<usize> = (0..8).filter(|&place| [4, 5].contains(&tokens[place])).collect();
            assert!(spurious.len() <= 1);
            let Some(&place) = spurious.first() else { continue };
            carrying += 1;
            agreeing += usize::from(tokens[place] == if batch.labels[sample] > 0.0 { 4 } else { 5 });
            first += usize::from(place == 0);
        }
        assert_share(carrying, 20_000, 0.6);
        assert_share(agreeing, carrying, 0.8);
        assert_share(first, carrying, 1.0 / 8.0);
    }
}

#[test]
fn a_finite_training_set_is_all_that_training_sees_and_evaluation_is_fresh() {
    let parameters = parameters("training.training_set=50 training.batch=20 data.noise=0.1");
    let mut sampler = Sampler::of_training(&parameters, 3);
    let mut finetuning = Sampler::of_finetuning(&parameters, 3);
    let (mut seen, mut batch) = (std::collections::BTreeMap::new(), Batch::default());
    for _ in 0..10 {
        for sampler in [&mut sampler, &mut finetuning] {
            sampler.fill(&mut batch, 20);
            for sample in 0..20 {
                let noise = batch.noise[sample * 16 * 128].to_bits();
                *seen.entry((batch.sample(sample).to_vec(), noise)).or_insert(0) += 1;
            }
        }
    }
    // 200 of each are 4 epochs of 50.
    assert_eq!(seen.len(), 50);
    assert!(seen.values().all(|&count| count == 8), "{seen:?}");
    let mut fresh = Batch::default();
    Sampler::evaluation(&parameters.data, 3).fill(&mut fresh, 50);
    assert!((0..50).all(|sample| seen.keys().all(|(tokens, _)| tokens != fresh.sample(sample))));
}

/// A model of token choice with random weights.
fn token_choice() -> impl Strategy<Value = (Parameters, u64)> {
    let gates = prop_oneof![Just("raw"), Just("renormalised")];
    let room = (prop_oneof![Just(0.0), 0.2..1.5], prop_oneof![Just("position"), Just("gate")]);
    (gates, room, 1usize..=4, 1usize..=2, 2usize..=3, any::<u64>()).prop_map(
        |(gates, (capacity, priority), c, groups, half, seed)| {
            let c = c.min(2 * half).max(if gates == "renormalised" { 2 } else { 1 });
            let settings = format!(
                "data.patterns=12 data.tokens=6 model.experts={} model.groups={groups} model.neurons=2 \
                 model.routing=token-choice model.gates={gates} model.experts_per_token={c} model.capacity={capacity} \
                 model.priority={priority} pretrained.relevant_per_class=1 pretrained.router_noise=0.7 \
                 pretrained.neuron_scale=0.5 training.batch=8",
                2 * half * groups
            );
            (parameters(&settings), seed)
        },
    )
}

fn outputs(engine: &mut dyn Engine, batch: &Batch) -> Vec<f64> {
    let mut outputs = Vec::new();
    engine.outputs(batch, &mut outputs);
    outputs
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_expert_takes_more_than_its_room_and_none_is_left_while_a_token_waits((parameters, seed) in token_choice()) {
        let model = Pretrained::constructed(&parameters, seed).model;
        let settings = &parameters.model;
        let rule = RoutingRule::new(settings, parameters.data.tokens);
        let size = settings.experts / settings.groups;
        let slots = match settings.capacity > 0.0 {
            true => (settings.capacity * (settings.experts_per_token * 6) as f64 / size as f64).round().max(1.0),
            false => f64::INFINITY,
        };
        let batch = batch(&parameters, seed, 4);
        let mut routed = Routed::default();
        for sample in 0..4 {
            rule.route(&model.routers, model.patterns, batch.sample(sample), &mut routed);
            let mut load = vec![0.0; settings.experts];
            routed.carrying().for_each(|pair| load[pair.expert] += 1.0);
            prop_assert!(load.iter().all(|&load| load <= slots));
            for block in routed.blocks() {
                let total: f64 = block.iter().map(|pair| pair.gate).sum();
                prop_assert!((total - 1.0).abs() < 1e-12);
                for pair in block.iter().take(settings.experts_per_token).filter(|pair| !pair.carries) {
                    prop_assert_eq!(load[pair.expert], slots, "a token waits at an expert with room");
                }
                let chosen = block.iter().take(settings.experts_per_token).map(|pair| pair.gate);
                let rest = block.iter().skip(settings.experts_per_token);
                let least = chosen.fold(f64::INFINITY, f64::min);
                for pair in rest {
                    prop_assert!(!pair.carries && pair.gate <= least);
                }
            }
        }
    }

    #[test]
    fn a_zero_slot_changes_no_other_output_and_dropping_is_the_smaller_model((parameters, seed) in token_choice()) {
        let model = Pretrained::constructed(&parameters, seed).model;
        let k = model.experts();
        let batch = batch(&parameters, seed, 8);
        let whole = outputs(&mut PlainEngine::new(&model, &parameters), &batch);
        let kept: Vec<usize> = (0..k).filter(|expert| (seed >> expert) & 1 == 1 || *expert == 0).collect();
        let rule = RoutingRule::new(&parameters.model, parameters.data.tokens);
        let slotted = rule.pruned(&kept, Removal::ZeroSlot);
        let found = outputs(&mut PlainEngine::with_rule(&model, slotted, &parameters), &batch);
        for (place, (found, whole)) in found.iter().zip(&whole).enumerate() {
            let expected = if kept.contains(&(place % k)) { *whole } else { 0.0 };
            prop_assert_eq!(*found, expected);
        }
        // Dropping an expert is sending its router out of reach.
        let mut routers = model.routers.clone();
        for expert in (0..k).filter(|expert| !kept.contains(expert)) {
            routers[expert * model.patterns..][..model.patterns].fill(-1e4);
        }
        let size = k / parameters.model.groups;
        if (0..parameters.model.groups).any(|group| !kept.iter().any(|expert| expert / size == group)) {
            return Ok(());
        }
        let far = Model { routers, ..model.clone() };
        let expected = outputs(&mut PlainEngine::new(&far, &parameters), &batch);
        let dropped = rule.pruned(&kept, Removal::Drop);
        let found = outputs(&mut PlainEngine::with_rule(&model.subset(&kept), dropped, &parameters), &batch);
        for (place, found) in found.iter().enumerate() {
            let (sample, expert) = (place / kept.len(), kept[place % kept.len()]);
            prop_assert!((found - expected[sample * k + expert]).abs() < 1e-12);
        }
    }

    #[test]
    fn groups_are_the_mean_of_models_of_their_own((parameters, seed) in token_choice()) {
        let model = Pretrained::constructed(&parameters, seed).model;
        let groups = parameters.model.groups;
        let size = model.experts() / groups;
        let batch = batch(&parameters, seed, 8);
        let whole = outputs(&mut PlainEngine::new(&model, &parameters), &batch);
        let mut alone = parameters.clone();
        (alone.model.groups, alone.model.experts) = (1, size);
        for group in 0..groups {
            let own: Vec<usize> = (group * size..(group + 1) * size).collect();
            let found = outputs(&mut PlainEngine::new(&model.subset(&own), &alone), &batch);
            for (place, found) in found.iter().enumerate() {
                let expected = whole[place / size * model.experts() + own[place % size]] * groups as f64;
                prop_assert!((found - expected).abs() < 1e-12);
            }
        }
    }
}

fn whole_run(settings: &str) -> (Parameters, RunRecord) {
    let point = common::point(settings);
    let record = run(&point, 3, 7, EngineChoice::Auto);
    (point.parameters, record)
}

const SMALL: &str = "data.patterns=40 data.tokens=8 model.neurons=4 training.batch=40 training.iterations=60 \
                     training.expert_rate=0.4 evaluation.samples=300 roles.proficiency_samples=100";

#[test]
fn accuracies_by_feature_add_up_and_built_features_are_measured() {
    let settings =
        format!("{SMALL} data.features=2 data.rare_share=0.2 pretrained.rare_per_class=2 pruning.finetune_kept=[6]");
    let (_, record) = whole_run(&settings);
    let rare_samples = |row: &PruningRow| {
        let (Some(all), Some(common), Some(rare)) = (row.accuracy, row.accuracy_common, row.accuracy_rare) else {
            panic!("{row:?}")
        };
        // all = (1 − s)·common + s·rare.
        (common != rare).then(|| (common - all) / (common - rare))
    };
    let shares: Vec<f64> = record.pruning.iter().filter_map(rare_samples).collect();
    assert!(shares.len() > 3 && shares.iter().all(|share| (share - shares[0]).abs() < 1e-9), "{shares:?}");
    assert_share((shares[0] * 300.0).round() as usize, 300, 0.2);
    for (expert, row) in record.experts.iter().enumerate() {
        let built = [Some(0), Some(1), None][(expert / 4).min(2)];
        assert_eq!(row.built_feature, built, "{row:?}");
        assert_eq!(row.feature, built, "{row:?}");
        assert_eq!(row.lambda_max, None);
    }
    let (_, record) = whole_run(SMALL);
    assert!(record.pruning.iter().all(|row| row.accuracy_rare.is_none() && row.accuracy_common.is_none()));
    assert!(record.experts.iter().all(|row| row.feature.is_none() && row.built_feature.is_none()));
}

#[test]
fn copies_are_equal_and_twins_cancel() {
    let settings = format!(
        "{SMALL} pretrained.relevant_per_class=4 pretrained.copies=2 pretrained.twins=2 pretrained.neuron_scale_twin=3"
    );
    let parameters = parameters(&settings);
    let Pretrained { model, .. } = Pretrained::constructed(&parameters, 9);
    for (original, copy) in [(0, 2), (1, 3), (4, 6), (5, 7), (8, 9), (10, 11)] {
        assert_eq!(model.router(original), model.router(copy));
        assert_eq!(model.expert_neurons(original), model.expert_neurons(copy));
    }
    assert_ne!(model.router(0), model.router(4));
    assert_ne!(model.router(8), model.router(10));
    let batch = batch(&parameters, 1, 20);
    let found = outputs(EngineChoice::Auto.build(&model, &parameters, 9).as_mut(), &batch);
    for outputs in found.chunks_exact(16) {
        assert!(outputs[8] != 0.0 && outputs[8] + outputs[9] == 0.0 && outputs[10] + outputs[11] == 0.0);
        assert_eq!(outputs[0], outputs[2]);
    }
}

#[test]
fn pruned_models_in_token_choice_are_evaluated_as_they_are() {
    for (removal, more) in [
        ("zero-slot", ""),
        ("drop", ""),
        ("zero-slot", "model.gates=renormalised model.capacity=0.7 model.priority=gate"),
        ("drop", "model.gates=renormalised model.capacity=0.7"),
    ] {
        let settings =
            format!("{SMALL} model.routing=token-choice model.experts_per_token=2 pruning.removal={removal} {more}");
        let (parameters, record) = whole_run(&settings);
        let seed = record.run.head.seed;
        let mut engine = EngineChoice::Auto.build(
            &pretrained(&parameters, seed, EngineChoice::Auto).expect("finite").model,
            &parameters,
            seed,
        );
        let mut sampler = Sampler::of_training(&parameters, seed);
        let mut batch = Batch::default();
        for _ in 0..60 {
            sampler.fill(&mut batch, 40);
            engine.step(&batch).expect("finite");
        }
        let mut order: Vec<usize> = (0..16).collect();
        let delta = |expert: &usize| record.experts[*expert].delta.expect("trained");
        order.sort_by(|a, b| delta(b).total_cmp(&delta(a)));
        for row in &record.pruning {
            let mut kept = order[..row.kept].to_vec();
            kept.sort_unstable();
            let mut pruned = EngineChoice::Auto.build_pruned(&engine.model(), &kept, None, &parameters, seed);
            Sampler::evaluation(&parameters.data, seed).fill(&mut batch, 300);
            let k = pruned.experts();
            let found = outputs(pruned.as_mut(), &batch);
            let is_error = |(outputs, label): &(&[f64], &f64)| *label * outputs.iter().sum::<f64>() <= 0.0;
            let errors = found.chunks_exact(k).zip(&batch.labels).filter(is_error).count();
            assert_eq!(row.errors, Some(errors as u64), "{removal}, {} kept", row.kept);
        }
        assert_eq!(record.run.body.path_margin.is_some(), removal == "zero-slot");
    }
}

/// Roles after upstream pre-training are those of the model that fine-tuning starts from, not of the trained one.
#[test]
fn roles_of_upstream_models_are_measured_before_fine_tuning() {
    let settings = format!(
        "{SMALL} pretrained.kind=upstream pretrained.upstream_tasks=3 pretrained.upstream_iterations=200 \
                            pretrained.upstream_expert_rate=0.8"
    );
    let (parameters, record) = whole_run(&settings);
    let seed = record.run.head.seed;
    let start = pretrained(&parameters, seed, EngineChoice::Auto).expect("finite").model;
    let mut engine = EngineChoice::Auto.build(&start, &parameters, seed);
    let mut sampler = Sampler::proficiency(&parameters.data, seed);
    let found = proficiency::estimate(engine.as_mut(), &mut sampler, 100, parameters.model.gate_places());
    let mut moved = 0;
    for (row, found) in record.experts.iter().zip(&found) {
        assert_eq!([row.p1_0, row.p2_0], found.proficiency, "{row:?}");
        assert_eq!(row.built_role, Role::Ambiguous);
        let own = found.proficiency[usize::from(row.sign < 0)];
        assert_eq!(row.role == Role::Relevant, own >= 0.5, "{row:?}");
        moved += usize::from(row.p1_t != Some(row.p1_0) || row.p2_t != Some(row.p2_0));
    }
    assert!(moved > 0, "training moves some proficiency");
}

#[test]
fn an_upstream_model_is_trained_on_its_tasks_by_the_run_s_seed() {
    let settings = format!(
        "{SMALL} pretrained.kind=upstream pretrained.upstream_tasks=3 pretrained.upstream_iterations=200 \
                            pretrained.upstream_expert_rate=0.8"
    );
    let parameters = parameters(&settings);
    let [first, again, other] =
        [4, 4, 5].map(|seed| pretrained(&parameters, seed, EngineChoice::Auto).expect("finite"));
    assert_eq!(first.model, again.model);
    assert_ne!(first.model, other.model);
    // It solves its upstream tasks, all three pairs, much better than before.
    let upstream = upstream_parameters(&parameters);
    let mut test = Batch::default();
    Sampler::evaluation(&upstream.data, 4).fill(&mut test, 600);
    let accuracy = |model: &Model| {
        let found = outputs(EngineChoice::Auto.build(model, &upstream, 4).as_mut(), &test);
        let right = |(outputs, label): &(&[f64], &f64)| *label * outputs.iter().sum::<f64>() > 0.0;
        found.chunks_exact(16).zip(&test.labels).filter(right).count() as f64 / 600.0
    };
    let before = accuracy(&Pretrained::untrained(&parameters, 4).model);
    let after = accuracy(&first.model);
    assert!(before < 0.75 && after > 0.9, "{before} {after}");
    let seen: std::collections::BTreeSet<usize> = (0..600).map(|sample| test.feature(sample)).collect();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn assumptions_of_upstream_models_are_counted_as_the_runs_meet_them() {
    let set: Vec<String> = SMALL.split_whitespace().map(str::to_owned).collect();
    let text = "name = \"x\"\n[pretrained]\nupstream_iterations = 30\nupstream_tasks = 3\n\
                [[case]]\nname = \"built\"\n[[case]]\nname = \"upstream\"\nset = { \"pretrained.kind\" = \"upstream\" }";
    let simulation = Simulation::parse("x.toml", text, &Overrides { set: &set, seeds: Some(12) }).expect("legal");
    let points = simulation.points().expect("legal");
    let mut analysis = Analysis::new(&simulation, &points, Design::Fixed);
    let mut met = std::collections::BTreeMap::from([("A-roles", 0), ("A-gauge", 0), ("A-aligned", 0), ("A-batch", 0)]);
    for point in &points {
        for index in 0..12 {
            let RunRecord { run, experts, pruning, .. } = run(point, index, 5, EngineChoice::Auto);
            analysis.add(point.index, index, &run.body, &experts, &pruning);
            if point.index == 1 {
                let body = run.body;
                for (name, is_met) in [
                    ("A-roles", body.meets_roles),
                    ("A-gauge", body.meets_gauge),
                    ("A-aligned", body.meets_aligned),
                    ("A-batch", body.meets_batch),
                ] {
                    *met.entry(name).or_insert(0) += u64::from(is_met);
                }
            }
        }
    }
    let rows = analysis.findings().audits;
    assert!(rows.iter().all(|row| row.case == "upstream" && row.point == 1 && row.runs == 12));
    for (name, count) in met {
        let row = rows.iter().find(|row| row.assumption == name).expect("a row");
        assert_eq!((row.met, row.share), (count, count as f64 / 12.0), "{name}");
    }
    let all = rows.iter().find(|row| row.assumption == "all of T1c").expect("a row");
    for assumption in definition("T1c").expect("a claim").assumptions {
        let row = rows.iter().find(|row| row.assumption == assumption.name()).expect("a row");
        assert!(row.met >= all.met, "{}", row.assumption);
    }
}
