//! The same configuration and master seed give the same bytes, whatever is run beside.

mod cli_common;

use cli_common::{Bench, Files, Rows, column};
use safetensors::SafeTensors;
use std::collections::BTreeMap;

const SWEEP: &str = "run tiny.toml --seeds 11 --set training.batch=[20,24,28]";

/// The files that a run leaves with these arguments.
fn files(arguments: &str) -> Files {
    let bench = Bench::new();
    bench.succeeds(&format!("{arguments} --out made"));
    bench.files_below("made")
}

/// The rows without the columns that tell where in a sweep they stand.
fn bare(rows: Rows) -> Rows {
    let strip = |mut row: BTreeMap<String, String>| {
        for column in ["point", "batch"] {
            row.remove(column);
        }
        row
    };
    rows.into_iter().map(strip).collect()
}

fn at_point(rows: Rows, point: &str) -> Rows {
    rows.into_iter().filter(|row| row["point"] == point).collect()
}

fn of_first_runs(rows: Rows, runs: u64) -> Rows {
    rows.into_iter().filter(|row| row["run"].parse::<u64>().is_ok_and(|run| run < runs)).collect()
}

const RUN_TABLES: [&str; 4] = ["runs.csv", "experts.csv", "trajectory.csv", "pruning.csv"];

#[test]
fn every_thread_count_gives_the_same_bytes_in_every_file() {
    let one = files(&format!("{SWEEP} --threads 1"));
    assert_eq!(one.len(), 7, "{:?}", one.keys());
    for threads in [2, 3, 8] {
        assert!(files(&format!("{SWEEP} --threads {threads}")) == one, "{threads} threads");
    }
}

#[test]
fn every_thread_count_gives_the_same_bytes_with_token_noise_and_an_early_stop() {
    for arguments in [
        "run tiny.toml --set data.noise=0.3 --set data.basis=haar",
        "run tiny.toml --seeds 60 --until-decided --set data.labels=independent",
    ] {
        let one = files(&format!("{arguments} --threads 1"));
        for threads in [2, 3, 8] {
            assert!(files(&format!("{arguments} --threads {threads}")) == one, "{arguments}, {threads} threads");
        }
    }
}

#[test]
fn a_run_alone_is_the_run_in_a_sweep() {
    let bench = Bench::new();
    bench.succeeds(&format!("{SWEEP} --out sweep"));
    bench.succeeds("run tiny.toml --seeds 11 --set training.batch=24 --out alone");
    for table in RUN_TABLES {
        let sweep = at_point(bench.rows(&format!("sweep/{table}")), "1");
        let alone = bench.rows(&format!("alone/{table}"));
        assert!(!alone.is_empty(), "{table}");
        assert_eq!(bare(sweep), bare(alone), "{table}");
    }
}

#[test]
fn a_run_does_not_depend_on_how_many_runs_follow() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --seeds 11 --out many");
    for seeds in [1, 4] {
        bench.succeeds(&format!("run tiny.toml --seeds {seeds} --out few{seeds}"));
        for table in RUN_TABLES {
            let many = of_first_runs(bench.rows(&format!("many/{table}")), seeds);
            assert_eq!(many, bench.rows(&format!("few{seeds}/{table}")), "{table}, {seeds} seeds");
        }
    }
}

#[test]
fn a_run_decided_early_is_the_run_of_a_fixed_number() {
    let bench = Bench::new();
    let both = "run tiny.toml --set data.labels=independent";
    bench.succeeds(&format!("{both} --seeds 200 --until-decided --out early"));
    bench.succeeds(&format!("{both} --seeds 25 --out fixed"));
    for table in RUN_TABLES {
        assert_eq!(bench.read(&format!("early/{table}")), bench.read(&format!("fixed/{table}")), "{table}");
    }
}

#[test]
fn training_does_not_depend_on_what_is_measured_afterwards() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --out one");
    bench.succeeds(
        "run tiny.toml --out other --set evaluation.samples=70 --set pruning.finetune_kept=[] --set pruning.criterion=random \
         --set record.trajectory_runs=0",
    );
    assert_eq!(bench.read("one/experts.csv"), bench.read("other/experts.csv"));
    assert_eq!(column(&bench.rows("one/runs.csv"), "seed"), column(&bench.rows("other/runs.csv"), "seed"));
}

#[test]
fn another_master_seed_changes_every_run() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --seed 0 --out zero");
    bench.succeeds("run tiny.toml --seed 1 --out one");
    for (table, name) in [("runs.csv", "seed"), ("runs.csv", "min_delta_relevant"), ("experts.csv", "norm_0")] {
        let (zero, one) = (bench.rows(&format!("zero/{table}")), bench.rows(&format!("one/{table}")));
        assert_eq!(zero.len(), one.len());
        let changed = column(&zero, name).into_iter().zip(column(&one, name)).all(|(a, b)| a != b && !a.is_empty());
        assert!(changed, "{table} {name}");
    }
}

#[test]
fn no_two_runs_of_a_sweep_have_one_seed() {
    let bench = Bench::new();
    bench.succeeds(&format!("{SWEEP} --out sweep"));
    let rows = bench.rows("sweep/runs.csv");
    let mut seeds = column(&rows, "seed");
    seeds.sort_unstable();
    seeds.dedup();
    assert_eq!(seeds.len(), 33);
}

// ------------------------------------------------------------------------------------------------------- traces

fn numbers(trace: &SafeTensors, name: &str) -> Vec<f64> {
    let view = trace.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    let number = |bytes: &[u8]| f64::from_le_bytes(bytes.try_into().expect("8 bytes"));
    view.data().chunks_exact(8).map(number).collect()
}

fn norms(rows: &[f64], length: usize) -> Vec<f64> {
    rows.chunks_exact(length).map(|row| row.iter().map(|x| x * x).sum::<f64>().sqrt()).collect()
}

fn assert_near(a: &[f64], b: &[f64], tolerance: f64, what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    let far = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(far <= tolerance && !a.is_empty(), "{what}: {far}");
}

#[test]
fn a_trace_is_the_run_that_the_tables_hold() {
    for set in ["data.basis=canonical", "data.basis=haar"] {
        let bench = Bench::new();
        let sweep = format!("tiny.toml --set {set} --set training.batch=[20,24] --seed 3");
        bench.succeeds(&format!("run {sweep} --out made"));
        bench.succeeds(&format!("trace {sweep} --point 1 --run 4 --out run.safetensors"));
        let file = std::fs::read(bench.path("run.safetensors")).expect("a trace");
        let trace = SafeTensors::deserialize(&file).expect("safetensors");

        let own = |table: &str| {
            let rows = at_point(bench.rows(table), "1").into_iter();
            rows.filter(|row| row["run"] == "4").collect::<Rows>()
        };
        let experts = own("made/experts.csv");
        let recorded = |name: &str| -> Vec<f64> {
            column(&experts, name).iter().map(|cell| cell.parse().expect("a number")).collect()
        };
        assert_near(&norms(&numbers(&trace, "routers_0"), 20), &recorded("norm_0"), 1e-12, "norm_0");
        assert_near(&norms(&numbers(&trace, "routers_t"), 20), &recorded("norm_t"), 1e-12, "norm_t");
        assert_eq!(numbers(&trace, "signs"), recorded("sign"));

        let (_, header) = SafeTensors::read_metadata(&file).expect("a header");
        let metadata = header.metadata().clone().expect("metadata");
        assert_eq!(metadata["run_seed"], own("made/runs.csv")[0]["seed"]);
        assert_eq!((metadata["batch"].as_str(), metadata["router_rate"].as_str()), ("24", "0.2"));
    }
}

#[test]
fn a_trace_has_the_documented_tensors_and_ends_where_training_ends() {
    let bench = Bench::new();
    bench.succeeds("trace tiny.toml --out run.safetensors --set data.noise=0.2");
    let file = std::fs::read(bench.path("run.safetensors")).expect("a trace");
    let trace = SafeTensors::deserialize(&file).expect("safetensors");
    let recorded = trace.tensor("recorded").expect("recorded").shape()[0];
    for (name, shape) in [
        ("basis", vec![20, 20]),
        ("signs", vec![6]),
        ("routers_0", vec![6, 20]),
        ("neurons_0", vec![6, 4, 20]),
        ("tokens", vec![30, 20, 5]),
        ("labels", vec![30, 20]),
        ("noise", vec![30, 20, 5, 20]),
        ("recorded", vec![recorded]),
        ("routers", vec![recorded, 6, 20]),
        ("routers_t", vec![6, 20]),
        ("neurons_t", vec![6, 4, 20]),
    ] {
        assert_eq!(trace.tensor(name).expect(name).shape(), shape, "{name}");
    }
    let routers = numbers(&trace, "routers");
    assert_eq!(routers[..120], numbers(&trace, "routers_0"));
    assert_eq!(routers[routers.len() - 120..], numbers(&trace, "routers_t"));
}

#[test]
fn both_engines_trace_the_same_run() {
    let bench = Bench::new();
    bench.succeeds("trace tiny.toml --run 2 --engine dense --out dense.safetensors");
    bench.succeeds("trace tiny.toml --run 2 --engine pattern --out pattern.safetensors");
    let read = |name: &str| std::fs::read(bench.path(name)).expect(name);
    let (dense, pattern) = (read("dense.safetensors"), read("pattern.safetensors"));
    let dense = SafeTensors::deserialize(&dense).expect("safetensors");
    let pattern = SafeTensors::deserialize(&pattern).expect("safetensors");
    for name in ["tokens", "labels", "recorded", "routers_0", "neurons_0"] {
        assert_eq!(dense.tensor(name).expect(name).data(), pattern.tensor(name).expect(name).data(), "{name}");
    }
    for name in ["routers", "routers_t", "neurons_t"] {
        assert_near(&numbers(&dense, name), &numbers(&pattern, name), 1e-9, name);
    }
    assert_ne!(numbers(&dense, "routers_0"), numbers(&dense, "routers_t"));
}

#[test]
fn a_trace_is_the_same_bytes_each_time() {
    let bench = Bench::new();
    bench.succeeds("trace tiny.toml --run 2 --out one.safetensors");
    bench.succeeds("trace tiny.toml --run 2 --out two.safetensors");
    let read = |name: &str| std::fs::read(bench.path(name)).expect(name);
    assert!(read("one.safetensors") == read("two.safetensors"));
}
