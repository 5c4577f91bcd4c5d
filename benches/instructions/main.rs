//! Instruction counts under Callgrind, which fail when one is 10 % above the count in `counts.txt`.
//!
//! `benches/instructions/check` runs them, `benches/instructions/check --update` writes the counts anew: the one thing
//! to do after a change that is meant to cost more, or costs less.
//!
//! Counts do not depend on how busy the machine is. They depend on the instructions that the programs choose: Valgrind
//! shows its programs AVX2 at most (3.19 knows no AVX-512), so every processor with AVX2 runs the AVX2 level here, and
//! what is faster in AVX-512 only is not guarded. The compiler moves counts by some percent, which the margin has room
//! for. Everything that is set up before a measurement is not counted.

#![allow(missing_docs, reason = "what the macros of gungraun make has none")]

#[path = "../common/mod.rs"]
mod common;

use common::{Kind, REFERENCE, Workload};
use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use moe_theory::claims::Analysis;
use moe_theory::measure::accuracy;
use moe_theory::moe::Model;
use moe_theory::patterns::{Batch, Sampler};
use moe_theory::record::ClaimRow;
use moe_theory::record::RunRecord;
use moe_theory::record::design::Design;
use moe_theory::run::run;
use moe_theory::sgd::EngineChoice;
use moe_theory::sgd::{Objective, TheoryEngine};
use moe_theory::sim::{Point, Simulation};
use std::hint::black_box;

/// Lines `name count`.
const COUNTS: &str = include_str!("counts.txt");

/// The measurement `name` may take 10 % more than its count. One without a count is not guarded.
fn guard(name: &str) -> LibraryBenchmarkConfig {
    let count = COUNTS.lines().filter_map(|line| line.rsplit_once(' ')).find(|(other, _)| *other == name);
    let mut callgrind = Callgrind::with_args(["--cache-sim=no"]);
    if let Some((_, count)) = count {
        let count: u64 = count.parse().expect("counts.txt holds whole numbers");
        callgrind.hard_limits([(EventKind::Ir, count + count / 10)]);
    }
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

/// Batches of a measurement of `reference`.
const STEPS: usize = 10;

/// With noise where the dense engine trains.
fn workload(kind: Kind) -> Workload {
    Workload { noise: if kind == Kind::Dense { 0.1 } else { 0.0 }, ..REFERENCE }
}

fn sampler(kind: Kind) -> (Sampler, Batch) {
    (workload(kind).sampler(1), Batch::default())
}

fn training(kind: Kind) -> (Box<dyn TheoryEngine>, Sampler) {
    (workload(kind).engine(kind, 1), workload(kind).sampler(1))
}

fn batches(kind: Kind) -> (Box<dyn TheoryEngine>, Vec<Batch>) {
    let (engine, mut sampler) = training(kind);
    let filled = |_| {
        let mut batch = Batch::default();
        sampler.fill(&mut batch, REFERENCE.batch);
        batch
    };
    (engine, (0..STEPS).map(filled).collect())
}

#[library_benchmark]
#[bench::tokens(args = (Kind::Pattern), setup = sampler, config = guard("sampler_fill tokens"))]
#[bench::noise(args = (Kind::Dense), setup = sampler, config = guard("sampler_fill noise"))]
fn sampler_fill((mut sampler, mut batch): (Sampler, Batch)) -> Batch {
    for _ in 0..STEPS {
        sampler.fill(black_box(&mut batch), REFERENCE.batch);
    }
    batch
}

#[library_benchmark]
#[bench::pattern(args = (Kind::Pattern), setup = batches, config = guard("step pattern"))]
#[bench::dense(args = (Kind::Dense), setup = batches, config = guard("step dense"))]
fn step((mut engine, batches): (Box<dyn TheoryEngine>, Vec<Batch>)) -> Box<dyn TheoryEngine> {
    for batch in &batches {
        engine.step(black_box(batch), &Objective::default()).expect("finite");
    }
    engine
}

fn model(kind: Kind) -> (Kind, Model) {
    (kind, workload(kind).model(1))
}

#[library_benchmark]
#[bench::pattern(args = (Kind::Pattern), setup = model, config = guard("build pattern"))]
#[bench::dense(args = (Kind::Dense), setup = model, config = guard("build dense"))]
fn build((kind, model): (Kind, Model)) -> Box<dyn TheoryEngine> {
    kind.build(black_box(&model), REFERENCE.rates)
}

#[library_benchmark]
#[bench::pattern(args = (Kind::Pattern), setup = training, config = guard("evaluation pattern"))]
#[bench::dense(args = (Kind::Dense), setup = training, config = guard("evaluation dense"))]
fn evaluation((mut engine, mut sampler): (Box<dyn TheoryEngine>, Sampler)) -> Vec<accuracy::Errors> {
    let keep_first: Vec<usize> = (0..engine.experts()).collect();
    accuracy::errors_by_kept(engine.as_mut(), &mut sampler, 512, &keep_first)
}

/// A small training, so that what surrounds the iterations counts too.
const TINY: &str = "data.patterns=64 training.iterations=20 evaluation.samples=200 roles.proficiency_samples=100";

#[library_benchmark]
#[bench::tiny(args = (TINY), setup = common::point, config = guard("whole_run tiny"))]
fn whole_run(point: Point) -> RunRecord {
    run(black_box(&point), 0, 1, EngineChoice::Auto)
}

/// The same two runs over and over: verdicts are computed from many.
fn evidence(runs: usize) -> (Simulation, Vec<Point>, Vec<RunRecord>) {
    let simulation = common::simulation(TINY);
    let points = simulation.points().expect("legal");
    let records = [0, 1].map(|number| run(&points[0], number, 1, EngineChoice::Auto));
    (simulation, points, records.into_iter().cycle().take(runs).collect())
}

#[library_benchmark]
#[bench::runs(args = (100), setup = evidence, config = guard("judging runs"))]
fn judging((simulation, points, records): (Simulation, Vec<Point>, Vec<RunRecord>)) -> Vec<ClaimRow> {
    let mut analysis = Analysis::new(&simulation, &points, Design::Fixed);
    for (number, record) in records.iter().enumerate() {
        analysis.add(0, number as u64, &record.run.body, &record.experts, &record.pruning, &record.trajectory);
    }
    analysis.findings().claims
}

library_benchmark_group!(name = instructions, benchmarks = [sampler_fill, step, build, evaluation, whole_run, judging]);
main!(library_benchmark_groups = instructions);
