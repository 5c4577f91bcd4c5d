//! From tokens to the tree: recursive descent over the grammar of the module's head, one function a line.

use super::lexer::{Lexeme, Token, criterion, token};
use super::problem::Problem;
use super::syntax::{Node, Operator, Relation, What};

/// Longest expression, in bytes.
pub const LONGEST: usize = 1000;
/// Most parentheses, signs and powers inside one another.
const DEEPEST: usize = 50;

/// The words that are no names.
const KEYWORDS: [&str; 7] = ["and", "or", "not", "where", "of", "true", "false"];

/// What can stand where a value is expected.
const OPERAND: &str = "a number, a name or a parenthesis";

/// Reads a whole text.
pub(super) fn parse(text: &str) -> Result<Node, Problem> {
    if text.len() > LONGEST {
        return Err(Problem::new(0..0, format!("an expression may have at most {LONGEST} bytes")));
    }
    let mut parser = Parser { text, next: token(text, 0)?, depth: 0 };
    let root = parser.expression()?;
    if parser.next.what == Lexeme::End { Ok(root) } else { Err(parser.unexpected("an operator")) }
}

struct Parser<'a> {
    text: &'a str,
    next: Token<'a>,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn expression(&mut self) -> Result<Node, Problem> {
        self.chain(&[("or", Operator::Or)], Self::conjunction)
    }

    fn conjunction(&mut self) -> Result<Node, Problem> {
        self.chain(&[("and", Operator::And)], Self::negation)
    }

    fn negation(&mut self) -> Result<Node, Problem> {
        let start = self.next.at.start;
        if !self.eat("not")? {
            return self.comparison();
        }
        let node = self.deeper(Self::negation)?;
        Ok(Node { at: start..node.at.end, what: What::Not(node.into()) })
    }

    fn comparison(&mut self) -> Result<Node, Problem> {
        const COMPARISONS: [(&str, Operator); 6] = [
            ("=", Operator::Compare(Relation::Equal)),
            ("!=", Operator::Compare(Relation::Unequal)),
            ("<", Operator::Compare(Relation::Less)),
            ("<=", Operator::Compare(Relation::AtMost)),
            (">", Operator::Compare(Relation::More)),
            (">=", Operator::Compare(Relation::AtLeast)),
        ];
        let left = self.sum()?;
        let Some(operator) = self.one_of(&COMPARISONS)? else { return Ok(left) };
        let right = self.sum()?;
        if matches!(self.next.what, Lexeme::Sign(sign) if COMPARISONS.iter().any(|(own, _)| *own == sign)) {
            return Err(Problem::new(self.next.at.clone(), "comparisons do not chain: a < b < c is a < b and b < c"));
        }
        Ok(binary(operator, left, right))
    }

    fn sum(&mut self) -> Result<Node, Problem> {
        self.chain(&[("+", Operator::Plus), ("-", Operator::Minus)], Self::product)
    }

    fn product(&mut self) -> Result<Node, Problem> {
        self.chain(&[("*", Operator::Times), ("/", Operator::Over)], Self::signed)
    }

    fn signed(&mut self) -> Result<Node, Problem> {
        self.deeper(|parser| {
            let start = parser.next.at.start;
            if !parser.eat("-")? {
                return parser.power();
            }
            let node = parser.signed()?;
            Ok(Node { at: start..node.at.end, what: What::Negative(node.into()) })
        })
    }

    fn power(&mut self) -> Result<Node, Problem> {
        let base = self.atom()?;
        if !self.eat("^")? {
            return Ok(base);
        }
        let exponent = self.signed()?;
        Ok(binary(Operator::Power, base, exponent))
    }

    fn atom(&mut self) -> Result<Node, Problem> {
        let Token { at, what } = self.next.clone();
        match what {
            Lexeme::Number(number) => self.take(What::Number(number)),
            Lexeme::Word(word) => self.take(What::Word(word.to_owned())),
            Lexeme::Name("true") => self.take(What::Truth(true)),
            Lexeme::Name("false") => self.take(What::Truth(false)),
            Lexeme::Name(name) if !KEYWORDS.contains(&name) => self.name(name),
            Lexeme::Sign("(") => {
                self.advance()?;
                let inner = self.expression()?;
                let end = self.expect(")")?;
                Ok(Node { at: at.start..end, ..inner })
            }
            _ => Err(self.unexpected(OPERAND)),
        }
    }

    /// A name, a column of another criterion, or a call.
    fn name(&mut self, name: &str) -> Result<Node, Problem> {
        let (at, name) = (self.next.at.clone(), name.to_owned());
        self.advance()?;
        if self.eat("(")? {
            return self.call(name, at);
        }
        if self.next.what != Lexeme::Name("of") {
            return Ok(Node { at, what: What::Name(name) });
        }
        let found = criterion(self.text, self.next.at.end);
        let Lexeme::Name(criterion) = found.what else { return Err(self.unexpected("a criterion")) };
        if criterion.is_empty() {
            return Err(Problem::new(self.next.at.clone(), "the name of a criterion must follow \"of\""));
        }
        self.next = token(self.text, found.at.end)?;
        let what = What::Of { name, criterion: criterion.to_owned(), named_at: found.at.clone() };
        Ok(Node { at: at.start..found.at.end, what })
    }

    /// What stands behind the opening parenthesis of a function.
    fn call(&mut self, name: String, named_at: std::ops::Range<usize>) -> Result<Node, Problem> {
        let mut arguments = vec![self.expression()?];
        while self.eat(",")? {
            arguments.push(self.expression()?);
        }
        let condition = if self.eat("where")? { Some(Box::new(self.expression()?)) } else { None };
        let end = self.expect(")")?;
        Ok(Node { at: named_at.start..end, what: What::Call { name, named_at, arguments, condition } })
    }

    /// Operands between operators that bind alike, from the left.
    fn chain(
        &mut self,
        operators: &[(&str, Operator)],
        operand: fn(&mut Self) -> Result<Node, Problem>,
    ) -> Result<Node, Problem> {
        let first = operand(self)?;
        let mut rest = Vec::new();
        while let Some(operator) = self.one_of(operators)? {
            rest.push((operator, operand(self)?));
        }
        let Some((_, last)) = rest.last() else { return Ok(first) };
        Ok(Node { at: first.at.start..last.at.end, what: What::Chain(first.into(), rest) })
    }

    /// Reads one level deeper. Every recursion of the grammar passes here.
    fn deeper(&mut self, inner: impl FnOnce(&mut Self) -> Result<Node, Problem>) -> Result<Node, Problem> {
        self.depth += 1;
        if self.depth > DEEPEST {
            let problem = format!("an expression may be nested at most {DEEPEST} deep");
            return Err(Problem::new(self.next.at.clone(), problem));
        }
        let node = inner(self)?;
        self.depth -= 1;
        Ok(node)
    }

    fn take(&mut self, what: What) -> Result<Node, Problem> {
        let at = self.next.at.clone();
        self.advance()?;
        Ok(Node { at, what })
    }

    fn advance(&mut self) -> Result<(), Problem> {
        self.next = token(self.text, self.next.at.end)?;
        Ok(())
    }

    /// Takes the sign or keyword if it comes next.
    fn eat(&mut self, wanted: &str) -> Result<bool, Problem> {
        let is_next = matches!(self.next.what, Lexeme::Sign(text) | Lexeme::Name(text) if text == wanted);
        if is_next {
            self.advance()?;
        }
        Ok(is_next)
    }

    /// Takes one of these operators if it comes next.
    fn one_of(&mut self, operators: &[(&str, Operator)]) -> Result<Option<Operator>, Problem> {
        for (text, operator) in operators {
            if self.eat(text)? {
                return Ok(Some(*operator));
            }
        }
        Ok(None)
    }

    /// Takes a sign that must come next; where it ends.
    fn expect(&mut self, wanted: &str) -> Result<usize, Problem> {
        let end = self.next.at.end;
        if self.eat(wanted)? { Ok(end) } else { Err(self.unexpected(&format!("\"{wanted}\""))) }
    }

    fn unexpected(&self, wanted: &str) -> Problem {
        let found = self.text.get(self.next.at.clone()).unwrap_or_default();
        let message = match self.next.what {
            Lexeme::End => format!("the expression ends where {wanted} was expected"),
            Lexeme::Sign("==") => "equality is written =, not ==".to_owned(),
            Lexeme::Name("where") => {
                "where stands behind the arguments of an aggregate, as in min(delta where relevant)".to_owned()
            }
            _ => format!("the expression has \"{found}\" where {wanted} was expected"),
        };
        Problem::new(self.next.at.clone(), message)
    }
}

fn binary(operator: Operator, left: Node, right: Node) -> Node {
    Node { at: left.at.start..right.at.end, what: What::Binary(operator, left.into(), right.into()) }
}
