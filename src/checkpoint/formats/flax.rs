//! A tree of arrays as flax writes it: MessagePack maps whose leaves are arrays in extensions of type 1.

use super::super::error::Result;
use super::super::files::{CheckpointFiles, Place as Where, Tensor};
use super::super::header::byte_length;
use super::super::pread::PositionedFile;
use super::msgpack::{Source, Token, Tokens};
use super::{Chunk, Piece, Place, dtype_of_name, is_of_optimiser};
use std::collections::BTreeMap;
use std::path::Path;

/// The extension of an array: its shape, the name of its type, its bytes in C order.
pub(super) const ARRAY: i8 = 1;

/// How deep a tree may be.
pub(super) const DEEPEST: usize = 64;

/// The key of an array that was too large for one extension.
const CHUNKED: &str = "__msgpack_chunked_array__";

/// Reads where all arrays of a file are.
pub(super) fn open(mut checkpoint: CheckpointFiles, path: &Path) -> Result<CheckpointFiles> {
    let file = PositionedFile::open(path)?;
    let mut tensors = BTreeMap::new();
    let mut tokens = Tokens::new(Source::File(&file));
    walk(&mut tokens, "", 0, &mut tensors)?;
    if !tokens.is_at_end() {
        return Err(tokens.bad("something follows the tree"));
    }
    checkpoint.tensors.extend(tensors.into_iter().filter(|(name, _)| !is_of_optimiser(name)));
    checkpoint.files.push(file);
    Ok(checkpoint)
}

fn walk(tokens: &mut Tokens<'_>, path: &str, depth: usize, tensors: &mut BTreeMap<String, Tensor>) -> Result<()> {
    if depth > DEEPEST {
        return Err(tokens.bad(format!("a tree of more than {DEEPEST} levels")));
    }
    match tokens.next()? {
        Token::Map(length) => {
            for _ in 0..length {
                let key = tokens.text()?;
                if key == CHUNKED {
                    tokens.skip_value()?;
                    let tensor = chunked(tokens, length - 1)?;
                    tensors.insert(path.to_owned(), tensor);
                    break;
                }
                let inner = if path.is_empty() { key } else { format!("{path}/{key}") };
                walk(tokens, &inner, depth + 1, tensors)?;
            }
        }
        Token::Array(length) => {
            for item in 0..length {
                walk(tokens, &format!("{path}/{item}"), depth + 1, tensors)?;
            }
        }
        Token::Extension(ARRAY, length) => {
            let (shape, dtype, piece) = array(tokens, 0, length)?;
            if let Some(tensor) = tensor(shape, &dtype, |bytes| {
                (bytes == piece.bytes).then_some(Where::File { file: 0, start: piece.start })
            }) {
                tensors.insert(path.to_owned(), tensor);
            }
        }
        Token::Text(length) | Token::Bytes(length) | Token::Extension(_, length) => tokens.skip(length)?,
        Token::Nil | Token::Bool | Token::Integer(_) | Token::Float => {}
    }
    Ok(())
}

/// A tensor of a type that is known; `None` for others, which can't be of a router.
pub(super) fn tensor(shape: Vec<u64>, dtype: &str, place: impl FnOnce(u64) -> Option<Where>) -> Option<Tensor> {
    let dtype = dtype_of_name(dtype)?;
    let bytes = byte_length(dtype, &shape)?;
    Some(Tensor { dtype, bytes, place: place(bytes)?, shape })
}

/// Reads the head of an array and passes over its bytes.
pub(super) fn array(tokens: &mut Tokens<'_>, file: usize, length: u64) -> Result<(Vec<u64>, String, Piece)> {
    let end = tokens.position().saturating_add(length);
    if tokens.array()? != 3 {
        return Err(tokens.bad("an array must be its shape, its type and its bytes"));
    }
    let (shape, dtype) = (tokens.numbers()?, tokens.text()?);
    let Token::Bytes(bytes) = tokens.next()? else { return Err(tokens.bad("an array without bytes")) };
    let piece = Piece { file, start: tokens.position(), bytes };
    tokens.skip(bytes)?;
    match tokens.position() == end {
        true => Ok((shape, dtype, piece)),
        false => Err(tokens.bad("an array is not as long as its extension says")),
    }
}

/// An array in pieces: `shape` and `chunks`, maps with the numbers of their entries for keys.
fn chunked(tokens: &mut Tokens<'_>, keys: u64) -> Result<Tensor> {
    let (mut shape, mut pieces, mut dtype) = (Vec::new(), Vec::new(), String::new());
    for _ in 0..keys {
        let key = tokens.text()?;
        let Token::Map(length) = tokens.next()? else { return Err(tokens.bad("a map is missing")) };
        for _ in 0..length {
            tokens.text()?;
            match key.as_str() {
                "shape" => shape.push(tokens.number()?),
                _ => {
                    let Token::Extension(ARRAY, length) = tokens.next()? else {
                        return Err(tokens.bad("an array is missing"));
                    };
                    let (_, own, piece) = array(tokens, 0, length)?;
                    dtype = own;
                    pieces.push(piece);
                }
            }
        }
    }
    let chunk = Chunk { lower: vec![0; shape.len()], upper: shape.clone(), pieces };
    let place = |_| Some(Where::Foreign(Place::Chunks(vec![chunk])));
    tensor(shape, &dtype, place).ok_or_else(|| tokens.bad(format!("an array of type {dtype}")))
}
