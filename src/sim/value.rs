//! Values of keys: read from TOML against the key's kind, or left as an expression to be resolved at each grid point.

use super::error::{one_line, shown};
use super::expression::Expression;
use super::keys::{Key, Kind};
use super::parameters::Kept;

/// The resolved value of a key, inside its legal range.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A whole number.
    Integer(u64),
    /// A finite number.
    Real(f64),
    /// True or false.
    Flag(bool),
    /// A word.
    Choice(String),
    /// Numbers of experts kept.
    Kept(Kept),
    /// A list of words.
    Words(Vec<String>),
}

/// What a file, a case, a grid or `--set` gives to a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// The same value at every point.
    Fixed(Value),
    /// A number that follows from other keys.
    Expression(Expression),
}

impl Value {
    /// The value as a number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Integer(integer) => Some(*integer as f64),
            Value::Real(real) => Some(*real),
            _ => None,
        }
    }

    /// The shortest text that gives the same value again: `128`, `0.2`, `1e-7`, `true`, `canonical`, `[4, 8]`.
    pub fn text(&self) -> String {
        match self {
            Value::Integer(integer) => integer.to_string(),
            Value::Real(real) => shortest(*real),
            Value::Flag(flag) => flag.to_string(),
            Value::Choice(word) => word.clone(),
            Value::Kept(Kept::All) => "all".into(),
            Value::Kept(Kept::Listed(numbers)) => format!("{numbers:?}"),
            Value::Words(words) => format!("[{}]", words.join(", ")),
        }
    }
}

/// The shortest decimal text that reads back as `number`, without or with an exponent.
pub(crate) fn shortest(number: f64) -> String {
    let plain = format!("{number}");
    let scientific = format!("{number:e}");
    if scientific.len() < plain.len() { scientific } else { plain }
}

impl Setting {
    /// The setting as a file could write it.
    pub fn text(&self) -> String {
        match self {
            Setting::Fixed(value) => value.text(),
            Setting::Expression(expression) => one_line(&format!("\"{}\"", expression.text())),
        }
    }
}

impl Key {
    /// Reads a TOML value. The error says what is legal.
    pub fn read(&self, value: &toml::Value) -> Result<Setting, String> {
        if let (true, toml::Value::String(text)) = (self.kind.is_numeric(), value) {
            return Expression::parse(text).map(Setting::Expression);
        }
        self.kind.read_fixed(value).map(Setting::Fixed).ok_or_else(|| self.legal())
    }

    /// The key's default, which the tests read for every key.
    pub(crate) fn default_setting(&self) -> Result<Setting, String> {
        self.read(&super::overrides::read_bare(self.default))
    }
}

impl Kind {
    /// Reads a TOML value that is no expression.
    pub(crate) fn read_fixed(&self, value: &toml::Value) -> Option<Value> {
        match self {
            Kind::Integer { .. } => self.within(Value::Integer(whole(value)?)),
            Kind::Real { .. } => self.within(Value::Real(number(value)?)),
            Kind::Flag => value.as_bool().map(Value::Flag),
            Kind::Choice(words) => {
                let word = value.as_str()?;
                words.contains(&word).then(|| Value::Choice(word.into()))
            }
            Kind::KeptList => read_kept(value).map(Value::Kept),
            Kind::WordList(words) => read_words(words, value),
        }
    }

    /// The value that a number gives to this kind; an integer is the nearest one, halves away from 0.
    pub(crate) fn value_of(&self, number: f64) -> Option<Value> {
        if !number.is_finite() {
            return None;
        }
        match self {
            // Saturates at both ends, outside every legal range but for 0, which is checked first.
            Kind::Integer { .. } if number.round() >= 0.0 => self.within(Value::Integer(number.round() as u64)),
            // Adding 0 turns −0 into 0: equal numbers must have one text, or they would have two seeds.
            Kind::Real { .. } => self.within(Value::Real(number + 0.0)),
            _ => None,
        }
    }

    pub(crate) fn within(&self, value: Value) -> Option<Value> {
        let legal = match (self, &value) {
            (Kind::Integer { low, high }, Value::Integer(integer)) => (low..=high).contains(&integer),
            (Kind::Real { low, high, low_open }, Value::Real(real)) => {
                (low..=high).contains(&real) && !(*low_open && real == low)
            }
            _ => false,
        };
        legal.then_some(value)
    }
}

/// A whole number that is not negative, written as an integer or as a float without a fraction.
pub(crate) fn whole(value: &toml::Value) -> Option<u64> {
    match value {
        toml::Value::Integer(integer) => u64::try_from(*integer).ok(),
        toml::Value::Float(float) if float.fract() == 0.0 && (0.0..=1e15).contains(float) => Some(*float as u64),
        _ => None,
    }
}

/// A finite number, written as an integer or as a float; −0 becomes 0.
pub(crate) fn number(value: &toml::Value) -> Option<f64> {
    match value {
        toml::Value::Integer(integer) => Some(*integer as f64),
        toml::Value::Float(float) if float.is_finite() => Some(*float + 0.0),
        _ => None,
    }
}

fn read_words(words: &[&str], value: &toml::Value) -> Option<Value> {
    match value {
        toml::Value::String(word) if word == "all" => Some(Value::Choice(word.clone())),
        toml::Value::Array(items) => {
            let word = |item: &toml::Value| item.as_str().filter(|word| words.contains(word)).map(str::to_owned);
            items.iter().map(word).collect::<Option<Vec<String>>>().map(Value::Words)
        }
        _ => None,
    }
}

fn read_kept(value: &toml::Value) -> Option<Kept> {
    match value {
        toml::Value::String(word) if word == "all" => Some(Kept::All),
        toml::Value::Array(items) => {
            let kept = |item| whole(item).filter(|kept| *kept >= 1).and_then(|kept| usize::try_from(kept).ok());
            items.iter().map(kept).collect::<Option<Vec<usize>>>().map(Kept::Listed)
        }
        _ => None,
    }
}

/// What a message shows for a value that was refused.
pub(crate) fn refused(value: &toml::Value) -> String {
    match value {
        toml::Value::Array(items) if items.len() > 20 => format!("a list of {} values", items.len()),
        other => shown(other),
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::{KEYS, find};
    use super::*;

    fn read(path: &str, text: &str) -> Result<String, String> {
        let key = find(path).ok_or("no such key")?;
        key.read(&super::super::overrides::read_bare(text)).map(|setting| setting.text())
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
