//! Shards put together are the whole, byte by byte; shards that do not make a whole are refused by name.

mod cli_common;

use cli_common::{Bench, Files};
use moe_theory::record::manifest::sha256;

const SWEEP: &str = "tiny.toml --seeds 11 --set training.batch=[20,24,28]";

/// A refusal: status 2, nothing on stdout, nothing changed; its line.
fn refuses(bench: &Bench, arguments: &str) -> String {
    let before = bench.files_below("");
    let done = bench.simulate(arguments);
    assert_eq!((done.status, done.stdout.as_str()), (Some(2), ""), "{arguments}: {}", done.stderr);
    assert!(bench.files_below("") == before, "{arguments} wrote something");
    let line = done.stderr.strip_suffix('\n').expect("a line");
    assert!(!line.contains('\n'), "{line}");
    line.strip_prefix("simulate: ").expect("the program's name").to_owned()
}

fn whole(arguments: &str) -> Files {
    let bench = Bench::new();
    bench.succeeds(&format!("run {arguments} --out made"));
    bench.files_below("made")
}

/// A bench with `count` shards in `shards`.
fn shards(count: u64) -> Bench {
    let bench = Bench::new();
    for index in 1..=count {
        let threads = 1 + index % 3;
        bench.succeeds(&format!("run {SWEEP} --shard {index}/{count} --threads {threads} --out shards/{index}"));
    }
    bench
}

#[test]
fn any_number_of_shards_merges_to_the_bytes_of_the_whole() {
    let expected = whole(SWEEP);
    // 33 runs: with 40 shards some are empty.
    for count in [1, 2, 3, 7, 16, 40] {
        let bench = shards(count);
        let printed = bench.succeeds("merge shards --out made");
        assert!(printed.contains("T1a") && printed.contains("33 runs of "), "{printed}");
        assert!(bench.files_below("made") == expected, "{count} shards");
    }
}

#[test]
fn cases_noise_and_figures_merge_to_the_same_bytes() {
    let arguments = "controls --seeds 7 --figures svg";
    let bench = Bench::new();
    bench.simulate(&format!("run {arguments} --out whole"));
    for index in 1..=3 {
        bench.succeeds(&format!("run controls --seeds 7 --shard {index}/3 --out shards/{index}"));
    }
    bench.simulate("merge shards/2 shards/3 shards/1 --out made --figures svg");
    assert!(!bench.files_below("made").is_empty() && bench.files_below("made") == bench.files_below("whole"));
}

#[test]
fn a_shard_tells_what_it_is_and_has_no_verdicts() {
    let bench = shards(3);
    let names: Vec<String> = bench.files_below("shards/2").keys().map(|path| path.display().to_string()).collect();
    assert_eq!(names, ["experts.csv", "manifest.json", "pruning.csv", "runs.csv", "trajectory.csv"]);
    let manifest: serde_json::Value = serde_json::from_str(&bench.read("shards/2/manifest.json")).expect("JSON");
    assert_eq!(manifest["shard"], serde_json::json!({ "index": 2, "count": 3 }));
    let line = refuses(&bench, "judge shards/2");
    assert_eq!(line, "shards/2: shard 2/3 alone has no verdicts; `simulate merge` joins the shards");
    for (more, flag) in [("--check", "--check"), ("--until-decided", "--until-decided"), ("--figures svg", "--figures")]
    {
        let line = refuses(&bench, &format!("run {SWEEP} --shard 1/3 {more} --out other"));
        assert!(line.starts_with(&format!("{flag} with shard 1/3: ")), "{line}");
    }
    let done = bench.simulate(&format!("run {SWEEP} --shard 4/3"));
    assert_eq!(done.status, Some(2));
    assert!(done.stderr.contains("must be I/N with N from 1 to 1000000 and I from 1 to N"), "{}", done.stderr);
}

#[test]
fn shards_without_a_folder_of_their_own_stand_beside_the_result() {
    let bench = Bench::new();
    for index in 1..=2 {
        bench.succeeds(&format!("run {SWEEP} --shard {index}/2 --quiet"));
    }
    assert!(bench.path("results/tiny.shards/2-of-2/manifest.json").exists());
    bench.succeeds("merge results/tiny.shards --out results/tiny --quiet");
    assert!(bench.files_below("results/tiny") == whole(SWEEP));
}

#[test]
fn fails_on_missing_shards_and_names_them() {
    let bench = shards(7);
    std::fs::remove_dir_all(bench.path("shards/3")).expect("removed");
    assert_eq!(refuses(&bench, "merge shards --out made"), "shard 3/7: missing; nothing was written");
    std::fs::remove_dir_all(bench.path("shards/7")).expect("removed");
    assert_eq!(refuses(&bench, "merge shards --out made"), "shards 3/7, 7/7: missing; nothing was written");
    let line = refuses(&bench, "merge shards/1 none --out made");
    assert!(line.starts_with("none: "), "{line}");
    bench.write("empty/notes.txt", "mine");
    assert_eq!(refuses(&bench, "merge empty --out made"), "empty: neither a shard nor a folder of shards");
    bench.write("shards/3/.partial/journal", "begun");
    let line = refuses(&bench, "merge shards --out made");
    assert_eq!(line, "shards/3: the shard is not finished; `simulate run … --resume` goes on");
}

#[test]
fn fails_on_shards_that_are_not_of_one_simulation() {
    let bench = shards(2);
    bench.succeeds(&format!("run {SWEEP} --shard 2/2 --seed 1 --out seed"));
    bench.succeeds(&format!("run {SWEEP} --shard 2/3 --out count"));
    bench.succeeds("run tiny.toml --out whole");
    for (dirs, line) in [
        ("shards/1 seed", "seed: does not fit to shards/1: the master seed is 0 there and 1 here"),
        ("shards/1 count", "count: is shard 2/3, and shards/1 is shard 1/2: another number of shards"),
        ("shards/1 shards/2 shards/2", "shards/2: is shard 2/2, and so is shards/2"),
        ("shards/1 whole", "whole: holds no shard but a whole simulation"),
    ] {
        assert_eq!(refuses(&bench, &format!("merge {dirs} --out made")), line);
    }
    let manifest = bench.read("shards/2/manifest.json");
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    bench.write("shards/2/manifest.json", manifest.replace(&version, "\"version\": \"0.0.1\""));
    let line = refuses(&bench, "merge shards --out made");
    assert!(line.starts_with("shards/2: does not fit to shards/1: the program is version "), "{line}");
    assert!(line.contains("0.0.1"), "{line}");
}

/// Puts `new` in the place of a table of a shard, with a fitting hash in the manifest.
fn replace(bench: &Bench, shard: &str, table: &str, new: &str) {
    let old = bench.read(&format!("{shard}/{table}"));
    let manifest = bench.read(&format!("{shard}/manifest.json"));
    assert!(manifest.contains(&sha256(old.as_bytes())));
    bench.write(&format!("{shard}/{table}"), new);
    let manifest = manifest.replace(&sha256(old.as_bytes()), &sha256(new.as_bytes()));
    bench.write(&format!("{shard}/manifest.json"), manifest);
}

#[test]
fn fails_on_tables_that_are_not_those_of_the_shard() {
    let fails = |table: &str, change: &dyn Fn(&str) -> String, expected: &str| {
        let bench = shards(2);
        let text = bench.read(&format!("shards/2/{table}"));
        replace(&bench, "shards/2", table, &change(&text));
        let line = refuses(&bench, "merge shards --out made");
        assert!(line.starts_with(&format!("shards/2/{table}: {expected}")), "{line}");
    };
    let without = |text: &str, number: usize| {
        let kept = text.lines().enumerate().filter(|(line, _)| *line != number).map(|(_, line)| format!("{line}\n"));
        kept.collect::<String>()
    };
    let last = |text: &str| text.lines().last().map(|line| format!("{line}\n")).unwrap_or_default();
    fails("runs.csv", &|text| without(text, 2), "has run 5 of point 0 in the place of run 3 of point 0");
    fails("runs.csv", &|text| format!("{text}{}", last(text)), "has run 9 of point 2 twice");
    fails("runs.csv", &|text| text.replace("stop_reason", "reason"), "has other columns than this version writes");
    fails("experts.csv", &|text| without(text, 3), "run 1 of point 0: its experts are not 0 to 5");
    fails(
        "experts.csv",
        &|text| format!("{text}{}", last(text).replacen("2,9", "2,11", 1)),
        "has rows of run 11 of point 2",
    );
    fails("pruning.csv", &|text| text.replacen(",6,", ",7,", 1), "run 1 of point 0: kept = 7: must be from 1 to 6");
    fails("pruning.csv", &|text| text.replacen("router", "rou\"ter,", 1), "");
    // The last run, in every table.
    let bench = shards(2);
    for table in ["runs.csv", "experts.csv", "pruning.csv"] {
        let text = bench.read(&format!("shards/2/{table}"));
        let kept: String =
            text.lines().filter(|line| !line.starts_with("2,9,")).map(|line| format!("{line}\n")).collect();
        replace(&bench, "shards/2", table, &kept);
    }
    let line = refuses(&bench, "merge shards --out made");
    assert!(line.starts_with("shards/2/runs.csv: has no run 9 of point 2"), "{line}");
    bench.write("shards/2/runs.csv", "cut");
    assert!(refuses(&bench, "merge shards --out made").starts_with("shards/2/runs.csv: changed since the run"));
}

#[test]
fn fails_on_a_target_that_holds_something_else() {
    let bench = shards(2);
    bench.succeeds("run tiny.toml --out made");
    assert!(refuses(&bench, "merge shards --out made").starts_with("made: holds results of another configuration: "));
    bench.write("mine/notes.txt", "mine");
    assert!(
        refuses(&bench, "merge shards --out mine").starts_with("mine: the folder holds files but no manifest.json")
    );
    assert!(refuses(&bench, "merge shards --out shards/1").contains("the shard is 1/2 there and none here"));
}

#[test]
fn a_merge_can_check_the_verdicts() {
    let bench = Bench::new();
    bench.write("other.toml", cli_common::TINY.replace("id = \"T0\"", "id = \"T0\"\nexpect = \"REFUTED\""));
    for index in 1..=2 {
        bench.succeeds(&format!("run other.toml --shard {index}/2 --quiet"));
    }
    let done = bench.simulate("merge results/tiny.shards --out made --check --quiet");
    assert_eq!(done.status, Some(3));
    assert!(done.stderr.starts_with("simulate: not as expected: tiny T0: "), "{}", done.stderr);
    assert!(bench.path("made/claims.csv").exists());
}

#[test]
fn a_submission_here_ends_in_the_bytes_of_the_whole_and_goes_on_after_a_failure() {
    let expected = whole(SWEEP);
    let bench = Bench::new();
    let submit = format!("submit {SWEEP} --engine local --out made");
    let done = bench.simulate(&format!("{submit} --shards 3"));
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    assert!(done.stderr.contains("a shard has less than 30 s of work"), "{}", done.stderr);
    assert!(bench.files_below("made") == expected);

    // A folder of another submission is left alone.
    let done = bench.simulate(&format!("{submit} --shards 4"));
    assert_eq!(done.status, Some(2));
    assert!(
        done.stderr.contains("made.shards/shards.sbatch: of another submission; nothing was written"),
        "{}",
        done.stderr
    );

    // A shard that can't be written: the others finish, it is named, and the same command goes on.
    let bench = Bench::new();
    bench.write("made.shards/2-of-3", "in the way");
    let done = bench.simulate(&format!("{submit} --shards 3"));
    assert_eq!(done.status, Some(1));
    assert!(
        done.stderr.contains("failed: shard 2/3 (exit status: 2; logs/2.log); the same command goes on"),
        "{}",
        done.stderr
    );
    std::fs::remove_file(bench.path("made.shards/2-of-3")).expect("removed");
    assert_eq!(bench.simulate(&format!("{submit} --shards 3")).status, Some(0));
    assert!(bench.files_below("made") == expected);
}

#[test]
fn a_dry_submission_prints_scripts_and_writes_nothing() {
    let bench = Bench::new();
    let before = bench.files_below("");
    let printed = bench.simulate_with(&[
        "submit",
        "tiny.toml",
        "--shards",
        "5",
        "--dry-run",
        "--set",
        "training.router_rate=0.3",
        "--sbatch-args",
        "--partition=long --time=8:00:00",
        "--out",
        "a place/it's",
        "--check",
    ]);
    assert_eq!(printed.status, Some(0), "{}", printed.stderr);
    let text = printed.stdout;
    for line in [
        "#SBATCH --array=1-5",
        "#SBATCH --requeue",
        "--set training.router_rate=0.3 --resume --shard \"$SLURM_ARRAY_TASK_ID/5\" --out \"$SLURM_ARRAY_TASK_ID-of-5\"",
        "a place/it'\\''s' --check",
        "sbatch --parsable --partition=long --time=8:00:00 shards.sbatch",
        "sbatch --parsable --dependency=afterok:JOB --kill-on-invalid-dep=yes --partition=long --time=8:00:00 merge.sbatch",
    ] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
    // Less than 30 s of work in all: one shard.
    assert!(bench.succeeds("submit tiny.toml --dry-run").contains("#SBATCH --array=1-1\n"));
    assert!(bench.files_below("") == before);
}

#[test]
fn a_scheduler_that_is_not_there_is_named() {
    let bench = Bench::new();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_simulate"));
    let command =
        command.args(["submit", "tiny.toml", "--shards", "2"]).current_dir(bench.path("")).env("PATH", "/nowhere");
    let output = command.output().expect("the program starts");
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(stderr.contains("sbatch can't be started, nothing was submitted: is this a Slurm cluster?"), "{stderr}");
    let names: Vec<_> = bench.files_below("").into_keys().collect();
    assert_eq!(names, [std::path::PathBuf::from("tiny.toml")]);
}

/// A bench whose sbatch is this script.
#[cfg(unix)]
fn with_sbatch(script: &str) -> Bench {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    bench.write("bin/sbatch", format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(bench.path("bin/sbatch"), std::fs::Permissions::from_mode(0o755)).expect("a script");
    bench
}

/// What the program does with these variables, and with `bin` before all other programs.
fn with_variables(bench: &Bench, arguments: &str, variables: &[(&str, &str)]) -> cli_common::Done {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_simulate"));
    command.args(arguments.split(' ')).current_dir(bench.path("")).envs(variables.iter().copied());
    let path = format!("{}:{}", bench.path("bin").display(), std::env::var("PATH").unwrap_or_default());
    let output = command.env("PATH", path).output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    cli_common::Done { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[cfg(unix)]
#[test]
fn a_submission_that_nobody_takes_leaves_nothing_and_one_that_is_half_taken_says_what_is_left_to_do() {
    let bench = with_sbatch("[ \"$1\" = --version ] && exit 0; echo 'invalid partition' >&2; exit 1");
    let done = with_variables(&bench, "submit tiny.toml --shards 2", &[]);
    assert_eq!(done.status, Some(1));
    assert!(done.stderr.contains("sbatch --parsable shards.sbatch: invalid partition"), "{}", done.stderr);
    assert!(!bench.path("results/tiny.shards").exists());
    // The array is taken, the merge is not.
    let bench = with_sbatch("case \"$*\" in --version) ;; *merge*) echo full >&2; exit 1 ;; *) echo '17;here' ;; esac");
    let done = with_variables(&bench, "submit tiny.toml --shards 2", &[]);
    assert_eq!(done.status, Some(1));
    let left =
        "results/tiny.shards && sbatch --parsable --dependency=afterok:17 --kill-on-invalid-dep=yes merge.sbatch: ";
    assert!(done.stderr.contains("array 17 is submitted and its merge is not: cd "), "{}", done.stderr);
    assert!(done.stderr.contains(left), "{}", done.stderr);
    assert!(bench.path("results/tiny.shards/shards.sbatch").exists());
}

#[cfg(unix)]
#[test]
fn a_submission_names_the_limits_that_the_cluster_sets_by_itself() {
    let hint = |more: &str, variables: &[(&str, &str)]| {
        let done = with_variables(&Bench::new(), &format!("submit tiny.toml --dry-run{more}"), variables);
        assert_eq!((done.status, done.stderr.as_str()), (Some(0), ""));
        done.stdout.lines().find(|line| line.starts_with("Left to the cluster: ")).map(str::to_owned)
    };
    let line = |what: &str, flags: &str| Some(format!("Left to the cluster: {what} (--sbatch-args \"{flags}\")."));
    assert_eq!(hint("", &[]), line("time limit and partition", "--time=0:10:00 --partition=NAME"));
    assert_eq!(hint(" --sbatch-args --partition=long", &[]), line("time limit", "--time=0:10:00"));
    assert_eq!(hint("", &[("SBATCH_TIMELIMIT", "5")]), line("partition", "--partition=NAME"));
    assert_eq!(hint(" --sbatch-args -t5 --sbatch-args -plong", &[]), None);
    assert_eq!(hint(" --engine local", &[]), None);
}

#[test]
fn a_dry_submission_shows_its_scripts_even_if_results_are_in_the_way() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --seed 1 --out made");
    let before = bench.files_below("");
    let done = bench.simulate("submit tiny.toml --dry-run --out made");
    assert_eq!(done.status, Some(0));
    assert!(done.stdout.contains("#SBATCH --array=1-1\n"), "{}", done.stdout);
    let refusal = "/made: holds results of another configuration: the master seed is 1 there";
    assert!(
        done.stderr.starts_with("simulate: would be refused: ") && done.stderr.contains(refusal),
        "{}",
        done.stderr
    );
    assert!(bench.files_below("") == before);
    assert_eq!(bench.simulate("submit tiny.toml --engine local --out made").status, Some(2));
}

/// An element of an array of 8 that is submitted again, alone or with another, does not know that there were 8.
#[test]
fn an_element_that_is_submitted_again_writes_nothing_beside_the_shards_of_another_number() {
    let array = |id, count, first, step| {
        [
            ("SLURM_ARRAY_TASK_ID", id),
            ("SLURM_ARRAY_TASK_COUNT", count),
            ("SLURM_ARRAY_TASK_MIN", first),
            ("SLURM_ARRAY_TASK_STEP", step),
        ]
    };
    for out in ["", " --out made"] {
        let bench = Bench::new();
        let run = format!("run {SWEEP}{out}");
        let folder = if out.is_empty() { "results/tiny.shards" } else { "made" };
        assert_eq!(with_variables(&bench, &run, &array("1", "8", "1", "1")).status, Some(0));
        assert!(bench.path(&format!("{folder}/1-of-8/manifest.json")).exists());
        let before = bench.files_below("");
        for (again, what) in [
            (array("3", "1", "3", "1"), "SLURM_ARRAY_TASK_ID=3, SLURM_ARRAY_TASK_COUNT=1 would do all runs"),
            (array("3", "2", "3", "4"), "this is shard 1/2"),
            (array("7", "2", "3", "4"), "this is shard 2/2"),
        ] {
            let done = with_variables(&bench, &run, &again);
            assert_eq!(done.status, Some(2), "{}", done.stderr);
            let line =
                format!("simulate: {folder}/1-of-8: a shard of 8 stands there, and {what}; nothing was written; ");
            assert!(done.stderr.lines().last().is_some_and(|last| last.starts_with(&line)), "{}", done.stderr);
            assert!(bench.files_below("") == before);
        }
        // The shard itself goes on by its name.
        let own = if out.is_empty() { String::new() } else { "/3-of-8".to_owned() };
        let done = with_variables(&bench, &format!("{run}{own} --shard 3/8"), &array("3", "1", "3", "1"));
        assert_eq!(done.status, Some(0), "{}", done.stderr);
        assert!(bench.path(&format!("{folder}/3-of-8/manifest.json")).exists());
        // All runs beside no shards at all: done, and said.
        let done = with_variables(&Bench::new(), &run, &array("3", "1", "3", "1"));
        assert_eq!(done.status, Some(0));
        assert!(done.stderr.contains("the only element, all runs are done"), "{}", done.stderr);
    }
}

#[test]
fn a_job_array_without_an_argument_is_a_set_of_shards_and_says_so() {
    let expected = whole(SWEEP);
    let bench = Bench::new();
    for id in 1..=2 {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_simulate"));
        let command = command.args(format!("run {SWEEP} --out made.shards").split(' ')).current_dir(bench.path(""));
        let command = command.env("SLURM_ARRAY_TASK_ID", id.to_string()).env("SLURM_ARRAY_TASK_COUNT", "2");
        let output = command.output().expect("the program starts");
        assert_eq!(output.status.code(), Some(0));
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        let line = format!("simulate: SLURM_ARRAY_TASK_ID={id}, SLURM_ARRAY_TASK_COUNT=2: shard {id}/2 (");
        assert!(stderr.starts_with(&line), "{stderr}");
    }
    bench.succeeds("merge made.shards --out made");
    assert!(bench.files_below("made") == expected);
}
