//! Work that stays bounded whatever is asked for.

use crate::cli_common::Bench;
use std::process::Command;

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

/// Whole runs would take days, so that a program that makes one does not end.
#[test]
fn a_dry_run_and_a_dry_submission_end_however_long_the_runs_are() {
    let bench = Bench::new();
    let endless = "--set training.iterations=10000000 --set training.batch=100000";
    let printed = bench.succeeds(&format!("run tiny.toml {endless} --dry-run"));
    let line = printed.lines().find(|line| line.starts_with("time: about ")).expect("a time");
    assert!(line.contains(" h on "), "{line}");
    // A slope's pilot is left out where it would take hours.
    let printed = bench.succeeds("run theorem1 --set training.iterations=10000000 --seeds 20 --dry-run");
    assert!(printed.contains("not planned, 8 runs a point for its spread would take about "), "{printed}");
    let printed = bench.succeeds(&format!("submit tiny.toml {endless} --dry-run"));
    assert!(printed.starts_with("tiny: 6 runs in 6 shards, each about "), "{printed}");
    // Upstream training, certificates and samples are cut as well.
    bench.succeeds(
        "run upstream --set pretrained.upstream_iterations=10000000 --set pretrained.upstream_batch=100000 --dry-run",
    );
    bench.succeeds("run certificates --set certificate.nodes=1000000 --set evaluation.samples=100000000 --dry-run");
}

#[test]
fn no_more_threads_are_started_than_help_and_that_is_said() {
    let bench = Bench::new();
    let helpful = std::thread::available_parallelism().map_or(1, usize::from) * 4;
    let line = |said: &str, number: usize| {
        format!("({said}: {number} used; more than one a run, or 4 a processor, don't help)\n")
    };
    let printed = bench.succeeds("run tiny.toml --threads 1000 --out few");
    assert!(printed.contains(&line("--threads 1000", helpful.min(6))), "{printed}");
    let printed = bench.succeeds("run tiny.toml --seeds 500 --threads 1000 --dry-run");
    assert!(printed.contains(&line("--threads 1000", helpful.min(500))), "{printed}");
    let with = |variable: &str, arguments: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_simulate"));
        command.args(arguments.split(' ')).current_dir(bench.path("")).env("RAYON_NUM_THREADS", variable);
        let output = command.output().expect("the program starts");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (status, printed, _) = with("100000", "run tiny.toml --out many");
    assert!(status == Some(0) && printed.contains(&line("RAYON_NUM_THREADS=100000", helpful.min(6))), "{printed}");
    let (status, printed, _) = with("0", "run tiny.toml --out default");
    assert!(status == Some(0) && !printed.contains("don't help"), "{printed}");
    let (status, _, told) = with("abc", "run tiny.toml --out wrong");
    assert_eq!(status, Some(2));
    assert_eq!(
        last_line(&told),
        "simulate: RAYON_NUM_THREADS=abc: must be a whole number (0: one a processor); --threads overrides it"
    );
    assert!(!bench.path("wrong").exists());
    assert_eq!(with("abc", "run tiny.toml --threads 2 --out right").0, Some(0));
    // The falsifier has no --threads.
    bench.write("frozen.toml", "[training]\nrouter_rate = 0.0\niterations = 20\n[evaluation]\nsamples = 50\n");
    let (status, _, told) = with("100000", "falsify T1c --within frozen.toml --budget 0.2s");
    assert!(status == Some(0) && told.starts_with("RAYON_NUM_THREADS=100000: "), "{told}");
}
