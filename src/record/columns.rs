//! Every column of every CSV file: name, kind, meaning, and when a cell is empty. The rows say it, beside their fields.

use super::derived::{AuditRow, BoundaryRow, PhaseRow, ScalingRow, TermRow};
use super::row::Row;
use super::rows::{ClaimRow, ExpertRow, PruningRow, RunBody, RunHead, TrajectoryRow};
use crate::sim::ClaimId;
use crate::sim::parameters::Criterion;

/// What stands in a column that never has an empty cell.
pub const NEVER: &str = "never";

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
    /// One of these words.
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
            Kind::Word(words) => words.join(", "),
            Kind::Criterion => "a criterion's name".to_owned(),
            Kind::Claim => "a claim's id".to_owned(),
            Kind::Text => "a text".to_owned(),
        }
    }

    /// Whether a cell that is not empty is one of the values.
    fn admits(self, cell: &str) -> bool {
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
            Kind::Claim => ClaimId::NAMES.contains(&cell),
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

/// The columns of `runs.csv` between [`RunHead`] and [`RunBody`].
const SWEPT: Column = Column {
    file: "runs.csv",
    name: "case",
    kind: Kind::Text,
    meaning: "the case's name; behind it one column a key that a case or the grid sets: the resolved value, under the last \
              part of the key",
    empty: "no column where there is none",
};

/// The columns of each file, in the order of the file.
pub fn by_file() -> Vec<Vec<Column>> {
    let runs = [RunHead::columns(), vec![SWEPT], RunBody::columns()].concat();
    vec![
        runs,
        ExpertRow::columns(),
        TrajectoryRow::columns(),
        PruningRow::columns(),
        ClaimRow::columns(),
        ScalingRow::columns(),
        TermRow::columns(),
        PhaseRow::columns(),
        BoundaryRow::columns(),
        AuditRow::columns(),
    ]
}

/// All columns, file by file.
pub fn all() -> Vec<Column> {
    by_file().concat()
}

/// The columns of this name, in whatever file; `experts.csv:delta` names one of one file.
pub fn find(id: &str) -> Vec<Column> {
    let own = |column: &Column| column.name == id || format!("{}:{}", column.file, column.name) == id;
    all().into_iter().filter(own).collect()
}

/// The columns of each file as a table in Markdown, between comments that name the file: so FORMAT.md holds them. Columns
/// side by side of which the same is said share a line.
pub fn markdown() -> Vec<String> {
    by_file().iter().map(|columns| table(columns)).collect()
}

fn table(columns: &[Column]) -> String {
    let mut text = format!("<!-- columns of {}: `simulate explain --markdown columns` -->\n\n", columns[0].file);
    text.push_str("| column | values | meaning | empty |\n|---|---|---|---|\n");
    let said = |column: &Column| (column.kind, column.meaning, column.empty);
    for alike in columns.chunk_by(|a, b| said(a) == said(b)) {
        let names: Vec<String> = alike.iter().map(|column| format!("`{}`", column.name)).collect();
        let values = match alike[0].kind {
            Kind::Word(words) => format!("`{}`", words.join("`, `")),
            kind => kind.in_words(),
        };
        let cells = [names.join(", "), values, alike[0].meaning.to_owned(), alike[0].empty.to_owned()];
        text.push_str(&format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")));
    }
    text + "\n<!-- end -->\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_tables_of_format_are_those_of_the_rows() {
        let format = include_str!("../../FORMAT.md");
        for table in markdown() {
            let first = table.lines().next().expect("a comment");
            assert!(format.contains(&table), "FORMAT.md: what stands below {first} is not what that command prints");
        }
        assert_eq!(format.matches("<!-- columns of ").count(), by_file().len());
    }

    #[test]
    fn every_column_says_what_it_is_once_a_file() {
        for columns in by_file() {
            let names: BTreeSet<&str> = columns.iter().map(|column| column.name).collect();
            assert_eq!(names.len(), columns.len(), "{names:?}");
            for Column { file, name, kind, meaning, empty } in columns {
                assert!(!meaning.is_empty() && !empty.is_empty(), "{file}: {name}");
                assert!(!matches!(kind, Kind::Word([])), "{file}: {name}");
            }
        }
    }

    #[test]
    fn a_kind_admits_its_values_and_no_others() {
        let refused = [
            (Kind::Integer, "1.5"),
            (Kind::Integer, "-1"),
            (Kind::Sign, "0"),
            (Kind::Number, "inf"),
            (Kind::NonNegative, "-0.5"),
            (Kind::Share, "1.5"),
            (Kind::Extended, "NaN"),
            (Kind::Flag, "yes"),
            (Kind::Word(&["met", "all"]), "some"),
            (Kind::Criterion, "reep"),
            (Kind::Claim, "T9"),
        ];
        for (kind, cell) in refused {
            assert!(!kind.admits(cell), "{kind:?}: {cell}");
        }
        let admitted = [
            (Kind::Integer, "3"),
            (Kind::Sign, "-1"),
            (Kind::Number, "-0.5"),
            (Kind::NonNegative, "1e300"),
            (Kind::Share, "1"),
            (Kind::Extended, "inf"),
            (Kind::Flag, "false"),
            (Kind::Word(&["met", "all"]), "all"),
            (Kind::Criterion, "reap"),
            (Kind::Claim, "T1c-Δᶜ"),
            (Kind::Text, "what you will"),
        ];
        for (kind, cell) in admitted {
            assert!(kind.admits(cell), "{kind:?}: {cell}");
        }
    }

    #[test]
    fn kinds_come_from_the_types_and_words_from_the_enums() {
        let values = |id: &str| find(id).iter().map(|column| column.kind.in_words()).collect::<Vec<_>>();
        assert_eq!(values("pruning.csv:tied"), ["an integer, at least 0"]);
        assert_eq!(values("against"), ["a criterion's name"]);
        assert_eq!(values("claims.csv:feature"), ["common, rare"]);
        assert_eq!(values("experts.csv:role"), ["relevant, misaligned, irrelevant, ambiguous"]);
        assert_eq!(values("stop_reason"), ["finished, zero-loss, diverged, underflow"]);
        assert_eq!(values("experts.csv:aimer"), ["a number, or inf"]);
        assert_eq!(values("experts.csv:reap"), ["a number"]);
        assert_eq!(values("dominance_gain"), ["a number"]);
    }
}
