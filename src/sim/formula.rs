//! An expression of a file, with what it means.

use crate::language::{Expression, Known, Problem, Program, Scope};
use crate::record::vocabulary::vocabulary;

/// An expression that was read and checked.
#[derive(Clone, Debug)]
pub struct Formula {
    expression: Expression,
    /// What it means.
    pub(crate) program: Program,
}

/// Two formulas are equal if they are written alike.
impl PartialEq for Formula {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

/// What a formula must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Condition,
    Number,
}

/// What is wrong with an expression of a file: the key, the text, and what and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misread {
    pub key: &'static str,
    pub text: String,
    pub problem: Problem,
}

impl Formula {
    /// Reads the text of a key. `figure` is what that name stands for, if it stands for something.
    pub(crate) fn read(
        key: &'static str,
        text: &str,
        wanted: Wanted,
        until: Known,
        figure: Option<&Formula>,
    ) -> Result<Self, Misread> {
        let schema = &vocabulary().schema;
        let mut scope = if until == Known::AtStart { Scope::at_start(schema) } else { Scope::new(schema) };
        if let Some(figure) = figure {
            scope = scope.with("figure", &figure.expression);
        }
        let read = || {
            let expression = Expression::parse(text)?;
            let program = match wanted {
                Wanted::Condition => expression.condition(&scope)?,
                Wanted::Number => expression.number(&scope)?,
            };
            Ok(Self { expression, program })
        };
        read().map_err(|problem| Misread { key, text: text.to_owned(), problem })
    }

    /// Whether it names `name`.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.expression.mentions(name)
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        self.expression.text()
    }
}
