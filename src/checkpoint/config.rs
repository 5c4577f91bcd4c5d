//! `config.json`: where a model says how many experts it has.

use super::error::{Result, refused};
use serde_json::{Map, Value};
use std::path::Path;

/// The name of the file.
pub(crate) const CONFIG: &str = "config.json";

/// How deep sections of a configuration are looked into, as `thinker_config.text_config`.
const DEEPEST: usize = 3;

/// Sections that are about other parts than the language model's experts.
const FOREIGN: [&str; 4] = ["vision_config", "audio_config", "quantization_config", PER_LAYER];

/// The section where transformers 5 has what is different in some layers.
const PER_LAYER: &str = "per_layer_config";

/// A configuration, and where it was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    /// For messages.
    pub place: String,
    /// Its text, as it is copied where nothing changes.
    pub text: Vec<u8>,
    /// Its content, an object.
    pub value: Map<String, Value>,
}

/// A number of experts: one for all layers, or one for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Counts {
    One(u64),
    PerLayer(Vec<u64>),
}

impl Counts {
    /// The number of a layer; `None` where the list ends before.
    pub(crate) fn of(&self, layer: u32) -> Option<u64> {
        match self {
            Self::One(count) => Some(*count),
            Self::PerLayer(counts) => counts.get(layer as usize).copied(),
        }
    }
}

/// A value of a configuration, and the path of keys to it.
pub(crate) type Found<'a> = (String, &'a Value);

impl Config {
    /// Reads the configuration of a folder; `None` if it has none.
    pub(crate) fn read(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(CONFIG);
        match std::fs::read(&path) {
            Ok(text) => Self::parse(path.display().to_string(), text).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(refused(path.display(), error)),
        }
    }

    /// Reads its text.
    pub(crate) fn parse(place: String, text: Vec<u8>) -> Result<Self> {
        match serde_json::from_slice(&text) {
            Ok(Value::Object(value)) => Ok(Self { place, text, value }),
            Ok(_) => Err(refused(place, "is no JSON object")),
            Err(error) => Err(refused(place, error)),
        }
    }

    /// The model's type: that of the text model where the whole has another.
    pub(crate) fn model_types(&self) -> Vec<String> {
        let types = self.find("model_type").into_iter().filter_map(|(_, value)| value.as_str().map(str::to_owned));
        types.collect()
    }

    /// All places of a key, outer ones first. A key with a dot is a path from the top.
    pub(crate) fn find(&self, key: &str) -> Vec<Found<'_>> {
        let mut found = Vec::new();
        collect(&self.value, key, "", DEEPEST, &mut found);
        found
    }

    /// The whole number at one of these keys, wherever it stands; an error if two places disagree or one is no number.
    /// A list of equal numbers is that number.
    pub(crate) fn number(&self, keys: &[String]) -> Result<Option<(String, u64)>> {
        let mut first: Option<(String, u64)> = None;
        for (path, value) in keys.iter().flat_map(|key| self.find(key)) {
            if value.is_null() {
                continue;
            }
            let number = whole_number(value)
                .ok_or_else(|| refused(&self.place, format!("{path} = {value}: must be a whole number")))?;
            match &first {
                Some((other, value)) if *value != number => {
                    return Err(refused(
                        &self.place,
                        format!("{other} = {value}, but {path} = {number}: must be equal"),
                    ));
                }
                Some(_) => {}
                None => first = Some((path, number)),
            }
        }
        Ok(first)
    }

    /// The number of experts at one of these keys, which may be a list with one number a layer.
    pub(crate) fn counts(&self, keys: &[String]) -> Result<Option<(String, Counts)>> {
        let list = |(path, value): Found<'_>| {
            let counts: Vec<u64> = value.as_array()?.iter().map(Value::as_u64).collect::<Option<_>>()?;
            counts.windows(2).any(|pair| pair[0] != pair[1]).then_some((path, Counts::PerLayer(counts)))
        };
        match keys.iter().flat_map(|key| self.find(key)).find_map(list) {
            Some(counts) => Ok(Some(counts)),
            None => Ok(self.number(keys)?.map(|(path, number)| (path, Counts::One(number)))),
        }
    }

    /// What transformers 5 lets a layer have in place of the number of all at one of these keys, and the path to it.
    pub(crate) fn of_layer(&self, layer: u32, keys: &[String]) -> Option<(String, u64)> {
        let (path, layers) = self.find(PER_LAYER).into_iter().next()?;
        let own = layers.get(layer.to_string())?;
        keys.iter().find_map(|key| Some((format!("{path}.{layer}.{key}"), own.get(key)?.as_u64()?)))
    }

    /// The value at a key, the outermost first.
    pub(crate) fn first(&self, key: &str) -> Option<&Value> {
        self.find(key).into_iter().next().map(|(_, value)| value)
    }

    /// The names of keys that speak of experts and their whole numbers, as a detector needs them.
    pub(crate) fn expert_counts(&self) -> Vec<(String, u64)> {
        let mut counts = Vec::new();
        all_numbers(&self.value, "", DEEPEST, &mut counts);
        counts.retain(|(path, _)| {
            let key = path.rsplit('.').next().unwrap_or(path);
            key.contains("experts") && !key.contains("per_tok") && !key.contains("shared")
        });
        counts
    }

    /// Puts a number in every place of a key where a number or a list of numbers stands; whether there was any.
    pub(crate) fn set_number(&mut self, key: &str, number: u64) -> bool {
        set(&mut self.value, key, DEEPEST, &|old| match old {
            Value::Number(_) => Some(Value::from(number)),
            Value::Array(list) if whole_number(old).is_some() => Some(Value::from(vec![number; list.len()])),
            _ => None,
        })
    }

    /// Puts a list, one number a layer, in every place of a key where a number or a list of numbers stands.
    pub(crate) fn set_list(&mut self, key: &str, numbers: &[u64]) -> bool {
        set(&mut self.value, key, DEEPEST, &|old| match old {
            Value::Number(_) | Value::Array(_) => Some(Value::from(numbers)),
            _ => None,
        })
    }

    /// The text of a changed configuration, indented by 2 as transformers writes it.
    pub(crate) fn rewritten(&self) -> Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(&self.value).map_err(|error| refused(&self.place, error))?;
        text.push(b'\n');
        Ok(text)
    }
}

/// A whole number, or a list of one value.
fn whole_number(value: &Value) -> Option<u64> {
    match value {
        Value::Array(list) => {
            let number = list.first()?.as_u64()?;
            list.iter().all(|other| other.as_u64() == Some(number)).then_some(number)
        }
        _ => value.as_u64(),
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn collect<'a>(section: &'a Map<String, Value>, key: &str, path: &str, depth: usize, found: &mut Vec<Found<'a>>) {
    if let Some(value) = section.get(key) {
        found.push((joined(path, key), value));
    }
    for (name, value) in inner(section, depth) {
        collect(value, key, &joined(path, name), depth - 1, found);
    }
}

/// The sections within a section.
fn inner(section: &Map<String, Value>, depth: usize) -> impl Iterator<Item = (&String, &Map<String, Value>)> {
    let sections = section.iter().filter_map(|(name, value)| value.as_object().map(|value| (name, value)));
    sections.filter(move |(name, _)| depth > 0 && !FOREIGN.contains(&name.as_str()))
}

fn all_numbers(section: &Map<String, Value>, path: &str, depth: usize, found: &mut Vec<(String, u64)>) {
    found.extend(section.iter().filter_map(|(name, value)| Some((joined(path, name), whole_number(value)?))));
    for (name, value) in inner(section, depth) {
        all_numbers(value, &joined(path, name), depth - 1, found);
    }
}

fn set(section: &mut Map<String, Value>, key: &str, depth: usize, new: &dyn Fn(&Value) -> Option<Value>) -> bool {
    let mut changed = false;
    if let Some(value) = section.get_mut(key)
        && let Some(new) = new(value)
    {
        *value = new;
        changed = true;
    }
    for (name, value) in section.iter_mut() {
        if let Value::Object(inner) = value
            && depth > 0
            && !FOREIGN.contains(&name.as_str())
        {
            changed |= set(inner, key, depth - 1, new);
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::parse("config.json".to_owned(), text.as_bytes().to_vec()).expect("legal")
    }

    #[test]
    fn a_count_is_found_and_set_wherever_it_stands() {
        let mut config = config(
            r#"{"model_type":"a","text_config":{"model_type":"b","num_experts":8},"vision_config":{"num_experts":3}}"#,
        );
        let keys = ["num_experts".to_owned()];
        assert_eq!(config.number(&keys).expect("one"), Some(("text_config.num_experts".to_owned(), 8)));
        assert_eq!(config.model_types(), ["a", "b"]);
        assert!(config.set_number("num_experts", 6));
        assert_eq!(config.number(&keys).expect("one").map(|(_, number)| number), Some(6));
        assert_eq!(config.value["vision_config"]["num_experts"], 3);
    }

    #[test]
    fn two_names_of_one_count_must_agree() {
        let config = config(r#"{"num_experts":8,"num_local_experts":6}"#);
        let error = config.number(&["num_experts".to_owned(), "num_local_experts".to_owned()]).expect_err("refused");
        assert_eq!(error.to_string(), "config.json: num_experts = 8, but num_local_experts = 6: must be equal");
    }

    #[test]
    fn a_list_of_one_value_is_that_value() {
        let mut config = config(r#"{"moe_topk":[2,2],"num_experts":[4,5]}"#);
        assert_eq!(config.number(&["moe_topk".to_owned()]).expect("one").map(|(_, number)| number), Some(2));
        assert!(config.number(&["num_experts".to_owned()]).is_err());
        assert!(config.set_number("moe_topk", 1));
        assert_eq!(config.value["moe_topk"], serde_json::json!([1, 1]));
    }
}
