//! `simulate submit`: a simulation as a job array with a dependent merge, on Slurm or as processes here.
//!
//! Everything stands in the folder `OUT.shards`: the simulation's text as it was at the submission, two job scripts, the logs, and
//! one folder a shard. A script can be submitted again by hand: shards that are complete are left as they are.

mod local;

use crate::args::{ClusterEngine, RunArguments, SubmitArguments};
use crate::command_line::{self, quoted};
use crate::dry_run;
use crate::failure::Failure;
use crate::folder::check_target;
use crate::load::{Loaded, check_engine, load};
use crate::output;
use crate::probe;
use crate::run::{header, manifest};
use crate::terminal;
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
            // Before anything is written.
            sbatch(Path::new("."), &["--version".to_owned()])?;
            let made = prepare(&plan)?;
            submit(&plan, arguments, made)
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
    match check_target(&out, &header, false) {
        Err(refused) if arguments.dry_run => output::tell(format!("simulate: would be refused: {refused}")),
        checked => _ = checked?,
    }
    let each = dry_run::seconds_for_work(&loaded.points, &run_arguments(arguments));
    let seconds = each * probe::work(&loaded.points) / f64::from(arguments.threads);
    let runs: u64 = loaded.points.iter().map(|point| point.seeds).sum();
    let shards = match arguments.shards {
        Some(shards) => shards,
        None => ((seconds / LEAST_SECONDS) as u64).clamp(1, MOST_CHOSEN.min(runs)),
    };
    Shard::new(1, shards).map_err(|legal| Failure::Usage(format!("--shards {shards}: {legal}")))?;
    let (each, word) = (seconds / shards as f64, if shards == 1 { "shard" } else { "shards" });
    writeln!(output::stdout(), "{name}: {runs} runs in {shards} {word}, each {} of work", terminal::time(each))?;
    if each < LEAST_SECONDS && shards > 1 {
        output::tell(format!(
            "simulate: a shard has less than {LEAST_SECONDS} s of work: most of its time may be the scheduler's; fewer \
             shards, or no --shards, avoid that"
        ));
    }
    if arguments.engine == ClusterEngine::Slurm {
        hint_limits(arguments, each)?;
    }
    let bytes =
        |point: &moe_theory::sim::Point| state_bytes(&point.parameters).saturating_add(noise_bytes(&point.parameters));
    let state = loaded.points.iter().map(bytes).max().unwrap_or(0);
    let program = std::env::current_exe().context("the path of this program")?;
    let mut run = vec!["run".to_owned(), SIMULATION.to_owned()];
    run.extend(["--threads".to_owned(), arguments.threads.to_string()]);
    run.extend(["--engine".to_owned(), arguments.train_engine.word().to_owned()]);
    for word in command_line::asked(&arguments.asked) {
        run.push(utf8(Path::new(&word))?);
    }
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

/// A word, a path as a rule, as a job script can hold it.
fn utf8(path: &Path) -> Result<String, Failure> {
    let text = path.to_str().filter(|text| !text.contains(char::is_control));
    text.map(str::to_owned)
        .ok_or_else(|| Failure::Usage(format!("{:?}: a job script can't hold this", path.display().to_string())))
}

/// Says what the cluster decides by itself if nobody tells it, and what fits: a time limit that is too short ends every shard.
fn hint_limits(arguments: &SubmitArguments, seconds: f64) -> anyhow::Result<()> {
    let given = |flags: [&str; 2], variable: &str| {
        let is_flag = |word: &String| flags.iter().any(|flag| word.starts_with(flag));
        sbatch_arguments(arguments).iter().any(is_flag) || std::env::var_os(variable).is_some()
    };
    // Three times the estimate, in whole minutes and at least 10: an element that starts again goes on.
    let minutes = ((3.0 * seconds / 60.0).ceil().max(10.0)) as u64;
    let limit = format!("--time={}:{:02}:00", minutes / 60, minutes % 60);
    let missing = [
        (given(["--time", "-t"], "SBATCH_TIMELIMIT"), "time limit", limit.as_str()),
        (given(["--partition", "-p"], "SBATCH_PARTITION"), "partition", "--partition=NAME"),
    ];
    let missing: Vec<_> = missing.iter().filter(|(given, ..)| !given).collect();
    if !missing.is_empty() {
        let what: Vec<&str> = missing.iter().map(|(_, what, _)| *what).collect();
        let flags: Vec<&str> = missing.iter().map(|(_, _, flag)| *flag).collect();
        let (what, flags) = (what.join(" and "), flags.join(" "));
        writeln!(output::stdout(), "Left to the cluster: {what} (--sbatch-args \"{flags}\").")?;
    }
    Ok(())
}

/// What `simulate run` would be called with for the whole.
fn run_arguments(arguments: &SubmitArguments) -> RunArguments {
    RunArguments { asked: arguments.asked.clone(), engine: arguments.train_engine, ..RunArguments::default() }
}

fn line(program: &str, words: &[String]) -> String {
    command_line::line(std::iter::once(program).chain(words.iter().map(String::as_str)))
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
    let mut out = output::stdout();
    let folder = quoted(plan.folder.as_os_str());
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

/// Writes the folder of shards, and says whether it was not there. One that is there must be of the same simulation, in as
/// many shards.
fn prepare(plan: &Plan) -> Result<bool, Failure> {
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
    let made = !plan.folder.exists();
    fs::create_dir_all(plan.folder.join(LOGS)).map_err(refused)?;
    files.iter().try_for_each(|(name, text)| fs::write(plan.folder.join(name), text)).map_err(refused)?;
    Ok(made)
}

/// Submits both jobs. A folder that was made for an array that nobody takes goes again.
fn submit(plan: &Plan, arguments: &SubmitArguments, made: bool) -> Result<(), Failure> {
    let array = sbatch(&plan.folder, &array_words(arguments)).and_then(|printed| job_number(&printed));
    let array = array.inspect_err(|_| {
        if made {
            // What can't be removed is in nobody's way.
            let _ = fs::remove_dir_all(&plan.folder);
        }
    })?;
    let words = merge_words(arguments, &array);
    let merge = sbatch(&plan.folder, &words).and_then(|printed| job_number(&printed)).with_context(|| {
        let (folder, again) = (quoted(plan.folder.as_os_str()), line("sbatch", &words));
        format!("array {array} is submitted and its merge is not: cd {folder} && {again}")
    })?;
    let mut out = output::stdout();
    writeln!(
        out,
        "Submitted: array {array} ({} elements), merge {merge}. Logs: {}/{LOGS}",
        plan.shards,
        plan.folder.display()
    )?;
    Ok(())
}

/// Calls sbatch in `folder`; what it printed.
fn sbatch(folder: &Path, words: &[String]) -> anyhow::Result<String> {
    let output = Command::new("sbatch").args(words).current_dir(folder).output();
    let output = output.context(
        "sbatch can't be started, nothing was submitted: is this a Slurm cluster? `--engine local` runs the shards here",
    )?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    anyhow::ensure!(output.status.success(), "{}: {}", line("sbatch", words), text(&output.stderr));
    Ok(text(&output.stdout))
}

/// The number in `JOB` or `JOB;CLUSTER`, which is what `sbatch --parsable` prints.
fn job_number(printed: &str) -> anyhow::Result<String> {
    let job = printed.lines().last().unwrap_or_default().split(';').next().unwrap_or_default();
    anyhow::ensure!(
        !job.is_empty() && job.bytes().all(|byte| byte.is_ascii_digit()),
        "sbatch printed {printed:?} in place of a job's number"
    );
    Ok(job.to_owned())
}
