//! Whatever ends a simulation, finished runs are kept, and `--resume` ends in the bytes of an uninterrupted run.

mod cli_common;

use chacha20::ChaCha8Rng;
use cli_common::{Bench, Done, Files};
use moe_theory::record::RunLines;
use moe_theory::record::journal::Frames;

use rand::{RngExt, SeedableRng};
use std::fs::{self, OpenOptions};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A sweep of 160 runs with every kind of row, in less than a second.
const SWEEP: &str = "run smoke --set training.iterations=120 --set training.batch=[32,48] --seeds 80 --out made";

/// Kills in the suite. The figure in docs/measured is from `MOE_KILLS=200`.
fn kills() -> u64 {
    std::env::var("MOE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12)
}

fn start(bench: &Bench, arguments: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simulate"));
    command.current_dir(bench.path("")).args(arguments.split(' '));
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

/// The finished runs in a journal, in its order; none if there is no journal.
fn finished(bench: &Bench) -> Vec<RunLines> {
    let bytes = fs::read(bench.path("made/.partial/journal")).unwrap_or_default();
    let frames = Frames::new(bytes.as_slice()).skip(1);
    frames.map(|frame| RunLines::from_bytes(&frame.expect("memory").1).expect("a run")).collect()
}

fn wait_for_runs(bench: &Bench, runs: usize) {
    let start = Instant::now();
    while finished(bench).len() < runs {
        assert!(start.elapsed() < Duration::from_secs(60), "no run is finished");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The folder that an uninterrupted run leaves.
fn reference(arguments: &str) -> Files {
    let bench = Bench::new();
    bench.succeeds(arguments);
    bench.files_below("made")
}

/// Waits until the journal has this length or the process has ended.
fn wait_for_bytes(bench: &Bench, child: &mut Child, length: u64) {
    let journal = bench.path("made/.partial/journal");
    let reached = || fs::metadata(&journal).is_ok_and(|metadata| metadata.len() >= length);
    while !reached() && child.try_wait().expect("a process").is_none() {
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Half of the kills come at a random length of the journal, half after a random time, which also hits the start and the
/// moving of the tables.
#[cfg(unix)]
#[test]
#[expect(clippy::print_stdout, reason = "what the kills hit is read by people")]
fn kills_at_random_moments_lose_no_run_and_change_no_byte() {
    let expected = reference(SWEEP);
    let clock = Instant::now();
    let tables = reference(SWEEP);
    let whole = clock.elapsed();
    let csv = tables.iter().filter(|(name, _)| name.extension().is_some_and(|extension| extension == "csv"));
    let bytes: usize = csv.flat_map(|(_, content)| content).map(Vec::len).sum();
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let (mut midway, mut twice) = (0, 0);
    for kill in 0..kills() {
        let bench = Bench::new();
        let threads = random.random_range(1..=3);
        // Every third simulation is killed again while it resumes.
        for round in 0..=u64::from(kill % 3 == 0) {
            let before = finished(&bench);
            let resume = if round == 0 { "" } else { " --resume" };
            let mut child = start(&bench, &format!("{SWEEP} --threads {threads}{resume}"));
            if kill % 2 == 0 {
                wait_for_bytes(&bench, &mut child, random.random_range(0..bytes as u64));
            } else {
                std::thread::sleep(whole.mul_f64(random.random_range(0.0..1.2)));
            }
            child.kill().expect("SIGKILL");
            child.wait().expect("an end");
            let after = finished(&bench);
            // A complete folder has no journal any more.
            if !bench.path("made/manifest.json").exists() {
                assert!(after.starts_with(&before), "kill {kill}: a finished run is gone");
                midway += u64::from((1..160).contains(&after.len()));
                twice += u64::from(round == 1 && after.len() > before.len());
            }
        }
        let kept = finished(&bench).len();
        let complete = bench.path("made/manifest.json").exists();
        let done = bench.simulate(&format!("{SWEEP} --resume"));
        assert_eq!(done.status, Some(0), "kill {kill}: {}", done.stderr);
        if kept > 0 && !complete {
            let resumed = format!("resumed: {kept} of 160 runs were finished");
            assert!(done.stderr.starts_with(&resumed), "kill {kill}: {}", done.stderr);
        }
        assert!(bench.files_below("made") == expected, "kill {kill} with {kept} runs: other bytes");
    }
    let again = kills().div_ceil(3);
    println!(
        "{} kills and {again} of resumed ones: {midway} between the first and the last run, {twice} after a run that was resumed",
        kills()
    );
    assert!(midway >= kills() / 4, "only {midway} kills hit a run in progress");
}

/// Some results are in their place already, the manifest is not, and the journal is still there.
#[cfg(unix)]
#[test]
fn a_kill_while_results_are_moved_into_place_loses_nothing() {
    let expected = reference(SWEEP);
    let bench = Bench::new();
    let mut child = start(&bench, SWEEP);
    wait_for_runs(&bench, 30);
    child.kill().expect("SIGKILL");
    child.wait().expect("an end");
    fs::create_dir(bench.path("made/figures")).expect("a folder");
    for name in ["runs.csv", "claims.csv", "report.html", "figures/norms.svg"] {
        bench.write(&format!("made/{name}"), "moved before the kill\n");
    }
    let refusal = |arguments: &str| {
        let done = bench.simulate(arguments);
        assert_eq!(done.status, Some(2), "{}", done.stderr);
        done.stderr
    };
    assert!(refusal(SWEEP).contains("--resume goes on with them"));
    // What is no result stays in the way.
    bench.write("made/notes.txt", "somebody's");
    assert!(refusal(&format!("{SWEEP} --resume")).contains("the folder holds files but no manifest.json"));
    fs::remove_file(bench.path("made/notes.txt")).expect("the file is there");
    assert_eq!(bench.simulate(&format!("{SWEEP} --resume")).status, Some(0));
    fs::remove_dir_all(bench.path("made/figures")).expect("nothing asked for figures");
    assert!(bench.files_below("made") == expected);
}

/// Seconds differ from run to run: rows that come back with the same ones were not computed again.
#[cfg(unix)]
#[test]
fn nothing_that_is_finished_is_computed_again() {
    let bench = Bench::new();
    let mut child = start(&bench, &format!("{SWEEP} --timings"));
    wait_for_runs(&bench, 30);
    child.kill().expect("SIGKILL");
    child.wait().expect("an end");
    let kept = finished(&bench);
    assert!((30..160).contains(&kept.len()), "{}", kept.len());
    assert_eq!(bench.simulate(&format!("{SWEEP} --timings --resume")).status, Some(0));
    let runs = bench.read("made/runs.csv");
    for lines in kept {
        let row = String::from_utf8(lines.tables[0].clone()).expect("UTF-8");
        assert!(runs.contains(&row), "run {} of point {} was computed again", lines.run, lines.point);
    }
}

#[cfg(unix)]
#[test]
fn a_journal_cut_at_any_byte_resumes_to_the_same_bytes() {
    let run = "run tiny.toml --seeds 8 --set training.batch=[20,24] --set training.iterations=1000 --out made";
    let expected = reference(run);
    let original = Bench::new();
    let mut child = start(&original, &format!("{run} --threads 1"));
    // Runs of both points.
    wait_for_runs(&original, 9);
    child.kill().expect("SIGKILL");
    child.wait().expect("an end");
    let journal = fs::read(original.path("made/.partial/journal")).expect("a journal");
    let mut frames = Frames::new(journal.as_slice());
    let starts: Vec<usize> = frames.by_ref().map(|frame| frame.expect("memory").0 as usize).collect();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let near = starts.iter().flat_map(|&start| [start.saturating_sub(1), start, start + 1]);
    let anywhere: Vec<usize> = (0..12).map(|_| random.random_range(0..journal.len())).collect();
    for cut in near.chain(anywhere) {
        let bench = Bench::new();
        bench.write("made/.partial/journal", &journal[..cut]);
        let whole = starts.iter().filter(|&&start| start > 0 && start <= cut).count().saturating_sub(1);
        let done = bench.simulate(&format!("{run} --resume"));
        assert_eq!(done.status, Some(0), "cut at {cut}: {}", done.stderr);
        if whole > 0 {
            assert!(done.stderr.contains("runs were finished"), "cut at {cut}: {}", done.stderr);
        }
        assert!(bench.files_below("made") == expected, "cut at {cut}");
    }
}

#[cfg(unix)]
#[test]
fn a_damaged_journal_costs_time_and_changes_no_byte() {
    let run = "run tiny.toml --seeds 300 --set training.iterations=300 --out made";
    let expected = reference(run);
    let original = Bench::new();
    let mut child = start(&original, run);
    wait_for_runs(&original, 20);
    child.kill().expect("SIGKILL");
    child.wait().expect("an end");
    let journal = fs::read(original.path("made/.partial/journal")).expect("a journal");
    let first_run = Frames::new(journal.as_slice()).nth(1).expect("a frame").expect("memory").0 as usize;
    let mut random = ChaCha8Rng::seed_from_u64(2);
    for _ in 0..6 {
        let bench = Bench::new();
        let mut damaged = journal.clone();
        damaged[random.random_range(first_run..journal.len())] ^= 1 << random.random_range(0..8);
        bench.write("made/.partial/journal", damaged);
        assert_eq!(bench.simulate(&format!("{run} --resume")).status, Some(0));
        assert!(bench.files_below("made") == expected);
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_and_a_termination_keep_every_finished_run_and_say_so() {
    let expected = reference(SWEEP);
    for (signal, status) in [("-INT", 130), ("-TERM", 143)] {
        let bench = Bench::new();
        let child = start(&bench, &format!("{SWEEP} --threads 1"));
        wait_for_runs(&bench, 20);
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
        assert!(sent.success());
        let output = child.wait_with_output().expect("an end");
        assert_eq!(output.status.code(), Some(status));
        let kept = finished(&bench).len();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let command = format!(
            "{} run smoke --seeds 80 --set training.iterations=120 --set 'training.batch=[32,48]' --out made --threads 1 --resume",
            env!("CARGO_BIN_EXE_simulate")
        );
        let line =
            format!("\nsimulate: interrupted: {kept} of 160 runs are finished and kept; to go on:\n  {command}\n");
        let rest = stderr.strip_prefix(&line).unwrap_or_else(|| panic!("{stderr}"));
        // Who terminates a process waits for its end; who types Ctrl-C reads.
        let so_far =
            rest.starts_with("\nSo far, from ") && rest.contains(" of 160 runs (nothing of this is written):\nclaim ");
        assert!(if signal == "-INT" { so_far } else { rest.is_empty() }, "{stderr}");
        // Whoever forgets --resume loses nothing.
        let before = bench.files_below("made");
        let Done { status, stderr, .. } = bench.simulate(SWEEP);
        assert_eq!(status, Some(2));
        assert!(stderr.contains("holds finished runs of an interrupted simulation; --resume goes on"), "{stderr}");
        assert!(bench.files_below("made") == before);
        // The command that was printed, in a shell; it counts the runs that it has made, and the others apart.
        let done = Command::new("sh").args(["-c", &command]).current_dir(bench.path("")).output().expect("a shell");
        assert!(done.status.success());
        let printed = String::from_utf8_lossy(&done.stdout);
        let counted = printed.lines().find(|line| line.ends_with("Results: made")).unwrap_or_default();
        let (made, before) =
            (format!("{} runs in ", 160 - kept), format!(" s, {kept} were finished before. Results: made"));
        assert!(counted.starts_with(&made) && counted.ends_with(&before), "{printed}");
        assert!(bench.files_below("made") == expected);
    }
}

/// A search that is interrupted says what it has tried, or writes what it has found, and ends as interrupted.
#[cfg(target_os = "linux")]
#[test]
fn an_interrupted_search_says_what_it_has_tried() {
    let bench = Bench::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_simulate"));
    command.current_dir(bench.path("")).args(["falsify", "T1c", "--budget", "600s"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let catches_interrupts = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("a process");
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("a mask");
        u64::from_str_radix(caught.trim(), 16).expect("hexadecimal") & 0b10 != 0
    };
    while !catches_interrupts() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill").success());
    let output = child.wait_with_output().expect("an end");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(130), "{stdout}{stderr}");
    assert!(stdout.contains("candidate") || bench.path("falsify-T1c.toml").exists(), "{stdout}");
    assert!(stderr.ends_with("simulate: interrupted: the search was shorter than its budget\n"), "{stderr}");
}

/// Analyses of every kind are asked for verdicts before they have a run at every point.
#[cfg(unix)]
#[test]
fn every_kind_of_simulation_can_be_interrupted_and_says_what_it_has() {
    for simulation in ["theorem1", "controls", "phase-travel", "boundary", "certificates", "upstream", "tension"] {
        let bench = Bench::new();
        let mut child = start(&bench, &format!("run {simulation} --out made"));
        let before = Instant::now();
        while finished(&bench).len() < 5 && before.elapsed() < Duration::from_secs(60) {
            assert!(child.try_wait().expect("a process").is_none(), "{simulation} has ended");
            std::thread::sleep(Duration::from_millis(5));
        }
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
        let output = child.wait_with_output().expect("an end");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{simulation}: {stderr}");
        assert!(stderr.contains(&format!(" run {simulation} --out made --resume\n")), "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}

#[cfg(unix)]
#[test]
fn a_second_process_on_one_folder_is_refused_and_the_first_is_not_disturbed() {
    let expected = reference(SWEEP);
    let bench = Bench::new();
    let child = start(&bench, &format!("{SWEEP} --threads 1"));
    wait_for_runs(&bench, 1);
    for arguments in [SWEEP.to_owned(), format!("{SWEEP} --resume")] {
        let Done { status, stdout, stderr } = bench.simulate(&arguments);
        assert_eq!((status, stdout.as_str()), (Some(2), ""), "{stderr}");
        let expected =
            format!("simulate: made: another process (process {}) is writing there; nothing was written\n", child.id());
        assert_eq!(stderr, expected);
    }
    assert!(child.wait_with_output().expect("an end").status.success());
    assert!(bench.files_below("made") == expected);
}

#[cfg(unix)]
#[test]
fn a_resume_is_refused_for_another_configuration_and_names_the_difference() {
    let bench = Bench::new();
    let mut child = start(&bench, SWEEP);
    wait_for_runs(&bench, 3);
    child.kill().expect("SIGKILL");
    child.wait().expect("an end");
    let before = bench.files_below("made");
    for (more, difference) in [
        ("--seed 1", "the master seed is 0 there and 1 here"),
        ("--engine dense", "the engine is auto there and dense here"),
        ("--set training.router_rate=0.3", "training.router_rate at point 0 is 0.2 there and 0.3 here"),
        ("--shard 1/2", "the shard is none there and 1/2 here"),
        ("--timings", "--timings is off there and on here"),
        ("--until-decided", "the sequential block is none there and 25 here"),
    ] {
        let done = bench.simulate(&format!("{SWEEP} --resume {more}"));
        let line = format!("simulate: made: holds finished runs of another configuration: {difference}; ");
        assert_eq!(done.status, Some(2));
        assert!(done.stderr.starts_with(&line), "{}", done.stderr);
        assert!(bench.files_below("made") == before, "{more}");
    }
    // The header of the journal of another version.
    let journal = fs::read(bench.path("made/.partial/journal")).expect("a journal");
    let (_, header) = Frames::new(journal.as_slice()).next().expect("a header").expect("memory");
    let version = format!("\"version\":\"{}\"", env!("CARGO_PKG_VERSION"));
    let other = String::from_utf8(header).expect("JSON").replace(&version, "\"version\":\"0.0.1\"");
    bench.write("made/.partial/journal", moe_theory::record::journal::frame(other.as_bytes()).expect("short"));
    let run = moe_theory::record::journal::frame(b"anything").expect("short");
    let file = OpenOptions::new().append(true).open(bench.path("made/.partial/journal"));
    std::io::Write::write_all(&mut file.expect("a file"), &run).expect("written");
    let done = bench.simulate(&format!("{SWEEP} --resume"));
    assert_eq!(done.status, Some(2));
    assert!(done.stderr.contains("another configuration: the program is version 0.0.1"), "{}", done.stderr);
}

#[test]
fn a_complete_folder_has_nothing_to_resume() {
    let bench = Bench::new();
    let run = "run tiny.toml --out made";
    bench.succeeds(&format!("{run} --resume"));
    let before = bench.files_below("made");
    let printed = bench.succeeds(&format!("{run} --resume"));
    assert!(printed.contains("Nothing to resume: made is complete.") && printed.contains("T0 "), "{printed}");
    assert!(bench.files_below("made") == before);
    assert_eq!(bench.simulate(&format!("{run} --resume --seed 1")).status, Some(2));
    // A verdict that is not the expected one is found without computing.
    bench.write("other.toml", cli_common::TINY.replace("id = \"T0\"", "id = \"T0\"\nexpect = \"REFUTED\""));
    assert_eq!(bench.simulate("run other.toml --out other --check").status, Some(3));
    assert_eq!(bench.simulate("run other.toml --out other --check --resume").status, Some(3));
    bench.write("made/experts.csv", "broken");
    let done = bench.simulate(&format!("{run} --resume"));
    assert_eq!(done.status, Some(2));
    assert!(done.stderr.contains("made/experts.csv: changed since the run"), "{}", done.stderr);
}

#[cfg(unix)]
#[test]
fn a_sequential_simulation_resumes_too() {
    let run = "run smoke --until-decided --set training.iterations=2000 --out made";
    let expected = reference(run);
    let bench = Bench::new();
    let mut child = start(&bench, &format!("{run} --threads 1"));
    wait_for_runs(&bench, 30);
    child.kill().expect("SIGKILL");
    child.wait().expect("an end");
    assert_eq!(bench.simulate(&format!("{run} --resume --threads 2")).status, Some(0));
    assert!(bench.files_below("made") == expected);
}
