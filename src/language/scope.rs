//! What names mean where an expression stands.

use super::problem::Problem;
use super::program::Cell;
use super::schema::{Column, Known, Schema};
use super::syntax::Expression;
use crate::similarity::nearest_word;
use std::ops::Range;

/// What an expression can name.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    pub(super) schema: &'a Schema,
    pub(super) until: Known,
    pub(super) bound: Vec<(&'static str, Expression)>,
    pub(super) in_floats: bool,
}

impl<'a> Scope<'a> {
    /// Every column of the schema.
    pub(crate) fn new(schema: &'a Schema) -> Self {
        Self { schema, until: Known::AtEnd, bound: Vec::new(), in_floats: false }
    }

    /// Only what is known before the first step.
    pub(crate) fn at_start(schema: &'a Schema) -> Self {
        Self { until: Known::AtStart, ..Self::new(schema) }
    }

    /// With every number a float: what grids and keys compute with.
    pub(crate) fn in_floats(self) -> Self {
        Self { in_floats: true, ..self }
    }

    /// With a name for an expression, which must be correct by itself in this scope.
    pub(crate) fn with(mut self, name: &'static str, expression: &Expression) -> Self {
        self.bound.push((name, expression.clone()));
        self
    }

    pub(super) fn bound(&self, name: &str) -> Option<&Expression> {
        self.bound.iter().find(|(own, _)| *own == name).map(|(_, expression)| expression)
    }

    /// The cell of a name in a row of `table`, or outside of aggregates.
    pub(super) fn cell(&self, name: &str, at: &Range<usize>, table: Option<usize>) -> Result<Cell, Problem> {
        let cells = self.schema.cells(name);
        let own = cells.iter().find(|cell| Some(cell.table) == table);
        let single: Vec<&Cell> = cells.iter().filter(|cell| self.schema.has_one_row(**cell)).collect();
        let cell = match (own, single.as_slice(), cells.as_slice()) {
            (Some(own), ..) => *own,
            (None, [cell], _) => **cell,
            (None, [], []) => return Err(self.unknown(name, at)),
            (None, [], [row, ..]) => return Err(self.outside_its_rows(name, *row, at, table)),
            (None, several, _) => {
                let paths: Vec<&str> = several.iter().map(|cell| self.schema.path(**cell)).collect();
                return Err(Problem::new(at.clone(), format!("{name} is {}: write which", paths.join(" or "))));
            }
        };
        self.admit(cell, name, at)
    }

    fn admit(&self, cell: Cell, name: &str, at: &Range<usize>) -> Result<Cell, Problem> {
        let Some(column) = self.schema.column(cell) else { return Err(self.unknown(name, at)) };
        if let Some(reason) = column.refused {
            return Err(Problem::new(at.clone(), format!("{name}: {reason}")));
        }
        if self.until == Known::AtStart && column.known == Known::AtEnd {
            let table = self.schema.table_name(cell.table);
            let problem = format!(
                "{name} ({table}) is known only at T: an assumption is a function of the configuration and of the model \
                 at t = 0"
            );
            return Err(Problem::new(at.clone(), problem));
        }
        Ok(cell)
    }

    fn outside_its_rows(&self, name: &str, cell: Cell, at: &Range<usize>, table: Option<usize>) -> Problem {
        let own = self.schema.table_name(cell.table);
        let problem = match table {
            None => format!("{name} has a value in each row of {own}: say which, as in max({name}) or all({name} …)"),
            Some(table) => {
                let other = self.schema.table_name(table);
                format!("{name} is a column of {own}, and this aggregate goes over the rows of {other}")
            }
        };
        Problem::new(at.clone(), problem)
    }

    fn unknown(&self, name: &str, at: &Range<usize>) -> Problem {
        let columns = || self.schema.tables.iter().flat_map(|table| table.columns.iter().map(move |own| (table, own)));
        let written = |column: &'a Column| if name.contains('.') { column.path.as_str() } else { &*column.name };
        let names = columns().map(|(_, column)| written(column)).chain(self.bound.iter().map(|(name, _)| *name));
        let Some(nearest) = nearest_word(name, names) else {
            return Problem::new(at.clone(), format!("unknown variable {name}"));
        };
        let mut message = format!("unknown variable {name}; the nearest is {nearest}");
        // One table of rows can be listed; the keys are in the reference.
        if let Some((table, _)) = columns().find(|(table, own)| !table.has_one_row && written(own) == nearest) {
            let listed: Vec<&str> = table.columns.iter().map(|column| &*column.name).collect();
            message.push_str(&format!("; columns of {}: {}", table.name, listed.join(", ")));
        }
        Problem::new(at.clone(), message)
    }
}
