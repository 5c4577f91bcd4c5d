//! The header of a safetensors file: which tensors it holds, and where. The tensors are not read.
//!
//! A file is the length n of the header (8 bytes, little-endian), n bytes of JSON, and the tensors, which fill the rest
//! of the file in order and without gaps.

use super::error::{Result, refused};
use super::pread::PositionedFile;
use safetensors::Dtype;
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The longest header that is read, as in the reference implementation.
pub(crate) const LONGEST_HEADER: u64 = 100_000_000;

/// Bytes of the length before the header.
pub(crate) const LENGTH_BYTES: u64 = 8;

/// What the header says of one tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderEntry {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<u64>,
    /// The first byte of the tensor in the file.
    pub start: u64,
    /// The bytes of the tensor.
    pub bytes: u64,
}

/// A header, checked: every tensor lies in the file, none overlaps another, each is as long as its shape says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// In the order of the file.
    pub entries: Vec<HeaderEntry>,
    /// `__metadata__`; empty where it is absent, null or `{}`.
    pub metadata: BTreeMap<String, String>,
    /// The header's bytes.
    pub text: Vec<u8>,
}

impl Header {
    /// Reads the header of an open file.
    pub(crate) fn read(file: &PositionedFile) -> Result<Self> {
        let bad = |problem: String| refused(file.path().display(), problem);
        let length = match file.bytes_at(0, LENGTH_BYTES)?.first_chunk::<8>() {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => return Err(bad("is no safetensors file: it is shorter than 8 bytes".to_owned())),
        };
        if length > LONGEST_HEADER {
            return Err(bad(format!("header of {length} bytes: must be at most {LONGEST_HEADER}")));
        }
        let data = LENGTH_BYTES + length;
        if data > file.length() {
            return Err(bad(format!("header of {length} bytes in a file of {} bytes", file.length())));
        }
        let text = file.bytes_at(LENGTH_BYTES, length)?;
        let (entries, metadata) = parse(&text, file.length() - data).map_err(bad)?;
        let entries = entries.into_iter().map(|entry| HeaderEntry { start: entry.start + data, ..entry }).collect();
        Ok(Self { entries, metadata, text })
    }
}

/// Reads the JSON of a header whose tensors fill `data` bytes; offsets count from the first of them.
fn parse(text: &[u8], data: u64) -> std::result::Result<(Vec<HeaderEntry>, BTreeMap<String, String>), String> {
    let raw: RawHeader = serde_json::from_slice(text).map_err(|error| format!("header: {error}"))?;
    let mut names = BTreeSet::new();
    let mut entries = Vec::with_capacity(raw.tensors.len());
    for (name, tensor) in raw.tensors {
        let entry = tensor.entry(&name).map_err(|problem| format!("tensor {name}: {problem}"))?;
        entries.push(entry);
        if !names.insert(name.clone()) {
            return Err(format!("tensor {name}: stands twice in the header"));
        }
    }
    entries.sort_by(|a, b| (a.start, a.bytes, &a.name).cmp(&(b.start, b.bytes, &b.name)));
    let mut end = 0;
    for entry in &entries {
        if entry.start != end {
            let problem = if entry.start < end { "overlaps the tensor before it" } else { "leaves a gap before it" };
            return Err(format!(
                "tensor {}: begins at byte {} and {problem}, which ends at {end}",
                entry.name, entry.start
            ));
        }
        end += entry.bytes;
    }
    match end == data {
        true => Ok((entries, raw.metadata)),
        false => Err(format!("the tensors take {end} bytes, but {data} bytes follow the header; incomplete download?")),
    }
}

#[derive(Deserialize)]
struct RawTensor {
    dtype: Dtype,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

impl RawTensor {
    fn entry(self, name: &str) -> std::result::Result<HeaderEntry, String> {
        let (start, end) = self.data_offsets;
        let Some(bytes) = end.checked_sub(start) else {
            return Err(format!("data_offsets = [{start}, {end}]: must ascend"));
        };
        let expected = byte_length(self.dtype, &self.shape).ok_or_else(|| {
            format!("shape {:?} of {:?}: too large, or no whole number of bytes", self.shape, self.dtype)
        })?;
        if bytes != expected {
            return Err(format!(
                "shape {:?} of {:?} takes {expected} bytes, data_offsets = [{start}, {end}] are {bytes}",
                self.shape, self.dtype
            ));
        }
        Ok(HeaderEntry { name: name.to_owned(), dtype: self.dtype, shape: self.shape, start, bytes })
    }
}

/// Bytes of a tensor; `None` where they overflow or are no whole number.
pub(crate) fn byte_length(dtype: Dtype, shape: &[u64]) -> Option<u64> {
    let bits = shape.iter().try_fold(dtype.bitsize() as u64, |bits, &side| bits.checked_mul(side))?;
    bits.is_multiple_of(8).then_some(bits / 8)
}

/// Entries in the order of the text, those that stand twice twice.
struct RawHeader {
    tensors: Vec<(String, RawTensor)>,
    metadata: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for RawHeader {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = RawHeader;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map of tensors")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<RawHeader, M::Error> {
                let mut header = RawHeader { tensors: Vec::new(), metadata: BTreeMap::new() };
                while let Some(name) = map.next_key::<String>()? {
                    match name == "__metadata__" {
                        // Absent, null and empty all occur in files of the wild.
                        true => header.metadata = map.next_value::<Option<_>>()?.unwrap_or_default(),
                        false => header.tensors.push((name, map.next_value()?)),
                    }
                }
                Ok(header)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str, data: u64) -> String {
        parse(text.as_bytes(), data).map(|_| ()).expect_err("refused")
    }

    #[test]
    fn tensors_come_in_the_order_of_the_file() {
        let text = r#"{"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#;
        let (entries, metadata) = parse(text.as_bytes(), 6).expect("legal");
        assert_eq!(entries.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert!(metadata.is_empty());
    }

    #[test]
    fn absent_empty_and_null_metadata_are_one() {
        for metadata in [r#""__metadata__":{}"#, r#""__metadata__":null"#] {
            assert_eq!(parse(format!("{{{metadata}}}").as_bytes(), 0), Ok((Vec::new(), BTreeMap::new())));
        }
        let (_, metadata) = parse(br#"{"__metadata__":{"format":"pt"}}"#, 0).expect("legal");
        assert_eq!(metadata.get("format").map(String::as_str), Some("pt"));
    }

    #[test]
    fn hostile_headers_are_refused_by_name() {
        let two = |a: &str, b: &str| {
            format!(
                r#"{{"a":{{"dtype":"U8","shape":[2],"data_offsets":{a}}},"b":{{"dtype":"U8","shape":[2],"data_offsets":{b}}}}}"#
            )
        };
        assert!(problem(&two("[0,2]", "[1,3]"), 3).contains("tensor b: begins at byte 1 and overlaps"));
        assert!(problem(&two("[0,2]", "[3,5]"), 5).contains("tensor b: begins at byte 3 and leaves a gap"));
        assert!(problem(&two("[2,0]", "[0,2]"), 2).contains("tensor a: data_offsets = [2, 0]: must ascend"));
        assert!(problem(&two("[0,2]", "[2,4]"), 3).contains("take 4 bytes, but 3 bytes"));
        let overflow = r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#;
        assert!(problem(overflow, 0).contains("tensor a: shape [4294967296, 4294967296] of F32: too large"));
        let half = r#"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}"#;
        assert!(problem(half, 1).contains("no whole number of bytes"));
        let twice = r#"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#;
        assert!(problem(twice, 0).contains("stands twice"));
    }
}
