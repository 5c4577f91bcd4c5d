//! What must not change a result: the names of the experts, the basis, a gauge, the number of threads, the company that
//! a run is computed in.

mod common;

use moe_theory::moe::{Model, Pretrained};
use moe_theory::patterns::{Batch, Sampler, Vocabulary};
use moe_theory::record::RunRecord;
use moe_theory::run::{run, run_all};
use moe_theory::sgd::EngineChoice;
use moe_theory::sgd::train::Schedule;
use moe_theory::sgd::{DenseEngine, Engine, PatternEngine, Rates, StopReason, TheoryEngine, train};
use moe_theory::sim::parameters::{Basis, Parameters};
use moe_theory::sim::{Overrides, Point, Simulation};

/// Small enough for the dense engine, and far from every tie.
const SMALL: &str = "data.patterns=40 data.tokens=8 model.experts=8 model.neurons=5 model.tokens_per_expert=3 \
                     pretrained.misaligned=1 training.expert_rate=0.5 training.batch=40 training.iterations=60";

/// Rounding of 60 steps, each of about 1e-15, amplified a little. The largest difference seen is below 1e-13.
const TOLERANCE: f64 = 1e-11;

fn trained(engine: &mut dyn TheoryEngine, parameters: &Parameters, seed: u64) -> Model {
    let mut sampler = Sampler::training(&parameters.data, seed);
    let (stop, _) = train(engine, &mut sampler, Schedule::training(parameters), &mut []);
    assert_eq!(stop, StopReason::Finished);
    engine.model()
}

fn pattern(model: &Model, parameters: &Parameters) -> PatternEngine {
    PatternEngine::new(model, Rates::from(&parameters.training))
}

fn dense(model: &Model, parameters: &Parameters, basis: Basis, seed: u64) -> DenseEngine {
    let vocabulary = Vocabulary::new(parameters.data.patterns, basis, seed);
    DenseEngine::new(model, vocabulary, Rates::from(&parameters.training))
}

fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, |largest: f64, value| if value.is_nan() { f64::INFINITY } else { largest.max(value) })
}

fn assert_near(a: &Model, b: &Model) {
    assert_eq!(a.signs, b.signs);
    let (routers, neurons) = (largest_difference(&a.routers, &b.routers), largest_difference(&a.neurons, &b.neurons));
    assert!(routers < TOLERANCE && neurons < TOLERANCE, "routers {routers}, neurons {neurons}");
}

fn assert_moved(before: &Model, after: &Model) {
    assert!(largest_difference(&before.routers, &after.routers) > 0.1, "a test without training tests nothing");
}

/// Some experts of each sign change places with experts of the other: what an expert does depends on its weights and
/// sign alone. Only the order in which f is summed changes.
#[test]
fn the_names_of_the_experts_are_only_names() {
    let parameters = common::point(SMALL).parameters;
    let order = [5, 2, 7, 0, 1, 6, 3, 4];
    for seed in 0..10 {
        let model = Pretrained::constructed(&parameters, seed).model;
        let renamed = model.subset(&order);
        let after = trained(&mut pattern(&model, &parameters), &parameters, seed);
        assert_moved(&model, &after);
        assert_near(&trained(&mut pattern(&renamed, &parameters), &parameters, seed), &after.subset(&order));
        let after = trained(&mut dense(&model, &parameters, Basis::Canonical, seed), &parameters, seed);
        let renamed = trained(&mut dense(&renamed, &parameters, Basis::Canonical, seed), &parameters, seed);
        assert_near(&renamed, &after.subset(&order));
    }
}

#[test]
fn the_dense_engine_trains_the_same_on_every_basis() {
    for noise in ["data.noise=0", "data.noise=0.3"] {
        let parameters = common::point(&format!("{SMALL} {noise}")).parameters;
        for seed in 0..10 {
            let model = Pretrained::constructed(&parameters, seed).model;
            let canonical = trained(&mut dense(&model, &parameters, Basis::Canonical, seed), &parameters, seed);
            assert_moved(&model, &canonical);
            for basis_seed in [seed, seed + 100] {
                let haar = trained(&mut dense(&model, &parameters, Basis::Haar, basis_seed), &parameters, seed);
                assert_near(&haar, &canonical);
            }
        }
    }
}

#[test]
fn the_pattern_engine_knows_no_basis() {
    let canonical = common::point(SMALL).parameters;
    let haar = common::point(&format!("{SMALL} data.basis=haar")).parameters;
    for seed in 0..10 {
        let model = Pretrained::constructed(&canonical, seed).model;
        assert_eq!(model, Pretrained::constructed(&haar, seed).model);
        let [first, second] = [&canonical, &haar].map(|parameters| {
            trained(EngineChoice::Pattern.build(&model, parameters, seed).as_mut(), parameters, seed)
        });
        assert_moved(&model, &first);
        assert_eq!(first, second);
    }
}

/// Lemma L11. A power of two shifts a score without rounding more than its last bits away.
#[test]
fn a_gauge_changes_norms_and_nothing_else() {
    let parameters = common::point(SMALL).parameters;
    for (gauge, tolerance) in [(0.25, TOLERANCE), (4.0, TOLERANCE), (256.0, 1e-9)] {
        for seed in 0..10 {
            let model = Pretrained::constructed(&parameters, seed).model;
            let mut shifted = model.clone();
            // Experts 1 and 4, one of each sign.
            for (place, score) in shifted.routers.iter_mut().enumerate() {
                *score += if [1, 4].contains(&(place / model.patterns)) { gauge } else { 0.0 };
            }
            let mut engines = [pattern(&model, &parameters), pattern(&shifted, &parameters)];
            let [plain, mut moved] = engines.each_mut().map(|engine| trained(engine, &parameters, seed));
            assert_moved(&model, &plain);
            let norm = |model: &Model| model.router(1).iter().map(|u| u * u).sum::<f64>().sqrt();
            assert!((norm(&plain) - norm(&moved)).abs() > 0.01, "the norm changes");
            let mut test = Batch::default();
            Sampler::evaluation(&parameters.data, seed).fill(&mut test, 100);
            let mut outputs = [Vec::new(), Vec::new()];
            for (engine, outputs) in engines.iter_mut().zip(&mut outputs) {
                engine.outputs(&test, outputs);
            }
            assert!(largest_difference(&outputs[0], &outputs[1]) < tolerance);
            for (place, score) in moved.routers.iter_mut().enumerate() {
                *score -= if [1, 4].contains(&(place / model.patterns)) { gauge } else { 0.0 };
            }
            assert!(largest_difference(&plain.routers, &moved.routers) < tolerance);
            assert!(largest_difference(&plain.neurons, &moved.neurons) < tolerance);
        }
    }
}

/// The gauge key of a simulation is that shift: it changes no number that the model starts from but these scores.
#[test]
fn the_gauge_of_a_simulation_shifts_the_relevant_routers() {
    let (plain, gauged) = (common::point(SMALL), common::point(&format!("{SMALL} pretrained.gauge_relevant=2")));
    let [plain, gauged] = [plain, gauged].map(|point| Pretrained::constructed(&point.parameters, 3));
    assert_eq!(plain.model.neurons, gauged.model.neurons);
    assert_eq!(plain.roles, gauged.roles);
    for expert in 0..8 {
        let gauge = if expert < 4 { 2.0 } else { 0.0 };
        let shifted: Vec<f64> = plain.model.router(expert).iter().map(|score| score + gauge).collect();
        assert!(largest_difference(gauged.model.router(expert), &shifted) < 1e-15);
    }
}

/// Points with fine-tuning after pruning and trajectories, so that every kind of row is there.
fn sweep() -> Vec<Point> {
    let mut set: Vec<String> = SMALL.split_whitespace().map(str::to_owned).collect();
    set.retain(|setting| !setting.starts_with("data.patterns") && !setting.starts_with("training.batch"));
    set.extend(
        [
            "data.patterns=[20,40]",
            "training.batch=[16,30]",
            "pruning.finetune_kept=[2,5]",
            "record.trajectory_runs=2",
            "evaluation.samples=300",
            "roles.proficiency_samples=50",
        ]
        .map(str::to_owned),
    );
    let overrides = Overrides { set: &set, seeds: None };
    let simulation = Simulation::parse("test.toml", "name = \"test\"", &overrides).expect("legal settings");
    simulation.points().expect("legal points")
}

fn run_sweep(points: &[Point], threads: usize) -> Vec<RunRecord> {
    let tasks: Vec<(&Point, u64)> = points.iter().flat_map(|point| (0..6).map(move |run| (point, run))).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
    let mut records = Vec::new();
    let all: Result<(), std::convert::Infallible> = run_all(
        &pool,
        &tasks,
        |(point, _)| point.parameters.work(),
        |&(point, number)| run(point, number, 42, EngineChoice::Auto),
        |record| {
            records.push(record);
            Ok(())
        },
    );
    assert_eq!(all, Ok(()));
    records
}

#[test]
fn rows_do_not_depend_on_the_number_of_threads() {
    let points = sweep();
    let alone = run_sweep(&points, 1);
    assert_eq!(alone.len(), 24);
    assert!(alone.iter().all(|record| record.experts.len() == 8 && record.pruning.len() == 8 + 2));
    assert!(alone.iter().all(|record| record.trajectory.is_empty() == (record.run.head.run > 1)));
    for threads in [2, 5] {
        assert_eq!(run_sweep(&points, threads), alone, "{threads} threads");
    }
}

#[test]
fn a_run_alone_is_the_run_of_a_sweep() {
    let points = sweep();
    let records = run_sweep(&points, 2);
    let mut seeds: Vec<u64> = records.iter().map(|record| record.run.head.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    assert_eq!(seeds.len(), 24, "no two runs share a seed");
    for record in records {
        let RunRecord { run: row, mut experts, mut trajectory, mut pruning } = record;
        let point = &points[row.head.point];
        let value = |name: &str| &point.swept.iter().find(|(key, _)| key == name).expect("a swept key").1;
        let point = common::point(&format!(
            "{} data.patterns={} training.batch={} pruning.finetune_kept=[2,5] record.trajectory_runs=2 \
             evaluation.samples=300 roles.proficiency_samples=50",
            SMALL.replace("data.patterns=40", "").replace("training.batch=40", ""),
            value("patterns"),
            value("batch")
        ));
        let alone = run(&point, row.head.run, 42, EngineChoice::Auto);
        // Alone, it stands at point 0 and nothing is swept.
        experts.iter_mut().for_each(|row| row.point = 0);
        trajectory.iter_mut().for_each(|row| row.point = 0);
        pruning.iter_mut().for_each(|row| row.point = 0);
        assert_eq!(alone.run.head.seed, row.head.seed);
        assert_eq!(alone.run.body, row.body);
        assert_eq!((alone.experts, alone.trajectory, alone.pruning), (experts, trajectory, pruning));
    }
}
