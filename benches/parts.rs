//! What each part of a run costs, at the sizes `reference`, `default` and `large`. `cargo bench --bench parts`; a group
//! alone by its name: `cargo bench --bench parts -- iteration`.
//!
//! Models are Gaussian and at t = 0 when a group starts; those of `iteration` train on as they are measured.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use moe_theory::claims::Analysis;
use moe_theory::measure::{DominanceTally, Role, accuracy};
use moe_theory::moe::routing::choose_tokens;
use moe_theory::patterns::{Batch, Sampler};
use moe_theory::record::RunRecord;
use moe_theory::record::design::Design;
use moe_theory::record::tables;
use moe_theory::run::run;
use moe_theory::sgd::{EngineChoice, Objective};
use std::hint::black_box;
use std::time::Duration;

mod common;
use common::{ALL, Kind, Workload};

/// Samples that an evaluation takes here.
const SAMPLES: usize = 2048;

/// The same, with the token noise that the dense engine is for.
fn noisy(workload: Workload) -> Workload {
    Workload { noise: 0.1, ..workload }
}

/// Drawing one batch.
fn sampler(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sampler");
    for workload in ALL {
        for (name, workload) in [("tokens", workload), ("tokens and noise", noisy(workload))] {
            let (mut sampler, mut batch) = (workload.sampler(1), Batch::default());
            group.throughput(Throughput::Elements((workload.batch * workload.tokens) as u64));
            group.bench_function(BenchmarkId::new(name, workload.name), |bencher| {
                bencher.iter(|| sampler.fill(&mut batch, workload.batch));
            });
        }
    }
    group.finish();
}

/// The choice of l of n tokens by all experts for a batch: one by one, and as part of the pattern engine's outputs,
/// which are the choice, the gates and a look-up of every activation.
fn top_l(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("top-l");
    for workload in ALL {
        let (model, batch) = (workload.model(1), workload.filled(1));
        group.throughput(Throughput::Elements((workload.batch * workload.experts) as u64));
        group.bench_function(BenchmarkId::new("one expert and sample at a time", workload.name), |bencher| {
            let (mut scores, mut chosen) = (Vec::new(), Vec::new());
            bencher.iter(|| {
                for sample in 0..batch.samples() {
                    for expert in 0..workload.experts {
                        let router = model.router(expert);
                        scores.clear();
                        scores.extend(batch.sample(sample).iter().map(|&token| router[token as usize]));
                        choose_tokens(&scores, workload.tokens_per_expert, &mut chosen);
                        black_box(&chosen);
                    }
                }
            });
        });
        let mut engine = workload.engine(Kind::Pattern, 1);
        group.bench_function(BenchmarkId::new("pattern engine, outputs", workload.name), |bencher| {
            let mut outputs = Vec::new();
            bencher.iter(|| engine.outputs(black_box(&batch), &mut outputs));
        });
    }
    group.finish();
}

/// Drawing a batch and a step.
fn iteration(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("iteration");
    for workload in ALL {
        for (kind, workload) in [(Kind::Pattern, workload), (Kind::Dense, noisy(workload))] {
            for contrast in [false, true] {
                let mut engine = workload.engine(kind, 1);
                if contrast {
                    engine.track_contrast();
                }
                let (mut sampler, mut batch) = (workload.sampler(1), Batch::default());
                let with = if contrast { ", half-batch contrast" } else { "" };
                group.throughput(Throughput::Elements(workload.batch as u64));
                group.bench_function(BenchmarkId::new(format!("{}{with}", kind.name()), workload.name), |bencher| {
                    bencher.iter(|| {
                        sampler.fill(&mut batch, workload.batch);
                        engine.step(&batch, &Objective::default())
                    });
                });
            }
        }
    }
    group.finish();
}

/// The errors of all pruned models on fresh samples.
fn evaluation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("evaluation");
    for workload in ALL {
        for (kind, workload) in [(Kind::Pattern, workload), (Kind::Dense, noisy(workload))] {
            let mut engine = workload.engine(kind, 1);
            let keep_first: Vec<usize> = (0..workload.experts).collect();
            group.throughput(Throughput::Elements(SAMPLES as u64));
            group.bench_function(BenchmarkId::new(kind.name(), workload.name), |bencher| {
                let mut sampler = Sampler::evaluation(&workload.data(), 1);
                bencher.iter(|| accuracy::errors_by_kept(engine.as_mut(), &mut sampler, SAMPLES, &keep_first));
            });
        }
    }
    group.finish();
}

/// Dominance and the pruning path from the outputs of evaluation samples.
fn certificate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("certificate");
    for workload in ALL {
        let mut engine = workload.engine(Kind::Pattern, 1);
        let mut samples = Vec::new();
        let mut sampler = Sampler::evaluation(&workload.data(), 1);
        accuracy::for_each_sample(engine.as_mut(), &mut sampler, SAMPLES, |outputs, label| {
            samples.push((outputs.to_vec(), label));
        });
        let signs = common::signs(workload.experts);
        let roles: Vec<Role> =
            (0..workload.experts).map(|expert| if expert < 4 { Role::Relevant } else { Role::Irrelevant }).collect();
        let keep_first: Vec<usize> = (0..workload.experts).collect();
        group.throughput(Throughput::Elements(SAMPLES as u64));
        group.bench_function(BenchmarkId::new("dominance", workload.name), |bencher| {
            bencher.iter(|| {
                let mut tally = DominanceTally::new(&signs, &roles, &keep_first);
                for (outputs, label) in &samples {
                    tally.add(outputs, *label);
                }
                (tally.dominance(), tally.path_margin())
            });
        });
    }
    group.finish();
}

/// The settings of a simulation of a size.
fn settings(workload: &Workload) -> String {
    let Workload { patterns, tokens, tokens_per_expert, experts, neurons, batch, iterations, .. } = workload;
    format!(
        "data.patterns={patterns} data.tokens={tokens} model.tokens_per_expert={tokens_per_expert} \
         model.experts={experts} model.neurons={neurons} training.batch={batch} training.iterations={iterations}"
    )
}

/// A run's rows, and writing them.
fn rows(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rows");
    group.sample_size(10);
    for workload in ALL {
        let point = common::point(&settings(&workload));
        group.bench_function(BenchmarkId::new("a whole run", workload.name), |bencher| {
            bencher.iter(|| run(&point, 0, 1, EngineChoice::Auto));
        });
        let record = run(&point, 0, 1, EngineChoice::Auto);
        group.bench_function(BenchmarkId::new("its rows as CSV", workload.name), |bencher| {
            bencher.iter(|| {
                let [experts, pruning, trajectory] = [
                    tables::to_csv(&record.experts),
                    tables::to_csv(&record.pruning),
                    tables::to_csv(&record.trajectory),
                ];
                (experts, pruning, trajectory)
            });
        });
    }
    group.finish();
}

/// Verdicts from a thousand runs.
fn judging(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("judging");
    group.sample_size(10);
    for workload in ALL {
        let simulation = common::simulation(&settings(&workload));
        let points = simulation.points().expect("legal");
        let records: Vec<RunRecord> = [0, 1].map(|number| run(&points[0], number, 1, EngineChoice::Auto)).into();
        group.throughput(Throughput::Elements(1000));
        group.bench_function(BenchmarkId::new("1,000 runs", workload.name), |bencher| {
            bencher.iter(|| {
                let mut analysis = Analysis::new(&simulation, &points, Design::Fixed);
                for (number, record) in (0..1000).zip(records.iter().cycle()) {
                    analysis.add(0, number, &record.run.body, &record.experts, &record.pruning, &record.trajectory);
                }
                analysis.findings()
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = parts;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
    targets = sampler, top_l, iteration, evaluation, certificate, rows, judging
}
criterion_main!(parts);
