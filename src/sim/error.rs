//! What can be wrong with a simulation file or an override, each in one line.

use crate::printable;
use std::fmt;

/// Where a refused text stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The simulation file of this name.
    File(String),
    /// An argument `--set key=value`.
    Set,
    /// The argument `--seeds`.
    Seeds,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(name) => write!(formatter, "{}:", printable(name)),
            Place::Set => formatter.write_str("--set"),
            Place::Seeds => formatter.write_str("--seeds:"),
        }
    }
}

/// Why a simulation was refused. The text is one line that names file, key, value and what is legal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// The text is no TOML.
    #[error("{}:{line}:{column}: {problem}", printable(file))]
    Syntax {
        /// Name of the file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What the parser says.
        problem: String,
    },
    /// A key that does not exist.
    #[error("{place} unknown key {key}{}", tail("; ", hint))]
    UnknownKey {
        /// Where.
        place: Place,
        /// The key as written.
        key: String,
        /// The nearest key.
        hint: Option<Box<str>>,
    },
    /// A key that must be there and is not.
    #[error("{place} {key} is missing: {legal}")]
    Missing {
        /// Where.
        place: Place,
        /// The key.
        key: String,
        /// What is legal.
        legal: String,
    },
    /// A value outside its legal range, of the wrong type, or in contradiction with another key.
    #[error("{place} {key} = {value}: {legal}{}", tail("; ", hint))]
    Value {
        /// Where.
        place: Place,
        /// The key.
        key: String,
        /// The value as written, and what it is after evaluation.
        value: String,
        /// What is legal, and the contradicting key with its value.
        legal: String,
        /// The nearest word, or the grid point.
        hint: Option<Box<str>>,
    },
    /// A key that is set in two places, or an argument that cannot be read.
    #[error("{place} {key}: {problem}")]
    Conflict {
        /// Where.
        place: Place,
        /// The key.
        key: String,
        /// What contradicts it.
        problem: String,
    },
    /// An expression that is not understood, or says what it cannot; below the line that names it the text with a caret.
    #[error("{place} {key}: {problem}\n{pointed}")]
    Expression {
        /// Where.
        place: Place,
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
        /// The text, and below it carets.
        pointed: String,
    },
    /// More grid points than one simulation may have.
    #[error("{place} the grid has {points} points: must be at most {most}")]
    TooManyPoints {
        /// Where.
        place: Place,
        /// Grid values of every case, summed.
        points: u128,
        /// The limit.
        most: usize,
    },
}

impl SimulationError {
    /// The same error with a hint, if it has room for one and has none yet.
    pub(crate) fn or_hint(mut self, text: impl FnOnce() -> Option<String>) -> Self {
        if let SimulationError::Value { hint: hint @ None, .. } = &mut self {
            *hint = text().map(String::into_boxed_str);
        }
        self
    }
}

fn tail(separator: &str, text: &Option<Box<str>>) -> String {
    text.as_ref().map_or_else(String::new, |text| format!("{separator}{text}"))
}

/// Longest piece of the user's text that a message repeats, in characters.
const LONGEST: usize = 120;

/// The text on one line, without control characters and of bounded length.
pub(crate) fn one_line(text: &str) -> String {
    let mut line: String = printable(text).chars().take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}

/// The text on one line, a space for what breaks a line and escapes for what can't be shown.
fn printable(text: &str) -> String {
    printable::one_line(&text.replace(['\n', '\r', '\t'], " ")).into_owned()
}

/// A TOML value as a message shows it.
pub fn shown(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => one_line(&format!("\"{text}\"")),
        toml::Value::Table(_) => "{…}".into(),
        other => one_line(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_repeats_hostile_text_on_one_bounded_line() {
        let value = toml::Value::String("a\nb\u{2028}c".into());
        assert_eq!(shown(&value), "\"a b\\u{2028}c\"");
        assert_eq!(one_line(&"x".repeat(1000)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn a_hint_does_not_replace_an_earlier_hint() {
        let error = |hint: Option<&str>| SimulationError::Value {
            place: Place::Set,
            key: "a.b".into(),
            value: "1".into(),
            legal: "must be 2".into(),
            hint: hint.map(Box::from),
        };
        assert_eq!(error(None).or_hint(|| Some("new".into())).to_string(), "--set a.b = 1: must be 2; new");
        assert_eq!(error(Some("old")).or_hint(|| Some("new".into())).to_string(), "--set a.b = 1: must be 2; old");
    }
}
