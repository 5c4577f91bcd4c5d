//! `simulate systems`: the table of systems from the CSVs of several runs.

use crate::criteria::standings;
use crate::failure::Failure;
use crate::folder::read_manifest;
use crate::judge;
use crate::output;
use moe_theory::record::ClaimRow;
use moe_theory::report::systems::{SystemSummary, table};
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
        let (_, points) = judge::simulation_of(dir, &manifest)?;
        let standings = standings(dir, &manifest, points.len())?;
        let seeds: u64 = points.iter().map(|point| point.seeds).sum();
        heads.push(format!(
            "`{}` (version {}, master seed {}, {seeds} runs)",
            manifest.name, manifest.version, manifest.master_seed
        ));
        for point in &points {
            let claims: Vec<&ClaimRow> = findings.claims.iter().filter(|row| row.point == Some(point.index)).collect();
            rows.push(SystemSummary::new(&manifest.name, point, &claims, &standings[point.index]));
        }
    }
    let mut out = output::stdout();
    writeln!(out, "Simulations: {}.\n\n{}", heads.join(", "), table(&rows).trim_end())?;
    Ok(())
}
