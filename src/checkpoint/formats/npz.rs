//! NumPy's npz: a zip of arrays.

use super::super::error::{Result, io_at, refused};
use super::super::files::{CheckpointFiles, Place as Where, Tensor};
use super::super::header::byte_length;
use super::super::pread::PositionedFile;
use super::{Place, dtype_of_code, is_of_optimiser};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use zip::{CompressionMethod, ZipArchive};

/// The first bytes of an array, before its version.
const MAGIC: &[u8] = b"\x93NUMPY";

/// The longest head of an array that is read.
const LONGEST_HEAD: u64 = 1 << 16;

/// Reads where all arrays of a file are.
pub(super) fn open(mut checkpoint: CheckpointFiles, path: &Path) -> Result<CheckpointFiles> {
    let mut archive = archive(path)?;
    for member in 0..archive.len() {
        let mut entry = archive.by_index(member).map_err(|error| refused(path.display(), error))?;
        let file_name = entry.name().map_err(|error| refused(path.display(), error))?.into_owned();
        let Some(name) = file_name.strip_suffix(".npy").filter(|name| !is_of_optimiser(name)) else { continue };
        let bad = |problem: String| refused(path.display(), format!("array {name}: {problem}"));
        let head = read_head(&mut entry).map_err(bad)?;
        let Some(dtype) = dtype_of_code(&head.code) else { continue };
        let bytes =
            byte_length(dtype, &head.shape).ok_or_else(|| bad(format!("shape {:?} is too large", head.shape)))?;
        if head.is_fortran && head.shape.len() > 1 {
            return Err(bad("is stored in Fortran order: store numpy.ascontiguousarray of it".to_owned()));
        }
        if head.length.checked_add(bytes) != Some(entry.size()) {
            return Err(bad(format!(
                "is of {} bytes, its shape says {bytes} and {} of head",
                entry.size(),
                head.length
            )));
        }
        let place = match (entry.compression(), entry.data_start()) {
            (CompressionMethod::Stored, Some(start)) => Where::File { file: 0, start: start + head.length },
            _ => Where::Foreign(Place::ZipMember { member, head: head.length }),
        };
        checkpoint.tensors.insert(name.to_owned(), Tensor { dtype, shape: head.shape, bytes, place });
    }
    checkpoint.files.push(PositionedFile::open(path)?);
    Ok(checkpoint)
}

/// The bytes of a compressed array.
pub(super) fn bytes(path: &Path, member: usize, head: u64, count: u64) -> Result<Vec<u8>> {
    let mut archive = archive(path)?;
    let mut entry = archive.by_index(member).map_err(|error| refused(path.display(), error))?;
    std::io::copy(&mut entry.by_ref().take(head), &mut std::io::sink()).map_err(io_at(path))?;
    let mut bytes = Vec::new();
    entry.take(count).read_to_end(&mut bytes).map_err(io_at(path))?;
    match bytes.len() as u64 == count {
        true => Ok(bytes),
        false => Err(refused(path.display(), format!("an array ends after {} of {count} bytes", bytes.len()))),
    }
}

fn archive(path: &Path) -> Result<ZipArchive<BufReader<File>>> {
    let file = File::open(path).map_err(io_at(path))?;
    ZipArchive::new(BufReader::new(file)).map_err(|error| refused(path.display(), error))
}

/// What the head of an array says.
#[derive(Debug, PartialEq)]
struct Head {
    code: String,
    shape: Vec<u64>,
    is_fortran: bool,
    /// Bytes before the numbers.
    length: u64,
}

/// Reads the head: magic, version, length, and a literal of Python such as
/// `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
fn read_head(reader: &mut impl Read) -> std::result::Result<Head, String> {
    let mut start = [0; 8];
    reader.read_exact(&mut start).map_err(|error| error.to_string())?;
    let (magic, version) = start.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err("is no array of NumPy".to_owned());
    }
    let length_bytes = if version[0] == 1 { 2 } else { 4 };
    let mut length = [0; 4];
    reader.read_exact(&mut length[..length_bytes]).map_err(|error| error.to_string())?;
    let length = u64::from(u32::from_le_bytes(length));
    if length > LONGEST_HEAD {
        return Err(format!("a head of {length} bytes: must be at most {LONGEST_HEAD}"));
    }
    let mut text = String::new();
    reader.take(length).read_to_string(&mut text).map_err(|error| error.to_string())?;
    let head = parse_head(&text).ok_or_else(|| format!("head {:?} is not understood", text.trim_end()))?;
    Ok(Head { length: (MAGIC.len() + 2 + length_bytes) as u64 + length, ..head })
}

fn parse_head(text: &str) -> Option<Head> {
    let after = |key: &str| text.split_once(&format!("'{key}':")).map(|(_, rest)| rest.trim_start());
    let code = after("descr")?.strip_prefix('\'')?.split_once('\'')?.0.to_owned();
    let is_fortran = after("fortran_order")?.starts_with("True");
    let sides = after("shape")?.strip_prefix('(')?.split_once(')')?.0;
    let sides = sides.split(',').map(str::trim).filter(|side| !side.is_empty());
    let shape = sides.map(|side| side.parse().ok()).collect::<Option<Vec<u64>>>()?;
    Some(Head { code, shape, is_fortran, length: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_as_numpy_writes_them() {
        let head = |text| parse_head(text).map(|head| (head.code, head.shape, head.is_fortran));
        let expected = |shape: &[u64], is_fortran| Some(("<f4".to_owned(), shape.to_vec(), is_fortran));
        assert_eq!(head("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }  \n"), expected(&[2, 3], false));
        assert_eq!(head("{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }"), expected(&[2], true));
        assert_eq!(head("{'descr': '<f4', 'fortran_order': False, 'shape': (), }"), expected(&[], false));
        for bad in ["", "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", "{'descr': '<f4'}"] {
            assert_eq!(head(bad), None, "{bad}");
        }
    }
}
