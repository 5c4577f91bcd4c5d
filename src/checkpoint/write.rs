//! Writing a pruned checkpoint: tensors are streamed, all else is copied, and the folder appears only when it is complete.

use super::config::CONFIG;
use super::error::{CheckpointError, Result, io_at, listed, refused};
use super::files::{CheckpointFiles, Place};
use super::index::INDEX;
use super::keep::Chosen;
use super::plan::{Action, PrunePlan, Semantics, Written};
use super::summary::Summary;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The name of the file that says what was pruned.
pub const MANIFEST: &str = "prune.json";

/// Bytes that are in memory at once: few enough that what was read is hashed and written from the processor's cache.
const PIECE: usize = 1 << 20;

/// Ends of names of files that hold weights: those of other formats would still have all experts.
const WEIGHTS: [&str; 11] =
    ["safetensors", "bin", "pt", "pth", "ckpt", "gguf", "msgpack", "npz", "h5", "onnx", "index.json"];

/// What is written beside the tensors about how they came to be.
#[derive(Clone, Debug, Serialize)]
pub struct Provenance {
    /// The program and its version.
    pub program: String,
    /// The command line.
    pub command: Vec<String>,
    /// The pre-trained checkpoint, if any was read.
    pub pretrained: Option<String>,
    /// The checkpoint that was pruned.
    pub finetuned: String,
    /// Which of equals went first.
    pub tie_break: super::keep::TieBreak,
    /// Seed of random orders.
    pub seed: u64,
}

/// What was pruned: the content of `prune.json`.
#[derive(Clone, Debug, Serialize)]
pub struct PruneReport {
    /// How it came to be.
    #[serde(flatten)]
    pub provenance: Provenance,
    /// What "pruned" means here.
    pub semantics: Semantics,
    /// Experts that stayed, router by router.
    pub layers: Vec<Chosen>,
    /// Bytes of all tensors before.
    pub bytes_before: u64,
    /// Bytes of all tensors after.
    pub bytes: u64,
    /// Numbers before.
    pub parameters_before: u64,
    /// Numbers after.
    pub parameters: u64,
    /// SHA-256 of the headers of the files that were pruned, which name all their tensors.
    pub header_sha256: BTreeMap<String, String>,
    /// SHA-256 of every file of tensors that was written.
    pub sha256: BTreeMap<String, String>,
    /// What the user must know.
    pub notes: Vec<String>,
}

impl PrunePlan<'_> {
    /// Writes the pruned checkpoint into a new folder, and reads it again before it takes its name.
    ///
    /// # Errors
    /// The folder is there already; the disk has too little space; a file can't be read or written. Nothing is left behind.
    pub fn write(&self, out: &Path, provenance: Provenance) -> Result<PruneReport> {
        let partial = partial_of(out)?;
        check_space(out, self.bytes())?;
        fs::create_dir_all(&partial).map_err(io_at(&partial))?;
        let done = self.fill(&partial, provenance).and_then(|report| {
            fs::rename(&partial, out).map_err(io_at(out))?;
            Ok(report)
        });
        if done.is_err() {
            // What matters is the first error.
            let _ = fs::remove_dir_all(&partial);
        }
        done
    }

    fn fill(&self, dir: &Path, provenance: Provenance) -> Result<PruneReport> {
        let mut report = PruneReport {
            provenance,
            semantics: self.semantics,
            layers: self.chosen.clone(),
            bytes_before: self.files.total_bytes(),
            bytes: self.bytes(),
            parameters_before: self.files.parameters(),
            parameters: self.parameters(),
            header_sha256: BTreeMap::new(),
            sha256: BTreeMap::new(),
            notes: self.notes.clone(),
        };
        let mut weight_map = Map::new();
        for number in 0..self.files.files.len() {
            let name = file_name(self.files.files[number].path());
            report.header_sha256.insert(name.clone(), hex(&Sha256::digest(&self.files.headers[number].text)));
            let names = self.names_of(number);
            // A shard of which nothing is left would only be another file to open.
            if names.is_empty() && self.files.index.is_some() {
                continue;
            }
            report.sha256.insert(name.clone(), self.write_shard(number, &names, &dir.join(&name))?);
            weight_map.extend(names.iter().map(|old| (self.tensors[*old].name.clone(), Value::from(name.clone()))));
        }
        self.write_texts(dir, weight_map, &report)?;
        self.copy_rest(dir, &mut report)?;
        write_new(&dir.join(MANIFEST), &pretty(&report)?)?;
        self.check_written(dir)?;
        Ok(report)
    }

    /// The tensors of a file that are written, in the order of the file.
    fn names_of(&self, number: usize) -> Vec<&String> {
        let entries = self.files.headers[number].entries.iter();
        entries.map(|entry| &entry.name).filter(|name| self.tensors.contains_key(*name)).collect()
    }

    fn write_shard(&self, number: usize, names: &[&String], path: &Path) -> Result<String> {
        let header = self.header(number, names)?;
        let mut out = HashedFile::create(path)?;
        out.write(&(header.len() as u64).to_le_bytes())?;
        out.write(&header)?;
        let mut buffer = Vec::new();
        for name in names {
            let tensor = &self.files.tensors[*name];
            let Place::File { file, start } = tensor.place else { continue };
            for segment in self.tensors[*name].segments(&tensor.shape, tensor.bytes) {
                let (mut from, end) = (segment.from, segment.from + segment.bytes);
                while from < end {
                    let count = PIECE.min((end - from) as usize);
                    buffer.resize(count, 0);
                    match segment.is_zero {
                        true => buffer.fill(0),
                        false => self.files.files[file].read_at(start + from, &mut buffer)?,
                    }
                    out.write(&buffer)?;
                    from += count as u64;
                }
            }
        }
        out.finish()
    }

    /// The header of a file: the old one where nothing of it changes.
    fn header(&self, number: usize, names: &[&String]) -> Result<Vec<u8>> {
        let old = &self.files.headers[number];
        let is_same = |name: &String| {
            let written = &self.tensors[name];
            written.name == *name && !matches!(written.action, Action::Cut { .. })
        };
        let are_same = names.len() == old.entries.len() && names.iter().all(|name| is_same(name));
        if are_same && old.metadata.contains_key("format") {
            return Ok(old.text.clone());
        }
        let mut metadata = old.metadata.clone();
        // transformers 4 reads no file whose metadata lack it.
        metadata.entry("format".to_owned()).or_insert_with(|| "pt".to_owned());
        let mut header = Map::new();
        header.insert("__metadata__".to_owned(), json!(metadata));
        let mut start = 0;
        for name in names {
            let (tensor, written) = (&self.files.tensors[*name], &self.tensors[*name]);
            let end = start + written.bytes(tensor);
            let entry = json!({"dtype": tensor.dtype, "shape": written.shape(tensor), "data_offsets": [start, end]});
            header.insert(written.name.clone(), entry);
            start = end;
        }
        let mut text = serde_json::to_vec(&header).map_err(|error| refused(self.files.shown(), error))?;
        // Tensors begin at multiples of 8.
        text.resize(text.len().next_multiple_of(8), b' ');
        Ok(text)
    }

    /// The configuration and the index.
    fn write_texts(&self, dir: &Path, mut weight_map: Map<String, Value>, report: &PruneReport) -> Result<()> {
        if let Some(config) = &self.files.config {
            let text = match &self.config {
                Some(changed) => changed.rewritten()?,
                None => config.text.clone(),
            };
            write_new(&dir.join(CONFIG), &text)?;
        }
        let Some(index) = &self.files.index else { return Ok(()) };
        weight_map.sort_keys();
        let mut value = index.value.clone();
        value.insert("weight_map".to_owned(), Value::Object(weight_map));
        if let Some(Value::Object(metadata)) = value.get_mut("metadata") {
            if metadata.contains_key("total_size") {
                metadata.insert("total_size".to_owned(), Value::from(report.bytes));
            }
            if let Some(total) = metadata.get("total_parameters").and_then(Value::as_u64) {
                let gone = report.parameters_before - report.parameters;
                metadata.insert("total_parameters".to_owned(), Value::from(total.saturating_sub(gone)));
            }
        }
        write_new(&dir.join(INDEX), &pretty(&value)?)
    }

    /// Copies all files that hold no weights.
    fn copy_rest(&self, dir: &Path, report: &mut PruneReport) -> Result<()> {
        if !self.files.place.is_dir() {
            return Ok(());
        }
        let mut left = Vec::new();
        copy_folder(&self.files.place, dir, self.files, &mut left)?;
        if !left.is_empty() {
            report.notes.push(format!("not copied, as they hold weights of all experts: {}", listed(&left, 5)));
        }
        Ok(())
    }

    /// Reads what was written as a user will.
    fn check_written(&self, dir: &Path) -> Result<()> {
        let written = CheckpointFiles::open(dir)?;
        let summary = Summary::of(&written, self.choice)?;
        let bytes = self.bytes();
        if summary.bytes != bytes {
            return Err(refused(dir.display(), format!("{} bytes were written in place of {bytes}", summary.bytes)));
        }
        for layer in self.chosen.iter().filter(|_| self.semantics == Semantics::Delete) {
            let own = summary.layers.iter().find(|other| other.site == layer.site).map(|other| other.experts);
            if own != Some(layer.kept.len() as u64) {
                return Err(refused(
                    dir.display(),
                    format!("{}: {own:?} experts in place of {}", layer.site, layer.kept.len()),
                ));
            }
        }
        Ok(())
    }
}

/// Bytes of a tensor that are copied, or written as 0.
struct Segment {
    from: u64,
    bytes: u64,
    is_zero: bool,
}

impl Written {
    /// The segments of a tensor in the order in which they are written.
    fn segments(&self, shape: &[u64], bytes: u64) -> Vec<Segment> {
        match &self.action {
            Action::Copy => vec![Segment { from: 0, bytes, is_zero: false }],
            Action::Zero { experts, pruned } => {
                let part = bytes / experts;
                let segment = |expert| Segment { from: expert * part, bytes: part, is_zero: pruned.contains(&expert) };
                (0..*experts).map(segment).collect()
            }
            Action::Cut { axis, entries, experts, kept } => {
                let outer: u64 = shape[..*axis].iter().product();
                let row = bytes.checked_div(outer).unwrap_or(0);
                let entry = row / shape[*axis];
                let part = entries * entry;
                let tail = row - part * experts;
                let of_row = |row_start: u64| {
                    let kept = kept.iter().map(move |expert| (row_start + expert * part, part));
                    kept.chain((tail > 0).then_some((row_start + experts * part, tail)))
                };
                let all = (0..outer).flat_map(|place| of_row(place * row));
                all.map(|(from, bytes)| Segment { from, bytes, is_zero: false }).collect()
            }
        }
    }
}

/// A new file whose bytes are hashed while they are written.
struct HashedFile {
    path: PathBuf,
    file: File,
    hash: Sha256,
}

impl HashedFile {
    fn create(path: &Path) -> Result<Self> {
        let file = File::create_new(path).map_err(io_at(path))?;
        Ok(Self { path: path.to_owned(), file, hash: Sha256::new() })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let (hash, file) = (&mut self.hash, &mut self.file);
        rayon::join(|| file.write_all(bytes), || hash.update(bytes)).0.map_err(io_at(&self.path))
    }

    fn finish(self) -> Result<String> {
        self.file.sync_all().map_err(io_at(&self.path))?;
        Ok(hex(&self.hash.finalize()))
    }
}

/// The folder that is filled before it takes the name of `out`.
fn partial_of(out: &Path) -> Result<PathBuf> {
    let name = out.file_name().ok_or_else(|| refused(out.display(), "must be the name of a new folder"))?;
    let partial = out.with_file_name(format!(".{}.partial", name.to_string_lossy()));
    for path in [out, &partial] {
        if fs::symlink_metadata(path).is_ok() {
            return Err(refused(
                path.display(),
                "is there already; nothing was written; give another folder, or remove this one",
            ));
        }
    }
    Ok(partial)
}

/// Refuses to begin what the disk has no space for. What it can't tell is found out by writing.
fn check_space(out: &Path, needed: u64) -> Result<()> {
    let folders = out.ancestors().skip(1).map(|folder| match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    });
    let free = folders.filter(|folder| folder.is_dir()).find_map(|folder| fs4::available_space(folder).ok());
    match free.filter(|&free| free < needed) {
        Some(free) => {
            Err(refused(out.display(), format!("needs {needed} bytes, and {free} are free; nothing was written")))
        }
        None => Ok(()),
    }
}

fn copy_folder(from: &Path, to: &Path, files: &CheckpointFiles, left: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(from).map_err(io_at(from))? {
        let path = entry.map_err(io_at(from))?.path();
        let name = file_name(&path);
        let target = to.join(&name);
        let is_own = files.files.iter().any(|file| file.path() == path);
        // A checkpoint that was pruned before has a manifest, which is not this one's.
        if name.starts_with('.') || name == MANIFEST || is_own || fs::symlink_metadata(&target).is_ok() {
            continue;
        }
        if path.is_dir() {
            fs::create_dir(&target).map_err(io_at(&target))?;
            copy_folder(&path, &target, files, left)?;
        } else if WEIGHTS.iter().any(|end| name.ends_with(&format!(".{end}"))) {
            if name != INDEX {
                left.push(name);
            }
        } else {
            fs::copy(&path, &target).map_err(io_at(&path))?;
        }
    }
    Ok(())
}

fn write_new(path: &Path, text: &[u8]) -> Result<()> {
    let mut file = HashedFile::create(path)?;
    file.write(text)?;
    file.finish().map(|_| ())
}

fn pretty(value: &impl Serialize) -> Result<Vec<u8>> {
    let error = |error: serde_json::Error| CheckpointError::Io { place: MANIFEST.to_owned(), source: error.into() };
    let mut text = serde_json::to_vec_pretty(value).map_err(error)?;
    text.push(b'\n');
    Ok(text)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
