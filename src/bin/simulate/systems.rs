//! `simulate systems`: the table of systems from the CSVs of several runs.

use crate::failure::Failure;
use crate::folder::read_manifest;
use crate::judge;
use crate::output;
use moe_theory::record::ClaimRow;
use moe_theory::report::systems::{SystemTally, table};
use std::io::Write;
use std::path::PathBuf;

/// Prints the table as Markdown: a row for each point of each folder, in the order given.
pub fn command(dirs: &[PathBuf]) -> Result<(), Failure> {
    let mut rows = Vec::new();
    let mut heads = Vec::new();
    for dir in dirs {
        // Refuses what is no complete result, or was changed since.
        let (findings, _) = judge::findings(dir)?;
        let manifest = read_manifest(dir)?;
        let (simulation, points) = judge::simulation_of(dir, &manifest)?;
        let mut tallies: Vec<SystemTally> = points.iter().map(|point| SystemTally::new(&simulation, point)).collect();
        judge::for_each_run(dir, &manifest.swept, |point, record| {
            tallies[point].add(&record.run.body, &record.experts, &record.pruning);
        })?;
        let runs: u64 = tallies.iter().map(|tally| tally.runs).sum();
        heads.push(format!(
            "`{}` (version {}, master seed {}, {runs} runs)",
            manifest.name, manifest.version, manifest.master_seed
        ));
        for (point, tally) in points.iter().zip(&tallies) {
            let claims: Vec<&ClaimRow> = findings.claims.iter().filter(|row| row.point == Some(point.index)).collect();
            rows.push(tally.summary(&claims));
        }
    }
    let mut out = output::stdout();
    writeln!(out, "Simulations: {}.\n\n{}", heads.join(", "), table(&rows).trim_end())?;
    Ok(())
}
