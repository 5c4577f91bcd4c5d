//! The legal values of a key as a value of its field's type: a range, words, or a list.

use super::criteria::Criteria;
use super::criterion::Criterion;
use super::data::{Images, Shipped};
use crate::sim::kept::Kept;
use crate::sim::key::Kind;
use crate::sim::value::Value;
use crate::sim::words::Word;
use std::marker::PhantomData;

/// The legal values of a key whose field has the type `T`.
pub(super) struct Domain<T> {
    kind: Kind,
    field: PhantomData<fn() -> T>,
}

impl<T> Domain<T> {
    const fn new(kind: Kind) -> Self {
        Self { kind, field: PhantomData }
    }

    pub(super) const fn kind(self) -> Kind {
        self.kind
    }
}

/// A field of the parameters, and the value of its key.
pub(super) trait Field: Sized {
    /// The field that a value of its key's domain stands for; `None` for a value of another domain.
    fn of_value(value: &Value) -> Option<Self>;

    /// The value that the field stands for.
    fn value(&self) -> Value;
}

/// Numbers from `low` to `high`.
pub(super) const fn real(low: f64, high: f64) -> Domain<f64> {
    Domain::new(Kind::Real { low, high, low_open: false })
}

/// Whole numbers from `low` to `high`.
pub(super) const fn integer<T: TryFrom<u64>>(low: u64, high: u64) -> Domain<T> {
    Domain::new(Kind::Integer { low, high })
}

/// `true` or `false`.
pub(super) const fn flag() -> Domain<bool> {
    Domain::new(Kind::Flag)
}

/// One of the words of `T`.
pub(super) const fn word<T: Word>() -> Domain<T> {
    Domain::new(Kind::Choice(T::NAMES))
}

/// Names of pictures, or the path of some.
pub(super) const fn images() -> Domain<Images> {
    Domain::new(Kind::WordOrPath(Shipped::NAMES))
}

/// `all` or numbers of experts.
pub(super) const fn kept() -> Domain<Kept> {
    Domain::new(Kind::KeptList)
}

/// `all` or names of criteria.
pub(super) const fn criteria() -> Domain<Criteria> {
    Domain::new(Kind::WordList(Criterion::NAMES))
}

impl Field for f64 {
    fn of_value(value: &Value) -> Option<Self> {
        if let Value::Real(real) = value { Some(*real) } else { None }
    }

    fn value(&self) -> Value {
        // Adding 0 turns −0 into 0: equal numbers have one text.
        Value::Real(self + 0.0)
    }
}

macro_rules! whole {
    ($($integer:ty),*) => {$(
        impl Field for $integer {
            fn of_value(value: &Value) -> Option<Self> {
                if let Value::Integer(integer) = value { Self::try_from(*integer).ok() } else { None }
            }

            fn value(&self) -> Value {
                // Every legal integer of a key is far inside 64 bits.
                Value::Integer(*self as u64)
            }
        }
    )*};
}

whole!(usize, u32);

impl Field for bool {
    fn of_value(value: &Value) -> Option<Self> {
        if let Value::Flag(flag) = value { Some(*flag) } else { None }
    }

    fn value(&self) -> Value {
        Value::Flag(*self)
    }
}

impl<T: Word> Field for T {
    fn of_value(value: &Value) -> Option<Self> {
        if let Value::Choice(word) = value { T::of_name(word) } else { None }
    }

    fn value(&self) -> Value {
        Value::Choice(self.name().to_owned())
    }
}

impl Field for Images {
    fn of_value(value: &Value) -> Option<Self> {
        if let Value::Choice(text) = value { Some(Images::of_text(text)) } else { None }
    }

    fn value(&self) -> Value {
        Value::Choice(self.text().to_owned())
    }
}

impl Field for Kept {
    fn of_value(value: &Value) -> Option<Self> {
        if let Value::Kept(kept) = value { Some(kept.clone()) } else { None }
    }

    fn value(&self) -> Value {
        Value::Kept(self.clone())
    }
}

impl Field for Criteria {
    fn of_value(value: &Value) -> Option<Self> {
        match value {
            Value::Choice(_) => Some(Criteria::All),
            Value::Words(words) => {
                words.iter().map(|word| Criterion::of_name(word)).collect::<Option<_>>().map(Criteria::Listed)
            }
            _ => None,
        }
    }

    fn value(&self) -> Value {
        match self {
            Criteria::All => Value::Choice("all".to_owned()),
            Criteria::Listed(listed) => {
                Value::Words(listed.iter().map(|criterion| criterion.name().to_owned()).collect())
            }
        }
    }
}
