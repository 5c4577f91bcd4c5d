//! `model.safetensors.index.json`: which shard holds which tensor.

use super::error::{Result, refused};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// The name of the file.
pub(crate) const INDEX: &str = "model.safetensors.index.json";

/// An index of shards.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Index {
    /// For messages.
    pub place: String,
    /// All of the file, an object.
    pub value: Map<String, Value>,
    /// The shard of each tensor.
    pub weight_map: BTreeMap<String, String>,
}

impl Index {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read(path).map_err(|error| refused(path.display(), error))?;
        Self::parse(path.display().to_string(), &text)
    }

    /// Reads its text. A shard is a file of the same folder: a name with a path in it is refused.
    pub(crate) fn parse(place: String, text: &[u8]) -> Result<Self> {
        let value: Value = serde_json::from_slice(text).map_err(|error| refused(&place, error))?;
        let Value::Object(value) = value else { return Err(refused(place, "is no JSON object")) };
        let Some(Value::Object(map)) = value.get("weight_map") else {
            return Err(refused(place, "weight_map: must be an object of tensor names and file names"));
        };
        let mut weight_map = BTreeMap::new();
        for (tensor, shard) in map {
            match shard.as_str() {
                Some(name) if is_file_name(name) => weight_map.insert(tensor.clone(), name.to_owned()),
                _ => {
                    let problem =
                        format!("weight_map.{tensor} = {shard}: must be the name of a file of the same folder");
                    return Err(refused(place, problem));
                }
            };
        }
        Ok(Self { place, value, weight_map })
    }

    /// The shards' names, each once, in order.
    pub(crate) fn shards(&self) -> Vec<String> {
        let mut names: Vec<String> = self.weight_map.values().cloned().collect();
        names.sort();
        names.dedup();
        names
    }

    /// `metadata.total_size`.
    pub(crate) fn total_size(&self) -> Option<u64> {
        self.value.get("metadata")?.get("total_size")?.as_u64()
    }
}

fn is_file_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['/', '\\', '\0']) && name != "." && name != ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Index> {
        Index::parse("model.safetensors.index.json".to_owned(), text.as_bytes())
    }

    #[test]
    fn shards_are_listed_once_and_the_size_is_read() {
        let index = parse(r#"{"metadata":{"total_size":6},"weight_map":{"a":"2","b":"1","c":"2"}}"#).expect("legal");
        assert_eq!((index.shards(), index.total_size()), (vec!["1".to_owned(), "2".to_owned()], Some(6)));
        assert_eq!(parse(r#"{"weight_map":{}}"#).expect("legal").total_size(), None);
    }

    #[test]
    fn a_shard_outside_of_the_folder_is_refused() {
        for name in ["../secret", "/etc/passwd", "..", ""] {
            let text = format!(r#"{{"weight_map":{{"a":"{name}"}}}}"#);
            let error = parse(&text).expect_err("refused").to_string();
            assert!(error.contains("weight_map.a") && error.contains("of the same folder"), "{error}");
        }
        assert!(parse("[]").is_err() && parse("{}").is_err() && parse(r#"{"weight_map":{"a":1}}"#).is_err());
    }
}
