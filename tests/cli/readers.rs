//! Readers who go away: what a command does, and its exit status, are the same without them.

use crate::cli_common::{Bench, Files, TINY};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::pipe;
use std::process::{Command, Stdio};

/// Every command that prints, and its exit status with a reader.
const COMMANDS: [(&str, i32); 34] = [
    ("run tiny.toml --out new", 0),
    ("run expecting.toml --check --out new", 3),
    ("run expecting.toml --check --quiet --out new", 3),
    ("run tiny.toml --shard 1/2 --out new", 0),
    ("run tiny.toml --until-decided --out new", 0),
    ("run tiny.toml --resume --out made", 0),
    ("run tiny.toml --dry-run", 0),
    ("run none.toml", 2),
    ("judge made", 0),
    ("judge changed", 1),
    ("judge none", 2),
    ("verify made --sample 1 --seed 1", 0),
    ("verify changed --sample 1 --seed 1", 1),
    ("check tiny.toml", 0),
    ("check none.toml", 2),
    ("report made", 0),
    ("report foreign", 2),
    ("criteria made --no-cost", 0),
    ("systems made", 0),
    ("merge shards --check --out new", 3),
    ("submit expecting.toml --engine local --shards 2 --check --out new", 3),
    ("submit tiny.toml --shards 2 --dry-run", 0),
    ("trace tiny.toml --out new.safetensors", 0),
    ("certify model.safetensors --check", 3),
    ("falsify T1c --within frozen.toml --budget 1s", 0),
    ("inspect mixtral/finetuned", 0),
    ("rank mixtral/pretrained mixtral/finetuned", 0),
    ("prune mixtral/pretrained mixtral/finetuned --keep 6/8 --out new", 0),
    ("prune mixtral/pretrained mixtral/finetuned --keep 9/8 --out new", 2),
    ("list", 0),
    ("explain T2a", 0),
    ("explain nosuch", 2),
    ("man", 0),
    ("completions bash", 0),
];

/// A bench with whatever the commands read.
fn bench() -> Bench {
    let bench = Bench::new();
    let expecting = TINY.replacen("id = \"T0\"", "id = \"T0\"\nexpect = \"REFUTED\"", 1);
    bench.write("expecting.toml", &expecting);
    // Nothing meets the assumptions where no router moves, so that nothing is found.
    bench.write("frozen.toml", "[training]\nrouter_rate = 0.0\niterations = 20\n[evaluation]\nsamples = 50\n");
    bench.succeeds("run tiny.toml --quiet --out made");
    bench.succeeds("run tiny.toml --quiet --out foreign");
    bench.write("foreign/runs.csv", bench.read("foreign/runs.csv").replacen("finished", "Finished", 1));
    changed(&bench);
    for index in 1..=2 {
        bench.succeeds(&format!("run expecting.toml --quiet --shard {index}/2 --out shards/{index}"));
    }
    bench.succeeds("trace tiny.toml --set training.iterations=1 --out model.safetensors");
    for checkpoint in ["pretrained", "finetuned"] {
        for file in ["config.json", "model.safetensors"] {
            let stored = format!("{}/tests/data/checkpoints/mixtral/{checkpoint}/{file}", env!("CARGO_MANIFEST_DIR"));
            bench.write(&format!("mixtral/{checkpoint}/{file}"), std::fs::read(stored).expect("a checkpoint"));
        }
    }
    bench
}

/// Another bench with the same files.
fn copy(files: &Files) -> Bench {
    let bench = Bench::new();
    for (path, bytes) in files {
        match bytes {
            Some(bytes) => bench.write(&path.to_string_lossy(), bytes),
            None => std::fs::create_dir_all(bench.path(&path.to_string_lossy())).expect("a folder"),
        }
    }
    bench
}

/// A folder whose tables give other findings than stand there.
fn changed(bench: &Bench) {
    bench.succeeds("run tiny.toml --quiet --out changed");
    bench.succeeds("run tiny.toml --quiet --set training.router_rate=0.0 --out frozen");
    let (own, frozen) = (bench.read("changed/experts.csv"), bench.read("frozen/experts.csv"));
    bench.write("changed/experts.csv", &frozen);
    let hash = moe_theory::record::manifest::sha256;
    bench.tamper("changed/manifest.json", &hash(own.as_bytes()), &hash(frozen.as_bytes()));
}

/// Who reads what a command prints.
#[derive(Clone, Copy, Debug)]
enum Reader {
    /// Everybody.
    Both,
    /// Nobody reads stdout: its pipe has no other end when the command starts.
    NoStdout,
    /// Nobody reads stderr.
    NoStderr,
    Nobody,
}

/// What a command leaves: its exit status and the files, but for logs, which name times, and batch scripts, which name the
/// folder.
fn left(bench: &Bench, arguments: &str, reader: Reader) -> (Option<i32>, Files) {
    let gone = || {
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        Stdio::from(writer)
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_simulate"));
    command.args(arguments.split(' ')).current_dir(bench.path("")).stdin(Stdio::null());
    command.stdout(if matches!(reader, Reader::NoStdout | Reader::Nobody) { gone() } else { Stdio::null() });
    command.stderr(if matches!(reader, Reader::NoStderr | Reader::Nobody) { gone() } else { Stdio::null() });
    let status = command.status().expect("the program starts").code();
    (status, files(bench))
}

fn files(bench: &Bench) -> Files {
    let mut files = bench.files_below("");
    files.retain(|path, _| path.extension().is_none_or(|extension| extension != "log" && extension != "sbatch"));
    files
}

#[test]
fn no_command_is_left_out() {
    let help = Bench::new().succeeds("--help");
    let (_, commands) = help.split_once("\nCommands:\n").expect("a list of commands");
    // A command stands two columns from the left, what it does further on.
    let lines = commands.lines().take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    let names = lines.filter_map(|line| line.split_whitespace().next()).filter(|&name| name != "help");
    let tried = COMMANDS.iter().filter_map(|(arguments, _)| arguments.split(' ').next());
    assert_eq!(tried.collect::<BTreeSet<_>>(), names.collect());
}

#[cfg(unix)]
#[test]
fn a_command_does_the_same_whoever_reads_it() {
    let prepared = bench().files_below("");
    for (arguments, status) in COMMANDS {
        let expected = left(&copy(&prepared), arguments, Reader::Both);
        assert_eq!(expected.0, Some(status), "{arguments}");
        for reader in [Reader::NoStdout, Reader::NoStderr, Reader::Nobody] {
            let found = left(&copy(&prepared), arguments, reader);
            assert_eq!(found.0, Some(status), "{arguments}: {reader:?}");
            assert!(found.1 == expected.1, "{arguments}: {reader:?}: other files");
        }
    }
}

/// A reader as people have it: `simulate … | head -1`. The shell keeps the exit status of what stands before the pipe.
#[cfg(unix)]
#[test]
fn a_pipe_into_head_keeps_the_exit_status() {
    let bench = bench();
    for (number, (arguments, status)) in COMMANDS.into_iter().chain([("--help", 0), ("run --help", 0)]).enumerate() {
        let arguments = arguments.replace(" new", &format!(" new{number}"));
        let program = env!("CARGO_BIN_EXE_simulate");
        let line = format!("{{ '{program}' {arguments} 2>/dev/null; echo $? >status; }} | head -1");
        let done = Command::new("sh").args(["-c", &line]).current_dir(bench.path("")).output().expect("a shell");
        assert!(done.status.success());
        assert_eq!(bench.read("status").trim(), status.to_string(), "{arguments}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_below_the_output_loses_no_result_and_is_told() {
    let bench = bench();
    let expected = left(&copy(&bench.files_below("")), COMMANDS[0].0, Reader::Both).1;
    let run = |arguments: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_simulate"));
        command.args(arguments.split(' ')).current_dir(bench.path(""));
        command.stdout(File::options().write(true).open("/dev/full").expect("a full disk"));
        let output = command.output().expect("the program starts");
        (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    let lost = "simulate: stdout: No space left on device (os error 28): what was printed is lost, all else is done\n";
    assert_eq!(run(COMMANDS[0].0), (Some(1), lost.to_owned()));
    assert!(files(&bench) == expected);
    assert_eq!(run("list"), (Some(1), lost.to_owned()));
    // A failure of the work itself is told in its place.
    assert_eq!(run("run expecting.toml --check --out other").0, Some(3));
    assert!(bench.path("other/claims.csv").exists());
}
