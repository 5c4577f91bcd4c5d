//! Result folders: written beside their place, then moved there; never over another configuration's.

use crate::failure::Failure;
use anyhow::Context;
use moe_theory::record::manifest::{Manifest, sha256};
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// The files of every result folder that hold the rows of runs.
pub const TABLES: [&str; 4] = ["runs.csv", "experts.csv", "trajectory.csv", "pruning.csv"];

/// The name of the manifest's file.
pub const MANIFEST: &str = "manifest.json";

/// A result folder in the making.
pub struct Draft {
    /// Where files are written.
    partial: PathBuf,
    /// Where they go when all are complete.
    target: PathBuf,
}

/// Reads the manifest of a result folder.
pub fn read_manifest(dir: &Path) -> Result<Manifest, Failure> {
    let path = dir.join(MANIFEST);
    let text = fs::read(&path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    serde_json::from_slice(&text).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

/// Refuses a folder that holds anything but results of this configuration.
pub fn check_target(target: &Path, manifest: &Manifest) -> Result<(), Failure> {
    let shown = target.display();
    if !target.exists() {
        return Ok(());
    }
    let advice = "nothing was written; give another folder with --out, or remove this one";
    if !target.is_dir() {
        return Err(Failure::Usage(format!("{shown}: there is a file of this name; {advice}")));
    }
    let mut entries = fs::read_dir(target).map_err(|error| Failure::Usage(format!("{shown}: {error}")))?;
    if entries.next().is_none() {
        return Ok(());
    }
    if !target.join(MANIFEST).exists() {
        return Err(Failure::Usage(format!("{shown}: the folder holds files but no {MANIFEST}; {advice}")));
    }
    match read_manifest(target)?.difference(manifest) {
        None => Ok(()),
        Some(difference) => {
            Err(Failure::Usage(format!("{shown}: holds results of another configuration: {difference}; {advice}")))
        }
    }
}

impl Draft {
    /// Opens a draft for `target`.
    pub fn open(target: &Path) -> Result<Self, Failure> {
        let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.is_empty() {
            return Err(Failure::Usage(format!("{}: not the name of a folder", target.display())));
        }
        let partial = target.with_file_name(format!(".{name}.partial"));
        let prepared = match fs::remove_dir_all(&partial) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => fs::create_dir_all(&partial),
        };
        prepared.map_err(|error| Failure::Usage(format!("{}: {error}; nothing was written", partial.display())))?;
        Ok(Self { partial, target: target.to_owned() })
    }

    /// A new file of the draft.
    pub fn create(&self, name: &str) -> anyhow::Result<BufWriter<File>> {
        let path = self.partial.join(name);
        Ok(BufWriter::new(File::create(&path).with_context(|| path.display().to_string())?))
    }

    /// Writes the manifest as it is before the first run: configuration, seeds, thresholds, hash of the claims.
    pub fn register(&self, manifest: &Manifest) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec_pretty(manifest)?;
        text.push(b'\n');
        fs::write(self.partial.join(MANIFEST), text)?;
        Ok(())
    }

    /// Completes the manifest with the hashes of all tables, the `derived` ones too, and moves everything to its place.
    pub fn publish(self, manifest: &mut Manifest, derived: impl Iterator<Item = &'static str>) -> anyhow::Result<()> {
        for name in TABLES.into_iter().chain(derived) {
            let bytes = fs::read(self.partial.join(name)).with_context(|| name.to_owned())?;
            manifest.files_sha256.insert(name.to_owned(), sha256(&bytes));
        }
        self.register(manifest)?;
        if self.target.is_dir() {
            remove_tables(&self.target)?;
            for entry in fs::read_dir(&self.partial)? {
                let entry = entry?;
                let place = self.target.join(entry.file_name());
                if place.is_dir() {
                    fs::remove_dir_all(&place)?;
                }
                fs::rename(entry.path(), place)?;
            }
            fs::remove_dir(&self.partial)?;
        } else {
            fs::rename(&self.partial, &self.target).with_context(|| self.target.display().to_string())?;
        }
        Ok(())
    }
}

/// Removes every table of an earlier run of the same configuration: it may have had files that this one has not.
fn remove_tables(target: &Path) -> anyhow::Result<()> {
    for name in read_manifest_files(target) {
        match fs::remove_file(target.join(&name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).context(name),
            _ => {}
        }
    }
    Ok(())
}

/// The names of the tables that a folder's manifest lists; none if it has no manifest.
fn read_manifest_files(target: &Path) -> Vec<String> {
    read_manifest(target).map(|manifest| manifest.files_sha256.into_keys().collect()).unwrap_or_default()
}
