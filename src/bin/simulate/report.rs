//! `simulate report`: the page of a result folder, from its CSV files alone.

use crate::failure::Failure;
use crate::folder::{PAGE, read_manifest};
use crate::judge::{PIECE, open_tables, simulation_of, whole_manifest};
use crate::output;
use moe_theory::printable::{LEGAL, escaped, is_text, one_line};
use moe_theory::record::manifest::Manifest;
use moe_theory::record::{BadLines, RunReader};
use moe_theory::record::{ClaimRow, tables};
use moe_theory::report::gathering::{Gathered, Gathering};
use moe_theory::report::{Results, page};
use serde::de::DeserializeOwned;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes the page again and says where it is.
pub fn command(dir: &Path) -> Result<(), Failure> {
    let manifest = whole_manifest(dir)?;
    simulation_of(dir, &manifest)?;
    let path = write(dir, &read(dir, dir)?)?;
    writeln!(output::stdout(), "{}", path.display())?;
    Ok(())
}

/// Writes the page of a folder; a page that is there already stays until the new one is complete.
pub fn write(dir: &Path, results: &Results) -> Result<PathBuf, Failure> {
    let (path, draft) = (dir.join(PAGE), dir.join(format!(".{PAGE}.partial")));
    let text = page::page(results);
    let written = fs::write(&draft, text).and_then(|()| fs::rename(&draft, &path));
    written.map_err(|error| Failure::Running(anyhow::anyhow!("{}: {error}", path.display())))?;
    Ok(path)
}

/// Reads a result folder whose files were checked; what the falsifier found lies in `findings`, the same folder or the place to which it will move.
pub fn read(dir: &Path, findings: &Path) -> Result<Results, Failure> {
    let manifest = read_manifest(dir)?;
    let claims = rows_if_there(dir, "claims.csv")?;
    Ok(Results {
        runs: gather(dir, &manifest, &claims)?,
        claims,
        scaling: rows_if_there(dir, "scaling.csv")?,
        terms: rows_if_there(dir, "terms.csv")?,
        phase: rows_if_there(dir, "phase.csv")?,
        boundary: rows_if_there(dir, "boundary.csv")?,
        falsified: falsified(findings)?,
        manifest,
    })
}

/// Reads the tables of runs, one run after another.
fn gather(dir: &Path, manifest: &Manifest, claims: &[ClaimRow]) -> Result<Gathered, Failure> {
    let refuse = |error: BadLines| Failure::Usage(format!("{}/{error}", dir.display()));
    let mut reader = RunReader::new(open_tables(dir)?, &manifest.swept, PIECE).map_err(refuse)?;
    let mut gathering = Gathering::new(manifest, claims);
    while let Some(lines) = reader.next_run_with(|(point, _)| gathering.wanted(point)).map_err(refuse)? {
        gathering.add(&lines, reader.headers()).map_err(refuse)?;
    }
    Ok(gathering.finish())
}

fn bytes(dir: &Path, name: &str) -> Result<Vec<u8>, Failure> {
    let path = dir.join(name);
    fs::read(&path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

/// Rows of a table that only some simulations have.
fn rows_if_there<T: DeserializeOwned>(dir: &Path, name: &str) -> Result<Vec<T>, Failure> {
    let path = dir.join(name);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let (shown, text) = (path.display(), bytes(dir, name)?);
    if !std::str::from_utf8(&text).is_ok_and(is_text) {
        return Err(Failure::Usage(format!("{shown}: a cell {LEGAL}")));
    }
    tables::read(text.as_slice()).map_err(|error| Failure::Usage(format!("{shown}: {error}")))
}

/// The files `falsify-….toml` of a folder, by name.
fn falsified(dir: &Path) -> Result<Vec<(String, String)>, Failure> {
    let failed = |error: std::io::Error| Failure::Usage(format!("{}: {error}", dir.display()));
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        if name.starts_with("falsify-") && name.ends_with(".toml") {
            let text = String::from_utf8_lossy(&bytes(dir, &name)?).into_owned();
            // Nobody has checked these.
            found.push((one_line(&name).into_owned(), escaped(&text).into_owned()));
        }
    }
    found.sort();
    Ok(found)
}
