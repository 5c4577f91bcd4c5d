//! `simulate systems`: the table of systems from the CSVs of several runs.

use crate::failure::Failure;
use crate::folder::read_manifest;
use crate::judge::{self, PIECE, open_tables};
use crate::output;
use moe_theory::record::{BadLines, ClaimRow, RunReader};
use moe_theory::report::systems::{SystemTally, table};
use std::io::Write;
use std::path::{Path, PathBuf};

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
        add_runs(dir, &manifest.swept, &mut tallies)?;
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

/// Adds the runs of a folder to the tallies of its points.
fn add_runs(dir: &Path, swept: &[String], tallies: &mut [SystemTally]) -> Result<(), Failure> {
    let refuse = |error: BadLines| Failure::Usage(format!("{}/{error}", dir.display()));
    let mut reader = RunReader::new(open_tables(dir)?, swept, PIECE).map_err(refuse)?;
    while let Some(lines) = reader.next_run_with(|_| [true, true, false, true]).map_err(refuse)? {
        let record = lines.record(reader.headers()).map_err(refuse)?;
        // The runs were judged before, so their points are there.
        if let Some(tally) = tallies.get_mut(lines.point) {
            tally.add(&record.run.body, &record.experts, &record.pruning);
        }
    }
    Ok(())
}
