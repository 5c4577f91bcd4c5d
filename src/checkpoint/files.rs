//! The files of a checkpoint: found, checked against each other, and open. Only headers have been read.

use super::config::Config;
use super::error::{Result, listed, refused};
use super::formats::{self, Format};
use super::header::Header;
use super::index::{INDEX, Index};
use super::pread::PositionedFile;
use safetensors::Dtype;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A tensor, where its bytes are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tensor {
    pub dtype: Dtype,
    pub shape: Vec<u64>,
    /// Bytes when decompressed and put together.
    pub bytes: u64,
    pub place: Place,
}

/// Where bytes are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Place {
    /// Together, in one file.
    File {
        /// The file's number in [`CheckpointFiles`].
        file: usize,
        /// The first byte.
        start: u64,
    },
    /// Elsewhere, as a foreign format has it.
    Foreign(formats::Place),
}

/// A checkpoint's files.
#[derive(Debug)]
pub struct CheckpointFiles {
    /// The folder or file that was given.
    pub(crate) place: PathBuf,
    pub(crate) format: Format,
    pub(crate) files: Vec<PositionedFile>,
    /// The headers of safetensors files, one a file.
    pub(crate) headers: Vec<Header>,
    pub(crate) tensors: BTreeMap<String, Tensor>,
    pub(crate) index: Option<Index>,
    pub(crate) config: Option<Config>,
    /// What is odd but no error.
    pub(crate) notes: Vec<String>,
}

impl CheckpointFiles {
    /// Opens a folder as `save_pretrained` writes it, or one file.
    ///
    /// # Errors
    /// Files that are missing, damaged, or contradict each other; formats that can't be read, with what to do.
    pub fn open(path: &Path) -> Result<Self> {
        let (format, file) = Format::of(path)?;
        let dir = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
        let config = Config::read(dir)?;
        let checkpoint = match format {
            Format::Safetensors if file.ends_with(INDEX) => Self::sharded(path, &file)?,
            Format::Safetensors => {
                let mut checkpoint = Self::empty(path, format);
                checkpoint.add(&file)?;
                checkpoint
            }
            _ => formats::open(Self::empty(path, format), &file)?,
        };
        Ok(Self { config, ..checkpoint })
    }

    pub(crate) fn empty(path: &Path, format: Format) -> Self {
        Self {
            place: path.to_owned(),
            format,
            files: Vec::new(),
            headers: Vec::new(),
            tensors: BTreeMap::new(),
            index: None,
            config: None,
            notes: Vec::new(),
        }
    }

    /// Opens all shards of an index.
    fn sharded(path: &Path, index_path: &Path) -> Result<Self> {
        let index = Index::read(index_path)?;
        let dir = index_path.parent().unwrap_or(Path::new(""));
        let shards = index.shards();
        let missing: Vec<&String> = shards.iter().filter(|shard| !dir.join(shard).is_file()).collect();
        if !missing.is_empty() {
            let count = format!("{} of {} shards are missing: {}", missing.len(), shards.len(), listed(&missing, 5));
            return Err(refused(index_path.display(), format!("{count}; incomplete download?")));
        }
        let mut checkpoint = Self::empty(path, Format::Safetensors);
        for shard in &shards {
            checkpoint.add(&dir.join(shard))?;
        }
        let in_shard = |tensor: &Tensor, shard: &str| match tensor.place {
            Place::File { file, .. } => shards[file] == shard,
            Place::Foreign(_) => false,
        };
        for (name, shard) in &index.weight_map {
            if !checkpoint.tensors.get(name).is_some_and(|tensor| in_shard(tensor, shard)) {
                return Err(refused(index_path.display(), format!("tensor {name} is not in its shard {shard}")));
            }
        }
        let names = checkpoint.tensors.keys();
        let extra: Vec<&String> = names.filter(|name| !index.weight_map.contains_key(*name)).collect();
        if !extra.is_empty() {
            checkpoint.notes.push(format!(
                "the index lacks {} tensors of the shards: {}",
                extra.len(),
                listed(&extra, 3)
            ));
        }
        let total: u64 = checkpoint.tensors.values().map(|tensor| tensor.bytes).sum();
        if let Some(size) = index.total_size().filter(|&size| size != total) {
            checkpoint.notes.push(format!("the index says total_size = {size}, the tensors take {total} bytes"));
        }
        checkpoint.index = Some(index);
        Ok(checkpoint)
    }

    /// Adds a safetensors file.
    fn add(&mut self, path: &Path) -> Result<()> {
        let file = PositionedFile::open(path)?;
        let header = Header::read(&file)?;
        let number = self.files.len();
        for entry in &header.entries {
            let place = Place::File { file: number, start: entry.start };
            let tensor = Tensor { dtype: entry.dtype, shape: entry.shape.clone(), bytes: entry.bytes, place };
            if self.tensors.insert(entry.name.clone(), tensor).is_some() {
                return Err(refused(path.display(), format!("tensor {}: stands in another shard too", entry.name)));
            }
        }
        self.files.push(file);
        self.headers.push(header);
        Ok(())
    }

    /// All bytes of a tensor.
    pub(crate) fn bytes(&self, tensor: &Tensor) -> Result<Vec<u8>> {
        match &tensor.place {
            Place::File { file, start } => self.files[*file].bytes_at(*start, tensor.bytes),
            Place::Foreign(place) => formats::bytes(self, tensor, place),
        }
    }

    /// For messages.
    pub(crate) fn shown(&self) -> String {
        self.place.display().to_string()
    }

    /// Bytes of all tensors.
    pub(crate) fn total_bytes(&self) -> u64 {
        self.tensors.values().map(|tensor| tensor.bytes).sum()
    }

    /// Numbers of all tensors. Four-bit numbers that stand in pairs in bytes count as pairs.
    pub(crate) fn parameters(&self) -> u64 {
        self.tensors.values().map(|tensor| tensor.shape.iter().product::<u64>()).sum()
    }
}
