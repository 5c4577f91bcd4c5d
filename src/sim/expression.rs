//! Numbers that follow from other keys: `patterns^2/1024`, `60/router_rate`, `0.05*sqrt(128/patterns)`.
//!
//! Operators `+ - * / ^` (the power binds tightest and from the right, so −2^2 = −4), parentheses, the functions of
//! [`FUNCTIONS`] and the last parts of numeric keys. Powers, exponentials and logarithms are `libm`'s, so that every
//! machine resolves the same number.

use super::key::Key;
use super::keys::{KEYS, index_of_name};
use super::similarity::nearest_word;

/// An expression whose names are known keys.
#[derive(Clone, Debug)]
pub struct Expression {
    text: String,
    steps: Vec<Step>,
}

/// Two expressions are equal if they are written alike.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// One step of the evaluation on a stack.
#[derive(Clone, Copy, Debug)]
enum Step {
    Number(f64),
    /// The value of the key with this index in the table.
    Variable(usize),
    Unary(fn(f64) -> f64),
    Binary(fn(f64, f64) -> f64),
}

#[derive(Clone, Copy)]
enum Function {
    OfOne(fn(f64) -> f64),
    OfTwo(fn(f64, f64) -> f64),
}

/// Names of the functions that an expression may call.
pub(crate) const FUNCTIONS: [&str; 11] =
    ["sqrt", "exp", "ln", "log2", "log10", "abs", "floor", "ceil", "round", "min", "max"];

fn function(name: &str) -> Option<Function> {
    Some(match name {
        "sqrt" => Function::OfOne(f64::sqrt),
        "exp" => Function::OfOne(libm::exp),
        "ln" => Function::OfOne(libm::log),
        "log2" => Function::OfOne(libm::log2),
        "log10" => Function::OfOne(libm::log10),
        "abs" => Function::OfOne(f64::abs),
        "floor" => Function::OfOne(f64::floor),
        "ceil" => Function::OfOne(f64::ceil),
        "round" => Function::OfOne(f64::round),
        "min" => Function::OfTwo(|a, b| if a <= b || a.is_nan() { a } else { b }),
        "max" => Function::OfTwo(|a, b| if a >= b || a.is_nan() { a } else { b }),
        _ => return None,
    })
}

/// Longest expression, in bytes.
const LONGEST: usize = 1000;
/// Most parentheses, signs and powers inside one another.
const DEEPEST: usize = 50;

impl Expression {
    /// Reads an expression. The error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("an expression may have at most {LONGEST} bytes"));
        }
        let mut parser = Parser { rest: text, steps: Vec::new(), depth: 0 };
        parser.sum()?;
        parser.skip_spaces();
        if !parser.rest.is_empty() {
            return Err(parser.unexpected("an operator"));
        }
        Ok(Self { text: text.trim().into(), steps: parser.steps })
    }

    /// The expression as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Indices in the table of the keys that the expression names, in the order of first mention.
    pub(crate) fn variables(&self) -> Vec<usize> {
        let mut variables = Vec::new();
        for step in &self.steps {
            if let Step::Variable(key) = step
                && !variables.contains(key)
            {
                variables.push(*key);
            }
        }
        variables
    }

    /// The value, where `lookup` gives the value of the key with an index. Not finite where it is undefined.
    pub(crate) fn evaluate(&self, lookup: impl Fn(usize) -> f64) -> f64 {
        let mut stack: Vec<f64> = Vec::new();
        for step in &self.steps {
            // The parser puts operands before their operator; a missing one would be a NaN, which is refused.
            let mut operand = || stack.pop().unwrap_or(f64::NAN);
            let result = match step {
                Step::Number(number) => *number,
                Step::Variable(key) => lookup(*key),
                Step::Unary(apply) => apply(operand()),
                Step::Binary(apply) => {
                    let right = operand();
                    apply(operand(), right)
                }
            };
            stack.push(result);
        }
        stack.pop().unwrap_or(f64::NAN)
    }
}

/// Recursive descent that writes operands before operators.
struct Parser<'a> {
    rest: &'a str,
    steps: Vec<Step>,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// `product (('+' | '-') product)*`
    fn sum(&mut self) -> Result<(), String> {
        self.product()?;
        loop {
            if self.eat('+') {
                self.product()?;
                self.steps.push(Step::Binary(|a, b| a + b));
            } else if self.eat('-') {
                self.product()?;
                self.steps.push(Step::Binary(|a, b| a - b));
            } else {
                return Ok(());
            }
        }
    }

    /// `signed (('*' | '/') signed)*`
    fn product(&mut self) -> Result<(), String> {
        self.signed()?;
        loop {
            if self.eat('*') {
                self.signed()?;
                self.steps.push(Step::Binary(|a, b| a * b));
            } else if self.eat('/') {
                self.signed()?;
                self.steps.push(Step::Binary(|a, b| a / b));
            } else {
                return Ok(());
            }
        }
    }

    /// `'-' signed | power`. Every recursion of the grammar passes here.
    fn signed(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("an expression may be nested at most {DEEPEST} deep"));
        }
        if self.eat('-') {
            self.signed()?;
            self.steps.push(Step::Unary(|a| -a));
        } else {
            self.power()?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// `atom ('^' signed)?`
    fn power(&mut self) -> Result<(), String> {
        self.atom()?;
        if self.eat('^') {
            self.signed()?;
            self.steps.push(Step::Binary(libm::pow));
        }
        Ok(())
    }

    /// `number | name | name '(' sum (',' sum)? ')' | '(' sum ')'`
    fn atom(&mut self) -> Result<(), String> {
        if self.eat('(') {
            self.sum()?;
            return self.expect(')');
        }
        match self.rest.chars().next() {
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(c) if c.is_ascii_alphabetic() || c == '_' => self.name(),
            _ => Err(self.unexpected("a number, a key's last part or a parenthesis")),
        }
    }

    fn number(&mut self) -> Result<(), String> {
        let text = &self.rest[..number_length(self.rest.as_bytes())];
        let number = text.parse().map_err(|_| format!("{text} is no number"))?;
        self.rest = &self.rest[text.len()..];
        self.steps.push(Step::Number(number));
        Ok(())
    }

    fn name(&mut self) -> Result<(), String> {
        let length = self.rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        let (name, rest) = self.rest.split_at(length);
        self.rest = rest;
        if self.eat('(') {
            let called = function(name).ok_or_else(|| unknown("function", name, FUNCTIONS))?;
            return self.call(name, called);
        }
        let key = index_of_name(name).ok_or_else(|| unknown("variable", name, KEYS.iter().map(Key::name)))?;
        if !KEYS.get(key).is_some_and(|key| key.kind.is_numeric()) {
            return Err(format!("{name} is not a number"));
        }
        self.steps.push(Step::Variable(key));
        Ok(())
    }

    /// The arguments of a function, behind its opening parenthesis.
    fn call(&mut self, name: &str, function: Function) -> Result<(), String> {
        self.sum()?;
        let step = match function {
            Function::OfOne(apply) => Step::Unary(apply),
            Function::OfTwo(apply) => {
                self.expect(',').map_err(|problem| format!("{name} takes two arguments: {problem}"))?;
                self.sum()?;
                Step::Binary(apply)
            }
        };
        self.steps.push(step);
        self.expect(')')
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes `wanted` and the spaces around it, if it comes next.
    fn eat(&mut self, wanted: char) -> bool {
        self.skip_spaces();
        let Some(rest) = self.rest.strip_prefix(wanted) else { return false };
        self.rest = rest;
        self.skip_spaces();
        true
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        if self.eat(wanted) { Ok(()) } else { Err(self.unexpected(&format!("\"{wanted}\""))) }
    }

    fn unexpected(&self, wanted: &str) -> String {
        match self.rest.chars().next() {
            Some(c) => format!("the expression has \"{c}\" where {wanted} was expected"),
            None => format!("the expression ends where {wanted} was expected"),
        }
    }
}

/// Bytes of the number at the start: digits, one point, and an exponent if digits follow its `e`.
fn number_length(bytes: &[u8]) -> usize {
    let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let mut length = digits(0);
    if bytes.get(length) == Some(&b'.') {
        length += 1 + digits(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    length
}

fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest_word(name, known) {
        Some(nearest) => format!("unknown {what} {name}; the nearest is {nearest}"),
        None => format!("unknown {what} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        // exmex 0.21 gets the first three wrong: it takes the root, or the sign, of a part of the argument. Hence a
        // parser of our own.
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
                assert_eq!(parsed, Err(format!("{} is not a number", key.name())));
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
        let operand = "a number, a key's last part or a parenthesis";
        assert_eq!(value(""), Err(format!("the expression ends where {operand} was expected")));
        assert_eq!(value("2*"), Err(format!("the expression ends where {operand} was expected")));
        assert_eq!(value("*2"), Err(format!("the expression has \"*\" where {operand} was expected")));
        assert_eq!(value("(1"), Err("the expression ends where \")\" was expected".into()));
        assert_eq!(value("1)"), Err("the expression has \")\" where an operator was expected".into()));
        assert_eq!(value("2 patterns"), Err("the expression has \"p\" where an operator was expected".into()));
        assert_eq!(value("."), Err(". is no number".into()));
        assert_eq!(
            value("max(1)"),
            Err("max takes two arguments: the expression has \")\" where \",\" was expected".into())
        );
    }

    #[test]
    fn endless_expressions_are_refused_before_the_stack_ends() {
        assert_eq!(value(&"(".repeat(400)), Err("an expression may be nested at most 50 deep".into()));
        assert_eq!(value(&"-".repeat(400)), Err("an expression may be nested at most 50 deep".into()));
        assert_eq!(value(&"1+".repeat(1000)), Err("an expression may have at most 1000 bytes".into()));
    }

    #[test]
    fn a_long_flat_sum_is_not_nested() {
        assert_eq!(value(&format!("{}1", "1+".repeat(400))), Ok(401.0));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in r"(\PC|[-+*/^().,0-9e ]|sqrt|max|patterns){0,40}") {
            let _ = value(&text);
        }

        #[test]
        fn two_numbers_combine_as_in_rust(a in -1e3..1e3f64, b in 1e-3..1e3f64) {
            prop_assert_eq!(value(&format!("({a})*{b}-{b}/({a})")), Ok(a * b - b / a));
        }
    }
}
