//! Reading TOML tables key by key, with the place in every message.

use super::error::{Place, SimulationError, one_line, shown};
use super::keys::{find, index_of_path, nearest, sections};
use super::value::{refused, whole};
use crate::printable::{self, LEGAL, is_one_line, is_printable};
use crate::similarity::{nearest_word, similarity};
use std::fmt::Display;
use toml::{Table, Value};

/// Reads a file's text, in which nothing stands that can't be shown. The error has line and column, or the key.
pub(crate) fn parse_toml(file: &str, text: &str) -> Result<Table, SimulationError> {
    let syntax = |start: usize, problem: String| {
        let before: String = text.char_indices().take_while(|(at, _)| *at < start).map(|(_, c)| c).collect();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        SimulationError::Syntax {
            file: file.into(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).map_or(0, |line| line.chars().count()) + 1,
            problem,
        }
    };
    let table = text
        .parse::<Table>()
        .map_err(|error| syntax(error.span().map_or(0, |span| span.start), one_line(error.message())))?;
    // The parser has refused those of ASCII; a line may end with a carriage return and a line feed.
    let hidden = text.char_indices().find(|(_, c)| !is_printable(*c) && !matches!(c, '\n' | '\t' | '\r'));
    if let Some((at, c)) = hidden {
        return Err(syntax(at, format!("U+{:04X}: {HIDDEN}", u32::from(c))));
    }
    match table.iter().find_map(|(key, value)| hidden_text(key, value)) {
        Some((key, value)) => {
            let (place, legal) = (Place::File(file.into()), LEGAL.into());
            Err(SimulationError::Value { place, key: one_line(&key), value, legal, hint: None })
        }
        None => Ok(table),
    }
}

const HIDDEN: &str = "must be no control character, nor one that turns the direction of a line";

/// The first text within a value that is not one line that can be shown: by its key, and as a message shows it.
fn hidden_text(key: &str, value: &Value) -> Option<(String, String)> {
    match value {
        Value::String(text) if !is_one_line(text) => {
            Some((key.to_owned(), one_line(&format!("\"{}\"", printable::one_line(text)))))
        }
        Value::Array(items) => {
            (1..).zip(items).find_map(|(number, item)| hidden_text(&format!("{key} {number}"), item))
        }
        Value::Table(table) => table.iter().find_map(|(name, value)| hidden_text(&format!("{key}: {name}"), value)),
        _ => None,
    }
}

/// A table whose keys are taken one by one.
pub(crate) struct Fields {
    place: Place,
    /// What the table is, such as `claim T1a`; empty for the whole file.
    what: String,
    table: Table,
}

impl Fields {
    /// Refuses keys that are not `known`.
    pub(crate) fn new(place: Place, what: String, table: Table, known: &[&str]) -> Result<Self, SimulationError> {
        let fields = Self { place, what, table };
        match fields.table.keys().find(|key| !known.contains(&key.as_str())) {
            Some(unknown) => Err(fields.unknown(unknown, known)),
            None => Ok(fields),
        }
    }

    /// The same for a value that must be a table.
    pub(crate) fn of_value(place: Place, what: String, value: Value, known: &[&str]) -> Result<Self, SimulationError> {
        match value {
            Value::Table(table) => Self::new(place, what, table, known),
            other => {
                let legal = "must be a table".into();
                Err(SimulationError::Value { place, key: what, value: refused(&other), legal, hint: None })
            }
        }
    }

    /// Changes what messages call the table.
    pub(crate) fn rename(&mut self, what: String) {
        self.what = what;
    }

    pub(crate) fn peek(&self, key: &str) -> Option<&Value> {
        self.table.get(key)
    }

    pub(crate) fn take(&mut self, key: &str) -> Option<Value> {
        self.table.remove(key)
    }

    /// The rest of the table.
    pub(crate) fn into_rest(self) -> Table {
        self.table
    }

    /// Takes a string.
    pub(crate) fn text(&mut self, key: &str, legal: &str) -> Result<Option<String>, SimulationError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.refuse(key, &other, legal.into())),
        }
    }

    /// Takes one of the words that `choices` are displayed as.
    pub(crate) fn word<T: Copy + Display>(&mut self, key: &str, choices: &[T]) -> Result<Option<T>, SimulationError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let words: Vec<String> = choices.iter().map(T::to_string).collect();
        let place = value.as_str().and_then(|given| words.iter().position(|word| word == given));
        match place.and_then(|index| choices.get(index)) {
            Some(choice) => Ok(Some(*choice)),
            None => Err(self.refuse(key, &value, format!("must be one of \"{}\"", words.join("\", \"")))),
        }
    }

    /// Takes an array, of tables or of values.
    pub(crate) fn array(&mut self, key: &str, legal: &str) -> Result<Vec<Value>, SimulationError> {
        match self.take(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(self.refuse(key, &other, legal.into())),
        }
    }

    pub(crate) fn missing(&self, key: &str, legal: String) -> SimulationError {
        SimulationError::Missing { place: self.place.clone(), key: self.label(key), legal }
    }

    pub(crate) fn refuse(&self, key: &str, value: &Value, legal: String) -> SimulationError {
        let (place, key, value) = (self.place.clone(), self.label(key), refused(value));
        SimulationError::Value { place, key, value, legal, hint: None }
    }

    fn label(&self, key: &str) -> String {
        if self.what.is_empty() { key.into() } else { format!("{}: {key}", self.what) }
    }

    fn unknown(&self, key: &str, known: &[&str]) -> SimulationError {
        let written = if self.what.is_empty() { one_line(key) } else { format!("{} in {}", one_line(key), self.what) };
        let near_known = nearest_word(key, known.iter().copied());
        // At the top of a file, a key without its section is as likely as a slip of the pen.
        let near_key = if self.what.is_empty() { nearest(key) } else { None };
        let hint = match (near_known, near_key) {
            (Some(word), Some(path)) if similarity(key, path.name()) > similarity(key, word) => Some(path.path),
            (Some(word), _) => Some(word),
            (None, path) => path.map(|path| path.path),
        };
        let hint = hint.map(|hint| format!("the nearest key is {hint}").into());
        SimulationError::UnknownKey { place: self.place.clone(), key: written, hint }
    }
}

/// The error for a path that is no key, read in `what` (empty for the whole file).
pub(crate) fn unknown_path(place: &Place, what: &str, path: &str) -> SimulationError {
    let within = if what.is_empty() { String::new() } else { format!(" in {what}") };
    let hint = nearest(path).map(|key| format!("the nearest key is {}", key.path).into());
    SimulationError::UnknownKey { place: place.clone(), key: format!("{}{within}", one_line(path)), hint }
}

/// The keys of a table, written as `"data.patterns" = …` or as nested tables, as indices with their values.
pub(crate) fn keys_of(place: &Place, what: &str, table: Table) -> Result<Vec<(usize, Value)>, SimulationError> {
    let mut found: Vec<(usize, Value)> = Vec::new();
    let mut add = |path: &str, value: Value| {
        let key = index_of_path(path).ok_or_else(|| unknown_path(place, what, path))?;
        if found.iter().any(|(other, _)| *other == key) {
            let problem = "is set twice".into();
            return Err(SimulationError::Conflict { place: place.clone(), key: path.into(), problem });
        }
        found.push((key, value));
        Ok(())
    };
    for (name, value) in table {
        match value {
            Value::Table(inner) if find(&name).is_none() && sections().contains(&name.as_str()) => {
                for (last, value) in inner {
                    add(&format!("{name}.{last}"), value)?;
                }
            }
            value if sections().contains(&name.as_str()) => {
                let (place, value) = (place.clone(), refused(&value));
                let key = if what.is_empty() { name } else { format!("{what}: {name}") };
                return Err(SimulationError::Value { place, key, value, legal: "must be a table".into(), hint: None });
            }
            value => add(&name, value)?,
        }
    }
    Ok(found)
}

/// Most runs of a point.
pub(crate) const MOST_SEEDS: u64 = 1_000_000_000;
const NAME_LEGAL: &str = "must be 1 to 64 of A-Z a-z 0-9 . _ - and not start with a dot";

/// Whether a name can be a folder's: see [`NAME_LEGAL`].
fn is_name(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=64).contains(&name.len()) && !name.starts_with('.') && name.chars().all(legal)
}

/// Takes `name`, of the file or of a case.
pub(crate) fn read_name(fields: &mut Fields) -> Result<String, SimulationError> {
    match fields.text("name", NAME_LEGAL)? {
        None => Err(fields.missing("name", NAME_LEGAL.into())),
        Some(name) if is_name(&name) => Ok(name),
        Some(name) => Err(fields.refuse("name", &Value::String(name), NAME_LEGAL.into())),
    }
}

pub(crate) fn seeds_legal() -> String {
    format!("must be an integer from 1 to {MOST_SEEDS}")
}

/// Takes `seeds` of the file or of a case.
pub(crate) fn seeds_within(fields: &mut Fields) -> Result<Option<u64>, SimulationError> {
    let Some(value) = fields.take("seeds") else { return Ok(None) };
    match whole(&value) {
        Some(seeds) if (1..=MOST_SEEDS).contains(&seeds) => Ok(Some(seeds)),
        _ => Err(fields.refuse("seeds", &value, seeds_legal())),
    }
}

/// A part of the file that must be a table; empty if it is not there.
pub(crate) fn table_or_empty(file: &str, key: String, value: Option<Value>) -> Result<Table, SimulationError> {
    match value {
        None => Ok(Table::new()),
        Some(Value::Table(table)) => Ok(table),
        Some(other) => {
            let (place, value) = (Place::File(file.into()), shown(&other));
            Err(SimulationError::Value { place, key, value, legal: "must be a table".into(), hint: None })
        }
    }
}
