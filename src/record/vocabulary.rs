//! What expressions can name: the keys of the point, the constants of the claim, the columns of the run's rows.

use super::column::{Column as CsvColumn, Kind};
use super::row::Row;
use super::rows::{ExpertRow, PruningRow, RunBody, TrajectoryRow};
use crate::language::{Cell, Column, Known, Schema, Table, Type};
use crate::measure::Role;
use crate::sim::keys_table;
use crate::sim::parameters::Criterion;
use std::sync::LazyLock;

/// The keys of the point.
pub(crate) const KEYS: usize = 0;
/// `runs.csv`, behind the constants of the claim.
pub(crate) const RUNS: usize = 2;
/// `experts.csv`.
pub(crate) const EXPERTS: usize = 3;
/// `pruning.csv`.
pub(crate) const PRUNING: usize = 4;
/// `trajectory.csv`.
pub(crate) const TRAJECTORY: usize = 5;

/// What expressions can name, and what stands behind each name.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    /// The tables and their columns.
    pub schema: Schema,
    sources: Vec<Vec<Source>>,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The key with this index.
    Key(usize),
    /// The claim's `threshold`.
    Threshold,
    /// The claim's `level`.
    Level,
    /// The column at this place of the row.
    Column(usize),
    /// The same, a share of at most so many things.
    Share(usize, Most),
    /// Whether the expert has this role by the claim's roles.
    Role(Role),
    /// Whether the expert is relevant for the common feature by the claim's roles.
    Common,
}

/// What a share is a share of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Most {
    /// The experts.
    Experts,
    /// The evaluation samples.
    Samples,
}

/// The vocabulary of claims.
pub fn vocabulary() -> &'static Vocabulary {
    static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(Vocabulary::new);
    &VOCABULARY
}

/// Shares of counts, which compare as the counts do; other shares are estimates or bounds.
const SHARES: [(&str, Most); 7] = [
    ("gamma", Most::Experts),
    ("ratio", Most::Experts),
    ("accuracy", Most::Samples),
    ("accuracy_common", Most::Samples),
    ("accuracy_rare", Most::Samples),
    ("accuracy_pretrained", Most::Samples),
    ("accuracy_finetuned", Most::Samples),
];

impl Vocabulary {
    fn new() -> Self {
        let keys = keys_table();
        let all_keys = (0..keys.columns.len()).map(Source::Key).collect();
        let none: &[&str] = &[];
        let mut built = vec![
            (keys, all_keys),
            constants(),
            of_row::<RunBody>("runs.csv", "runs", true, none),
            of_row::<ExpertRow>("experts.csv", "experts", false, none),
            of_row::<PruningRow>("pruning.csv", "pruning", false, Criterion::NAMES),
            of_row::<TrajectoryRow>("trajectory.csv", "trajectory", false, none),
        ];
        add_roles(&mut built[EXPERTS]);
        let (tables, sources) = built.into_iter().unzip();
        Self { schema: Schema { tables }, sources }
    }

    /// Where the value of a cell comes from.
    pub(crate) fn source(&self, cell: Cell) -> Option<Source> {
        self.sources.get(cell.table)?.get(cell.column).copied()
    }

    /// Whether a cell is a key's; its index then.
    pub(crate) fn key(&self, cell: Cell) -> Option<usize> {
        (cell.table == KEYS).then_some(cell.column)
    }
}

type Described = (Table, Vec<Source>);

fn constants() -> Described {
    let column = |name: &'static str| Column {
        name: name.into(),
        path: format!("claim.{name}"),
        values: Type::Number,
        known: Known::AtStart,
        refused: None,
    };
    let columns = vec![column("threshold"), column("level")];
    (Table { name: "the claim", has_one_row: true, others: &[], columns }, vec![Source::Threshold, Source::Level])
}

/// The columns of a row, but for the numbers of point and run. A hyphen of a name is an underscore here.
fn of_row<T: Row>(file: &'static str, short: &str, has_one_row: bool, others: &'static [&'static str]) -> Described {
    let is_told = |column: &CsvColumn| !matches!(column.name, "point" | "run");
    let described = |(place, column): (usize, CsvColumn)| {
        let name = column.name.replace('-', "_");
        let refused = (column.kind == Kind::Criterion).then_some(
            "the rows are those of the file's criterion; those of another are behind `of`, as in errors of reap",
        );
        // What cannot be read leaves its name to the key `pruning.criterion`.
        let before = if refused.is_some() { file } else { short };
        let path = format!("{before}.{name}");
        let source = match SHARES.iter().find(|(share, _)| *share == column.name) {
            Some((_, most)) => Source::Share(place, *most),
            None => Source::Column(place),
        };
        (Column { name: name.into(), path, values: values(column.kind), known: column.known, refused }, source)
    };
    let columns = T::columns().into_iter().enumerate().filter(|(_, column)| is_told(column));
    let (columns, sources) = columns.map(described).unzip();
    (Table { name: file, has_one_row, others, columns }, sources)
}

fn values(kind: Kind) -> Type {
    match kind {
        Kind::Flag => Type::Truth,
        Kind::Word(words) => Type::Word(words),
        Kind::Criterion => Type::Word(Criterion::NAMES),
        Kind::Claim | Kind::Text => Type::Word(&[]),
        _ => Type::Number,
    }
}

/// `relevant` and the other roles as conditions, by the roles that the claim goes by.
fn add_roles((table, sources): &mut Described) {
    let mut add = |name: &'static str, source: Source| {
        let path = format!("experts.{name}");
        table.columns.push(Column {
            name: name.into(),
            path,
            values: Type::Truth,
            known: Known::AtStart,
            refused: None,
        });
        sources.push(source);
    };
    for role in [Role::Relevant, Role::Irrelevant, Role::Misaligned, Role::Ambiguous] {
        add(role.name(), Source::Role(role));
    }
    add("common", Source::Common);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_path_is_one_name_and_no_name_is_a_keyword() {
        let columns: Vec<&Column> = vocabulary().schema.tables.iter().flat_map(|table| &table.columns).collect();
        let paths: BTreeSet<&str> = columns.iter().map(|column| column.path.as_str()).collect();
        assert_eq!(paths.len(), columns.len());
        for column in columns {
            assert!(!["and", "or", "not", "where", "of", "true", "false", "figure"].contains(&&*column.name));
            assert!(column.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{}", column.name);
        }
    }

    #[test]
    fn of_the_names_of_one_number_a_run_one_alone_has_two_meanings() {
        let single =
            || vocabulary().schema.tables.iter().filter(|table| table.has_one_row).flat_map(|table| &table.columns);
        let twice = |name: &str| single().filter(|other| other.name == name).count() > 1;
        let names: BTreeSet<&str> = single().map(|column| &*column.name).filter(|name| twice(name)).collect();
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["iterations"]);
    }

    #[test]
    fn shares_of_counts_are_columns() {
        let schema = &vocabulary().schema;
        for (share, _) in SHARES {
            assert!(
                schema.tables.iter().any(|table| table.columns.iter().any(|column| column.name == share)),
                "{share}"
            );
        }
    }
}
