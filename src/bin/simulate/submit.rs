//! `simulate submit`: a simulation as a job array with a dependent merge, on Slurm or as processes here.
//!
//! Everything stands in the folder `OUT.shards`: the simulation's text as it was at the submission, two job scripts, the logs, and
//! one folder a shard. A script can be submitted again by hand: shards that are complete are left as they are.

mod local;

use crate::args::{ClusterEngine, RunArguments, SubmitArguments};
use crate::dry_run;
use crate::failure::Failure;
use crate::folder::check_target;
use crate::load::{Loaded, check_engine, load};
use crate::run::{header, manifest};
use anyhow::Context;
use moe_theory::record::Shard;
use moe_theory::sim::consistency::{noise_bytes, state_bytes};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Seconds of work that an element of the array has at least, unless the number of shards is given.
const LEAST_SECONDS: f64 = 30.0;

/// Most shards that are chosen here: Slurm's arrays have 1,001 elements unless its administrator allows more.
const MOST_CHOSEN: u64 = 1000;

/// Names of the files in the folder of shards.
const SIMULATION: &str = "simulation.toml";
const ARRAY_SCRIPT: &str = "shards.sbatch";
const MERGE_SCRIPT: &str = "merge.sbatch";
const LOGS: &str = "logs";

/// What is to be submitted.
struct Plan {
    name: String,
    /// The simulation file's text.
    text: String,
    shards: u64,
    threads: u16,
    /// Mebibytes of an element.
    memory: u64,
    /// Arguments of `simulate run`, without those of the shard.
    run: Vec<String>,
    /// Arguments of `simulate merge`.
    merge: Vec<String>,
    program: String,
    folder: PathBuf,
}

/// Writes the array and submits it, or runs it here.
pub fn command(arguments: &SubmitArguments) -> Result<(), Failure> {
    let loaded = load(&arguments.sim, &arguments.asked.set, arguments.asked.seeds)?;
    check_engine(arguments.train_engine, &loaded.points)?;
    let plan = plan(&loaded, arguments)?;
    match arguments.engine {
        _ if arguments.dry_run => show(&plan, arguments),
        ClusterEngine::Slurm => {
            prepare(&plan)?;
            submit(&plan, arguments)
        }
        ClusterEngine::Local => {
            prepare(&plan)?;
            local::run(&plan, arguments)
        }
    }
}

fn plan(loaded: &Loaded, arguments: &SubmitArguments) -> Result<Plan, Failure> {
    let name = &loaded.simulation.name;
    let out = arguments.out.clone().unwrap_or_else(|| Path::new("results").join(name));
    let out = std::path::absolute(&out).map_err(|error| Failure::Usage(format!("{}: {error}", out.display())))?;
    let folder = folder_of(&out)?;
    // What the merge would refuse in the end is refused now.
    let header = header(manifest(loaded, &run_arguments(arguments), None), arguments.asked.timings)?;
    check_target(&out, &header, false)?;
    let seconds = dry_run::probe(&loaded.points, &run_arguments(arguments)) / f64::from(arguments.threads);
    let runs: u64 = loaded.points.iter().map(|point| point.seeds).sum();
    let shards = match arguments.shards {
        Some(shards) => shards,
        None => ((seconds / LEAST_SECONDS) as u64).clamp(1, MOST_CHOSEN.min(runs)),
    };
    Shard::new(1, shards).map_err(|legal| Failure::Usage(format!("--shards {shards}: {legal}")))?;
    let (each, word) = (seconds / shards as f64, if shards == 1 { "shard" } else { "shards" });
    writeln!(std::io::stdout(), "{name}: {runs} runs in {shards} {word} of about {each:.0} s of work")?;
    if each < LEAST_SECONDS && shards > 1 {
        // A closed stderr leaves nobody to tell.
        let _ = writeln!(
            std::io::stderr(),
            "simulate: a shard has less than {LEAST_SECONDS} s of work: most of its time may be the scheduler's; fewer shards, or no \
             --shards, avoid that"
        );
    }
    let bytes =
        |point: &moe_theory::sim::Point| state_bytes(&point.parameters).saturating_add(noise_bytes(&point.parameters));
    let state = loaded.points.iter().map(bytes).max().unwrap_or(0);
    let program = std::env::current_exe().context("the path of this program")?;
    let mut run = vec!["run".to_owned(), SIMULATION.to_owned()];
    run.extend([
        "--seed".to_owned(),
        arguments.asked.seed.to_string(),
        "--threads".to_owned(),
        arguments.threads.to_string(),
    ]);
    run.extend(["--engine".to_owned(), arguments.train_engine.word().to_owned()]);
    run.extend(arguments.asked.seeds.iter().flat_map(|seeds| ["--seeds".to_owned(), seeds.to_string()]));
    run.extend(arguments.asked.set.iter().flat_map(|set| ["--set".to_owned(), set.clone()]));
    run.extend(arguments.asked.timings.then(|| "--timings".to_owned()));
    run.push("--resume".to_owned());
    let mut merge = vec!["merge".to_owned(), ".".to_owned(), "--out".to_owned(), utf8(&out)?];
    merge.extend(arguments.check.then(|| "--check".to_owned()));
    Ok(Plan {
        name: name.clone(),
        text: loaded.text.clone(),
        shards,
        threads: arguments.threads,
        memory: 256 + (u64::from(arguments.threads).saturating_mul(state) >> 19),
        run,
        merge,
        program: utf8(&program)?,
        folder,
    })
}

/// `OUT.shards` for the result folder `OUT`.
fn folder_of(out: &Path) -> Result<PathBuf, Failure> {
    let name = out.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::Usage(format!("{}: not the name of a folder", out.display())))?;
    Ok(out.with_file_name(format!("{name}.shards")))
}

/// A path as a job script can hold it.
fn utf8(path: &Path) -> Result<String, Failure> {
    let text = path.to_str().filter(|text| !text.contains(char::is_control));
    text.map(str::to_owned)
        .ok_or_else(|| Failure::Usage(format!("{}: a job script can't hold this path", path.display())))
}

/// What `simulate run` would be called with for the whole.
fn run_arguments(arguments: &SubmitArguments) -> RunArguments {
    RunArguments { asked: arguments.asked.clone(), engine: arguments.train_engine, ..RunArguments::default() }
}

/// A word that a shell takes as it is.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '=' | ',' | ':' | '+');
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn line(program: &str, words: &[String]) -> String {
    let words: Vec<String> = std::iter::once(program).chain(words.iter().map(String::as_str)).map(quoted).collect();
    words.join(" ")
}

impl Plan {
    /// One element runs its shard. It may be killed and started again: the journal keeps what is finished.
    fn array_script(&self) -> String {
        let Plan { name, shards, threads, memory, .. } = self;
        let run = line(&self.program, &self.run);
        format!(
            "#!/bin/sh\n#SBATCH --job-name={name}\n#SBATCH --array=1-{shards}\n#SBATCH --ntasks=1\n#SBATCH --cpus-per-task={threads}\n\
             #SBATCH --mem={memory}M\n#SBATCH --requeue\n#SBATCH --open-mode=append\n#SBATCH --output={LOGS}/%a.log\n\
             exec {run} --shard \"$SLURM_ARRAY_TASK_ID/{shards}\" --out \"$SLURM_ARRAY_TASK_ID-of-{shards}\"\n"
        )
    }

    fn merge_script(&self) -> String {
        let merge = line(&self.program, &self.merge);
        format!(
            "#!/bin/sh\n#SBATCH --job-name={}-merge\n#SBATCH --ntasks=1\n#SBATCH --cpus-per-task=1\n#SBATCH --mem=512M\n\
             #SBATCH --requeue\n#SBATCH --open-mode=append\n#SBATCH --output={LOGS}/merge.log\nexec {merge}\n",
            self.name
        )
    }

    /// The arguments of shard `index`, for an engine that knows it.
    fn shard_arguments(&self, index: u64) -> Vec<String> {
        let mut words = self.run.clone();
        words.extend(["--shard".to_owned(), format!("{index}/{}", self.shards)]);
        words.extend(["--out".to_owned(), format!("{index}-of-{}", self.shards)]);
        words
    }
}

/// The words of `--sbatch-args`.
fn sbatch_arguments(arguments: &SubmitArguments) -> Vec<String> {
    arguments.sbatch_args.iter().flat_map(|text| text.split_whitespace()).map(str::to_owned).collect()
}

fn array_words(arguments: &SubmitArguments) -> Vec<String> {
    let mut words = vec!["--parsable".to_owned()];
    words.extend(sbatch_arguments(arguments));
    words.push(ARRAY_SCRIPT.to_owned());
    words
}

fn merge_words(arguments: &SubmitArguments, array: &str) -> Vec<String> {
    let mut words = vec!["--parsable".to_owned(), format!("--dependency=afterok:{array}")];
    words.push("--kill-on-invalid-dep=yes".to_owned());
    words.extend(sbatch_arguments(arguments));
    words.push(MERGE_SCRIPT.to_owned());
    words
}

/// Prints what would be done.
fn show(plan: &Plan, arguments: &SubmitArguments) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    let folder = quoted(&utf8(&plan.folder)?);
    match arguments.engine {
        ClusterEngine::Slurm => {
            writeln!(out, "\n# {folder}/{ARRAY_SCRIPT}\n{}", plan.array_script())?;
            writeln!(out, "# {folder}/{MERGE_SCRIPT}\n{}", plan.merge_script())?;
            writeln!(out, "cd {folder}\n{}", line("sbatch", &array_words(arguments)))?;
            let merge = line("sbatch", &merge_words(arguments, "JOB"));
            writeln!(out, "{merge}   # JOB: what the first sbatch printed")?;
        }
        ClusterEngine::Local => {
            writeln!(out, "\ncd {folder}")?;
            for index in 1..=plan.shards {
                writeln!(out, "{}", line(&plan.program, &plan.shard_arguments(index)))?;
            }
            writeln!(out, "{}", line(&plan.program, &plan.merge))?;
        }
    }
    Ok(())
}

/// Writes the folder of shards. One that is there must be of the same simulation, in as many shards.
fn prepare(plan: &Plan) -> Result<(), Failure> {
    let shown = plan.folder.display();
    let files =
        [(SIMULATION, plan.text.clone()), (ARRAY_SCRIPT, plan.array_script()), (MERGE_SCRIPT, plan.merge_script())];
    for (name, text) in &files {
        let path = plan.folder.join(name);
        if path.exists() && fs::read(&path).ok().as_deref() != Some(text.as_bytes()) {
            return Err(Failure::Usage(format!(
                "{}: of another submission; nothing was written; give another folder with --out, or remove {shown}",
                path.display()
            )));
        }
    }
    let refused = |error: std::io::Error| Failure::Usage(format!("{shown}: {error}; nothing was written"));
    fs::create_dir_all(plan.folder.join(LOGS)).map_err(refused)?;
    files.iter().try_for_each(|(name, text)| fs::write(plan.folder.join(name), text)).map_err(refused)
}

/// Submits both jobs.
fn submit(plan: &Plan, arguments: &SubmitArguments) -> Result<(), Failure> {
    let array = sbatch(plan, &array_words(arguments))?;
    let merge = sbatch(plan, &merge_words(arguments, &array))?;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "Submitted: array {array} ({} elements), merge {merge}. Logs: {}/{LOGS}",
        plan.shards,
        plan.folder.display()
    )?;
    Ok(())
}

/// Submits one script; the job's number.
fn sbatch(plan: &Plan, words: &[String]) -> Result<String, Failure> {
    let output = Command::new("sbatch").args(words).current_dir(&plan.folder).output();
    let output =
        output.context("sbatch can't be started: is this a Slurm cluster? `--engine local` runs the shards here")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if !output.status.success() {
        return Err(anyhow::anyhow!("{}: {}", line("sbatch", words), text(&output.stderr)).into());
    }
    // "JOB" or "JOB;CLUSTER".
    let printed = text(&output.stdout);
    let job = printed.lines().last().unwrap_or_default().split(';').next().unwrap_or_default();
    if job.is_empty() || !job.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(anyhow::anyhow!("{}: printed {printed:?} in place of a job's number", line("sbatch", words)).into());
    }
    Ok(job.to_owned())
}
