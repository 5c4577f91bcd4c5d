//! `simulate verify`: runs of a result folder trained again, and compared cell by cell.

use crate::args::{EngineArgument, VerifyArguments};
use crate::failure::Failure;
use crate::folder::read_manifest;
use crate::judge::{PIECE, check_files, check_findings, judge, open_tables, simulation_of};
use crate::load::check_engine;
use crate::output;
use crate::probe;
use crate::progress::{Amount, Progress};
use crate::threads::Threads;
use anyhow::anyhow;
use clap::ValueEnum;
use moe_theory::record::manifest::Manifest;
use moe_theory::record::{BadLines, Headers, RunLines, RunReader};
use moe_theory::report::Labels;
use moe_theory::run::replay::{Comparison, Difference, Draw, compare};
use moe_theory::run::{run, run_all};
use moe_theory::sgd::EngineChoice;
use moe_theory::sim::Point;
use rayon::ThreadPool;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::Path;

/// Differing cells that are named.
const NAMED: usize = 10;

/// Runs a thread whose stored rows are held at once.
const HELD_PER_THREAD: usize = 4;

/// Verifies a folder: files against hashes, runs against the simulation, findings against runs, and a sample of the runs
/// against their training.
pub fn command(arguments: &VerifyArguments) -> Result<(), Failure> {
    let dir = arguments.dir.as_path();
    let manifest = read_manifest(dir)?;
    check_files(dir, &manifest)?;
    let (simulation, points) = simulation_of(dir, &manifest)?;
    let engine = engine(dir, &manifest, &points)?;
    let program = other_program(&manifest);
    if let Some(program) = &program {
        output::tell(format!("simulate: {}: {program}", dir.display()));
    }
    let (findings, runs) = judge(dir, &manifest, &simulation, &points)?;
    // Names of cells say more than a verdict that differs, so the runs come first.
    let findings = findings.map_or(Ok(()), |findings| check_findings(dir, &findings));
    let seed = arguments.seed.unwrap_or_else(unforeseeable);
    let drawn = arguments.sample.min(runs);
    output::tell(format!("simulate: {drawn} of {runs} runs are trained again; --seed {seed} draws the same"));
    let pool = Threads::choose(arguments.threads, drawn)?.pool()?;
    // The share of all work that the drawn runs are expected to be.
    let work = probe::work(&points) * drawn as f64 / runs.max(1) as f64;
    let progress = Progress::new(0, Amount { runs: drawn, work }, Labels::of(&points), false);
    let replay = Replay { dir, points: &points, manifest: &manifest, engine };
    let found = replay.compare(&pool, Draw::new(drawn, runs, seed), progress)?;
    if found.differing > 0 {
        return Err(differs(dir, &found, drawn, program.as_deref()));
    }
    findings?;
    let Found { cells, .. } = found;
    let shown = dir.display();
    let mut out = output::stdout();
    let judged = if manifest.shard.is_some() { "" } else { ", and claims.csv is what they give" };
    writeln!(out, "{shown}: all {runs} runs are there{judged}.")?;
    writeln!(out, "{drawn} of them trained again (--seed {seed}): all {cells} cells are the same.")?;
    let untouched = match runs - drawn {
        0 => String::new(),
        rest => format!("the other {rest} runs (--sample all), "),
    };
    writeln!(out, "Not checked: {untouched}the column seconds, report.html and figures (`simulate report`).")?;
    Ok(())
}

/// A seed that the maker of a folder could not know: the standard library's only source of chance.
fn unforeseeable() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

/// What there is to say if another program made the folder.
fn other_program(manifest: &Manifest) -> Option<String> {
    let here = Manifest {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: env!("GIT_REVISION").to_owned(),
        ..manifest.clone()
    };
    let difference = manifest.program_difference(&here)?;
    Some(format!("{difference}: numbers may differ for that alone"))
}

/// The engine that trained the runs.
fn engine(dir: &Path, manifest: &Manifest, points: &[Point]) -> Result<EngineChoice, Failure> {
    let refuse = |problem: String| Failure::Usage(format!("{}/manifest.json: {problem}", dir.display()));
    let word = &manifest.engine;
    let engine = EngineArgument::value_variants().iter().find(|engine| engine.word() == word);
    let legal = || refuse(format!("engine = {word:?}: must be \"auto\", \"pattern\" or \"dense\""));
    let engine = engine.copied().ok_or_else(legal)?;
    check_engine(engine, points).map_err(|failure| refuse(failure.to_string()))?;
    Ok(engine.choice())
}

/// A folder whose runs are computed again.
struct Replay<'a> {
    dir: &'a Path,
    points: &'a [Point],
    manifest: &'a Manifest,
    engine: EngineChoice,
}

/// What all comparisons have found.
#[derive(Default)]
struct Found {
    cells: u64,
    differing: u64,
    runs: u64,
    first: Vec<Difference>,
}

impl Found {
    fn add(&mut self, comparison: Comparison) {
        self.cells += comparison.cells;
        self.differing += comparison.differences.len() as u64;
        self.runs += u64::from(!comparison.differences.is_empty());
        let room = NAMED - self.first.len();
        self.first.extend(comparison.differences.into_iter().take(room));
    }
}

impl Replay<'_> {
    /// Reads the folder from its beginning, and computes the drawn runs again; few of them are held at once.
    fn compare(&self, pool: &ThreadPool, mut draw: Draw, mut progress: Progress) -> Result<Found, Failure> {
        let refuse = |error: BadLines| Failure::Usage(format!("{}/{error}", self.dir.display()));
        let own = Headers::new(&self.manifest.swept);
        let tables: [File; 4] = open_tables(self.dir)?;
        let mut reader = RunReader::new(tables, &own.swept, PIECE).map_err(refuse)?;
        reader.check_columns(&own).map_err(refuse)?;
        let most = HELD_PER_THREAD * pool.current_num_threads();
        let (mut found, mut held, mut ended) = (Found::default(), Vec::new(), false);
        while !ended {
            let (lines, wanted) = (reader.next_lines(), draw.takes_next());
            match reader.next_run_with(|_| [wanted; 4]).map_err(refuse)? {
                Some(stored) if wanted => held.push((stored, lines)),
                Some(_) => {}
                None => ended = true,
            }
            if held.len() == most || ended {
                let work = |(stored, _): &(RunLines, _)| self.points[stored.point].parameters.work();
                let compute = |(stored, lines): &(RunLines, [u64; 4])| {
                    self.compare_run(stored, *lines, &own).map(|comparison| (stored.point, comparison))
                };
                run_all(pool, &held, work, compute, |compared: Result<(usize, Comparison), Failure>| {
                    let (point, comparison) = compared?;
                    found.add(comparison);
                    progress.advance(&self.points[point]);
                    Ok::<(), Failure>(())
                })?;
                held.clear();
            }
        }
        progress.finish();
        Ok(found)
    }

    /// One run computed again. That it is one of the simulation was checked when the folder was judged.
    fn compare_run(&self, stored: &RunLines, lines: [u64; 4], headers: &Headers) -> Result<Comparison, Failure> {
        let record = run(&self.points[stored.point], stored.run, self.manifest.master_seed, self.engine);
        let computed = RunLines::new(&record)?;
        compare(stored, lines, &computed, headers)
            .map_err(|error| Failure::Usage(format!("{}: {error}", self.dir.display())))
    }
}

/// What differs, in words.
fn differs(dir: &Path, found: &Found, drawn: u64, program: Option<&str>) -> Failure {
    let Found { differing, runs, first, .. } = found;
    let word = if *differing == 1 { "cell is" } else { "cells are" };
    let mut lines = vec![format!(
        "{}: {differing} {word} not what training gives, in {runs} of {drawn} runs trained again",
        dir.display()
    )];
    lines.extend(first.iter().map(|cell| format!("  {cell}")));
    if *differing > first.len() as u64 {
        lines.push(format!("  and {} more", differing - first.len() as u64));
    }
    lines.extend(program.map(|program| format!("  {program}")));
    Failure::Running(anyhow!(lines.join("\n")))
}
