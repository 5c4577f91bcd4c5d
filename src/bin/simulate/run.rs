//! `simulate run`.

use crate::args::RunArguments;
use crate::collector::{Collector, Finished};
use crate::dry_run;
use crate::failure::Failure;
use crate::folder::{self, Draft, Found, PAGE};
use crate::interrupt::{Interrupts, SoFar, Watched};
use crate::journal::{Journal, Opened};
use crate::judge;
use crate::load::{Loaded, check_engine, load};
use crate::output;
use crate::progress::{Amount, Progress};
use crate::report;
use crate::threads::Threads;
use crate::{command_line, figures, probe, shard, shortage, space, terminal};
use anyhow::Context;
use moe_theory::claims::Findings;
use moe_theory::claims::judge::{surprises, too_few};
use moe_theory::record::ClaimRow;
use moe_theory::record::design::Design;
use moe_theory::record::journal::JournalHeader;
use moe_theory::record::manifest::{JOURNAL, Manifest, Provenance};
use moe_theory::record::{Headers, RunLines, RunRecord, Shard, Task, tasks};
use moe_theory::report::Labels;
use moe_theory::report::text::{self, Detail};
use moe_theory::run::{run, run_all};
use moe_theory::sim::{Point, Verdict};
use rayon::ThreadPool;
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Seconds that may go into the guess of how long a simulation takes.
const GUESS_SECONDS: f64 = 0.2;

/// Runs each simulation in turn.
pub fn command(arguments: &RunArguments) -> Result<(), Failure> {
    // Everything is checked before the first run starts.
    let chosen = shard::choose(arguments.shard)?;
    check_shard(arguments, chosen.shard)?;
    let resume = resume_command(arguments, &chosen);
    let mut loaded = Vec::new();
    for name in &arguments.sims {
        let simulation = load(name, &arguments.asked.set, arguments.asked.seeds)?;
        check_engine(arguments.engine, &simulation.points)?;
        loaded.push(simulation);
    }
    // The thread that waits for signals reads them too, until the process ends.
    let loaded: &'static [Loaded] = loaded.leak();
    let most = loaded.iter().map(|loaded| own_runs(&loaded.points, chosen.shard)).max().unwrap_or(0);
    let threads = Threads::choose(arguments.threads, most)?;
    if arguments.dry_run {
        let pool = threads.pool()?;
        return loaded.iter().try_for_each(|loaded| pool.install(|| dry_run::show(loaded, arguments, &threads)));
    }
    let mut jobs: Vec<Job> = Vec::new();
    for loaded in loaded {
        let target = target(arguments, &loaded.simulation.name, &chosen);
        chosen.check_siblings(&target)?;
        if jobs.iter().any(|other| other.target == target) {
            return Err(Failure::Usage(format!(
                "{}: two of the simulations would write there (both are named {}); nothing was written",
                target.display(),
                loaded.simulation.name
            )));
        }
        let header = header(manifest(loaded, arguments, chosen.shard), arguments.asked.timings)?;
        let found = folder::check_target(&target, &header, arguments.resume)?;
        jobs.push(Job { loaded, target, header, found });
    }
    let interrupts = Interrupts::listen()?;
    let computing = Computing { pool: threads.pool()?, threads, resume, interrupts };
    let mut drafts = open_all(&jobs, arguments.resume)?;
    let mut differing = Vec::new();
    for job in jobs {
        let findings = match drafts.pop_front().flatten() {
            None => already_complete(&job, arguments)?,
            Some(draft) => simulate(&computing, &job, draft, arguments)?,
        };
        differing.push((job.loaded.simulation.name.as_str(), findings.claims));
    }
    if arguments.check { check(&differing) } else { Ok(()) }
}

/// One simulation and where its results go.
struct Job {
    loaded: &'static Loaded,
    target: PathBuf,
    header: JournalHeader,
    found: Found,
}

/// What all simulations of a command have in common.
struct Computing {
    pool: ThreadPool,
    threads: Threads,
    /// The command that goes on if this one is interrupted.
    resume: String,
    interrupts: Interrupts,
}

/// The command that goes on with the same runs in the same place.
fn resume_command(arguments: &RunArguments, chosen: &shard::Chosen) -> String {
    let program = std::env::args_os().next().unwrap_or_else(|| "simulate".into());
    command_line::resuming(&program, arguments, &chosen.variables)
}

/// Refuses what needs all runs.
fn check_shard(arguments: &RunArguments, shard: Option<Shard>) -> Result<(), Failure> {
    let Some(shard) = shard else { return Ok(()) };
    let flags = [
        (arguments.until_decided, "--until-decided", "looks at the verdicts of all runs"),
        (arguments.check, "--check", "needs the verdicts of all runs; `simulate merge` has it"),
        (arguments.figures.is_some(), "--figures", "needs all runs; `simulate merge` has it"),
    ];
    match flags.iter().find(|(given, ..)| *given) {
        Some((_, flag, why)) => Err(Failure::Usage(format!("{flag} with shard {shard}: {why}"))),
        None => Ok(()),
    }
}

/// A draft for every job, before the first one starts; none where the results are complete.
fn open_all(jobs: &[Job], resume: bool) -> Result<VecDeque<Option<Draft>>, Failure> {
    let mut drafts = VecDeque::new();
    for job in jobs {
        let opened = match job.found {
            Found::Complete => Ok(None),
            _ => Draft::open(&job.target).and_then(|draft| {
                // Another process may have written there between the check and the lock.
                match folder::check_content(&job.target, &job.header, resume) {
                    Ok(found) if found == job.found => Ok(Some(draft)),
                    Ok(_) => {
                        let shown = job.target.display();
                        draft.abandon();
                        Err(Failure::Usage(format!("{shown}: another process has just written there; try again")))
                    }
                    Err(failure) => {
                        draft.abandon();
                        Err(failure)
                    }
                }
            }),
        };
        match opened {
            Ok(draft) => drafts.push_back(draft),
            Err(failure) => {
                drafts.into_iter().flatten().for_each(Draft::abandon);
                return Err(failure);
            }
        }
    }
    Ok(drafts)
}

/// Refuses verdicts, by simulation, that are not the expected ones: first those of other words, then those that too few
/// runs leave open.
pub fn check(verdicts: &[(&str, Vec<ClaimRow>)]) -> Result<(), Failure> {
    let (mut differing, mut open) = (Vec::new(), Vec::new());
    for (simulation, rows) in verdicts {
        let name = |row: &ClaimRow| {
            let case = if row.case.is_empty() { String::new() } else { format!(" case {}", row.case) };
            format!("{simulation}{case} {}", row.claim)
        };
        let in_words = |row: &ClaimRow| {
            let expected = row.expected.map(Verdict::name).unwrap_or_default();
            format!("{}: {} in place of {expected}", name(row), row.verdict)
        };
        differing.extend(surprises(rows).into_iter().map(in_words));
        open.extend(too_few(rows).into_iter().map(name));
    }
    let parts = [("not as expected", differing.join("; ")), ("too few runs to decide", open.join(", "))];
    let parts = parts.into_iter().filter(|(_, names)| !names.is_empty());
    let message = parts.map(|(what, names)| format!("{what}: {names}")).collect::<Vec<_>>().join("; ");
    if message.is_empty() { Ok(()) } else { Err(Failure::Check(message)) }
}

/// The result folder. The shards of one simulation never share one, unless somebody asks for it.
fn target(arguments: &RunArguments, name: &str, chosen: &shard::Chosen) -> PathBuf {
    let whole = match &arguments.out {
        None => match chosen.shard {
            None => return Path::new("results").join(name),
            Some(shard) => return Path::new("results").join(format!("{name}.shards")).join(shard::folder_name(shard)),
        },
        Some(dir) if arguments.sims.len() == 1 => dir.clone(),
        Some(dir) => dir.join(name),
    };
    match chosen.shard {
        Some(shard) if !chosen.variables.is_empty() => whole.join(shard::folder_name(shard)),
        _ => whole,
    }
}

/// The manifest as it is before the first run.
pub fn manifest(loaded: &Loaded, arguments: &RunArguments, shard: Option<Shard>) -> Manifest {
    let provenance = Provenance {
        text: loaded.text.clone(),
        overrides: arguments.asked.set.clone(),
        engine: arguments.engine.word().to_owned(),
        master_seed: arguments.asked.seed,
        seeds_given: arguments.asked.seeds,
        revision: env!("GIT_REVISION").to_owned(),
        design: arguments.design(),
        shard,
    };
    Manifest::new(&loaded.simulation, &loaded.points, &provenance)
}

/// What the journal of a simulation starts with.
pub fn header(manifest: Manifest, timings: bool) -> Result<JournalHeader, Failure> {
    let columns = Headers::new(&manifest.swept).columns.to_vec();
    Ok(JournalHeader { journal: JOURNAL, manifest, timings, columns })
}

/// Trains, judges and writes one simulation, or a shard of it; returns what came out.
fn simulate(computing: &Computing, job: &Job, draft: Draft, arguments: &RunArguments) -> Result<Findings, Failure> {
    let Loaded { simulation, points, .. } = job.loaded;
    let mut manifest = job.header.manifest.clone();
    let (design, shard) = (manifest.design(), manifest.shard);
    if !arguments.quiet {
        announce(job.loaded, shard, design)?;
    }
    let start = Instant::now();
    // Thresholds, seeds and the hash of the claims are on disk before the first run starts.
    draft.register(&manifest)?;
    let headers = Headers::new(&manifest.swept);
    space::warn(draft.path(), space::estimated_bytes(points, &headers, shard));
    let total = own_runs(points, shard);
    let (journal, opened) = Journal::open(draft.path(), &job.header, points)?;
    let journal = Arc::new(journal);
    let mut collector = Collector::new(draft, &headers, &manifest, simulation, points)?;
    let so_far = (!arguments.quiet).then(|| Box::new(collector.so_far()) as SoFar);
    let (own, resume) = (Arc::clone(&journal), computing.resume.clone());
    computing.interrupts.watch(Watched { journal: own, runs: total, resume, so_far, labels: Labels::of(points) });
    let planned = planned(points, shard, &journal);
    if !arguments.quiet {
        tell_resumed(opened, total);
        tell_time(points, planned, computing, arguments)?;
    }
    let mut progress = Progress::new(opened.runs, planned, Labels::of(points), arguments.quiet);
    let mut open: BTreeSet<usize> = points.iter().map(|point| point.index).collect();
    let kept = || kept(&job.target, &computing.resume);
    for mut list in tasks(points, design, shard) {
        list.retain(|(point, _)| open.contains(point));
        let compute = |&task: &Task| do_run(task, points, &journal, &headers, arguments);
        let work = |&(point, _): &Task| points[point].parameters.work();
        run_all(&computing.pool, &list, work, compute, |done: anyhow::Result<Done>| -> anyhow::Result<()> {
            let Done { record, lines, is_new } = done?;
            collector.add(&record, &lines)?;
            if is_new {
                progress.advance(&points[lines.point]);
            }
            Ok(())
        })
        .with_context(kept)?;
        open = collector.open_points(points, design);
    }
    let made = progress.finish();
    let finished = collector.finish(&mut manifest, arguments.figures).with_context(kept)?;
    computing.interrupts.rest();
    if !arguments.quiet {
        let counted = Counted { made, finished_before: opened.runs, seconds: start.elapsed().as_secs_f64() };
        let shown = Shown { labels: Labels::of(points), detail: detail(arguments.verbose) };
        conclude(&finished, shard, &job.target, &counted, &shown)?;
    }
    Ok(finished.findings)
}

/// The runs of a simulation, or of a shard of it, that are still to be made.
fn planned(points: &[Point], shard: Option<Shard>, journal: &Journal) -> Amount {
    let mut before = Amount::default();
    journal.finished_before().for_each(|(point, _)| before.add(&points[point]));
    let share = shard.map_or(1.0, |shard| 1.0 / shard.count as f64);
    Amount {
        runs: own_runs(points, shard).saturating_sub(before.runs),
        work: (probe::work(points) * share - before.work).max(0.0),
    }
}

/// Says how long the planned runs take, from a measurement that costs almost nothing.
fn tell_time(points: &[Point], planned: Amount, computing: &Computing, arguments: &RunArguments) -> anyhow::Result<()> {
    let Some(least) = points.iter().min_by(|a, b| a.parameters.work().total_cmp(&b.parameters.work())) else {
        return Ok(());
    };
    let (engine, seed) = (arguments.engine, arguments.asked.seed);
    let probed = std::slice::from_ref(least);
    let each = computing.pool.install(|| probe::seconds_for_work(probed, engine, seed, GUESS_SECONDS));
    let threads = computing.threads.number;
    let word = if threads == 1 { "thread" } else { "threads" };
    let mut out = output::stdout();
    writeln!(out, "it takes {} on {threads} {word}", terminal::time(planned.work * each / threads as f64))?;
    computing.threads.fewer.iter().try_for_each(|line| writeln!(out, "({line})"))?;
    writeln!(out)?;
    Ok(())
}

/// What is added to an error that stops a simulation half way: a disk that is full, as a rule.
fn kept(target: &Path, resume: &str) -> String {
    format!("{}: stopped; finished runs are kept, `{resume}` goes on", target.display())
}

/// A finished run, and whether this process has made it.
struct Done {
    record: RunRecord,
    lines: RunLines,
    is_new: bool,
}

/// One run: from the journal if it was finished before, else computed and added to it.
fn do_run(
    task: Task,
    points: &[Point],
    journal: &Journal,
    headers: &Headers,
    arguments: &RunArguments,
) -> anyhow::Result<Done> {
    if let Some(lines) = journal.finished(task)? {
        return Ok(Done { record: lines.record(headers)?, lines, is_new: false });
    }
    let start = Instant::now();
    let (point, index) = task;
    let mut record = run(&points[point], index, arguments.asked.seed, arguments.engine.choice());
    record.run.body.seconds = arguments.asked.timings.then(|| start.elapsed().as_secs_f64());
    let lines = RunLines::new(&record)?;
    journal.add(&lines)?;
    Ok(Done { record, lines, is_new: true })
}

fn all_runs(points: &[Point]) -> u64 {
    points.iter().map(|point| point.seeds).sum()
}

/// The runs of a shard, or all.
fn own_runs(points: &[Point], shard: Option<Shard>) -> u64 {
    shard.map_or_else(|| all_runs(points), |shard| shard.share(all_runs(points)))
}

fn tell_resumed(opened: Opened, total: u64) {
    if opened == Opened::default() {
        return;
    }
    let torn = match opened.dropped {
        0 => String::new(),
        bytes => format!(", {bytes} bytes of an unfinished one dropped"),
    };
    output::tell(format!("resumed: {} of {total} runs were finished{torn}", opened.runs));
}

/// What `--resume` does where nothing is left to do: the verdicts again from the CSVs, and the figures if they are asked for.
fn already_complete(job: &Job, arguments: &RunArguments) -> Result<Findings, Failure> {
    let (findings, labels) = match job.header.manifest.shard {
        None => judge::findings(&job.target)?,
        Some(_) => {
            judge::check_files(&job.target, &folder::read_manifest(&job.target)?)?;
            Default::default()
        }
    };
    if let Some(format) = arguments.figures {
        figures::draw(&job.target, &report::read(&job.target, &job.target)?, format)?;
    }
    if !arguments.quiet {
        let mut out = output::stdout();
        terminal::print(&text::findings(&findings, &labels, detail(arguments.verbose)))?;
        writeln!(out, "Nothing to resume: {} is complete.", job.target.display())?;
    }
    Ok(findings)
}

fn announce(loaded: &Loaded, shard: Option<Shard>, design: Design) -> anyhow::Result<()> {
    let Loaded { simulation, points, .. } = loaded;
    let mut out = output::stdout();
    let title = format!("{}: {}", simulation.name, simulation.aims);
    writeln!(out, "{}", textwrap::fill(&title, moe_theory::report::WIDTH))?;
    let mut unique: Vec<&str> = simulation.claims.iter().map(|claim| claim.id.name()).collect();
    unique.dedup();
    unique.sort();
    unique.dedup();
    let points_word = if points.len() == 1 { "point" } else { "points" };
    let runs = all_runs(points);
    let of_shard = shard.map(|shard| format!("shard {shard}, {} of ", shard.share(runs))).unwrap_or_default();
    let claims = if unique.is_empty() { String::new() } else { format!("; claims {}", unique.join(", ")) };
    let what = format!("{of_shard}{runs} runs at {} grid {points_word}{claims}", points.len());
    writeln!(out, "{}", textwrap::fill(&what, moe_theory::report::WIDTH))?;
    shortage::warn(loaded, design, &mut out)?;
    Ok(())
}

/// The runs of a result: those that this process has made, in how long, and those that were there.
struct Counted {
    made: u64,
    finished_before: u64,
    seconds: f64,
}

impl fmt::Display for Counted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { made, finished_before, seconds } = self;
        write!(formatter, "{made} runs in {seconds:.1} s")?;
        match finished_before {
            0 => Ok(()),
            before => write!(formatter, ", {before} were finished before"),
        }
    }
}

/// How findings are shown.
pub struct Shown {
    pub labels: Labels,
    pub detail: Detail,
}

/// What `--verbose` asks for.
pub fn detail(verbose: bool) -> Detail {
    if verbose { Detail::Everything } else { Detail::Summary }
}

fn conclude(
    finished: &Finished,
    shard: Option<Shard>,
    target: &Path,
    runs: &Counted,
    shown: &Shown,
) -> anyhow::Result<()> {
    let mut out = output::stdout();
    if let Some(shard) = shard {
        writeln!(out, "Shard {shard}: {runs}. Results: {}", target.display())?;
        writeln!(out, "`simulate merge` puts the shards together, and judges them.")?;
        return Ok(());
    }
    show_findings(finished, shown)?;
    writeln!(out, "{runs}. Results: {}", target.display())?;
    writeln!(out, "\nNext: open {} in a browser", target.join(PAGE).display())?;
    next(&finished.findings, &mut out)?;
    Ok(())
}

/// What can be done next with findings such as these.
fn next(findings: &Findings, out: &mut impl Write) -> std::io::Result<()> {
    let claims = &findings.claims;
    let claim = claims.first().map(|row| &row.claim).or(findings.phase.first().map(|cell| &cell.claim));
    if let Some(claim) = claim {
        writeln!(out, "`simulate explain {claim}` says what a claim means")?;
        writeln!(out, "docs/judge/limits.md says what no verdict says")?;
    }
    // A folder of negative controls needs none.
    if !claims.is_empty() && claims.iter().all(|row| row.expected != Some(Verdict::Refuted)) {
        writeln!(out, "`simulate run controls`: the tests can say no, all must come out REFUTED")?;
    }
    Ok(())
}

/// Prints the findings, and how many verdicts are the expected ones.
pub fn show_findings(finished: &Finished, shown: &Shown) -> anyhow::Result<()> {
    let mut out = output::stdout();
    terminal::print(&text::findings(&finished.findings, &shown.labels, shown.detail))?;
    terminal::print(&finished.glance)?;
    let told = text::expectations(&finished.findings);
    if !told.is_empty() {
        writeln!(out, "\n{told}")?;
    }
    Ok(())
}
