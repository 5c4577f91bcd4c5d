//! Result folders: written in a folder of their own within, then moved into place; never over another configuration's.
//!
//! While a simulation runs, its folder holds `.lock`, which its process keeps locked, and `.partial` with the journal of
//! finished runs and the tables in the making. A kill at any moment leaves either the journal or the complete results.

use crate::failure::Failure;
use crate::figures::FOLDER as FIGURES;
use crate::journal;
use crate::output;
use anyhow::Context;
use moe_theory::record::TABLES;
use moe_theory::record::columns;
use moe_theory::record::journal::JournalHeader;
use moe_theory::record::manifest::{Manifest, sha256_of};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The name of the page's file.
pub const PAGE: &str = "report.html";

/// The name of the manifest's file.
pub const MANIFEST: &str = "manifest.json";

/// The file that a running process keeps locked.
const LOCK: &str = ".lock";

/// The folder of unfinished files.
pub const PARTIAL: &str = ".partial";

/// The end of a refusal because of what a folder holds.
const ADVICE: &str = "nothing was written; give another folder with --out, or remove this one";

/// What a result folder holds before a simulation is run into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing, or results that are to be made again.
    Nothing,
    /// Finished runs of an interrupted simulation.
    Interrupted,
    /// Complete results, and nothing is to be made again.
    Complete,
}

/// A result folder in the making.
pub struct Draft {
    /// Where files are written.
    partial: PathBuf,
    /// Where they go when all are complete.
    target: PathBuf,
    /// Whether the folder was made for this draft.
    made: bool,
    /// Holds the lock as long as it is open.
    lock: Option<File>,
}

/// Reads the manifest of a result folder.
pub fn read_manifest(dir: &Path) -> Result<Manifest, Failure> {
    let path = dir.join(MANIFEST);
    let text = fs::read(&path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    Manifest::parse(&text).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

/// Refuses a folder that holds anything but results of this configuration, or that another process writes. With
/// `resume` finished runs and complete results are welcome.
pub fn check_target(target: &Path, header: &JournalHeader, resume: bool) -> Result<Found, Failure> {
    if target.is_dir() {
        check_lock(target)?;
    }
    check_content(target, header, resume)
}

/// The same, whoever holds the folder's lock.
pub fn check_content(target: &Path, header: &JournalHeader, resume: bool) -> Result<Found, Failure> {
    let shown = target.display();
    let refuse = |problem: String| Err(Failure::Usage(format!("{shown}: {problem}; {ADVICE}")));
    if !target.exists() {
        return Ok(Found::Nothing);
    }
    if !target.is_dir() {
        return refuse("there is a file of this name".to_owned());
    }
    let entries = fs::read_dir(target).map_err(|error| Failure::Usage(format!("{shown}: {error}")))?;
    let names: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.file_name()).collect();
    let path = target.join(PARTIAL).join(journal::NAME);
    let moving = path.exists();
    let is_own = |name: &OsStr| name == LOCK || name == PARTIAL || (moving && is_result(name));
    let foreign = !names.iter().all(|name| is_own(name));
    let complete = names.iter().any(|name| name == OsStr::new(MANIFEST));
    if foreign && !complete {
        return refuse(format!("the folder holds files but no {MANIFEST}"));
    }
    if complete && let Some(difference) = read_manifest(target)?.difference(&header.manifest) {
        return refuse(format!("holds results of another configuration: {difference}"));
    }
    if let Some((there, runs)) = journal::peek(&path).map_err(|error| Failure::Usage(format!("{error:#}")))? {
        return match there.difference(header) {
            Some(difference) => refuse(format!("holds finished runs of another configuration: {difference}")),
            None if runs && !resume => Err(Failure::Usage(format!(
                "{shown}: holds finished runs of an interrupted simulation; --resume goes on with them; nothing was \
                     written; give another folder with --out, or remove this one to start again"
            ))),
            None => Ok(if runs { Found::Interrupted } else { Found::Nothing }),
        };
    }
    if !(complete && resume) {
        return Ok(Found::Nothing);
    }
    match read_manifest(target)?.program_difference(&header.manifest) {
        Some(difference) => refuse(format!("holds complete results of another program: {difference}")),
        None => Ok(Found::Complete),
    }
}

/// Whether a file of this name is one of results: a kill may come when some of them are in place and the manifest is not yet.
fn is_result(name: &OsStr) -> bool {
    let table = columns::all().iter().any(|column| name == column.file);
    table || TABLES.iter().any(|table| name == *table) || name == PAGE || name == FIGURES
}

/// Refuses a folder whose lock another process holds.
fn check_lock(target: &Path) -> Result<(), Failure> {
    match File::open(target.join(LOCK)).map(|file| file.try_lock()) {
        Ok(Err(TryLockError::WouldBlock)) => Err(locked(target)),
        _ => Ok(()),
    }
}

fn locked(target: &Path) -> Failure {
    let holder = fs::read_to_string(target.join(LOCK)).unwrap_or_default();
    let holder = if holder.trim().is_empty() { String::new() } else { format!(" ({})", holder.trim()) };
    Failure::Usage(format!("{}: another process{holder} is writing there; nothing was written", target.display()))
}

impl Draft {
    /// Opens a draft for `target` and locks the folder. Finished runs that are there stay.
    pub fn open(target: &Path) -> Result<Self, Failure> {
        if target.file_name().is_none() && fs::canonicalize(target).is_err() {
            return Err(Failure::Usage(format!("{}: not the name of a folder", target.display())));
        }
        let made = !target.exists();
        let partial = target.join(PARTIAL);
        let refused = |path: &Path, error: std::io::Error| {
            Failure::Usage(format!("{}: {error}; nothing was written", path.display()))
        };
        fs::create_dir_all(target).map_err(|error| refused(target, error))?;
        let lock = take_lock(target).inspect_err(|_| {
            if made {
                // Only if it is empty: another process may have come in.
                let _ = fs::remove_dir(target);
            }
        })?;
        let draft = Self { partial, target: target.to_owned(), made, lock };
        let prepared = fs::create_dir_all(&draft.partial).and_then(|()| clear(&draft.partial)).and_then(|()| {
            // What a disk that is full or read-only refuses is found before the work starts.
            let probe = draft.partial.join(".probe");
            fs::write(&probe, [0; 64]).and_then(|()| fs::remove_file(&probe))
        });
        match prepared {
            Ok(()) => Ok(draft),
            Err(error) => {
                let failure = refused(&draft.partial, error);
                draft.abandon();
                Err(failure)
            }
        }
    }

    /// A new file of the draft.
    pub fn create(&self, name: &str) -> anyhow::Result<BufWriter<File>> {
        let path = self.partial.join(name);
        Ok(BufWriter::new(File::create(&path).with_context(|| path.display().to_string())?))
    }

    /// The folder that files are written to.
    pub fn path(&self) -> &Path {
        &self.partial
    }

    /// Writes the manifest as it is before the first run: configuration, seeds, thresholds, hash of the claims.
    pub fn register(&self, manifest: &Manifest) -> anyhow::Result<()> {
        let path = self.partial.join(MANIFEST);
        let mut text = serde_json::to_vec_pretty(manifest)?;
        text.push(b'\n');
        fs::write(&path, text).with_context(|| path.display().to_string())
    }

    /// Completes the manifest with the hashes of all tables, the `derived` ones too, and moves everything to its place.
    ///
    /// The manifest goes last and the journal stays until it is there, so that a kill in between loses nothing.
    /// Before anything is moved `add` may write further files; it gets the folder of the draft and its target.
    pub fn publish(
        self,
        manifest: &mut Manifest,
        derived: impl Iterator<Item = &'static str>,
        add: impl FnOnce(&Path, &Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        for name in TABLES.into_iter().chain(derived) {
            let path = self.partial.join(name);
            let file = File::open(&path).with_context(|| path.display().to_string())?;
            file.sync_all().with_context(|| path.display().to_string())?;
            let hash = sha256_of(file).with_context(|| path.display().to_string())?;
            manifest.files_sha256.insert(name.to_owned(), hash);
        }
        self.register(manifest)?;
        File::open(self.partial.join(MANIFEST))?.sync_all()?;
        add(&self.partial, &self.target)?;
        self.remove_stale_tables(manifest)?;
        for entry in fs::read_dir(&self.partial)? {
            let name = entry?.file_name();
            if name != OsStr::new(MANIFEST) && name != OsStr::new(journal::NAME) {
                self.put_in_place(&name)?;
            }
        }
        self.put_in_place(OsStr::new(MANIFEST))?;
        journal::remove(&self.partial.join(journal::NAME))?;
        fs::remove_dir_all(&self.partial).with_context(|| self.partial.display().to_string())?;
        self.unlock();
        Ok(())
    }

    fn put_in_place(&self, name: &OsStr) -> anyhow::Result<()> {
        let (from, to) = (self.partial.join(name), self.target.join(name));
        if to.is_dir() {
            fs::remove_dir_all(&to).with_context(|| to.display().to_string())?;
        }
        fs::rename(from, &to).with_context(|| to.display().to_string())
    }

    /// Removes the tables of an earlier run of the same configuration that this one has not.
    fn remove_stale_tables(&self, manifest: &Manifest) -> anyhow::Result<()> {
        let earlier = read_manifest(&self.target).map(|earlier| earlier.files_sha256).unwrap_or_default();
        for name in earlier.keys().filter(|name| !manifest.files_sha256.contains_key(*name)) {
            // A manifest may have been written by anybody: it names files of its own folder and no others.
            if Path::new(name).file_name() != Some(OsStr::new(name)) {
                continue;
            }
            match fs::remove_file(self.target.join(name)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).context(name.clone()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes away what opening has put there; finished runs stay.
    pub fn abandon(self) {
        // Whatever can't be removed is empty and in nobody's way.
        if !self.partial.join(journal::NAME).exists() {
            let _ = fs::remove_dir_all(&self.partial);
        }
        let (target, made) = (self.target.clone(), self.made);
        self.unlock();
        if made {
            let _ = fs::remove_dir(target);
        }
    }

    /// Removes the lock's file while it is still locked.
    fn unlock(self) {
        if self.lock.is_some() {
            let _ = fs::remove_file(self.target.join(LOCK));
        }
    }
}

/// Removes what an interrupted simulation has left beside its journal: all of it is made again.
fn clear(partial: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(partial)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else if entry.file_name() != OsStr::new(journal::NAME) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Locks a folder for this process; `None`, with a warning, where the file system has no locks.
fn take_lock(target: &Path) -> Result<Option<File>, Failure> {
    let path = target.join(LOCK);
    let refused = |error: std::io::Error| Failure::Usage(format!("{}: {error}; nothing was written", path.display()));
    loop {
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(refused)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(target)),
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                output::tell(format!(
                    "simulate: warning: {}: no locks here ({error}): nothing stops a second process from writing there",
                    path.display()
                ));
                return Ok(None);
            }
            Err(TryLockError::Error(error)) => return Err(refused(error)),
        }
        // The one who held it before may have removed the file while it was being opened here.
        if is_the_file_at(&file, &path) {
            // Only for the message that others get; a disk without room for it is found by the draft.
            let _ = file.set_len(0).and_then(|()| writeln!(file, "process {}", std::process::id()));
            return Ok(Some(file));
        }
    }
}

#[cfg(unix)]
fn is_the_file_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let (held, there) = (file.metadata().map(identity).ok(), fs::metadata(path).map(identity).ok());
    held.is_some() && held == there
}

#[cfg(not(unix))]
fn is_the_file_at(_: &File, path: &Path) -> bool {
    path.exists()
}
