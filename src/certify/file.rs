//! A model file: a trace, or any safetensors file with the tensors of a trained model, and what its data looks like.

use super::stored::Stored;
use crate::printable::is_printable;
use crate::sim::parameters::{Basis, DataParameters, Labels};
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;

/// Most tokens of a sample, as in a simulation file.
const MOST_TOKENS: usize = 4096;

/// Letters of a message.
const MOST_LETTERS: usize = 300;

/// A model file, read.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFile {
    /// The model.
    pub stored: Stored,
    /// What its inputs look like.
    pub data: DataParameters,
    /// ξ of the run that the file is of; `data` has none, as certificates count noise only where they are asked to.
    pub noise: f64,
}

/// What is given beside the file, in place of its metadata.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given {
    /// n.
    pub tokens: Option<usize>,
    /// l.
    pub tokens_per_expert: Option<usize>,
}

/// Why a file is no model that can be certified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadModelFile(String);

impl ModelFile {
    /// Reads the bytes of a trace, or of any safetensors file with the tensors `signs`, `routers_t` and `neurons_t`.
    ///
    /// # Errors
    /// What is wrong with the file, or outside the setting that certificates are about.
    pub fn read(bytes: &[u8], given: Given) -> Result<Self, BadModelFile> {
        read(bytes, given).map_err(|problem| BadModelFile(one_line(&problem)))
    }
}

/// A message on one line, of bounded length, whatever the file had written into it.
fn one_line(message: &str) -> String {
    message.chars().map(|letter| if is_printable(letter) { letter } else { ' ' }).take(MOST_LETTERS).collect()
}

fn read(bytes: &[u8], given: Given) -> Result<ModelFile, String> {
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| format!("no safetensors file: {error}"))?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
    let metadata = header.metadata().clone().unwrap_or_default();
    check_setting(&metadata)?;
    let number = |key: &str, given: Option<usize>| given.map_or_else(|| value::<usize>(&metadata, key), Ok);
    let mut sizes = Sizes::default();
    let mut numbers = |name: &str, letters: &[char]| sizes.take(&tensors, name, letters);
    let stored = Stored {
        signs: numbers("signs", &['k'])?,
        routers: numbers("routers_t", &['k', 'd'])?,
        neurons: numbers("neurons_t", &['k', 'm', 'd'])?,
        basis: if tensors.tensor("basis").is_ok() { numbers("basis", &['d', 'd'])? } else { Vec::new() },
        tokens_per_expert: number("tokens_per_expert", given.tokens_per_expert)?,
    };
    for (key, letter) in [("experts", 'k'), ("neurons", 'm'), ("patterns", 'd')] {
        sizes.agree_with(&metadata, key, letter)?;
    }
    let data = DataParameters {
        patterns: sizes.of('d').unwrap_or(0),
        tokens: number("tokens", given.tokens)?,
        replacement: value_or(&metadata, "replacement", false)?,
        noise: 0.0,
        class_share: value_or(&metadata, "class_share", 0.5)?,
        basis: Basis::Canonical,
        labels: match metadata.get("labels").map(String::as_str) {
            Some("independent") => Labels::Independent,
            Some("class") | None => Labels::Class,
            Some(other) => return Err(format!("metadata labels = {other}: must be class or independent")),
        },
        label_noise: value_or(&metadata, "label_noise", 0.0)?,
        ..DataParameters::default()
    };
    check_sizes(&stored, &data)?;
    Ok(ModelFile { stored, data, noise: value_or(&metadata, "noise", 0.0)? })
}

fn check_sizes(stored: &Stored, data: &DataParameters) -> Result<(), String> {
    let DataParameters { patterns, tokens, .. } = *data;
    if tokens > MOST_TOKENS {
        return Err(format!("{tokens} tokens: must be from 2 to {MOST_TOKENS}"));
    }
    for (key, share) in [("class_share", data.class_share), ("label_noise", data.label_noise)] {
        if !(0.0..=1.0).contains(&share) {
            return Err(format!("metadata {key} = {share}: must be a number from 0 to 1"));
        }
    }
    let room = if data.replacement { patterns >= 3 } else { patterns > tokens };
    let l = stored.tokens_per_expert;
    if !room || l > tokens || l < 2 || tokens < 2 {
        return Err(format!("{patterns} patterns, {tokens} tokens and l = {l} do not fit each other"));
    }
    Ok(())
}

/// Refuses a trace of a run outside the setting that certificates are about.
fn check_setting(metadata: &HashMap<String, String>) -> Result<(), String> {
    let setting = [
        ("routing", "expert-choice"),
        ("groups", "1"),
        ("features", "1"),
        ("spurious", "0"),
        // Other tokens than the unit vectors of orthonormal patterns.
        ("images", "none"),
        ("coherence", "0"),
        ("likeness", "0"),
    ];
    for (key, legal) in setting {
        if let Some(value) = metadata.get(key).filter(|value| *value != legal) {
            return Err(format!("metadata {key} = {value}: a certificate needs {legal}"));
        }
    }
    Ok(())
}

/// The sizes that the tensors read so far have shown, by letter: k experts, m neurons, d patterns.
#[derive(Default)]
struct Sizes(Vec<(char, usize)>);

impl Sizes {
    fn of(&self, letter: char) -> Option<usize> {
        self.0.iter().find(|(other, _)| *other == letter).map(|&(_, size)| size)
    }

    /// The numbers of a tensor whose shape is made of these letters. The first tensor that has a letter says its size.
    fn take(&mut self, tensors: &SafeTensors, name: &str, letters: &[char]) -> Result<Vec<f64>, String> {
        let tensor = tensors.tensor(name).map_err(|_| format!("there is no tensor {name}"))?;
        if tensor.dtype() != Dtype::F64 {
            return Err(format!("tensor {name} must be of 64-bit floats"));
        }
        let shape = tensor.shape();
        let known: Vec<String> = self
            .0
            .iter()
            .filter(|(letter, _)| letters.contains(letter))
            .map(|(a, size)| format!("{a} = {size}"))
            .collect();
        let mut fits = shape.len() == letters.len();
        for (&letter, &size) in letters.iter().zip(shape) {
            match self.of(letter) {
                Some(known) => fits &= size == known,
                None => {
                    fits &= size >= 1;
                    self.0.push((letter, size));
                }
            }
        }
        if !fits {
            let wanted: Vec<String> = letters.iter().map(char::to_string).collect();
            let rest =
                if known.is_empty() { ", each at least 1".into() } else { format!(" with {}", known.join(", ")) };
            return Err(format!("tensor {name} has shape {shape:?}: must be [{}]{rest}", wanted.join(", ")));
        }
        let (numbers, _) = tensor.data().as_chunks();
        Ok(numbers.iter().copied().map(f64::from_le_bytes).collect())
    }

    /// Refuses metadata that say another size.
    fn agree_with(&self, metadata: &HashMap<String, String>, key: &str, letter: char) -> Result<(), String> {
        let size = self.of(letter).unwrap_or(0);
        match metadata.get(key) {
            Some(said) if said.parse() != Ok(size) => {
                Err(format!("metadata {key} = {said}: the tensors have {letter} = {size}"))
            }
            _ => Ok(()),
        }
    }
}

fn value<T: std::str::FromStr>(metadata: &HashMap<String, String>, key: &str) -> Result<T, String> {
    let text =
        metadata.get(key).ok_or_else(|| format!("the metadata has no {key}; give --{}", key.replace('_', "-")))?;
    text.parse().map_err(|_| format!("metadata {key} = {text} is not legal"))
}

fn value_or<T: std::str::FromStr>(metadata: &HashMap<String, String>, key: &str, default: T) -> Result<T, String> {
    if metadata.contains_key(key) { value(metadata, key) } else { Ok(default) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::tensor::TensorView;

    #[test]
    fn a_refusal_is_one_line_of_bounded_length() {
        let value = format!("dropless\n{}", "x".repeat(1000));
        let bytes =
            safetensors::serialize::<&str, TensorView, _>([], Some(HashMap::from([("routing".to_owned(), value)])));
        let refused = ModelFile::read(&bytes.expect("a file"), Given::default()).expect_err("no tensors").to_string();
        assert!(refused.starts_with("metadata routing = dropless xxx") && refused.chars().count() == 300, "{refused}");
    }

    /// A file of two experts with one neuron each over eight patterns, and these keys.
    fn file(keys: &[(&str, &str)]) -> Vec<u8> {
        let numbers = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let (signs, weights) = (numbers(&[1.0, -1.0]), numbers(&[0.5; 16]));
        let of = |shape: Vec<usize>, bytes| TensorView::new(Dtype::F64, shape, bytes).expect("a tensor");
        let tensors = [
            ("signs", of(vec![2], &signs)),
            ("routers_t", of(vec![2, 8], &weights)),
            ("neurons_t", of(vec![2, 1, 8], &weights)),
        ];
        let mut metadata = HashMap::from([("tokens".to_owned(), "4".to_owned())]);
        metadata.insert("tokens_per_expert".to_owned(), "2".to_owned());
        metadata.extend(keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        metadata.retain(|_, value| !value.is_empty());
        safetensors::serialize(tensors, Some(metadata)).expect("a file")
    }

    #[test]
    fn every_bound_of_the_metadata_is_kept() {
        assert!(ModelFile::read(&file(&[]), Given::default()).is_ok());
        let refusals = [
            ("tokens", "4097", "4097 tokens: must be from 2 to 4096"),
            ("tokens", "1000000000000", "1000000000000 tokens: must be from 2 to 4096"),
            ("tokens", "8", "8 patterns, 8 tokens and l = 2 do not fit each other"),
            ("tokens", "1", "8 patterns, 1 tokens and l = 2 do not fit each other"),
            ("tokens", "-4", "metadata tokens = -4 is not legal"),
            ("tokens", "", "the metadata has no tokens; give --tokens"),
            ("tokens_per_expert", "5", "8 patterns, 4 tokens and l = 5 do not fit each other"),
            ("tokens_per_expert", "1", "8 patterns, 4 tokens and l = 1 do not fit each other"),
            ("tokens_per_expert", "", "the metadata has no tokens_per_expert; give --tokens-per-expert"),
            ("class_share", "1.5", "metadata class_share = 1.5: must be a number from 0 to 1"),
            ("class_share", "nan", "metadata class_share = NaN: must be a number from 0 to 1"),
            ("label_noise", "-0.1", "metadata label_noise = -0.1: must be a number from 0 to 1"),
            ("replacement", "perhaps", "metadata replacement = perhaps is not legal"),
            ("routing", "token-choice", "metadata routing = token-choice: a certificate needs expert-choice"),
            ("groups", "2", "metadata groups = 2: a certificate needs 1"),
            ("features", "2", "metadata features = 2: a certificate needs 1"),
            ("spurious", "0.5", "metadata spurious = 0.5: a certificate needs 0"),
            ("images", "digits", "metadata images = digits: a certificate needs none"),
            ("coherence", "0.3", "metadata coherence = 0.3: a certificate needs 0"),
            ("likeness", "0.5", "metadata likeness = 0.5: a certificate needs 0"),
        ];
        for (key, value, refusal) in refusals {
            let refused = ModelFile::read(&file(&[(key, value)]), Given::default()).map(|_| ()).map_err(|e| e.0);
            assert_eq!(refused, Err(refusal.to_owned()), "{key} = {value}");
        }
    }

    #[test]
    fn every_tensor_is_asked_for_as_64_bit_floats() {
        let whole = file(&[]);
        for name in ["signs", "routers_t", "neurons_t"] {
            let renamed = respelt(&whole, name, &name.to_uppercase());
            let refused = ModelFile::read(&renamed, Given::default()).map(|_| ()).map_err(|e| e.0);
            assert_eq!(refused, Err(format!("there is no tensor {name}")));
        }
        let integers = respelt(&whole, "\"F64\"", "\"I64\"");
        let refused = ModelFile::read(&integers, Given::default()).map(|_| ()).map_err(|e| e.0);
        assert!(refused.expect_err("integers").ends_with("must be of 64-bit floats"));
    }

    /// The bytes with the first occurrence of a text as another of its length.
    fn respelt(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let place = bytes.windows(from.len()).position(|window| window == from.as_bytes()).expect("the text");
        bytes[place..place + from.len()].copy_from_slice(to.as_bytes());
        bytes
    }
}
