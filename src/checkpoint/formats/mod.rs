//! The formats of checkpoints: which can be read, and what to do about those that can't.

mod flax;
mod msgpack;
mod npz;
mod vmoe;

use super::error::{Result, listed, refused};
use super::files::{CheckpointFiles, Tensor};
use super::index::INDEX;
use safetensors::Dtype;
use std::path::{Path, PathBuf};

/// A format that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// One file, or an index of shards.
    Safetensors,
    /// A tree of arrays of flax.
    FlaxMsgpack,
    /// V-MoE's index and shards.
    VmoeIndex,
    /// NumPy's archive of arrays.
    Npz,
}

/// Where bytes of a foreign format are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Place {
    /// In pieces, each of which fills a box of the array.
    Chunks(Vec<Chunk>),
    /// In a compressed member of a zip, behind so many bytes of head.
    ZipMember { member: usize, head: u64 },
}

/// A box of an array, and where its numbers are, in C order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chunk {
    lower: Vec<u64>,
    upper: Vec<u64>,
    pieces: Vec<Piece>,
}

/// A range of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Piece {
    file: usize,
    start: u64,
    bytes: u64,
}

/// Files of one name that a folder may hold, the preferred first.
const SINGLE: [&str; 3] = ["model.safetensors", INDEX, "adapter_model.safetensors"];

/// Ends of names of files that hold code in the guise of data.
const PICKLES: [&str; 6] = ["bin", "pt", "pth", "ckpt", "pkl", "pickle"];

/// How pickles become safetensors.
const EXPORT_PICKLE: &str =
    "a pickle runs code when it is read, so it is never read here. Export it once, where you trust it:
    import glob, torch
    from safetensors.torch import save_file
    for path in glob.glob('*.bin'):
        tensors = torch.load(path, map_location='cpu', weights_only=True)
        tensors = {name: tensor.clone().contiguous() for name, tensor in tensors.items()}
        save_file(tensors, path.replace('.bin', '.safetensors'), metadata={'format': 'pt'})";

/// How an Orbax folder becomes npz.
const EXPORT_OCDBT: &str = "an Orbax checkpoint (OCDBT) can only be read by tensorstore. Export it once:
    import flax, numpy, orbax.checkpoint
    tree = orbax.checkpoint.PyTreeCheckpointer().restore('DIR')
    flat = flax.traverse_util.flatten_dict(tree, sep='/')
    numpy.savez('model.npz', **{name: numpy.asarray(value, 'float32') for name, value in flat.items()})";

impl Format {
    /// The format of a folder or file, and the file to begin with.
    pub(crate) fn of(path: &Path) -> Result<(Self, PathBuf)> {
        if path.is_file() {
            return Self::of_file(path);
        }
        let entries = std::fs::read_dir(path).map_err(|error| refused(path.display(), error))?;
        let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        if let Some(name) = SINGLE.iter().find(|&&single| names.iter().any(|name| name == single)) {
            return Ok((Format::Safetensors, path.join(name)));
        }
        if names.iter().any(|name| name == "manifest.ocdbt" || name == "_METADATA") {
            return Err(refused(path.display(), EXPORT_OCDBT));
        }
        let known: Vec<&String> = names.iter().filter(|name| Self::of_file(Path::new(name)).is_ok()).collect();
        match known.as_slice() {
            [name] => Self::of_file(&path.join(name)),
            [] if names.iter().any(|name| is_pickle(Path::new(name))) => Err(refused(path.display(), EXPORT_PICKLE)),
            [] => Err(refused(path.display(), format!("holds no checkpoint: none of {}", listed(&SINGLE, 3)))),
            several => {
                let problem = format!("holds several models and no {INDEX}: {}; name one", listed(several, 5));
                Err(refused(path.display(), problem))
            }
        }
    }

    fn of_file(path: &Path) -> Result<(Self, PathBuf)> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let found = |format| Ok((format, path.to_owned()));
        match () {
            () if name.ends_with(".safetensors") || name == INDEX => found(Format::Safetensors),
            () if name.ends_with(".msgpack") => found(Format::FlaxMsgpack),
            () if name.ends_with(".npz") => found(Format::Npz),
            () if name.ends_with(".index") => found(Format::VmoeIndex),
            () if name == "manifest.ocdbt" => Err(refused(path.display(), EXPORT_OCDBT)),
            () if is_pickle(path) => Err(refused(path.display(), EXPORT_PICKLE)),
            () => Err(refused(
                path.display(),
                "must end with .safetensors, .msgpack, .npz or .index, or be a folder that holds such a file",
            )),
        }
    }
}

fn is_pickle(path: &Path) -> bool {
    path.extension().is_some_and(|end| PICKLES.iter().any(|pickle| end == *pickle))
}

/// Opens a file of a foreign format.
pub(crate) fn open(checkpoint: CheckpointFiles, path: &Path) -> Result<CheckpointFiles> {
    match checkpoint.format {
        Format::FlaxMsgpack => flax::open(checkpoint, path),
        Format::VmoeIndex => vmoe::open(checkpoint, path),
        Format::Npz => npz::open(checkpoint, path),
        Format::Safetensors => Ok(checkpoint),
    }
}

/// The bytes of a tensor of a foreign format.
pub(crate) fn bytes(files: &CheckpointFiles, tensor: &Tensor, place: &Place) -> Result<Vec<u8>> {
    match place {
        Place::ZipMember { member, head } => npz::bytes(files.files[0].path(), *member, *head, tensor.bytes),
        Place::Chunks(chunks) => {
            let count = usize::try_from(tensor.bytes).map_err(|error| refused(files.shown(), error))?;
            let mut array = vec![0; count];
            let mut filled = 0;
            for chunk in chunks {
                filled += fill(files, tensor, chunk, &mut array)?;
            }
            match filled == tensor.bytes {
                true => Ok(array),
                false => Err(refused(
                    files.shown(),
                    format!("{filled} of {count} bytes of an array are there; incomplete download?"),
                )),
            }
        }
    }
}

/// Copies a box into its array; the bytes that it fills.
fn fill(files: &CheckpointFiles, tensor: &Tensor, chunk: &Chunk, array: &mut [u8]) -> Result<u64> {
    let bad =
        |problem: &str| refused(files.shown(), format!("a piece of an array of shape {:?} {problem}", tensor.shape));
    let sides = tensor.shape.len();
    let bounds = || chunk.lower.iter().zip(&chunk.upper).zip(&tensor.shape);
    if chunk.lower.len() != sides
        || chunk.upper.len() != sides
        || bounds().any(|((low, up), side)| low > up || up > side)
    {
        return Err(bad("lies outside of it"));
    }
    let mut bytes = Vec::new();
    for piece in &chunk.pieces {
        bytes.extend(files.files[piece.file].bytes_at(piece.start, piece.bytes)?);
    }
    let item = (tensor.dtype.bitsize() / 8) as u64;
    let inside: u64 = bounds().map(|((low, up), _)| up - low).product();
    if inside * item != bytes.len() as u64 {
        return Err(bad("is not as long as its box"));
    }
    if inside == 0 {
        return Ok(0);
    }
    // Rows of the box along the last axis lie together in both.
    let (last_low, last) = match bounds().next_back() {
        Some(((low, up), _)) => (*low, up - low),
        None => (0, 1),
    };
    for (row, source) in bytes.chunks_exact((last * item) as usize).enumerate() {
        let mut rest = row as u64;
        let (mut offset, mut stride) = (last_low, tensor.shape.last().copied().unwrap_or(1));
        for axis in (0..sides.saturating_sub(1)).rev() {
            let side = chunk.upper[axis] - chunk.lower[axis];
            offset += (chunk.lower[axis] + rest % side) * stride;
            rest /= side;
            stride *= tensor.shape[axis];
        }
        let start = (offset * item) as usize;
        array[start..start + source.len()].copy_from_slice(source);
    }
    Ok(bytes.len() as u64)
}

/// Whether an array is of an optimiser, which has names of weights too.
fn is_of_optimiser(name: &str) -> bool {
    name.split('/').any(|word| matches!(word, "opt_state" | "optimizer" | "opt" | "mu" | "nu"))
}

/// The type of a name of JAX.
fn dtype_of_name(name: &str) -> Option<Dtype> {
    Some(match name {
        "float64" => Dtype::F64,
        "float32" => Dtype::F32,
        "float16" => Dtype::F16,
        "bfloat16" => Dtype::BF16,
        "int64" => Dtype::I64,
        "int32" => Dtype::I32,
        "uint32" => Dtype::U32,
        "uint8" => Dtype::U8,
        "int8" => Dtype::I8,
        "bool" => Dtype::BOOL,
        _ => return None,
    })
}

/// The type of a code of NumPy; bfloat16, which NumPy does not know, is stored as two bytes of anything.
fn dtype_of_code(code: &str) -> Option<Dtype> {
    Some(match code {
        "<f8" => Dtype::F64,
        "<f4" => Dtype::F32,
        "<f2" => Dtype::F16,
        "<V2" | "|V2" => Dtype::BF16,
        "<i8" => Dtype::I64,
        "<i4" => Dtype::I32,
        "<u4" => Dtype::U32,
        "|u1" => Dtype::U8,
        "|i1" => Dtype::I8,
        "|b1" => Dtype::BOOL,
        _ => return None,
    })
}
