//! `simulate judge`: verdicts again from the CSVs.

use crate::failure::Failure;
use crate::folder::{TABLES, read_manifest};
use crate::load::load;
use moe_theory::claims::Evidence;
use moe_theory::claims::judge::Jury;
use moe_theory::record::manifest::{Manifest, claims_difference, claims_hash, sha256};
use moe_theory::record::{ClaimRow, ExpertRow, PruningRow, tables};
use moe_theory::report::text;
use moe_theory::sim::{Overrides, Simulation};
use std::fs;
use std::io::Write;
use std::path::Path;

/// Judges a result folder again and prints the verdicts.
pub fn command(dir: &Path, against: Option<&str>) -> Result<(), Failure> {
    let manifest = read_manifest(dir)?;
    check_hashes(dir, &manifest)?;
    let shown = dir.display().to_string();
    if let Some(name) = against {
        check_against(&shown, &manifest, name)?;
    }
    // The text in the manifest gives the points and claims back; its hash was checked above.
    let overrides = Overrides { set: &manifest.overrides, seeds: Some(manifest.seeds) };
    let simulation = Simulation::parse(&format!("{shown}/manifest.json"), &manifest.simulation, &overrides)
        .map_err(Failure::usage)?;
    if let Some(difference) = claims_difference(&manifest.claims, &simulation.claims) {
        return Err(Failure::Usage(format!(
            "{shown}/manifest.json: its claims are not its simulation's: {difference}"
        )));
    }
    let rows = judge(dir, &manifest, &simulation)?;
    let mut out = std::io::stdout();
    write!(out, "{}", text::verdicts(&rows))?;
    let recorded: Vec<ClaimRow> = read(dir, "claims.csv", |bytes| tables::read(bytes))?;
    if recorded != rows {
        return Err(Failure::Running(anyhow::anyhow!(
            "{shown}/claims.csv: holds other verdicts than its CSVs give now"
        )));
    }
    writeln!(out, "\nThe same as in {shown}/claims.csv.")?;
    Ok(())
}

fn check_hashes(dir: &Path, manifest: &Manifest) -> Result<(), Failure> {
    let file = dir.join("manifest.json");
    if sha256(manifest.simulation.as_bytes()) != manifest.simulation_sha256 {
        return Err(Failure::Usage(format!("{}: the simulation text has changed since the run", file.display())));
    }
    if claims_hash(&manifest.claims) != manifest.claims_sha256 {
        return Err(Failure::Usage(format!("{}: the claims have changed since the run", file.display())));
    }
    for name in TABLES {
        let path = dir.join(name);
        let bytes = fs::read(&path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        if manifest.files_sha256.get(name) != Some(&sha256(&bytes)) {
            return Err(Failure::Usage(format!(
                "{}: changed since the run (its SHA-256 is not the manifest's)",
                path.display()
            )));
        }
    }
    Ok(())
}

/// Refuses a folder whose configuration or claims are not those of `name`.
fn check_against(shown: &str, manifest: &Manifest, name: &str) -> Result<(), Failure> {
    let loaded = load(name, &manifest.overrides, Some(manifest.seeds))?;
    let mut expected = manifest.clone();
    let provenance = moe_theory::record::manifest::Provenance {
        text: loaded.text.clone(),
        overrides: manifest.overrides.clone(),
        engine: manifest.engine.clone(),
        master_seed: manifest.master_seed,
        revision: manifest.revision.clone(),
        design: manifest.design(),
    };
    let here = Manifest::new(&loaded.simulation, &loaded.points, &provenance);
    expected.files_sha256.clear();
    match expected.difference(&here) {
        None => Ok(()),
        Some(difference) => Err(Failure::Usage(format!("{shown}: not a run of {name}: {difference}"))),
    }
}

fn read<T>(dir: &Path, name: &str, parse: impl Fn(&[u8]) -> Result<T, csv::Error>) -> Result<T, Failure> {
    let path = dir.join(name);
    let bytes = fs::read(&path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    parse(&bytes).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

fn judge(dir: &Path, manifest: &Manifest, simulation: &Simulation) -> Result<Vec<ClaimRow>, Failure> {
    let points = simulation.points().map_err(Failure::usage)?;
    let runs = read(dir, "runs.csv", |bytes| tables::read_runs(bytes, &manifest.swept))?;
    let experts: Vec<ExpertRow> = read(dir, "experts.csv", |bytes| tables::read(bytes))?;
    let pruning: Vec<PruningRow> = read(dir, "pruning.csv", |bytes| tables::read(bytes))?;
    let mut jury = Jury::new(simulation, &points, manifest.design());
    // All files hold the runs in the same order.
    let (mut experts, mut pruning) = (experts.as_slice(), pruning.as_slice());
    for run in &runs {
        let id = (run.head.point, run.head.run);
        let own_experts = take(&mut experts, |row| (row.point, row.run) == id);
        let own_pruning = take(&mut pruning, |row| (row.point, row.run) == id);
        jury.add(id.0, id.1, &Evidence { run: &run.body, experts: own_experts, pruning: own_pruning });
    }
    Ok(jury.rows())
}

/// Takes the first rows for which `own` holds off the slice.
fn take<'a, T>(rows: &mut &'a [T], own: impl Fn(&T) -> bool) -> &'a [T] {
    let count = rows.iter().take_while(|row| own(row)).count();
    let (first, rest) = rows.split_at(count);
    *rows = rest;
    first
}
