//! One column of a CSV file: name, kind, meaning, and when a cell is empty.

use crate::language::Known;
use crate::sim::parameters::Criterion;
use crate::sim::{ClaimId, is_own_id};

/// What stands in a column that never has an empty cell.
pub(crate) const NEVER: &str = "never";

/// One column of a CSV file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The file, such as `runs.csv`.
    pub file: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The values that it can have.
    pub kind: Kind,
    /// What it holds; words of files and keys stand between backticks.
    pub meaning: &'static str,
    /// When a cell is empty.
    pub empty: &'static str,
    /// When its values are known.
    pub known: Known,
}

/// The values that a column can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number, at least 0.
    Integer,
    /// 1 or −1.
    Sign,
    /// A finite number.
    Number,
    /// A finite number, at least 0.
    NonNegative,
    /// A number from 0 to 1.
    Share,
    /// A number that may be infinite.
    Extended,
    /// `true` or `false`.
    Flag,
    /// One of these words; an empty one is an empty cell.
    Word(&'static [&'static str]),
    /// The name of a criterion.
    Criterion,
    /// The id of a claim.
    Claim,
    /// Any text.
    Text,
}

impl Kind {
    /// The values in words.
    pub fn in_words(self) -> String {
        match self {
            Kind::Integer => "an integer, at least 0".to_owned(),
            Kind::Sign => "1, -1".to_owned(),
            Kind::Number => "a number".to_owned(),
            Kind::NonNegative => "a number, at least 0".to_owned(),
            Kind::Share => "a number, 0 … 1".to_owned(),
            Kind::Extended => "a number, or inf".to_owned(),
            Kind::Flag => "true, false".to_owned(),
            Kind::Word(words) => shown(words).join(", "),
            Kind::Criterion => "a criterion's name".to_owned(),
            Kind::Claim => "a claim's id".to_owned(),
            Kind::Text => "a text".to_owned(),
        }
    }

    /// Whether a cell that is not empty is one of the values.
    pub(super) fn admits(self, cell: &str) -> bool {
        let number = || cell.parse::<f64>().ok().filter(|number| !number.is_nan());
        let finite =
            |low: f64, high: f64| number().is_some_and(|number| number.is_finite() && (low..=high).contains(&number));
        match self {
            Kind::Integer => cell.parse::<u64>().is_ok(),
            Kind::Sign => matches!(cell, "1" | "-1"),
            Kind::Number => finite(f64::MIN, f64::MAX),
            Kind::NonNegative => finite(0.0, f64::MAX),
            Kind::Share => finite(0.0, 1.0),
            Kind::Extended => number().is_some(),
            Kind::Flag => matches!(cell, "true" | "false"),
            Kind::Word(words) => words.contains(&cell),
            Kind::Criterion => Criterion::NAMES.contains(&cell),
            Kind::Claim => ClaimId::NAMES.contains(&cell) || is_own_id(cell),
            Kind::Text => true,
        }
    }
}

impl Column {
    /// Whether the column can have this cell.
    pub fn admits(&self, cell: &str) -> bool {
        if cell.is_empty() { self.empty != NEVER } else { self.kind.admits(cell) }
    }

    /// Whether the column is that of the swept keys, in whose place `runs.csv` has as many as there are.
    pub fn is_swept(&self) -> bool {
        *self == SWEPT
    }
}

/// The columns of `runs.csv` between its head and its body.
pub(super) const SWEPT: Column = Column {
    file: "runs.csv",
    name: "case",
    kind: Kind::Text,
    meaning: "the case's name; behind it one column a key that a case or the grid sets: the resolved value, under the last \
              part of the key",
    empty: "no column where there is none",
    known: Known::AtStart,
};

/// The words that can be shown.
pub(super) fn shown(words: &[&'static str]) -> Vec<&'static str> {
    words.iter().copied().filter(|word| !word.is_empty()).collect()
}
