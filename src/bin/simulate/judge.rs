//! `simulate judge`: verdicts again from the CSVs.

use crate::failure::Failure;
use crate::folder::{TABLES, read_manifest};
use crate::load::load;
use moe_theory::claims::{Analysis, Findings};
use moe_theory::record::manifest::{Manifest, Provenance, claims_hash, sha256};
use moe_theory::record::{ExpertRow, PruningRow, tables};
use moe_theory::report::text;
use moe_theory::sim::{Overrides, Point, Simulation};
use std::fs;
use std::io::Write;
use std::path::Path;

/// Judges a result folder again and prints the verdicts.
pub fn command(dir: &Path, against: Option<&str>) -> Result<(), Failure> {
    let manifest = read_manifest(dir)?;
    check_hashes(dir, &manifest)?;
    let shown = dir.display().to_string();
    if let Some(name) = against {
        let loaded = load(name, &manifest.overrides, manifest.seeds_given)?;
        let here = rebuild(&manifest, &loaded.text, &loaded.simulation, &loaded.points);
        if let Some(difference) = manifest.difference(&here) {
            return Err(Failure::Usage(format!("{shown}: not a run of {name}: {difference}")));
        }
    }
    // The text in the manifest gives the points and claims back; its hash was checked above.
    let file = format!("{shown}/manifest.json");
    let overrides = Overrides { set: &manifest.overrides, seeds: manifest.seeds_given };
    let simulation = Simulation::parse(&file, &manifest.simulation, &overrides).map_err(Failure::usage)?;
    let points = simulation.points().map_err(Failure::usage)?;
    let here = rebuild(&manifest, &manifest.simulation, &simulation, &points);
    if let Some(difference) = manifest.difference(&here) {
        return Err(Failure::Usage(format!("{file}: not what its simulation says: {difference}")));
    }
    let findings = judge(dir, &manifest, &simulation, &points)?;
    let mut out = std::io::stdout();
    crate::terminal::print(&text::findings(&findings))?;
    for (name, now) in findings.files().map_err(anyhow::Error::from)? {
        if read(dir, name, |bytes| Ok(bytes == now))? {
            continue;
        }
        return Err(Failure::Running(anyhow::anyhow!("{shown}/{name}: holds other findings than its CSVs give now")));
    }
    writeln!(out, "\nThe same as in {shown}/claims.csv.")?;
    Ok(())
}

fn check_hashes(dir: &Path, manifest: &Manifest) -> Result<(), Failure> {
    let file = dir.join("manifest.json");
    if sha256(manifest.simulation.as_bytes()) != manifest.simulation_sha256 {
        return Err(Failure::Usage(format!("{}: the simulation text has changed since the run", file.display())));
    }
    if claims_hash(&manifest.claims, &manifest.phases) != manifest.claims_sha256 {
        return Err(Failure::Usage(format!("{}: the claims have changed since the run", file.display())));
    }
    let missing = TABLES.iter().chain(&["claims.csv"]).find(|name| !manifest.files_sha256.contains_key(**name));
    if let Some(name) = missing {
        return Err(Failure::Usage(format!("{}: has no SHA-256 of {name}: not the manifest of a run", file.display())));
    }
    for (name, hash) in &manifest.files_sha256 {
        let path = dir.join(name);
        let bytes = fs::read(&path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        if *hash != sha256(&bytes) {
            return Err(Failure::Usage(format!(
                "{}: changed since the run (its SHA-256 is not the manifest's)",
                path.display()
            )));
        }
    }
    Ok(())
}

/// The manifest that a run of this simulation would have had, in the way in which `manifest` was run.
fn rebuild(manifest: &Manifest, text: &str, simulation: &Simulation, points: &[Point]) -> Manifest {
    let provenance = Provenance {
        text: text.to_owned(),
        overrides: manifest.overrides.clone(),
        engine: manifest.engine.clone(),
        master_seed: manifest.master_seed,
        seeds_given: manifest.seeds_given,
        revision: manifest.revision.clone(),
        design: manifest.design(),
    };
    Manifest::new(simulation, points, &provenance)
}

fn read<T>(dir: &Path, name: &str, parse: impl Fn(&[u8]) -> Result<T, csv::Error>) -> Result<T, Failure> {
    let path = dir.join(name);
    let bytes = fs::read(&path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    parse(&bytes).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

fn judge(dir: &Path, manifest: &Manifest, simulation: &Simulation, points: &[Point]) -> Result<Findings, Failure> {
    let runs = read(dir, "runs.csv", |bytes| tables::read_runs(bytes, &manifest.swept))?;
    let experts: Vec<ExpertRow> = read(dir, "experts.csv", |bytes| tables::read(bytes))?;
    let pruning: Vec<PruningRow> = read(dir, "pruning.csv", |bytes| tables::read(bytes))?;
    let mut analysis = Analysis::new(simulation, points, manifest.design());
    // All files hold the runs in the same order.
    let (mut experts, mut pruning) = (experts.as_slice(), pruning.as_slice());
    for run in &runs {
        let id = (run.head.point, run.head.run);
        let own_experts = take(&mut experts, |row| (row.point, row.run) == id);
        let own_pruning = take(&mut pruning, |row| (row.point, row.run) == id);
        analysis.add(id.0, id.1, &run.body, own_experts, own_pruning);
    }
    Ok(analysis.findings())
}

/// Takes the first rows for which `own` holds off the slice.
fn take<'a, T>(rows: &mut &'a [T], own: impl Fn(&T) -> bool) -> &'a [T] {
    let count = rows.iter().take_while(|row| own(row)).count();
    let (first, rest) = rows.split_at(count);
    *rows = rest;
    first
}
