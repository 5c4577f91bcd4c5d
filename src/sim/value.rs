//! Values of keys, read from TOML against the key's kind.

use super::error::shown;
use super::kept::Kept;
use super::key::Kind;

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

impl Value {
    /// The value as a number, if it is one.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Value::Integer(integer) => Some(*integer as f64),
            Value::Real(real) => Some(*real),
            _ => None,
        }
    }

    /// The shortest text that gives the same value again: `128`, `0.2`, `1e-7`, `true`, `canonical`, `[4, 8]`.
    pub(crate) fn text(&self) -> String {
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
            Kind::WordOrPath(_) => {
                let text = value.as_str().filter(|text| !text.trim().is_empty() && !text.contains(['\n', '\r']))?;
                Some(Value::Choice(text.into()))
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
