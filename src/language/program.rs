//! An expression whose names and types are known.

use super::function::{OfNumbers, OfOne};
use super::number::Number;
use super::schema::Type;
use super::syntax::Relation;

/// A column, by the numbers of its table in the schema and of itself in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// Number of the table.
    pub table: usize,
    /// Number of the column in its table.
    pub column: usize,
}

/// A checked expression.
#[derive(Clone, Debug)]
pub struct Program {
    /// The aggregates; each reads at most those before it.
    pub(super) aggregates: Vec<Aggregate>,
    pub(super) root: Term,
    pub(super) reads: Vec<Cell>,
    pub(super) others: Vec<usize>,
}

impl Program {
    /// What it has for values.
    pub(crate) fn values(&self) -> Type {
        self.root.values()
    }

    /// The places in [`Table::others`](super::Table::others) of the names that it reads other rows by.
    pub(crate) fn others(&self) -> &[usize] {
        &self.others
    }

    /// The columns that it reads, in the order of first mention.
    pub(crate) fn reads(&self) -> &[Cell] {
        &self.reads
    }
}

/// A part of some type.
#[derive(Clone, Debug)]
pub(super) enum Term {
    Number(NumberTerm),
    Truth(TruthTerm),
    /// A word, and the words that it can be.
    Word(WordTerm, &'static [&'static str]),
}

impl Term {
    pub(crate) fn values(&self) -> Type {
        match self {
            Term::Number(_) => Type::Number,
            Term::Truth(_) => Type::Truth,
            Term::Word(_, words) => Type::Word(words),
        }
    }
}

/// Where a value stands: in the row at hand (row 0 outside of aggregates), or in the row of another name beside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub cell: Cell,
    pub other: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum NumberTerm {
    Constant(Number),
    Cell(Place),
    Aggregate(usize),
    One(OfOne, Box<NumberTerm>),
    /// From the left.
    Chain(Box<NumberTerm>, Vec<(Arithmetic, NumberTerm)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Plus,
    Minus,
    Times,
    Over,
    Power,
    Smaller,
    Larger,
}

#[derive(Clone, Debug)]
pub(super) enum TruthTerm {
    Constant(bool),
    Cell(Place),
    Aggregate(usize),
    Known(Box<Term>),
    Not(Box<TruthTerm>),
    /// All of them.
    And(Vec<TruthTerm>),
    /// One of them.
    Or(Vec<TruthTerm>),
    Numbers(Relation, Box<NumberTerm>, Box<NumberTerm>),
    /// Whether two words are the same.
    Words(WordTerm, WordTerm),
    /// Whether two conditions are the same.
    Truths(Box<TruthTerm>, Box<TruthTerm>),
}

#[derive(Clone, Debug)]
pub(super) enum WordTerm {
    Constant(String),
    Cell(Place),
}

/// An aggregate over the rows of a table in which the condition holds.
#[derive(Clone, Debug)]
pub(super) struct Aggregate {
    pub table: usize,
    pub condition: Option<TruthTerm>,
    pub of: AggregateOf,
}

#[derive(Clone, Debug)]
pub(super) enum AggregateOf {
    Numbers(OfNumbers, NumberTerm),
    /// A quantile, and which one.
    Quantile(NumberTerm, NumberTerm),
    Count(TruthTerm),
    Share(TruthTerm),
    All(TruthTerm),
    Any(TruthTerm),
}
