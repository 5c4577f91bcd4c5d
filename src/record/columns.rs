//! Every column of every CSV file. The rows say what it is, beside their fields.

use super::column::SWEPT;
use super::derived::{AuditRow, BoundaryRow, GramRow, PhaseRow, ScalingRow, TermRow};
use super::row::Row;
use super::rows::{ClaimRow, ExpertRow, PruningRow, RunBody, RunHead, TrajectoryRow};

pub use super::column::{Column, Kind, shown};

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
        GramRow::columns(),
    ]
}

/// All columns, file by file.
pub fn all() -> Vec<Column> {
    by_file().concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_column_says_what_it_is_once_a_file() {
        for columns in by_file() {
            let names: BTreeSet<&str> = columns.iter().map(|column| column.name).collect();
            assert_eq!(names.len(), columns.len(), "{names:?}");
            for Column { file, name, kind, meaning, empty, .. } in columns {
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
            (Kind::Claim, "9 of T"),
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
        let is_it = |column: &Column, id: &str| column.name == id || format!("{}:{}", column.file, column.name) == id;
        let values = |id: &str| -> Vec<String> {
            all().iter().filter(|column| is_it(column, id)).map(|column| column.kind.in_words()).collect()
        };
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
