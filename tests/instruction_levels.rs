//! No result depends on the processor: every level of vector instructions gives the same bits.

mod common;

use moe_theory::moe::{Model, Pretrained};
use moe_theory::patterns::{Batch, Class, Sampler};
use moe_theory::sgd::{Objective, PatternEngine, Rates, TheoryEngine};
use moe_theory::sim::Parameters;
use moe_theory::simd::Level;
use moe_theory::simd::exp::{exp, exp_f64s};
use moe_theory::simd::{Kernel, Lanes};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::RefCell;

/// Settings of a small simulation, a run seed, and what is added to every router's score of pattern v, as a multiple of
/// v: far-apart scores are gated anew.
fn cases() -> impl Strategy<Value = (String, u64, f64)> {
    let shape = (2usize..=24, any::<bool>()).prop_flat_map(|(n, replacement)| {
        let fewest = if replacement { 5 } else { n + 1 };
        (Just(n), Just(replacement), fewest.max(5)..=50, 2..=n)
    });
    let spread = prop_oneof![4 => Just(0.0), 1 => 10.0..100.0];
    let router_noise = prop_oneof![3 => 0.01..0.5, 1 => Just(0.0)];
    (shape, 1usize..=20, 1usize..=6, 1usize..=20, router_noise, 0.1..2.0, any::<u64>(), spread).prop_map(
        |((n, replacement, d, l), half, m, batch, noise, s0, seed, spread)| {
            let relevant = half.min(2);
            let settings = format!(
                "data.patterns={d} data.tokens={n} data.replacement={replacement} model.experts={} model.neurons={m} \
                 model.tokens_per_expert={l} pretrained.relevant_per_class={relevant} pretrained.router_noise={noise} \
                 pretrained.neuron_scale={s0} training.batch={batch} training.router_rate=1.0 training.expert_rate={m}",
                2 * half
            );
            (settings, seed, spread)
        },
    )
}

/// Everything that an engine says of itself.
fn state(engine: &mut dyn TheoryEngine, batch: &Batch) -> Vec<u64> {
    let Model { mut routers, neurons, .. } = engine.model();
    routers.extend(neurons);
    let mut numbers = Vec::new();
    engine.outputs(batch, &mut numbers);
    routers.extend(&numbers);
    engine.class_token_gates(batch, &mut numbers);
    routers.extend(&numbers);
    routers.extend(engine.contrast().unwrap_or_default());
    for expert in 0..engine.experts() {
        routers.push(engine.range_above(expert, 0.0).unwrap_or(-1.0));
        for class in Class::BOTH {
            let competitors = engine.competitors(expert, class);
            routers.extend([competitors.above as f64, competitors.tied as f64]);
        }
    }
    routers.into_iter().map(f64::to_bits).collect()
}

fn engines(parameters: &Parameters, seed: u64, spread: f64) -> Vec<(Level, Box<dyn TheoryEngine>)> {
    let mut model = Pretrained::constructed(parameters, seed).model;
    let d = model.patterns;
    model.routers.iter_mut().enumerate().for_each(|(at, score)| *score += spread * (at % d) as f64);
    let rates = Rates::from(&parameters.training);
    let engine = |level| -> Box<dyn TheoryEngine> { Box::new(PatternEngine::at_level(level, &model, rates)) };
    Level::available().into_iter().map(|level| (level, engine(level))).collect()
}

/// What the suite has met.
#[derive(Debug, Default)]
struct Seen {
    steps: usize,
    active: usize,
    spread: usize,
}

#[test]
fn the_pattern_engine_trains_alike_at_every_level() {
    let seen = RefCell::new(Seen::default());
    let mut runner = TestRunner::new(Config { cases: 300, ..Config::default() });
    let result = runner.run(&cases(), |(settings, seed, spread)| {
        let parameters = common::point(&settings).parameters;
        let mut engines = engines(&parameters, seed, spread);
        let mut sampler = Sampler::training(&parameters.data, seed);
        let mut batch = Batch::default();
        engines.iter_mut().for_each(|(_, engine)| engine.track_contrast());
        for _ in 0..12 {
            sampler.fill(&mut batch, parameters.training.batch);
            let mut first = None;
            for (level, engine) in &mut engines {
                let report = engine.step(&batch, &Objective::default()).expect("finite");
                seen.borrow_mut().active += report.active;
                let found = (report.loss.to_bits(), report.active, state(engine.as_mut(), &batch));
                let (baseline, expected) = first.get_or_insert_with(|| (*level, found.clone()));
                prop_assert!(found == *expected, "{} is not {}", level.name(), baseline.name());
            }
            seen.borrow_mut().steps += 1;
        }
        seen.borrow_mut().spread += usize::from(spread > 0.0);
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    let seen = seen.into_inner();
    assert!(seen.active > 10_000 && seen.spread > 30, "{seen:?}");
}

struct Exponentials<'a>(&'a [f64]);

impl Kernel for Exponentials<'_> {
    type Output = Vec<u64>;

    fn run<S: Lanes>(self, simd: S) -> Vec<u64> {
        let mut found = self.0.to_vec();
        S::as_mut_simd_f64s(&mut found).0.iter_mut().for_each(|x| *x = exp_f64s(simd, *x));
        found.into_iter().map(f64::to_bits).collect()
    }
}

proptest! {
    #[test]
    fn exponentials_are_the_same_at_every_level(x in prop::array::uniform8(-720.0f64..720.0)) {
        for level in Level::available() {
            prop_assert_eq!(level.run(Exponentials(&x)), x.map(|x| exp(x).to_bits()), "{}", level.name());
        }
    }
}
