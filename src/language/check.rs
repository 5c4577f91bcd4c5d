//! From syntax to a program: names become cells, and each part has a type.

use super::function::{OfOne, is_aggregate, names, of_numbers, of_one};
use super::number::Number;
use super::problem::Problem;
use super::program::{Aggregate, AggregateOf, Arithmetic, Cell, NumberTerm, Place, Program, Term, TruthTerm, WordTerm};
use super::schema::Type;
use super::scope::Scope;
use super::syntax::{Expression, Node, Operator, Relation, What};
use crate::similarity::nearest_word;
use std::ops::Range;

impl Expression {
    /// The program of the expression in a scope.
    ///
    /// # Errors
    /// A name that is not there, a value of the wrong type, or what the scope does not allow; and where it stands.
    pub(crate) fn program(&self, scope: &Scope) -> Result<Program, Problem> {
        let mut checker = Checker { scope, aggregates: Vec::new(), reads: Vec::new(), others: Vec::new() };
        let root = checker.term(&self.root, None)?;
        Ok(Program { root, aggregates: checker.aggregates, reads: checker.reads, others: checker.others })
    }

    /// The same, which must be a number.
    ///
    /// # Errors
    /// The same, and another type.
    pub(crate) fn number(&self, scope: &Scope) -> Result<Program, Problem> {
        self.of_type(scope, Type::Number)
    }

    /// The same, which must be a condition.
    ///
    /// # Errors
    /// The same, and another type.
    pub(crate) fn condition(&self, scope: &Scope) -> Result<Program, Problem> {
        self.of_type(scope, Type::Truth)
    }

    fn of_type(&self, scope: &Scope, wanted: Type) -> Result<Program, Problem> {
        let program = self.program(scope)?;
        let found = program.values();
        if found == wanted {
            return Ok(program);
        }
        let problem = format!("{} is needed here; this is {}", wanted.in_words(), found.in_words());
        Err(Problem::new(self.root.at.clone(), problem))
    }
}

/// A call, in parts.
struct Call<'a> {
    name: &'a str,
    at: &'a Range<usize>,
    named_at: &'a Range<usize>,
    arguments: &'a [Node],
    condition: Option<&'a Node>,
}

struct Checker<'a> {
    scope: &'a Scope<'a>,
    aggregates: Vec<Aggregate>,
    reads: Vec<Cell>,
    others: Vec<usize>,
}

impl Checker<'_> {
    /// A part in a row of `table`, or outside of aggregates.
    fn term(&mut self, node: &Node, table: Option<usize>) -> Result<Term, Problem> {
        match &node.what {
            What::Number(number) => self.constant(*number, &node.at),
            What::Word(word) => Ok(Term::Word(WordTerm::Constant(word.clone()), &[])),
            What::Truth(truth) => Ok(Term::Truth(TruthTerm::Constant(*truth))),
            What::Name(name) => self.name(name, &node.at, table),
            What::Of { name, criterion, named_at } => self.of(name, criterion, [&node.at, named_at], table),
            What::Negative(inner) => {
                let inner = self.number(inner, table, "- needs a number behind it")?;
                Ok(Term::Number(NumberTerm::One(OfOne::Negate, inner.into())))
            }
            What::Not(inner) => {
                let inner = self.truth(inner, table, "not needs a condition behind it")?;
                Ok(Term::Truth(TruthTerm::Not(inner.into())))
            }
            What::Chain(first, rest) => self.chain(first, rest, table),
            What::Binary(operator, left, right) => self.binary(*operator, left, right, table),
            What::Call { name, named_at, arguments, condition } => {
                let condition = condition.as_deref();
                self.call(&Call { name, at: &node.at, named_at, arguments, condition }, table)
            }
        }
    }

    fn constant(&self, number: f64, at: &Range<usize>) -> Result<Term, Problem> {
        let found = if self.scope.in_floats { Number::measured(number) } else { Number::decimal(number) };
        let constant = |number| Term::Number(NumberTerm::Constant(number));
        found.map(constant).ok_or_else(|| Problem::new(at.clone(), "not a number"))
    }

    fn number(&mut self, node: &Node, table: Option<usize>, needs: &str) -> Result<NumberTerm, Problem> {
        match self.term(node, table)? {
            Term::Number(term) => Ok(term),
            other => Err(mismatch(node, needs, &other)),
        }
    }

    fn truth(&mut self, node: &Node, table: Option<usize>, needs: &str) -> Result<TruthTerm, Problem> {
        match self.term(node, table)? {
            Term::Truth(term) => Ok(term),
            other => Err(mismatch(node, needs, &other)),
        }
    }

    fn name(&mut self, name: &str, at: &Range<usize>, table: Option<usize>) -> Result<Term, Problem> {
        let scope = self.scope;
        if let Some(bound) = scope.bound(name) {
            // It is correct by itself, so that a problem of it stands in its own text.
            return self.term(&bound.root, None).map_err(|problem| Problem::new(at.clone(), problem.message));
        }
        let cell = scope.cell(name, at, table)?;
        Ok(self.read(Place { cell, other: None }))
    }

    fn of(
        &mut self,
        name: &str,
        criterion: &str,
        [at, named_at]: [&Range<usize>; 2],
        table: Option<usize>,
    ) -> Result<Term, Problem> {
        let cell = self.scope.cell(name, at, table)?;
        let others = self.scope.schema.tables.get(cell.table).map_or(&[][..], |table| table.others);
        if others.is_empty() {
            let problem = format!("{name} has no value of a criterion: only columns of pruned models do");
            return Err(Problem::new(at.clone(), problem));
        }
        let Some(other) = others.iter().position(|other| *other == criterion) else {
            let hint = nearest_word(criterion, others.iter().copied()).map(|near| format!("; the nearest is {near}"));
            let problem = format!("unknown criterion {criterion}{}", hint.unwrap_or_default());
            return Err(Problem::new(named_at.clone(), problem));
        };
        self.others.push(other);
        Ok(self.read(Place { cell, other: Some(other) }))
    }

    fn read(&mut self, place: Place) -> Term {
        if !self.reads.contains(&place.cell) {
            self.reads.push(place.cell);
        }
        match self.scope.schema.column(place.cell).map(|column| column.values) {
            Some(Type::Truth) => Term::Truth(TruthTerm::Cell(place)),
            Some(Type::Word(words)) => Term::Word(WordTerm::Cell(place), words),
            _ => Term::Number(NumberTerm::Cell(place)),
        }
    }

    /// Operands between operators that bind alike: conditions, or numbers.
    fn chain(&mut self, first: &Node, rest: &[(Operator, Node)], table: Option<usize>) -> Result<Term, Problem> {
        if let [(operator @ (Operator::And | Operator::Or), _), ..] = rest {
            let needs = format!("{} stands between conditions", operator.text());
            let mut terms = vec![self.truth(first, table, &needs)?];
            for (_, node) in rest {
                terms.push(self.truth(node, table, &needs)?);
            }
            return Ok(Term::Truth(if *operator == Operator::And {
                TruthTerm::And(terms)
            } else {
                TruthTerm::Or(terms)
            }));
        }
        let needs = |operator: &Operator| format!("{} stands between numbers", operator.text());
        let beside = rest.first().map(|(operator, _)| needs(operator)).unwrap_or_default();
        let first = self.number(first, table, &beside)?;
        let mut terms = Vec::new();
        for (operator, node) in rest {
            let arithmetic = match operator {
                Operator::Minus => Arithmetic::Minus,
                Operator::Times => Arithmetic::Times,
                Operator::Over => Arithmetic::Over,
                _ => Arithmetic::Plus,
            };
            terms.push((arithmetic, self.number(node, table, &needs(operator))?));
        }
        Ok(Term::Number(NumberTerm::Chain(first.into(), terms)))
    }

    /// A comparison or a power.
    fn binary(&mut self, operator: Operator, left: &Node, right: &Node, table: Option<usize>) -> Result<Term, Problem> {
        if let Operator::Compare(relation) = operator {
            return self.comparison(relation, left, right, table);
        }
        let needs = "^ stands between numbers";
        let (base, exponent) = (self.number(left, table, needs)?, self.number(right, table, needs)?);
        Ok(Term::Number(NumberTerm::Chain(base.into(), vec![(Arithmetic::Power, exponent)])))
    }

    fn comparison(
        &mut self,
        relation: Relation,
        left: &Node,
        right: &Node,
        table: Option<usize>,
    ) -> Result<Term, Problem> {
        let is_equality = matches!(relation, Relation::Equal | Relation::Unequal);
        let same = match (self.term(left, table)?, self.term(right, table)?) {
            (Term::Number(a), Term::Number(b)) => {
                return Ok(Term::Truth(TruthTerm::Numbers(relation, a.into(), b.into())));
            }
            (Term::Truth(a), Term::Truth(b)) if is_equality => TruthTerm::Truths(a.into(), b.into()),
            (Term::Word(a, words), Term::Word(b, others)) if is_equality => {
                check_word(right, &b, words)?;
                check_word(left, &a, others)?;
                TruthTerm::Words(a, b)
            }
            (a, b) if a.values().in_words() == b.values().in_words() => {
                let problem = format!("only numbers have an order; this is {}", a.values().in_words());
                return Err(Problem::new(left.at.clone(), problem));
            }
            (a, b) => {
                let (a, b) = (a.values().in_words(), b.values().in_words());
                let problem = format!("two values of one kind can be compared; the left one is {a}, the right one {b}");
                return Err(Problem::new(left.at.start..right.at.end, problem));
            }
        };
        Ok(Term::Truth(if relation == Relation::Equal { same } else { TruthTerm::Not(same.into()) }))
    }

    fn call(&mut self, call: &Call, table: Option<usize>) -> Result<Term, Problem> {
        let &Call { name, named_at, arguments, condition, .. } = call;
        let is_over_rows = is_aggregate(name) && (of_two(name).is_none() || arguments.len() == 1);
        if is_over_rows {
            return self.aggregate(call);
        }
        if let Some(condition) = condition {
            let problem = format!("where belongs to an aggregate over rows, and {name} here is none");
            return Err(Problem::new(condition.at.clone(), problem));
        }
        if let Some(arithmetic) = of_two(name) {
            let needs = format!("{name} is of numbers");
            let [first, rest @ ..] = arguments else {
                return Err(Problem::new(call.at.clone(), "a function without arguments"));
            };
            let first = self.number(first, table, &needs)?;
            let mut terms = Vec::new();
            for argument in rest {
                terms.push((arithmetic, self.number(argument, table, &needs)?));
            }
            return Ok(Term::Number(NumberTerm::Chain(first.into(), terms)));
        }
        let [argument] = arguments else {
            let found = arguments.len();
            return Err(Problem::new(call.at.clone(), format!("{name} takes one argument; there are {found}")));
        };
        if name == "known" {
            let inner = self.term(argument, table)?;
            return Ok(Term::Truth(TruthTerm::Known(inner.into())));
        }
        let Some(function) = of_one(name) else {
            let near = nearest_word(name, names()).map(|near| format!("; the nearest is {near}"));
            let problem = format!("unknown function {name}{}", near.unwrap_or_default());
            return Err(Problem::new(named_at.clone(), problem));
        };
        let inner = self.number(argument, table, &format!("{name} is of a number"))?;
        Ok(Term::Number(NumberTerm::One(function, inner.into())))
    }

    /// An aggregate: evaluated once a run, whatever row it stands in.
    fn aggregate(&mut self, call: &Call) -> Result<Term, Problem> {
        let &Call { name, at, arguments, condition, .. } = call;
        let wanted = if name == "quantile" { 2 } else { 1 };
        let (first, second) = match arguments {
            [first] if wanted == 1 => (first, None),
            [first, second] if wanted == 2 => (first, Some(second)),
            _ => {
                let found = arguments.len();
                let takes = if wanted == 1 { "one argument" } else { "two arguments, as in quantile(delta, 0.9)" };
                return Err(Problem::new(at.clone(), format!("{name} takes {takes}; there are {found}")));
            }
        };
        let table = self.table_of(call, first)?;
        let condition = match condition {
            Some(condition) => Some(self.truth(condition, Some(table), "`where` needs a condition")?),
            None => None,
        };
        let row = Some(table);
        let of = match (name, second, of_numbers(name)) {
            ("quantile", Some(second), _) => {
                let which = self.number(second, None, "which quantile is a number from 0 to 1")?;
                AggregateOf::Quantile(self.number(first, row, "quantile is of numbers")?, which)
            }
            (_, _, Some(function)) => {
                AggregateOf::Numbers(function, self.number(first, row, &format!("{name} is of numbers"))?)
            }
            _ => {
                let needs = format!("{name} needs a condition");
                let inner = self.truth(first, row, &needs)?;
                match name {
                    "count" => AggregateOf::Count(inner),
                    "share" => AggregateOf::Share(inner),
                    "all" => AggregateOf::All(inner),
                    _ => AggregateOf::Any(inner),
                }
            }
        };
        let is_truth = matches!(of, AggregateOf::All(_) | AggregateOf::Any(_));
        self.aggregates.push(Aggregate { table, condition, of });
        let place = self.aggregates.len() - 1;
        Ok(if is_truth { Term::Truth(TruthTerm::Aggregate(place)) } else { Term::Number(NumberTerm::Aggregate(place)) })
    }

    /// The table whose rows an aggregate goes over: the first that has every name in it that is not one number a run.
    fn table_of(&self, call: &Call, first: &Node) -> Result<usize, Problem> {
        let schema = self.scope.schema;
        let mut named = Vec::new();
        first.own_names(&mut named);
        call.condition.iter().for_each(|condition| condition.own_names(&mut named));
        named.retain(|(name, _)| self.scope.bound(name).is_none());
        let is_row = |name: &str| schema.cells(name).iter().any(|cell| !schema.has_one_row(*cell));
        let has = |table: usize, name: &str| schema.cells(name).iter().any(|cell| cell.table == table);
        let is_single = |name: &str| schema.cells(name).iter().any(|cell| schema.has_one_row(*cell));
        if let Some((name, at)) = named.iter().find(|(name, _)| schema.cells(name).is_empty()) {
            // Says what is near.
            self.scope.cell(name, at, None)?;
        }
        let fits = |table: &usize| {
            let table = *table;
            named.iter().any(|(name, _)| has(table, name))
                && named.iter().all(|(name, _)| has(table, name) || is_single(name))
        };
        let tables = 0..schema.tables.len();
        if let Some(table) = tables.clone().filter(|table| !schema.tables[*table].has_one_row).find(fits) {
            return Ok(table);
        }
        let problem = match named.iter().filter(|(name, _)| is_row(name)).collect::<Vec<_>>().as_slice() {
            [] => {
                let rows: Vec<&str> =
                    schema.tables.iter().filter(|table| !table.has_one_row).map(|table| table.name).collect();
                if rows.is_empty() {
                    format!("{} takes two arguments here: there are no rows to go over", call.name)
                } else {
                    format!("{} goes over the rows of {}, and names no column of them", call.name, rows.join(", "))
                }
            }
            [(first, _), others @ ..] => {
                let of =
                    |name: &str| schema.table_name(schema.cells(name).iter().map(|cell| cell.table).min().unwrap_or(0));
                let other = others.iter().find(|(name, _)| of(name) != of(first)).map_or(*first, |(name, _)| *name);
                format!(
                    "{} goes over the rows of one table; {first} is a column of {}, {other} of {}",
                    call.name,
                    of(first),
                    of(other)
                )
            }
        };
        Err(Problem::new(call.at.clone(), problem))
    }
}

impl Node {
    /// The names in it that are read row by row: not those inside another aggregate.
    fn own_names<'a>(&'a self, into: &mut Vec<(&'a str, &'a Range<usize>)>) {
        match &self.what {
            What::Number(_) | What::Word(_) | What::Truth(_) => {}
            What::Name(name) | What::Of { name, .. } => into.push((name, &self.at)),
            What::Negative(inner) | What::Not(inner) => inner.own_names(into),
            What::Chain(first, rest) => {
                first.own_names(into);
                rest.iter().for_each(|(_, node)| node.own_names(into));
            }
            What::Binary(_, left, right) => {
                left.own_names(into);
                right.own_names(into);
            }
            What::Call { name, arguments, .. } => {
                if !is_aggregate(name) || (of_two(name).is_some() && arguments.len() > 1) {
                    arguments.iter().for_each(|argument| argument.own_names(into));
                }
            }
        }
    }
}

/// The functions of two numbers or more.
fn of_two(name: &str) -> Option<Arithmetic> {
    match name {
        "min" => Some(Arithmetic::Smaller),
        "max" => Some(Arithmetic::Larger),
        _ => None,
    }
}

fn mismatch(node: &Node, needs: &str, found: &Term) -> Problem {
    Problem::new(node.at.clone(), format!("{needs}; this is {}", found.values().in_words()))
}

/// Refuses a word that stands beside a value that can be only one of `words`.
fn check_word(node: &Node, term: &WordTerm, words: &'static [&'static str]) -> Result<(), Problem> {
    let WordTerm::Constant(word) = term else { return Ok(()) };
    if words.is_empty() || words.contains(&word.as_str()) {
        return Ok(());
    }
    let near = nearest_word(word, words.iter().copied()).map(|near| format!("; the nearest is '{near}'"));
    let shown: Vec<&str> = words.iter().copied().filter(|word| !word.is_empty()).collect();
    let problem = format!("'{word}' is none of '{}'{}", shown.join("', '"), near.unwrap_or_default());
    Err(Problem::new(node.at.clone(), problem))
}
