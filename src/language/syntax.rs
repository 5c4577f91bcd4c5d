//! What a text says, before anything is known of its names.

use super::parser::parse;
use super::problem::Problem;
use std::ops::Range;

/// An expression, parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    text: String,
    pub(super) root: Node,
}

/// A part of an expression, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub at: Range<usize>,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    Number(f64),
    Word(String),
    Truth(bool),
    Name(String),
    /// A column of another criterion's row, and where the criterion stands.
    Of {
        name: String,
        criterion: String,
        named_at: Range<usize>,
    },
    Negative(Box<Node>),
    Not(Box<Node>),
    /// Operands between operators that bind alike, from the left. It is flat: its length adds nothing to the depth.
    Chain(Box<Node>, Vec<(Operator, Node)>),
    /// A comparison or a power.
    Binary(Operator, Box<Node>, Box<Node>),
    Call {
        name: String,
        named_at: Range<usize>,
        arguments: Vec<Node>,
        condition: Option<Box<Node>>,
    },
}

/// How two numbers may stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// An operator between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Compare(Relation),
    Plus,
    Minus,
    Times,
    Over,
    Power,
}

impl Operator {
    /// As it is written.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Operator::Or => "or",
            Operator::And => "and",
            Operator::Compare(Relation::Equal) => "=",
            Operator::Compare(Relation::Unequal) => "!=",
            Operator::Compare(Relation::Less) => "<",
            Operator::Compare(Relation::AtMost) => "<=",
            Operator::Compare(Relation::More) => ">",
            Operator::Compare(Relation::AtLeast) => ">=",
            Operator::Plus => "+",
            Operator::Minus => "-",
            Operator::Times => "*",
            Operator::Over => "/",
            Operator::Power => "^",
        }
    }
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        Ok(Self { text: text.to_owned(), root: parse(text)? })
    }

    /// The expression as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it names `name` somewhere.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        self.root.mentions(name)
    }
}

impl Node {
    fn mentions(&self, wanted: &str) -> bool {
        match &self.what {
            What::Number(_) | What::Word(_) | What::Truth(_) => false,
            What::Name(name) | What::Of { name, .. } => name == wanted,
            What::Negative(node) | What::Not(node) => node.mentions(wanted),
            What::Chain(first, rest) => first.mentions(wanted) || rest.iter().any(|(_, node)| node.mentions(wanted)),
            What::Binary(_, left, right) => left.mentions(wanted) || right.mentions(wanted),
            What::Call { arguments, condition, .. } => {
                arguments.iter().chain(condition.as_deref()).any(|node| node.mentions(wanted))
            }
        }
    }
}
