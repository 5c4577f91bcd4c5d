//! What makes a struct the row of a CSV file: its columns, and how it is read by their names.
//!
//! `row!` takes the struct and writes all of that. A field reads
//! `name: Type as kind, empty "when" => optional;` below a comment that is the meaning of its column. The kind follows from
//! the type unless `as` says more; without `empty` no cell is; `known AtStart` stands behind what training does not change;
//! a file may lack the column of an `Option`, and an `optional` one.

use super::column::{Column, Kind};
use crate::sim::words::Word;

use serde::de::value::UnitDeserializer;
use serde::de::{DeserializeOwned, Error, MapAccess};

/// A row of a CSV file.
pub trait Row {
    /// Its columns, in order.
    fn columns() -> Vec<Column>;

    /// What stands in the column at this place of [`columns`](Self::columns).
    fn datum(&self, place: usize) -> Datum<'_>;
}

/// What stands in one cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Datum<'a> {
    /// Nothing.
    Empty,
    /// A number.
    Number(f64),
    /// A whole number.
    Whole(i64),
    /// A flag.
    Flag(bool),
    /// A word or a text.
    Word(&'a str),
}

/// The names of a row's columns, in order.
pub(crate) fn names<T: Row>() -> Vec<String> {
    T::columns().iter().map(|column| column.name.to_owned()).collect()
}

/// A field of a row: one column, or several.
pub(super) trait Field: Sized {
    /// The values of the columns, as far as the type says it.
    fn kind() -> Kind;

    /// How many columns it has.
    const WIDTH: usize = 1;

    /// What stands in the column at this place of its own.
    fn datum(&self, place: usize) -> Datum<'_>;

    /// The columns of a field that is described so.
    fn columns(described: Column) -> Vec<Column> {
        vec![described]
    }

    /// Reads the next cell if it is of a column of this field, whose own name is `own`; whether it is.
    fn read<'de, A: MapAccess<'de>>(
        slot: &mut Option<Self>,
        own: &'static str,
        column: &[u8],
        cells: &mut A,
    ) -> Result<bool, A::Error>;

    /// The value where the file has no such column.
    fn absent<E: Error>(own: &'static str) -> Result<Self, E>;
}

/// What stands in one cell.
pub(super) trait Value: DeserializeOwned {
    /// The values, as far as the type says it.
    fn kind() -> Kind;

    /// The value as a cell.
    fn datum(&self) -> Datum<'_>;
}

impl<T: Value> Field for T {
    fn kind() -> Kind {
        <T as Value>::kind()
    }

    fn datum(&self, _: usize) -> Datum<'_> {
        Value::datum(self)
    }

    fn read<'de, A: MapAccess<'de>>(
        slot: &mut Option<Self>,
        own: &'static str,
        column: &[u8],
        cells: &mut A,
    ) -> Result<bool, A::Error> {
        if own.as_bytes() != column {
            return Ok(false);
        }
        if slot.is_some() {
            return Err(A::Error::duplicate_field(own));
        }
        *slot = Some(cells.next_value()?);
        Ok(true)
    }

    fn absent<E: Error>(own: &'static str) -> Result<Self, E> {
        // An `Option` takes a unit for `None`; nothing else does.
        T::deserialize(UnitDeserializer::<E>::new()).map_err(|_| E::missing_field(own))
    }
}

macro_rules! values {
    ($($type:ty => $kind:expr, $datum:expr;)*) => {
        $(impl Value for $type {
            fn kind() -> Kind {
                $kind
            }

            fn datum(&self) -> Datum<'_> {
                let datum: fn(&$type) -> Datum = $datum;
                datum(self)
            }
        })*
    };
}

values! {
    // Counts of this program are far inside 63 bits.
    usize => Kind::Integer, |count| Datum::Whole(*count as i64);
    u64 => Kind::Integer, |count| Datum::Whole(*count as i64);
    i8 => Kind::Sign, |sign| Datum::Whole((*sign).into());
    f64 => Kind::Number, |number| Datum::Number(*number);
    bool => Kind::Flag, |flag| Datum::Flag(*flag);
    String => Kind::Text, |text| if text.is_empty() { Datum::Empty } else { Datum::Word(text) };
}

impl<T: Word + DeserializeOwned> Value for T {
    fn kind() -> Kind {
        Kind::Word(T::NAMES)
    }

    fn datum(&self) -> Datum<'_> {
        if self.name().is_empty() { Datum::Empty } else { Datum::Word(self.name()) }
    }
}

impl<T: Value> Value for Option<T> {
    fn kind() -> Kind {
        <T as Value>::kind()
    }

    fn datum(&self) -> Datum<'_> {
        self.as_ref().map_or(Datum::Empty, Value::datum)
    }
}

macro_rules! row {
    (
        $(#[$about:meta])*
        pub struct $row:ident in $file:literal {
            $(
                $(#[doc = $meaning:literal])+
                $field:ident: $type:ty $(as $kind:expr)? $(, empty $empty:expr)? $(, known $known:ident)? $(=> $optional:ident)?;
            )*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
        pub struct $row {
            $($(#[doc = $meaning])+ pub $field: $type,)*
        }

        impl $crate::record::row::Row for $row {
            fn columns() -> Vec<$crate::record::column::Column> {
                use $crate::language::Known;
                use $crate::record::{column, row::Field};
                [$({
                    let [.., kind] = [<$type as Field>::kind() $(, $kind)?];
                    let [.., empty] = [column::NEVER $(, $empty)?];
                    let [.., known] = [Known::AtEnd $(, Known::$known)?];
                    let meaning = concat!($($meaning),+).trim_ascii();
                    <$type as Field>::columns(column::Column { file: $file, name: stringify!($field), kind, meaning, empty, known })
                }),*]
                .concat()
            }

            fn datum(&self, place: usize) -> $crate::record::row::Datum<'_> {
                use $crate::record::row::Field;
                let mut before = 0;
                $(
                    if place < before + <$type as Field>::WIDTH {
                        return Field::datum(&self.$field, place - before);
                    }
                    before += <$type as Field>::WIDTH;
                )*
                // Behind the last column.
                debug_assert!(place >= before);
                $crate::record::row::Datum::Empty
            }
        }

        impl<'de> serde::Deserialize<'de> for $row {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct ByName;

                impl<'de> serde::de::Visitor<'de> for ByName {
                    type Value = $row;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        formatter.write_str(concat!("a row of ", $file))
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut cells: A) -> Result<$row, A::Error> {
                        use $crate::record::row::Field;
                        $(let mut $field: Option<$type> = None;)*
                        while let Some(column) = cells.next_key::<&'de [u8]>()? {
                            let is_known = false
                                $(|| Field::read(&mut $field, stringify!($field), column, &mut cells)?)*;
                            if !is_known {
                                cells.next_value::<serde::de::IgnoredAny>()?;
                            }
                        }
                        Ok($row {
                            $($field: match $field {
                                Some(value) => value,
                                None => $crate::record::row::absent!($type, $field $(, $optional)?),
                            },)*
                        })
                    }
                }

                deserializer.deserialize_struct(stringify!($row), &[$(stringify!($field)),*], ByName)
            }
        }
    };
}

/// The value of a column that a file lacks.
macro_rules! absent {
    ($type:ty, $field:ident) => {
        <$type as Field>::absent(stringify!($field))?
    };
    ($type:ty, $field:ident, optional) => {
        <$type>::default()
    };
}

pub(super) use {absent, row};
