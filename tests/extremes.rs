//! Settings at the ends of their ranges: a run ends in a row with its reason, never in a panic, and nothing that is no
//! number is ever written.

mod common;

use moe_theory::run::{EngineChoice, RunLines, run};
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

/// Settings of a small simulation.
fn settings() -> impl Strategy<Value = String> {
    let pretrained = (scale(), scale(), positive(), positive(), positive());
    let gauge = prop::sample::select(&["0", "1e6", "-1e6", "1e-310"][..]);
    let noise = prop::sample::select(&["0", "0", "0", "1e3", "1e-320", "0.1"][..]);
    let basis = prop::sample::select(&["canonical", "haar"][..]);
    let share = prop::sample::select(&["0", "1", "0.5"][..]);
    (pretrained, (rate(), rate()), gauge, noise, basis, share, 0usize..30).prop_map(
        |((scale, own, router_noise, neurons, own_neurons), (router, expert), gauge, noise, basis, share, steps)| {
            format!(
                "data.patterns=8 data.tokens=4 model.experts=4 model.neurons=2 model.tokens_per_expert=2 \
                 pretrained.relevant_per_class=1 pretrained.router_scale={scale} pretrained.router_scale_relevant={own} \
                 pretrained.router_noise={router_noise} pretrained.neuron_scale={neurons} \
                 pretrained.neuron_scale_relevant={own_neurons} pretrained.gauge_relevant={gauge} training.router_rate={router} \
                 training.expert_rate={expert} training.batch=6 training.iterations={steps} data.noise={noise} data.basis={basis} \
                 data.class_share={share} pruning.finetune_iterations=3 pruning.finetune_kept=[2,3] evaluation.samples=40 \
                 roles.proficiency_samples=10 record.trajectory_runs=1 record.half_batches=true"
            )
        },
    )
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
            *seen.borrow_mut().entry(body.stop_reason.clone()).or_default() += 1;
            let measured = matches!(body.stop_reason.as_str(), "finished" | "zero-loss");
            prop_assert_eq!(body.error.is_empty(), measured, "{}: {}", &body.stop_reason, &body.error);
            prop_assert_eq!(body.accuracy_finetuned.is_some(), measured);
            prop_assert_eq!(record.pruning.is_empty(), !measured);
            for accuracy in record.pruning.iter().filter_map(|row| row.accuracy).chain(body.accuracy_finetuned) {
                prop_assert!((0.0..=1.0).contains(&accuracy));
            }
            let lines = RunLines::new(&record).expect("flat rows");
            for table in &lines.tables {
                let text = String::from_utf8_lossy(table);
                let strange = text.split([',', '\n']).find(|cell| matches!(*cell, "NaN" | "inf" | "-inf"));
                prop_assert!(strange.is_none(), "{}:\n{}", &body.stop_reason, text);
            }
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

#[test]
fn a_weight_that_has_lost_digits_gives_no_accuracy() {
    let tiny = "data.patterns=8 data.tokens=4 model.experts=4 model.neurons=2 model.tokens_per_expert=2 \
                pretrained.relevant_per_class=1 training.batch=6 pretrained.neuron_scale=1e-310 training.expert_rate=0";
    let record = run(&common::point(tiny), 0, 0, EngineChoice::Auto);
    assert_eq!(record.run.body.stop_reason, "underflow");
    assert_eq!(record.run.body.error, "a weight underflowed within 300 iterations");
    assert_eq!((record.run.body.accuracy_pretrained, record.run.body.accuracy_finetuned), (None, None));
}
