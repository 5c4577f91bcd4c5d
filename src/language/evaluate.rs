//! The value of a program in one run.

use super::function::{OfOne, Rounding};
use super::number::Number;
use super::program::{Arithmetic, NumberTerm, Place, Program, Term, TruthTerm, WordTerm};
use super::schema::Rows;
use super::syntax::Relation;
use std::cmp::Ordering;

/// The value of an aggregate, once it is known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    Number(Option<Number>),
    Truth(Option<bool>),
}

impl Program {
    /// The number that it is in a run; `None` if a value is missing, or if it is no number.
    pub(crate) fn number(&self, rows: &impl Rows) -> Option<Number> {
        match &self.root {
            Term::Number(term) => self.frame(rows).number(term, 0),
            _ => None,
        }
    }

    /// Whether it is true in a run; `None` if a value is missing, or if it is no condition.
    pub(crate) fn truth(&self, rows: &impl Rows) -> Option<bool> {
        match &self.root {
            Term::Truth(term) => self.frame(rows).truth(term, 0),
            _ => None,
        }
    }

    /// The aggregates, evaluated in their order.
    fn frame<'a, R: Rows>(&self, rows: &'a R) -> Frame<'a, R> {
        let mut frame = Frame { rows, aggregates: Vec::with_capacity(self.aggregates.len()) };
        for aggregate in &self.aggregates {
            let value = frame.aggregate(aggregate);
            frame.aggregates.push(value);
        }
        frame
    }
}

/// A run, and the aggregates over it that are known.
pub(super) struct Frame<'a, R> {
    pub rows: &'a R,
    aggregates: Vec<Value>,
}

impl<R: Rows> Frame<'_, R> {
    pub(crate) fn number(&self, term: &NumberTerm, row: usize) -> Option<Number> {
        match term {
            NumberTerm::Constant(number) => Some(*number),
            NumberTerm::Cell(place) => self.rows.number(place.cell, self.row_of(place, row)?),
            NumberTerm::Aggregate(place) => match self.aggregates.get(*place) {
                Some(Value::Number(number)) => *number,
                _ => None,
            },
            NumberTerm::One(function, inner) => {
                let inner = self.number(inner, row)?;
                match function {
                    OfOne::Negate => Some(inner.negated()),
                    OfOne::Absolute => Some(inner.absolute()),
                    OfOne::Float(Rounding::Whole, apply) => Number::decimal(apply(inner.float())),
                    OfOne::Float(Rounding::None, apply) => Number::measured(apply(inner.float())),
                }
            }
            NumberTerm::Chain(first, rest) => {
                rest.iter().try_fold(self.number(first, row)?, |left, (operator, right)| {
                    let right = self.number(right, row)?;
                    match operator {
                        Arithmetic::Plus => left.plus(right),
                        Arithmetic::Minus => left.minus(right),
                        Arithmetic::Times => left.times(right),
                        Arithmetic::Over => left.divided_by(right),
                        Arithmetic::Power => Number::measured(libm::pow(left.float(), right.float())),
                        Arithmetic::Smaller => Some(left.smaller(right)),
                        Arithmetic::Larger => Some(left.larger(right)),
                    }
                })
            }
        }
    }

    pub(crate) fn truth(&self, term: &TruthTerm, row: usize) -> Option<bool> {
        match term {
            TruthTerm::Constant(truth) => Some(*truth),
            TruthTerm::Cell(place) => self.rows.truth(place.cell, self.row_of(place, row)?),
            TruthTerm::Aggregate(place) => match self.aggregates.get(*place) {
                Some(Value::Truth(truth)) => *truth,
                _ => None,
            },
            TruthTerm::Known(inner) => Some(match &**inner {
                Term::Number(term) => self.number(term, row).is_some(),
                Term::Truth(term) => self.truth(term, row).is_some(),
                Term::Word(term, _) => self.word(term, row).is_some(),
            }),
            TruthTerm::Not(inner) => self.truth(inner, row).map(|truth| !truth),
            TruthTerm::And(terms) => self.decided_by(false, terms.iter().map(|term| self.truth(term, row))),
            TruthTerm::Or(terms) => self.decided_by(true, terms.iter().map(|term| self.truth(term, row))),
            TruthTerm::Numbers(relation, left, right) => {
                let order = self.number(left, row)?.compare(self.number(right, row)?);
                Some(match relation {
                    Relation::Equal => order == Ordering::Equal,
                    Relation::Unequal => order != Ordering::Equal,
                    Relation::Less => order == Ordering::Less,
                    Relation::AtMost => order != Ordering::Greater,
                    Relation::More => order == Ordering::Greater,
                    Relation::AtLeast => order != Ordering::Less,
                })
            }
            TruthTerm::Words(left, right) => Some(self.word(left, row)? == self.word(right, row)?),
            TruthTerm::Truths(left, right) => Some(self.truth(left, row)? == self.truth(right, row)?),
        }
    }

    fn word<'b>(&'b self, term: &'b WordTerm, row: usize) -> Option<&'b str> {
        match term {
            WordTerm::Constant(word) => Some(word),
            WordTerm::Cell(place) => self.rows.word(place.cell, self.row_of(place, row)?),
        }
    }

    /// `decisive` if one of the truth values is that; the opposite if all are there and none is.
    pub(crate) fn decided_by(&self, decisive: bool, truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
        let mut is_whole = true;
        for truth in truths {
            match truth {
                Some(truth) if truth == decisive => return Some(decisive),
                Some(_) => {}
                None => is_whole = false,
            }
        }
        is_whole.then_some(!decisive)
    }

    /// The row in which a place is read.
    fn row_of(&self, place: &Place, row: usize) -> Option<usize> {
        match place.other {
            None => Some(row),
            Some(other) => self.rows.beside(place.cell.table, row, other),
        }
    }
}
