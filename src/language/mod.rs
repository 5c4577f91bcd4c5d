//! The language of claims: what has to be true of a run, said over the rows that the run leaves behind.
//!
//! ```text
//! expression = conjunction { "or" conjunction }
//! conjunction = negation { "and" negation }
//! negation = "not" negation | comparison
//! comparison = sum [ ("=" | "!=" | "<" | "<=" | ">" | ">=") sum ]
//! sum = product { ("+" | "-") product }
//! product = signed { ("*" | "/") signed }
//! signed = "-" signed | power
//! power = atom [ "^" signed ]
//! atom = number | 'word' | "true" | "false" | name [ "of" criterion ] | function "(" list ")" | "(" expression ")"
//! list = expression { "," expression } [ "where" expression ]
//! ```
//!
//! A text is parsed ([`Expression`]), its names and types are checked against a [`Schema`], and what comes out, a
//! [`Program`], is evaluated on [`Rows`]. It is total: there are no loops but those over rows, aggregates do not nest by
//! row, and a text has at most [`LONGEST`] bytes. The numbers that grids and keys hold are read by the same parser.
//!
//! A value may be missing: an empty cell, an aggregate over no row, an undefined number such as log(−1). What is computed
//! from a missing value is missing, but for `and` and `or` that the other side decides, `all` and `any` that another row
//! decides, and `known`.

mod aggregate;
mod check;
mod evaluate;
mod fraction;
mod function;
mod lexer;
mod number;
mod parser;
mod problem;
mod program;
mod schema;
mod scope;
mod syntax;
#[cfg(test)]
mod tests;

pub use function::{AGGREGATES, FUNCTIONS};
pub use number::Number;
pub use parser::LONGEST;
pub use problem::Problem;
pub use program::{Cell, Program};
pub use schema::{Column, Known, Rows, Schema, Table, Type};
pub use scope::Scope;
pub use syntax::Expression;
