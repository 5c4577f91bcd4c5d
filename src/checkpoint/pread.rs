//! Reading a file by position: neither the whole file nor a map of it is ever in memory.

use super::error::{Result, io_at, refused};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// An open file and its length.
#[derive(Debug)]
pub(crate) struct PositionedFile {
    path: PathBuf,
    file: File,
    length: u64,
}

impl PositionedFile {
    /// Opens a file; links are followed, as caches of downloads consist of them.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(io_at(path))?;
        let metadata = file.metadata().map_err(io_at(path))?;
        match metadata.is_file() {
            true => Ok(Self { path: path.to_owned(), file, length: metadata.len() }),
            false => Err(refused(path.display(), "is no file")),
        }
    }

    /// Length in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Fills `bytes` from `offset` on; an error if the file ends before.
    pub(crate) fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(bytes)).map_err(io_at(&self.path))
    }

    /// `count` bytes from `offset` on; the range is checked before memory is taken.
    pub(crate) fn bytes_at(&self, offset: u64, count: u64) -> Result<Vec<u8>> {
        let inside = offset.checked_add(count).is_some_and(|end| end <= self.length);
        let Some(count) = usize::try_from(count).ok().filter(|_| inside) else {
            return Err(refused(
                self.path.display(),
                format!("ends at byte {}, before the {count} bytes from byte {offset} on", self.length),
            ));
        };
        let mut bytes = vec![0; count];
        self.read_at(offset, &mut bytes)?;
        Ok(bytes)
    }
}
