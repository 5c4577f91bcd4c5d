//! `simulate criteria`: the table of all criteria from the CSVs of a run.

use crate::failure::Failure;
use crate::folder::read_manifest;
use crate::judge;
use moe_theory::record::{ClaimRow, ExpertRow, PruningRow, tables};
use moe_theory::report::criteria::{RunRows, definitions, standings, table};
use moe_theory::run::criterion_costs;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// Prints the table as Markdown.
pub fn command(dir: &Path, no_cost: bool) -> Result<(), Failure> {
    // Refuses what is no complete result, or was changed since.
    let findings = judge::findings(dir)?;
    let manifest = read_manifest(dir)?;
    let (_, points) = judge::simulation_of(dir, &manifest)?;
    let experts: Vec<ExpertRow> = read(dir, "experts.csv")?;
    let pruning: Vec<PruningRow> = read(dir, "pruning.csv")?;
    let mut out = std::io::stdout();
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
        let runs = rows_by_run(point.index, &experts, &pruning);
        let claims: Vec<&ClaimRow> = findings.claims.iter().filter(|row| row.point == Some(point.index)).collect();
        writeln!(out, "### {title} ({} runs)\n\n{}", runs.len(), table(&standings(&runs, &claims)))?;
    }
    Ok(())
}

/// The rows of each run of a point; the files hold runs together, in one order.
fn rows_by_run<'a>(point: usize, experts: &'a [ExpertRow], pruning: &'a [PruningRow]) -> Vec<RunRows<'a>> {
    let of_run: BTreeMap<u64, &[PruningRow]> = pruning
        .chunk_by(|a, b| (a.point, a.run) == (b.point, b.run))
        .filter(|rows| rows[0].point == point)
        .map(|rows| (rows[0].run, rows))
        .collect();
    experts
        .chunk_by(|a, b| (a.point, a.run) == (b.point, b.run))
        .filter(|rows| rows[0].point == point)
        .map(|rows| RunRows { experts: rows, pruning: of_run.get(&rows[0].run).copied().unwrap_or_default() })
        .collect()
}

fn read<T: serde::de::DeserializeOwned>(dir: &Path, name: &str) -> Result<Vec<T>, Failure> {
    let path = dir.join(name);
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", path.display()));
    let file = std::fs::File::open(&path).map_err(|error| usage(&error))?;
    tables::read(std::io::BufReader::new(file)).map_err(|error| usage(&error))
}
