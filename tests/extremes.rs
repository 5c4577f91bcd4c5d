//! Settings at the ends of their ranges: a run ends in a row with its reason, never in a panic, and nothing that is no
//! number is ever written.

mod common;

use moe_theory::record::{RunLines, RunRecord};
use moe_theory::run::run;
use moe_theory::sgd::EngineChoice;
use moe_theory::sgd::StopReason;
use moe_theory::sim::parameters::Parameters;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;

fn scale() -> impl Strategy<Value = String> {
    const WORDS: &[&str] =
        &["0", "1", "0.2", "1e3", "-1e3", "1e-320", "5e-324", "-5e-324", "1e-308", "1e-160", "1e-10"];
    prop::sample::select(WORDS).prop_map(str::to_owned)
}

fn positive() -> impl Strategy<Value = String> {
    scale().prop_map(|text| text.trim_start_matches('-').to_owned())
}

fn rate() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &["0", "0.2", "1e6", "1e-320", "1e-160", "3e4"];
    prop::sample::select(WORDS).prop_map(str::to_owned)
}

/// Where the model comes from and how tokens find experts: the general engine trains token choice, groups and regularisers.
fn setting() -> impl Strategy<Value = String> {
    const ROUTING: [&str; 6] = [
        "",
        "model.routing=token-choice",
        "model.routing=token-choice model.experts_per_token=2 model.gates=renormalised",
        "model.groups=2",
        "model.routing=token-choice training.load_balance=1e6 model.capacity=0.3",
        "model.routing=token-choice training.entropy=-1e6",
    ];
    let upstream = (rate(), rate(), 0usize..12).prop_map(|(router, expert, steps)| {
        format!(
            "pretrained.kind=upstream pretrained.upstream_tasks=2 pretrained.upstream_router_rate={router} \
             pretrained.upstream_expert_rate={expert} pretrained.upstream_batch=6 pretrained.upstream_iterations={steps}"
        )
    });
    let constructed = Just("pretrained.relevant_per_class=1".to_owned());
    (prop::sample::select(&ROUTING[..]), prop_oneof![constructed, upstream])
        .prop_map(|(routing, model)| format!("{routing} {model}"))
}

/// Settings of a small simulation.
fn settings() -> impl Strategy<Value = String> {
    let pretrained = (scale(), scale(), positive(), positive(), positive());
    let gauge = prop::sample::select(&["0", "1e6", "-1e6", "1e-310"][..]);
    let noise = prop::sample::select(&["0", "0", "0", "1e3", "1e-320", "0.1"][..]);
    let basis = prop::sample::select(&["canonical", "haar"][..]);
    let share = prop::sample::select(&["0", "1", "0.5"][..]);
    (pretrained, (rate(), rate()), gauge, noise, basis, share, 0usize..30, setting()).prop_map(
        |((scale, own, router_noise, neurons, own_neurons), (router, expert), gauge, noise, basis, share, steps, setting)| {
            // The general engine knows neither token noise nor half-batches.
            let is_plain = setting.contains("model.");
            let noise = if is_plain { "0" } else { noise };
            format!(
                "{setting} data.patterns=8 data.tokens=4 model.experts=4 model.neurons=2 model.tokens_per_expert=2 pretrained.router_scale={scale} pretrained.router_scale_relevant={own} \
                 pretrained.router_noise={router_noise} pretrained.neuron_scale={neurons} \
                 pretrained.neuron_scale_relevant={own_neurons} pretrained.gauge_relevant={gauge} training.router_rate={router} \
                 training.expert_rate={expert} training.batch=6 training.iterations={steps} data.noise={noise} data.basis={basis} \
                 data.class_share={share} pruning.finetune_iterations=3 pruning.finetune_kept=[2,3] evaluation.samples=40 \
                 roles.proficiency_samples=10 record.trajectory_runs=1 record.half_batches={}",
                !is_plain
            )
        },
    )
}

/// No cell of the tables is something else than a number.
fn assert_no_strange_number(record: &RunRecord) {
    let lines = RunLines::new(record).expect("flat rows");
    for table in &lines.tables {
        let text = String::from_utf8_lossy(table);
        let strange = text.split([',', '\n']).find(|cell| matches!(*cell, "NaN" | "inf" | "-inf"));
        assert!(strange.is_none(), "{}:\n{text}", record.run.body.stop_reason);
    }
}

#[test]
fn every_run_ends_in_a_row_with_its_reason() {
    let seen: RefCell<BTreeMap<String, u32>> = RefCell::default();
    let mut runner = TestRunner::new(Config { cases: 3000, ..Config::default() });
    let result = runner.run(&(settings(), any::<u64>()), |(settings, seed)| {
        let point = common::point(&settings);
        for choice in [EngineChoice::Auto, EngineChoice::Dense] {
            let record = run(&point, 0, seed, choice);
            let body = &record.run.body;
            *seen.borrow_mut().entry(body.stop_reason.to_string()).or_default() += 1;
            let measured = matches!(body.stop_reason.name(), "finished" | "zero-loss");
            prop_assert_eq!(body.error.is_empty(), measured, "{}: {}", &body.stop_reason, &body.error);
            prop_assert_eq!(body.accuracy_finetuned.is_some(), measured);
            prop_assert_eq!(record.pruning.is_empty(), !measured);
            for accuracy in record.pruning.iter().filter_map(|row| row.accuracy).chain(body.accuracy_finetuned) {
                prop_assert!((0.0..=1.0).contains(&accuracy));
            }
            assert_no_strange_number(&record);
        }
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    let seen = seen.into_inner();
    assert!(
        seen.get("underflow").is_some_and(|&runs| runs > 30) && seen.get("finished").is_some_and(|&runs| runs > 300),
        "{seen:?}"
    );
}

const TINY: &str = "data.patterns=8 data.tokens=4 model.experts=4 model.neurons=2 model.tokens_per_expert=2 training.batch=6 \
                    training.iterations=30 evaluation.samples=40 roles.proficiency_samples=10 record.trajectory_runs=1";

const UPSTREAM: &str = "pretrained.kind=upstream pretrained.upstream_tasks=2 pretrained.upstream_iterations=30";

/// Rates beyond the legal ones, because legal ones do not diverge.
fn diverging(settings: &str, set: impl Fn(&mut Parameters)) -> RunRecord {
    let mut point = common::point(&format!("{TINY} {settings}"));
    set(&mut point.parameters);
    run(&point, 0, 1, EngineChoice::Auto)
}

#[test]
fn a_run_whose_upstream_pre_training_diverges_has_a_row_and_no_accuracy() {
    let overflow: [fn(&mut Parameters); 2] = [
        |parameters| parameters.pretrained.upstream_expert_rate = f64::MAX,
        // Finite, but no norm of it is.
        |parameters| parameters.pretrained.upstream_neuron_init = 1e300,
    ];
    let routings = ["", "model.routing=token-choice", "model.groups=2", "data.noise=0.1"];
    for (routing, set) in routings.iter().flat_map(|routing| overflow.map(|set| (routing, set))) {
        let record = diverging(&format!("{UPSTREAM} {routing}"), set);
        let body = &record.run.body;
        assert_eq!((body.stop_reason.name(), body.iterations), ("diverged", 0), "{routing}");
        assert!(body.error.starts_with("upstream pre-training diverged at iteration "), "{routing}: {}", body.error);
        assert_eq!((body.accuracy_pretrained, body.accuracy_finetuned), (None, None), "{routing}");
        assert_eq!((record.experts.len(), record.trajectory.len(), record.pruning.len()), (4, 0, 0), "{routing}");
        assert!(
            record.experts.iter().all(|row| row.norm_0.is_some_and(f64::is_finite) && row.delta.is_none()),
            "{routing}"
        );
        assert_no_strange_number(&record);
    }
}

#[test]
fn a_run_of_any_engine_that_overflows_has_a_row_and_no_accuracy() {
    for routing in [
        "",
        "data.basis=haar",
        "model.routing=token-choice",
        "model.routing=token-choice model.experts_per_token=2",
        "model.groups=2",
    ] {
        let overflow: [fn(&mut Parameters); 3] = [
            |parameters| parameters.training.router_rate = f64::MAX,
            |parameters| parameters.training.expert_rate = f64::MAX,
            |parameters| parameters.pretrained.neuron_scale_relevant = f64::MAX,
        ];
        for (number, set) in overflow.into_iter().enumerate() {
            let record = diverging(&format!("{routing} pretrained.relevant_per_class=1"), set);
            let body = &record.run.body;
            assert_eq!(body.stop_reason, StopReason::Diverged, "{routing}, setting {number}");
            assert_eq!(body.error, format!("diverged at iteration {}", body.iterations), "{routing}, setting {number}");
            assert!(body.accuracy_finetuned.is_none() && record.pruning.is_empty(), "{routing}, setting {number}");
            assert_no_strange_number(&record);
        }
    }
}

#[test]
fn a_weight_that_has_lost_digits_gives_no_accuracy() {
    let tiny = "data.patterns=8 data.tokens=4 model.experts=4 model.neurons=2 model.tokens_per_expert=2 \
                pretrained.relevant_per_class=1 training.batch=6 pretrained.neuron_scale=1e-310 training.expert_rate=0";
    let record = run(&common::point(tiny), 0, 0, EngineChoice::Auto);
    assert_eq!(record.run.body.stop_reason, StopReason::Underflow);
    assert_eq!(record.run.body.error, "a weight underflowed within 300 iterations");
    assert_eq!((record.run.body.accuracy_pretrained, record.run.body.accuracy_finetuned), (None, None));
}
