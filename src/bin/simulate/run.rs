//! `simulate run`.

use crate::args::RunArguments;
use crate::dry_run;
use crate::failure::Failure;
use crate::figures;
use crate::folder::{self, Draft};
use crate::load::{Loaded, check_engine, load};
use crate::report::{self, PAGE};
use crate::terminal;
use moe_theory::claims::judge::{Design, conclusions, surprises};
use moe_theory::claims::{Analysis, Findings};
use moe_theory::record::manifest::{Manifest, Provenance};
use moe_theory::record::tables::{Table, columns, run_columns};
use moe_theory::record::{ClaimRow, ExpertRow, PruningRow, TrajectoryRow};
use moe_theory::report::glance::glance;
use moe_theory::report::{Results, text};
use moe_theory::run::{RunRecord, run, run_all};
use moe_theory::sim::Point;
use rayon::ThreadPool;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Runs a point between two looks with `--until-decided`.
const BLOCK: u64 = 25;

/// Runs each simulation in turn.
pub fn command(arguments: &RunArguments) -> Result<(), Failure> {
    // Everything is checked before the first run starts.
    let mut loaded = Vec::new();
    for name in &arguments.sims {
        let simulation = load(name, &arguments.set, arguments.seeds)?;
        check_engine(arguments.engine, &simulation.points)?;
        loaded.push(simulation);
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(arguments.threads.unwrap_or(0).into()).build()?;
    if arguments.dry_run {
        return loaded.iter().try_for_each(|loaded| pool.install(|| dry_run::show(loaded, arguments)));
    }
    let mut jobs = Vec::new();
    for loaded in &loaded {
        let target = target(arguments, &loaded.simulation.name);
        if jobs.iter().any(|(_, other, _)| *other == target) {
            return Err(Failure::Usage(format!(
                "{}: two of the simulations would write there (both are named {}); nothing was written",
                target.display(),
                loaded.simulation.name
            )));
        }
        let manifest = manifest(loaded, arguments);
        folder::check_target(&target, &manifest)?;
        jobs.push((loaded, target, manifest));
    }
    let mut differing = Vec::new();
    for (loaded, target, manifest) in jobs {
        let rows = simulate(&pool, loaded, &target, manifest, arguments)?;
        differing.extend(surprises(&rows).into_iter().map(|row| describe(&loaded.simulation.name, row)));
    }
    if arguments.check && !differing.is_empty() {
        return Err(Failure::Check(format!("not as expected: {}", differing.join("; "))));
    }
    Ok(())
}

fn describe(simulation: &str, row: &ClaimRow) -> String {
    let case = if row.case.is_empty() { String::new() } else { format!(" case {}", row.case) };
    format!("{simulation}{case} {}: {} in place of {}", row.claim, row.verdict, row.expected)
}

fn target(arguments: &RunArguments, name: &str) -> PathBuf {
    match &arguments.out {
        None => Path::new("results").join(name),
        Some(dir) if arguments.sims.len() == 1 => dir.clone(),
        Some(dir) => dir.join(name),
    }
}

/// How runs are collected.
pub fn design(arguments: &RunArguments) -> Design {
    if arguments.until_decided { Design::Sequential { block: BLOCK } } else { Design::Fixed }
}

fn manifest(loaded: &Loaded, arguments: &RunArguments) -> Manifest {
    let provenance = Provenance {
        text: loaded.text.clone(),
        overrides: arguments.set.clone(),
        engine: arguments.engine.word().to_owned(),
        master_seed: arguments.seed,
        seeds_given: arguments.seeds,
        revision: env!("GIT_REVISION").to_owned(),
        design: design(arguments),
    };
    Manifest::new(&loaded.simulation, &loaded.points, &provenance)
}

/// The tables that runs are written to as they finish.
struct Tables {
    runs: Table<BufWriter<File>>,
    experts: Table<BufWriter<File>>,
    trajectory: Table<BufWriter<File>>,
    pruning: Table<BufWriter<File>>,
}

impl Tables {
    fn open(draft: &Draft, swept: &[String]) -> anyhow::Result<Self> {
        Ok(Self {
            runs: Table::new(draft.create("runs.csv")?, &run_columns(swept)?)?,
            experts: Table::new(draft.create("experts.csv")?, &columns(&ExpertRow::default())?)?,
            trajectory: Table::new(draft.create("trajectory.csv")?, &columns(&TrajectoryRow::default())?)?,
            pruning: Table::new(draft.create("pruning.csv")?, &columns(&PruningRow::default())?)?,
        })
    }

    fn add(&mut self, record: &RunRecord) -> anyhow::Result<()> {
        self.runs.add(&(&record.run.head, &record.run.swept, &record.run.body))?;
        record.experts.iter().try_for_each(|row| self.experts.add(row))?;
        record.trajectory.iter().try_for_each(|row| self.trajectory.add(row))?;
        record.pruning.iter().try_for_each(|row| self.pruning.add(row))?;
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        for mut output in
            [self.runs.finish()?, self.experts.finish()?, self.trajectory.finish()?, self.pruning.finish()?]
        {
            output.flush()?;
        }
        Ok(())
    }
}

/// Trains, judges and writes one simulation; returns its claims' rows.
fn simulate(
    pool: &ThreadPool,
    loaded: &Loaded,
    target: &Path,
    mut manifest: Manifest,
    arguments: &RunArguments,
) -> Result<Vec<ClaimRow>, Failure> {
    let Loaded { simulation, points, .. } = loaded;
    if !arguments.quiet {
        announce(loaded)?;
        let seconds = pool.install(|| dry_run::guess(points, arguments));
        writeln!(std::io::stdout(), "about {} on {} threads\n", terminal::time(seconds), pool.current_num_threads())?;
    }
    let start = Instant::now();
    let draft = Draft::open(target)?;
    // Thresholds, seeds and the hash of the claims are on disk before the first run starts.
    draft.register(&manifest)?;
    let design = manifest.design();
    let mut tables = Tables::open(&draft, &manifest.swept)?;
    let mut analysis = Analysis::new(simulation, points, design);
    let progress = terminal::progress(points.iter().map(|point| point.seeds).sum(), arguments.quiet);
    let mut open: BTreeSet<usize> = points.iter().map(|point| point.index).collect();
    for mut tasks in blocks(points, design) {
        tasks.retain(|(point, _)| open.contains(point));
        let compute = |&(point, index): &(usize, u64)| {
            let start = Instant::now();
            let mut record = run(&points[point], index, arguments.seed, arguments.engine.choice());
            record.run.body.seconds = arguments.timings.then(|| start.elapsed().as_secs_f64());
            record
        };
        let work = |&(point, _): &(usize, u64)| points[point].parameters.work();
        run_all(pool, &tasks, work, compute, |record: RunRecord| -> anyhow::Result<()> {
            let (head, body) = (&record.run.head, &record.run.body);
            analysis.add(head.point, head.run, body, &record.experts, &record.pruning);
            tables.add(&record)?;
            progress.set_message(terminal::describe(&points[head.point]));
            progress.inc(1);
            Ok(())
        })?;
        if arguments.until_decided {
            open = analysis.open_points();
        }
    }
    let runs = progress.position();
    progress.finish_and_clear();
    tables.finish()?;
    let findings = analysis.findings();
    let derived = findings.files()?;
    for (name, text) in &derived {
        draft.create(name)?.write_all(text)?;
    }
    draft.publish(&mut manifest, derived.iter().map(|(name, _)| *name))?;
    // From the complete folder, as `simulate report` does: the page is the same.
    let results = report::read(target)?;
    report::write(target, &results)?;
    if let Some(format) = arguments.figures {
        figures::draw(target, &results, format)?;
    }
    if !arguments.quiet {
        conclude(&findings, &results, target, start, runs)?;
    }
    Ok(findings.claims)
}

/// The tasks (point, run) in the order in which they are computed and written: all at once, or block by block.
fn blocks(points: &[Point], design: Design) -> impl Iterator<Item = Vec<(usize, u64)>> {
    let most = points.iter().map(|point| point.seeds).max().unwrap_or(0);
    let block = match design {
        Design::Fixed => most.max(1),
        Design::Sequential { block } => block,
    };
    (0..most.div_ceil(block)).map(move |number| {
        let runs = |point: &Point| number * block..point.seeds.min((number + 1) * block);
        points.iter().flat_map(|point| runs(point).map(move |run| (point.index, run))).collect()
    })
}

fn announce(loaded: &Loaded) -> anyhow::Result<()> {
    let Loaded { simulation, points, .. } = loaded;
    let mut out = std::io::stdout();
    writeln!(out, "{}: {}", simulation.name, simulation.aims)?;
    let claims: Vec<String> = simulation.claims.iter().map(|claim| claim.id.clone()).collect();
    let mut unique = claims.clone();
    unique.dedup();
    unique.sort();
    unique.dedup();
    let points_word = if points.len() == 1 { "point" } else { "points" };
    let runs: u64 = points.iter().map(|point| point.seeds).sum();
    let claims = if unique.is_empty() { String::new() } else { format!("; claims {}", unique.join(", ")) };
    let what = format!("{runs} runs at {} grid {points_word}{claims}", points.len());
    writeln!(out, "{}", textwrap::fill(&what, text::WIDTH))?;
    Ok(())
}

fn conclude(findings: &Findings, results: &Results, target: &Path, start: Instant, runs: u64) -> anyhow::Result<()> {
    terminal::print(&text::findings(findings))?;
    terminal::print(&glance(results))?;
    let mut out = std::io::stdout();
    let rows = &findings.claims;
    let expected = conclusions(rows).iter().filter(|row| !row.expected.is_empty()).count();
    let surprising = surprises(rows).len();
    if expected > 0 {
        writeln!(out, "\n{} of {expected} verdicts as expected.", expected - surprising)?;
    }
    let seconds = start.elapsed().as_secs_f64();
    writeln!(out, "{runs} runs in {seconds:.1} s. Results: {}", target.display())?;
    let claim = rows.first().map_or("T2a", |row| row.claim.as_str());
    writeln!(out, "\nNext: open {} in a browser;", target.join(PAGE).display())?;
    writeln!(out, "`simulate explain {claim}` says what a claim means, LIMITS.md what no verdict says;")?;
    writeln!(out, "`simulate list` shows the other simulations, `simulate run controls` broken ones.")?;
    Ok(())
}
