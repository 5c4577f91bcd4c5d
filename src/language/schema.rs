//! What expressions can name, and where the values come from.

use super::number::Number;
use super::program::Cell;
use std::borrow::Cow;

/// What an expression, or a column, has for values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A number.
    Number,
    /// True or false.
    Truth,
    /// One of these words; with none of them, any.
    Word(&'static [&'static str]),
}

impl Type {
    /// The type in words, behind "this is".
    pub(super) fn in_words(self) -> &'static str {
        match self {
            Type::Number => "a number",
            Type::Truth => "a condition",
            Type::Word(_) => "a word",
        }
    }
}

/// When a column's value is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Before the first step: it follows from the configuration or from the model at t = 0.
    AtStart,
    /// By training.
    AtEnd,
}

/// A column that expressions can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: Cow<'static, str>,
    /// The name in full, which is unique: `experts.delta`, `training.iterations`.
    pub path: String,
    /// Its values.
    pub values: Type,
    /// When they are known.
    pub known: Known,
    /// Why expressions cannot read it, if they cannot.
    pub refused: Option<&'static str>,
}

/// A table of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// As messages name it: `experts.csv`.
    pub name: &'static str,
    /// Whether it has one row, whose values can be read outside of aggregates.
    pub has_one_row: bool,
    /// The names for which each row may be that of another one, behind `of`; none in most tables.
    pub others: &'static [&'static str],
    /// Its columns.
    pub columns: Vec<Column>,
}

/// Every table that expressions can read. Where a name is a column of several, an aggregate goes over the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// The tables.
    pub tables: Vec<Table>,
}

impl Schema {
    /// The column of a cell.
    pub(crate) fn column(&self, cell: Cell) -> Option<&Column> {
        self.tables.get(cell.table)?.columns.get(cell.column)
    }

    /// The cells of this name, in the order of the tables.
    pub(super) fn cells(&self, name: &str) -> Vec<Cell> {
        let of_table = |(table, own): (usize, &Table)| {
            let place = own.columns.iter().position(|column| column.name == name || column.path == name);
            place.map(|column| Cell { table, column })
        };
        self.tables.iter().enumerate().filter_map(of_table).collect()
    }

    pub(super) fn has_one_row(&self, cell: Cell) -> bool {
        self.tables.get(cell.table).is_some_and(|table| table.has_one_row)
    }

    pub(super) fn path(&self, cell: Cell) -> &str {
        self.column(cell).map_or("", |column| &column.path)
    }

    pub(super) fn table_name(&self, table: usize) -> &'static str {
        self.tables.get(table).map_or("", |table| table.name)
    }
}

/// The rows of one run. A value that is not there is `None`. A table of one row has its values in whatever row is asked
/// for: aggregates over others read them too.
pub trait Rows {
    /// The number of rows that an aggregate over a table goes over, from row 0.
    fn count(&self, table: usize) -> usize;
    /// A number.
    fn number(&self, cell: Cell, row: usize) -> Option<Number>;
    /// A truth value.
    fn truth(&self, cell: Cell, row: usize) -> Option<bool>;
    /// A word.
    fn word(&self, cell: Cell, row: usize) -> Option<&str>;
    /// The row beside `row` that is that of the name `other` of [`Table::others`].
    fn beside(&self, table: usize, row: usize, other: usize) -> Option<usize>;
}
