//! A section of the parameters: each key is one entry, which makes the field of the struct and the [`Key`] of the table.

use super::domain::Domain;
use crate::sim::key::Key;

pub(super) const DATA: &str = "paper; METHODOLOGY, The data";
pub(super) const MODEL: &str = "paper; METHODOLOGY, The model";
pub(super) const TRAINING: &str = "paper; METHODOLOGY, Training";
pub(super) const PRUNING: &str = "paper; METHODOLOGY, Pruning";
pub(super) const CRITERIA: &str = "METHODOLOGY, Criteria";
pub(super) const OPTION: &str = "ours; METHODOLOGY, The data";
pub(super) const MEASURED: &str = "ours; METHODOLOGY, Measurements";
pub(super) const CERTIFIED: &str = "ours; METHODOLOGY, Certificates";
pub(super) const ROLES: &str = "ours; METHODOLOGY, Roles";
pub(super) const CONTROL: &str = "ours; METHODOLOGY, Negative controls";
pub(super) const BUILT: &str = "ours; METHODOLOGY, The pre-trained model";
pub(super) const WORLD: &str = "ours; METHODOLOGY, Worlds";
pub(super) const SYSTEM: &str = "METHODOLOGY, Systems";
pub(super) const ROUTING: &str = "METHODOLOGY, Token-choice routing";
pub(super) const UPSTREAM: &str = "ours; METHODOLOGY, Upstream pre-training";
pub(super) const AUDIT: &str = "ours; METHODOLOGY, Assumptions";

/// Largest number of iterations or samples.
pub(super) const MANY: u64 = 100_000_000;

/// Declares a section. An entry is
///
/// ```text
/// /// What the key is, in one sentence.
/// name: type = "default", domain, "symbol", source;
/// ```
///
/// The default is a TOML literal or an expression, the symbol may be empty, and the domain has the type of the field.
/// After the source may stand `unseeded` ([`Key::unseeded_default`]) or `because("…")` ([`Key::reason`]).
macro_rules! section {
    (
        $(#[doc = $section_doc:literal])+
        pub struct $name:ident: $section:literal {
            $(
                $(#[doc = $doc:literal])+
                $field:ident: $type:ty = $default:literal, $domain:expr, $symbol:literal, $source:expr
                    $(, $modifier:ident $(($argument:literal))?)?;
            )+
        }
    ) => {
        $(#[doc = $section_doc])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $(
                $(#[doc = $doc])+
                #[doc = concat!("\n\nKey `", $section, ".", stringify!($field), "`; symbol: ", $symbol)]
                pub $field: $type,
            )+
        }

        impl $name {
            /// The keys of the section.
            pub(in crate::sim) const KEYS: &'static [$crate::sim::key::Key] = &[
                $($crate::sim::parameters::section::key::<$type>(
                    concat!($section, ".", stringify!($field)),
                    $symbol,
                    $domain,
                    $default,
                    concat!($($doc),+).trim_ascii(),
                    $source,
                ) $(.$modifier($($argument)?))?,)+
            ];

            /// The section with the next values; `None` if one is not of its key's kind.
            pub(in crate::sim) fn of_values<'a>(
                values: &mut impl Iterator<Item = &'a $crate::sim::value::Value>,
            ) -> Option<Self> {
                Some(Self { $($field: $crate::sim::parameters::domain::Field::of_value(values.next()?)?,)+ })
            }

            /// The value of every key of the section.
            pub(in crate::sim) fn values(&self) -> Vec<$crate::sim::value::Value> {
                vec![$($crate::sim::parameters::domain::Field::value(&self.$field),)+]
            }
        }
    };
}

pub(super) use section;

pub(super) const fn key<T>(
    path: &'static str,
    symbol: &'static str,
    domain: Domain<T>,
    default: &'static str,
    doc: &'static str,
    source: &'static str,
) -> Key {
    Key { path, symbol, kind: domain.kind(), default, doc, source, reason: "", unseeded_default: false }
}

impl Key {
    pub(super) const fn because(self, reason: &'static str) -> Key {
        Key { reason, ..self }
    }

    pub(super) const fn unseeded(self) -> Key {
        Key { unseeded_default: true, ..self }
    }
}
