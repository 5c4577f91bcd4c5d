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
use moe_theory::record::{Headers, RunLines, RunRecord, TABLES};
use moe_theory::report::glance;
use moe_theory::sim::{Point, Simulation};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};

/// Takes the runs of a simulation, or of a shard of it, in order.
pub struct Collector<'a> {
    draft: Draft,
    /// The [`TABLES`], in their order.
    tables: Vec<BufWriter<File>>,
    /// What is computed from all runs; a shard has not all of them.
    analysis: Option<Analysis<'a>>,
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
        for (number, name) in TABLES.iter().enumerate() {
            let mut table = draft.create(name)?;
            table.write_all(&headers.line(number)?)?;
            tables.push(table);
        }
        let analysis = manifest.shard.is_none().then(|| Analysis::new(simulation, points, design));
        Ok(Self { draft, tables, analysis })
    }

    /// Adds the next run.
    pub fn add(&mut self, record: &RunRecord, lines: &RunLines) -> anyhow::Result<()> {
        if let Some(analysis) = &mut self.analysis {
            let (head, body) = (&record.run.head, &record.run.body);
            analysis.add(head.point, head.run, body, &record.experts, &record.pruning);
        }
        for ((table, name), lines) in self.tables.iter_mut().zip(TABLES).zip(&lines.tables) {
            table.write_all(lines).context(name)?;
        }
        Ok(())
    }

    /// The points whose runs are still asked for after a look at the verdicts.
    pub fn open_points(&mut self, points: &[Point], design: Design) -> BTreeSet<usize> {
        match (&mut self.analysis, design) {
            (Some(analysis), Design::Sequential { .. }) => analysis.open_points(),
            _ => points.iter().map(|point| point.index).collect(),
        }
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
        let findings = analysis.map(|mut analysis| analysis.findings());
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
