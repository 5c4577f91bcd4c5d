//! What one iteration costs: drawing a batch, a step of each engine, a test sample. `cargo bench --bench iteration`
//!
//! On the model of the simulation `default` (d = 128, n = 16, l = 4, k = 16, m = 16, B = 128), before training.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use moe_theory::moe::Pretrained;
use moe_theory::patterns::{Batch, Sampler};
use moe_theory::run::EngineChoice;
use moe_theory::sim::{Overrides, Simulation, shipped};

fn iteration(criterion: &mut Criterion) {
    let shipped = shipped("default").expect("default is shipped");
    let simulation = Simulation::parse(shipped.file, shipped.text, &Overrides::default()).expect("default is legal");
    let parameters = simulation.points().expect("default is legal").remove(0).parameters;
    let samples = parameters.training.batch;
    let pretrained = Pretrained::constructed(&parameters, 1);
    let mut sampler = Sampler::training(&parameters.data, 1);
    let mut batch = Batch::default();

    let mut group = criterion.benchmark_group("iteration");
    group.throughput(Throughput::Elements(samples as u64));
    group.bench_function("draw a batch", |bencher| bencher.iter(|| sampler.fill(&mut batch, samples)));
    for (name, choice) in [("pattern", EngineChoice::Pattern), ("dense", EngineChoice::Dense)] {
        let mut engine = choice.build(&pretrained.model, &parameters, 1);
        group.bench_function(format!("step, {name} engine"), |bencher| {
            bencher.iter(|| {
                sampler.fill(&mut batch, samples);
                engine.step(&batch)
            });
        });
        let mut tracking = choice.build(&pretrained.model, &parameters, 1);
        tracking.track_contrast();
        group.bench_function(format!("step with half-batch contrast, {name} engine"), |bencher| {
            bencher.iter(|| {
                sampler.fill(&mut batch, samples);
                tracking.step(&batch)
            });
        });
        let mut outputs = Vec::new();
        group.bench_function(format!("outputs, {name} engine"), |bencher| {
            bencher.iter(|| engine.outputs(&batch, &mut outputs));
        });
    }
    group.finish();
}

criterion_group!(benches, iteration);
criterion_main!(benches);
