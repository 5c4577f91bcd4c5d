//! What a file gives to a key: a value, or an expression to be resolved at each grid point.

use super::error::one_line;
use super::expression::Expression;
use super::key::Key;
use super::value::Value;
use std::str::FromStr;

/// What a file, a case, a grid or `--set` gives to a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// The same value at every point.
    Fixed(Value),
    /// A number that follows from other keys.
    Expression(Expression),
}

impl Setting {
    /// The setting as a file could write it.
    pub(crate) fn text(&self) -> String {
        match self {
            Setting::Fixed(value) => value.text(),
            Setting::Expression(expression) => one_line(&format!("\"{}\"", expression.text())),
        }
    }
}

impl Key {
    /// Reads a TOML value. The error says what is legal.
    pub(crate) fn read(&self, value: &toml::Value) -> Result<Setting, String> {
        if let (true, toml::Value::String(text)) = (self.kind.is_numeric(), value) {
            return Expression::parse(text).map(Setting::Expression);
        }
        self.kind.read_fixed(value).map(Setting::Fixed).ok_or_else(|| self.legal())
    }

    /// The key's default, which the tests read for every key.
    pub(crate) fn default_setting(&self) -> Result<Setting, String> {
        self.read(&read_bare(self.default))
    }
}

/// Reads a value as TOML; what is no TOML is a bare string: a word or an expression.
pub(crate) fn read_bare(text: &str) -> toml::Value {
    let text = text.trim();
    toml::Value::from_str(text).unwrap_or_else(|_| toml::Value::String(text.into()))
}

#[cfg(test)]
mod tests {
    use super::super::key::Kind;
    use super::super::keys::{KEYS, find};
    use super::super::value::shortest;
    use super::*;

    fn read(path: &str, text: &str) -> Result<String, String> {
        let key = find(path).ok_or("no such key")?;
        key.read(&read_bare(text)).map(|setting| setting.text())
    }

    #[test]
    fn every_default_is_legal() {
        for key in KEYS {
            assert!(key.default_setting().is_ok(), "{}: {:?}", key.path, key.default_setting());
        }
    }

    #[test]
    fn a_whole_float_is_an_integer_and_a_fraction_is_not() {
        assert_eq!(read("training.batch", "1e3"), Ok("1000".into()));
        assert_eq!(read("training.batch", "1.5"), Err("must be an integer from 1 to 1000000".into()));
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused() {
        for text in ["nan", "inf", "-inf"] {
            assert_eq!(read("training.router_rate", text), Err("must be a number from 0 to 1000000".into()));
            assert_eq!(read("training.batch", text), Err("must be an integer from 1 to 1000000".into()));
        }
    }

    #[test]
    fn the_wrong_type_is_refused_for_every_kind() {
        for key in KEYS {
            assert_eq!(key.read(&toml::Value::Table(toml::Table::new())), Err(key.legal()), "{}", key.path);
        }
    }

    #[test]
    fn an_open_lower_bound_refuses_the_bound_itself() {
        let kind = Kind::Real { low: 0.0, high: 1.0, low_open: true };
        let Some(rate) = find("training.router_rate") else { panic!("no such key") };
        let open = Key { kind, ..*rate };
        assert_eq!(open.kind.value_of(0.0), None);
        assert_eq!(open.kind.value_of(0.5), Some(Value::Real(0.5)));
        assert_eq!(open.legal(), "must be a number above 0 and at most 1");
    }

    #[test]
    fn a_number_rounds_to_the_nearest_integer_and_negative_ones_are_refused() {
        let Some(iterations) = find("training.iterations") else { panic!("no such key") };
        assert_eq!(iterations.kind.value_of(2.5), Some(Value::Integer(3)));
        assert_eq!(iterations.kind.value_of(-0.4), Some(Value::Integer(0)));
        assert_eq!(iterations.kind.value_of(-1.0), None);
        assert_eq!(iterations.kind.value_of(1e300), None);
    }

    #[test]
    fn the_shortest_text_reads_back_as_the_same_number() {
        for number in [0.1, 1.0, 1e-7, 1e22, 0.30000000000000004, 123456.789, f64::MIN_POSITIVE] {
            assert_eq!(shortest(number).parse(), Ok(number));
        }
        assert_eq!((shortest(1.0), shortest(1e-7), shortest(1e6)), ("1".into(), "1e-7".into(), "1e6".into()));
    }
}
