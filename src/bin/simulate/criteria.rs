//! `simulate criteria`: the table of all criteria from the CSVs of a run.

use crate::failure::Failure;
use crate::folder::read_manifest;
use crate::judge;
use crate::output;
use moe_theory::record::ClaimRow;
use moe_theory::record::manifest::Manifest;
use moe_theory::report::criteria::{CriterionTally, RunRows, definitions, table};
use moe_theory::run::criterion_costs;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// Prints the table as Markdown.
pub fn command(dir: &Path, no_cost: bool) -> Result<(), Failure> {
    // Refuses what is no complete result, or was changed since.
    let (findings, _) = judge::findings(dir)?;
    let manifest = read_manifest(dir)?;
    let (_, points) = judge::simulation_of(dir, &manifest)?;
    let standings = standings(dir, &manifest, points.len())?;
    let mut out = output::stdout();
    let seeds: u64 = points.iter().map(|point| point.seeds).sum();
    writeln!(
        out,
        "Simulation `{}`, version {}, master seed {}, {seeds} runs.",
        manifest.name, manifest.version, manifest.master_seed
    )?;
    let costs = match points.first() {
        Some(point) if !no_cost => criterion_costs(&point.parameters),
        _ => BTreeMap::new(),
    };
    writeln!(out, "\n{}", definitions(&costs))?;
    for point in &points {
        let title = point.case.clone().unwrap_or_else(|| format!("point {}", point.index));
        let claims: Vec<&ClaimRow> = findings.claims.iter().filter(|row| row.point == Some(point.index)).collect();
        let own = &standings[point.index];
        writeln!(out, "### {title} ({} runs)\n\n{}", own.runs, table(&own.finish(&claims)))?;
    }
    Ok(())
}

/// What the runs say of the criteria, point by point.
fn standings(dir: &Path, manifest: &Manifest, points: usize) -> Result<Vec<CriterionTally>, Failure> {
    let mut all = vec![CriterionTally::default(); points];
    judge::for_each_run(dir, &manifest.swept, |point, record| {
        all[point].add(&RunRows { experts: &record.experts, pruning: &record.pruning });
    })?;
    Ok(all)
}
