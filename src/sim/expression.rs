//! Numbers that follow from other keys: `patterns^2/1024`, `60/router_rate`, `0.05*sqrt(128/patterns)`.
//!
//! They are expressions of the [language](crate::language) of claims that name the last parts of numeric keys, computed in
//! floats.

use super::key::Kind;
use super::keys::KEYS;
use crate::language::{self, Cell, Column, Known, Number, Program, Rows, Schema, Scope, Table, Type};
use std::sync::LazyLock;

/// An expression whose names are known keys.
#[derive(Clone, Debug)]
pub struct Expression {
    text: String,
    program: Program,
}

/// Two expressions are equal if they are written alike.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// The keys as one row: column i is key i.
static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema { tables: vec![keys_table()] });

/// The keys as a table of one row, whose columns are in their order.
pub(crate) fn keys_table() -> Table {
    let column = |key: &super::key::Key| Column {
        name: key.name().into(),
        path: key.path.to_owned(),
        values: match key.kind {
            Kind::Flag => Type::Truth,
            Kind::Choice(words) => Type::Word(words),
            _ => Type::Number,
        },
        known: Known::AtStart,
        refused: match key.kind {
            Kind::WordOrPath(_) => Some("it may be a path, which no expression reads"),
            _ => key.kind.takes_lists().then_some("it is a list, which no expression reads"),
        },
    };
    Table { name: "the keys", has_one_row: true, others: &[], columns: KEYS.iter().map(column).collect() }
}

impl Expression {
    /// Reads an expression. The error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let parsed = language::Expression::parse(text);
        let program = parsed.and_then(|expression| expression.number(&Scope::new(&SCHEMA).in_floats()));
        Ok(Self { text: text.to_owned(), program: program.map_err(|problem| problem.message)? })
    }

    /// The expression as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Indices in the table of the keys that the expression names, in the order of first mention.
    pub(crate) fn variables(&self) -> Vec<usize> {
        self.program.reads().iter().map(|cell| cell.column).collect()
    }

    /// The value, where `lookup` gives the value of the key with an index. Not finite where it is undefined.
    pub(crate) fn evaluate(&self, lookup: impl Fn(usize) -> f64) -> f64 {
        self.program.number(&Lookup(lookup)).map_or(f64::NAN, Number::float)
    }
}

/// The keys' values as rows.
struct Lookup<F>(F);

impl<F: Fn(usize) -> f64> Rows for Lookup<F> {
    fn count(&self, _: usize) -> usize {
        1
    }

    fn number(&self, cell: Cell, _: usize) -> Option<Number> {
        Number::measured((self.0)(cell.column))
    }

    // A number is made of numbers alone, but for `known`, which is a condition.
    fn truth(&self, _: Cell, _: usize) -> Option<bool> {
        None
    }

    fn word(&self, _: Cell, _: usize) -> Option<&str> {
        None
    }

    fn beside(&self, _: usize, _: usize, _: usize) -> Option<usize> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Value with every variable equal to 4.
    fn value(text: &str) -> Result<f64, String> {
        Expression::parse(text).map(|expression| expression.evaluate(|_| 4.0))
    }

    #[test]
    fn operators_bind_as_in_mathematics() {
        for (text, expected) in [
            ("2+3*4", 14.0),
            ("8-2-2", 4.0),
            ("8/2/2", 2.0),
            ("-2^2", -4.0),
            ("2^3^2", 512.0),
            ("2^-1", 0.5),
            ("2--1", 3.0),
            ("(2+3)*4", 20.0),
            ("1e-3*1.5E2", 0.15),
            (" .5 * 4. ", 2.0),
        ] {
            assert_eq!(value(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn functions_take_their_whole_argument() {
        // exmex 0.21 gets the first three wrong: it takes the root, or the sign, of a part of the argument.
        assert_eq!(value("sqrt(patterns+5+7)"), Ok(4.0));
        assert_eq!(value("-(patterns+1+2*3)"), Ok(-11.0));
        assert_eq!(value("sqrt(patterns*3*3)"), Ok(6.0));
        assert_eq!(value("max(1, min(5, 3)) + log2(8)"), Ok(6.0));
        assert_eq!(value("round(2.5) - floor(-0.5) + ceil(0.1) + abs(-1)"), Ok(6.0));
        assert_eq!(value("ln(exp(2)) + log10(100)"), Ok(4.0));
    }

    #[test]
    fn an_undefined_argument_stays_undefined() {
        for text in ["sqrt(-1)", "max(sqrt(-1), 1)", "max(1, sqrt(-1))", "min(sqrt(-1), 1)", "min(1, sqrt(-1))", "0/0"]
        {
            assert!(value(text).is_ok_and(f64::is_nan), "{text}");
        }
    }

    #[test]
    fn every_numeric_key_can_be_named_and_no_other() {
        for key in KEYS {
            let parsed = value(key.name());
            if key.kind.is_numeric() {
                assert_eq!(parsed, Ok(4.0), "{}", key.path);
            } else {
                assert!(parsed.is_err(), "{}", key.path);
            }
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest() {
        assert_eq!(value("patern^2"), Err("unknown variable patern; the nearest is patterns".into()));
        assert_eq!(value("sqr(2)"), Err("unknown function sqr; the nearest is sqrt".into()));
        assert_eq!(value("zzzzzz"), Err("unknown variable zzzzzz".into()));
    }

    #[test]
    fn broken_expressions_are_refused_with_the_place() {
        let operand = "a number, a name or a parenthesis";
        assert_eq!(value(""), Err(format!("the expression ends where {operand} was expected")));
        assert_eq!(value("*2"), Err(format!("the expression has \"*\" where {operand} was expected")));
        assert_eq!(value("max(1)"), Err("max takes two arguments here: there are no rows to go over".into()));
        assert_eq!(value("1 < 2"), Err("a number is needed here; this is a condition".into()));
        assert_eq!(value("basis"), Err("a number is needed here; this is a word".into()));
        assert_eq!(value("criteria"), Err("criteria: it is a list, which no expression reads".into()));
    }

    #[test]
    fn numbers_are_floats() {
        // The exact decimals are equal, and the first of two equal numbers is the larger float.
        assert_eq!(value("min(0.1 + 0.2, 0.3)"), Ok(0.3));
    }
}
