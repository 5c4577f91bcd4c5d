//! From text to tokens, one at a time.

use super::problem::Problem;
use std::ops::Range;

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token<'a> {
    pub at: Range<usize>,
    pub what: Lexeme<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Lexeme<'a> {
    Number(f64),
    /// A text between quotes.
    Word(&'a str),
    /// A name or a keyword; a name may have two parts: `experts.delta`.
    Name(&'a str),
    /// An operator, a parenthesis or a comma.
    Sign(&'static str),
    End,
}

/// The signs, longer ones first, each with the sign that it stands for.
const SIGNS: [(&str, &str); 19] = [
    ("<=", "<="),
    (">=", ">="),
    ("!=", "!="),
    ("==", "=="),
    ("≤", "<="),
    ("≥", ">="),
    ("≠", "!="),
    ("−", "-"),
    ("·", "*"),
    ("=", "="),
    ("<", "<"),
    (">", ">"),
    ("+", "+"),
    ("-", "-"),
    ("*", "*"),
    ("/", "/"),
    ("^", "^"),
    ("(", "("),
    (")", ")"),
];

/// The token that stands at or behind `from`.
pub(super) fn token(text: &str, from: usize) -> Result<Token<'_>, Problem> {
    let rest = text.get(from..).unwrap_or_default();
    let start = from + (rest.len() - rest.trim_start().len());
    let rest = rest.trim_start();
    let found = |length: usize, what: Lexeme<'static>| Ok(Token { at: start..start + length, what });
    let Some(first) = rest.chars().next() else { return found(0, Lexeme::End) };
    if first.is_ascii_digit() || first == '.' {
        let length = number_length(rest.as_bytes());
        let text = &rest[..length];
        let number = text.parse().map_err(|_| Problem::new(start..start + length, format!("{text} is no number")))?;
        return found(length, Lexeme::Number(number));
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let length = name_length(rest);
        return Ok(Token { at: start..start + length, what: Lexeme::Name(&rest[..length]) });
    }
    if first == '\'' || first == '"' {
        let Some(length) = rest[1..].find(first) else {
            return Err(Problem::new(
                start..text.len(),
                format!("the text behind {first} has no end: {first} is missing"),
            ));
        };
        return Ok(Token { at: start..start + length + 2, what: Lexeme::Word(&rest[1..=length]) });
    }
    if first == ',' {
        return found(1, Lexeme::Sign(","));
    }
    match SIGNS.iter().find(|(written, _)| rest.starts_with(written)) {
        Some((written, sign)) => found(written.len(), Lexeme::Sign(sign)),
        None => Err(Problem::new(start..start + first.len_utf8(), format!("an expression has no \"{first}\""))),
    }
}

/// The name of a criterion, which may have hyphens, at or behind `from`.
pub(super) fn criterion(text: &str, from: usize) -> Token<'_> {
    let rest = text.get(from..).unwrap_or_default();
    let start = from + (rest.len() - rest.trim_start().len());
    let rest = rest.trim_start();
    let length = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')).count();
    Token { at: start..start + length, what: Lexeme::Name(&rest[..length]) }
}

/// Bytes of the name at the start: letters, digits and underscores, and one dot if a letter follows it.
fn name_length(text: &str) -> usize {
    let part =
        |from: usize| text.bytes().skip(from).take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let first = part(0);
    let bytes = text.as_bytes();
    let is_dotted = bytes.get(first) == Some(&b'.')
        && bytes.get(first + 1).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    if is_dotted { first + 1 + part(first + 1) } else { first }
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
