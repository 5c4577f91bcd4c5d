//! Runs in order → tables, findings, a result folder.

use crate::args::FigureFormat;
use crate::failure::Failure;
use crate::figures;
use crate::folder::Draft;
use crate::report;
use anyhow::Context;
use moe_theory::claims::{Analysis, Findings};
use moe_theory::record::design::Design;
use moe_theory::record::manifest::Manifest;
use moe_theory::record::{Headers, RunLines, RunRecord, RunTable, TABLES};
use moe_theory::report::glance;
use moe_theory::sim::{Point, Simulation};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Takes the runs of a simulation, or of a shard of it, in order.
pub struct Collector<'a> {
    draft: Draft,
    /// The [`TABLES`], in their order.
    tables: Vec<BufWriter<File>>,
    analysis: SharedAnalysis<'a>,
}

/// What is computed from all runs, and how many it has; a shard has not all of them. Whoever is interrupted reads it too.
type SharedAnalysis<'a> = Arc<Mutex<Option<(Analysis<'a>, u64)>>>;

/// Nobody leaves an analysis half done: whoever panics under the lock ends the process.
fn lock<'a, 'b>(analysis: &'b SharedAnalysis<'a>) -> MutexGuard<'b, Option<(Analysis<'a>, u64)>> {
    analysis.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a simulation leaves to be told.
pub struct Finished {
    /// What came out; nothing of a shard.
    pub findings: Findings,
    /// Bars for the terminal.
    pub glance: String,
}

impl<'a> Collector<'a> {
    /// Opens the tables.
    pub fn new(
        draft: Draft,
        headers: &Headers,
        manifest: &Manifest,
        simulation: &'a Simulation,
        points: &'a [Point],
    ) -> anyhow::Result<Self> {
        let design = manifest.design();
        let mut tables = Vec::new();
        for &name in RunTable::ALL {
            let mut table = draft.create(name.name())?;
            table.write_all(&headers.line(name)?)?;
            tables.push(table);
        }
        let analysis = manifest.shard.is_none().then(|| (Analysis::new(simulation, points, design), 0));
        Ok(Self { draft, tables, analysis: Arc::new(Mutex::new(analysis)) })
    }

    /// Adds the next run.
    pub fn add(&mut self, record: &RunRecord, lines: &RunLines) -> anyhow::Result<()> {
        if let Some((analysis, runs)) = &mut *lock(&self.analysis) {
            let (head, body) = (&record.run.head, &record.run.body);
            analysis.add(head.point, head.run, body, &record.experts, &record.pruning, &record.trajectory);
            *runs += 1;
        }
        for ((table, name), lines) in self.tables.iter_mut().zip(TABLES).zip(&lines.tables) {
            table.write_all(lines).context(name)?;
        }
        Ok(())
    }

    /// The points whose runs are still asked for after a look at the verdicts.
    pub fn open_points(&mut self, points: &[Point], design: Design) -> BTreeSet<usize> {
        match (&mut *lock(&self.analysis), design) {
            (Some((analysis, _)), Design::Sequential { .. }) => analysis.open_points(),
            _ => points.iter().map(|point| point.index).collect(),
        }
    }

    /// Tells what the runs so far say, and how many they are; nothing of a shard, or when all is over.
    pub fn so_far(&self) -> impl Fn() -> Option<(Findings, u64)> + use<'a> {
        let analysis = Arc::clone(&self.analysis);
        move || lock(&analysis).as_mut().map(|(analysis, runs)| (analysis.findings(), *runs))
    }

    /// Takes the files away again, because what was to be collected is refused.
    pub fn abandon(self) {
        self.draft.abandon();
    }

    /// Writes what is computed from all runs, the page and the figures, and moves everything to its place. A shard has no
    /// findings and no page.
    pub fn finish(self, manifest: &mut Manifest, figures: Option<FigureFormat>) -> anyhow::Result<Finished> {
        let Self { draft, tables, analysis } = self;
        for (mut table, name) in tables.into_iter().zip(TABLES) {
            table.flush().context(name)?;
        }
        let findings = lock(&analysis).take().map(|(mut analysis, _)| analysis.findings());
        let derived = findings.as_ref().map_or(Ok(Vec::new()), Findings::files)?;
        for (name, text) in &derived {
            let mut file = draft.create(name)?;
            file.write_all(text).and_then(|()| file.flush()).context(*name)?;
        }
        let mut glance = String::new();
        draft.publish(manifest, derived.iter().map(|(name, _)| *name), |draft, target| {
            let results = report::read(draft, target).map_err(Failure::into_error)?;
            if results.manifest.shard.is_none() {
                report::write(draft, &results).map_err(Failure::into_error)?;
                glance = glance::glance(&results);
            }
            figures.map_or(Ok(()), |format| figures::draw(draft, &results, format))
        })?;
        Ok(Finished { findings: findings.unwrap_or_default(), glance })
    }
}
