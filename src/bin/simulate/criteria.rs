//! `simulate criteria`: the table of all criteria from the CSVs of a run.

use crate::failure::Failure;
use crate::folder::read_manifest;
use crate::judge::{self, PIECE, open_tables};
use crate::output;
use moe_theory::record::manifest::Manifest;
use moe_theory::record::{BadLines, RunReader, RunTable};
use moe_theory::record::{ClaimRow, ExpertRow, PruningRow};
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
pub(crate) fn standings(dir: &Path, manifest: &Manifest, points: usize) -> Result<Vec<CriterionTally>, Failure> {
    let refuse = |error: BadLines| Failure::Usage(format!("{}/{error}", dir.display()));
    let mut reader = RunReader::new(open_tables(dir)?, &manifest.swept, PIECE).map_err(refuse)?;
    let mut all = vec![CriterionTally::default(); points];
    while let Some(lines) = reader.next_run_with(|_| [true, true, false, true]).map_err(refuse)? {
        let experts: Vec<ExpertRow> = lines.rows(RunTable::Experts, reader.headers()).map_err(refuse)?;
        let pruning: Vec<PruningRow> = lines.rows(RunTable::Pruning, reader.headers()).map_err(refuse)?;
        // The runs were judged before, so their points are there.
        if let Some(own) = all.get_mut(lines.point) {
            own.add(&RunRows { experts: &experts, pruning: &pruning });
        }
    }
    Ok(all)
}
