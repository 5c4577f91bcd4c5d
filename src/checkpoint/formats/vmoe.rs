//! V-MoE's own format: `PREFIX.index` says which array is where, `PREFIX.data-0000i-of-0000n` hold pieces of arrays.
//!
//! The index is a tree with extensions of type 8 for leaves; arrays are numbered in the order of the tree with sorted keys.
//! A shard maps those numbers to lists of (flat pieces, the box that they fill).

use super::super::error::{Result, refused};
use super::super::files::{CheckpointFiles, Place as Where, Tensor};
use super::super::pread::PositionedFile;
use super::flax::{ARRAY, DEEPEST, array, tensor};
use super::msgpack::{Source, Token, Tokens};
use super::{Chunk, Place, is_of_optimiser};
use std::collections::BTreeMap;
use std::path::Path;

/// The extension of an entry of the index: shape and type, boxes, the shard of each box.
const INDEX_INFO: i8 = 8;

/// The extension of a box.
const SLICE_ND: i8 = 6;

/// The key that says that a map is one of pieces.
const CHUNKS: &str = "__msgpack_array_chunk_a87ca2__";

/// The version that is read.
const VERSION: &str = "20220622";

/// A tree of names; leaves have the array's shape and type.
enum Tree {
    Leaf(Vec<u64>, String),
    Node(BTreeMap<String, Tree>),
}

/// Reads the index and where all pieces are.
pub(super) fn open(mut checkpoint: CheckpointFiles, path: &Path) -> Result<CheckpointFiles> {
    let file = PositionedFile::open(path)?;
    let (tree, shards) = read_index(&mut Tokens::new(Source::File(&file)))?;
    let mut leaves = Vec::new();
    number_leaves(&tree, "", &mut leaves);
    checkpoint.files.push(file);
    let prefix = path.to_string_lossy();
    let prefix = prefix.strip_suffix(".index").unwrap_or(&prefix);
    let paths: Vec<String> = (0..shards).map(|shard| format!("{prefix}.data-{shard:05}-of-{shards:05}")).collect();
    if let Some(missing) = paths.iter().find(|path| !Path::new(path).is_file()) {
        return Err(refused(missing, "shard is missing; incomplete download?"));
    }
    let mut chunks: BTreeMap<u64, Vec<Chunk>> = BTreeMap::new();
    for path in &paths {
        let file = PositionedFile::open(Path::new(path))?;
        read_shard(&mut Tokens::new(Source::File(&file)), checkpoint.files.len(), &mut chunks)?;
        checkpoint.files.push(file);
    }
    for (number, (name, shape, dtype)) in leaves.into_iter().enumerate() {
        let chunks = chunks.remove(&(number as u64)).unwrap_or_default();
        let found: Option<Tensor> = tensor(shape, &dtype, |_| Some(Where::Foreign(Place::Chunks(chunks))));
        if let Some(tensor) = found.filter(|_| !is_of_optimiser(&name)) {
            checkpoint.tensors.insert(name, tensor);
        }
    }
    Ok(checkpoint)
}

fn read_index(tokens: &mut Tokens<'_>) -> Result<(Tree, u64)> {
    let Token::Map(length) = tokens.next()? else { return Err(tokens.bad("an index must be a map")) };
    let (mut tree, mut shards) = (None, None);
    for _ in 0..length {
        match tokens.text()?.as_str() {
            "index" => tree = read_tree(tokens, 0)?,
            "shard_count" => shards = Some(tokens.number()?),
            "version" => {
                let version = tokens.text()?;
                if version != VERSION {
                    return Err(tokens.bad(format!("version {version}: must be {VERSION}")));
                }
            }
            _ => tokens.skip_value()?,
        }
    }
    match (tree, shards) {
        (Some(tree), Some(shards @ 1..=99_999)) => Ok((tree, shards)),
        _ => Err(tokens.bad("an index must have a tree `index` and a number `shard_count` from 1 to 99999")),
    }
}

fn read_tree(tokens: &mut Tokens<'_>, depth: usize) -> Result<Option<Tree>> {
    if depth > DEEPEST {
        return Err(tokens.bad(format!("a tree of more than {DEEPEST} levels")));
    }
    match tokens.next()? {
        Token::Map(length) => {
            let mut node = BTreeMap::new();
            for _ in 0..length {
                let key = tokens.text()?;
                if let Some(tree) = read_tree(tokens, depth + 1)? {
                    node.insert(key, tree);
                }
            }
            Ok(Some(Tree::Node(node)))
        }
        Token::Extension(INDEX_INFO, length) => {
            let entry = tokens.take(length)?;
            let mut entry = Tokens::new(Source::Memory(&entry));
            entry.array()?;
            let Token::Bytes(length) = entry.next()? else { return Err(tokens.bad("an entry without shape")) };
            let shaped = entry.take(length)?;
            let mut shaped = Tokens::new(Source::Memory(&shaped));
            shaped.array()?;
            let shape = shaped.numbers()?;
            Ok(Some(Tree::Leaf(shape, shaped.text()?)))
        }
        // JAX leaves out what is nothing.
        Token::Nil => Ok(None),
        other => Err(tokens.bad(format!("{other:?} in a tree of arrays"))),
    }
}

fn number_leaves(tree: &Tree, path: &str, leaves: &mut Vec<(String, Vec<u64>, String)>) {
    match tree {
        Tree::Leaf(shape, dtype) => leaves.push((path.to_owned(), shape.clone(), dtype.clone())),
        Tree::Node(node) => {
            for (key, inner) in node {
                let path = if path.is_empty() { key.clone() } else { format!("{path}/{key}") };
                number_leaves(inner, &path, leaves);
            }
        }
    }
}

fn read_shard(tokens: &mut Tokens<'_>, file: usize, chunks: &mut BTreeMap<u64, Vec<Chunk>>) -> Result<()> {
    let Token::Map(length) = tokens.next()? else { return Err(tokens.bad("a shard must be a map")) };
    for _ in 0..length {
        let key = tokens.text()?;
        if key == CHUNKS {
            tokens.skip_value()?;
            continue;
        }
        let number = key.parse().map_err(|_| tokens.bad(format!("{key:?} is no number of an array")))?;
        for _ in 0..tokens.array()? {
            if tokens.array()? != 2 {
                return Err(tokens.bad("a piece must be its numbers and its box"));
            }
            let mut pieces = Vec::new();
            for _ in 0..tokens.array()? {
                let Token::Extension(ARRAY, length) = tokens.next()? else {
                    return Err(tokens.bad("an array is missing"));
                };
                pieces.push(array(tokens, file, length)?.2);
            }
            let Token::Extension(SLICE_ND, length) = tokens.next()? else { return Err(tokens.bad("a box is missing")) };
            let (lower, upper) = read_box(&tokens.take(length)?)?;
            chunks.entry(number).or_default().push(Chunk { lower, upper, pieces });
        }
    }
    Ok(())
}

/// A box is a list of slices, each stored as bytes: (start, stop, step).
fn read_box(bytes: &[u8]) -> Result<(Vec<u64>, Vec<u64>)> {
    let mut tokens = Tokens::new(Source::Memory(bytes));
    let (mut lower, mut upper) = (Vec::new(), Vec::new());
    for _ in 0..tokens.array()? {
        let Token::Bytes(length) = tokens.next()? else { return Err(tokens.bad("a slice is missing")) };
        let slice = tokens.take(length)?;
        let mut slice = Tokens::new(Source::Memory(&slice));
        slice.array()?;
        lower.push(slice.number()?);
        upper.push(slice.number()?);
        if !matches!(slice.next()?, Token::Nil | Token::Integer(1)) {
            return Err(slice.bad("a slice with a step"));
        }
    }
    Ok((lower, upper))
}
