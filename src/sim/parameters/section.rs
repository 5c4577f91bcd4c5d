//! A section of the parameters: each key is one entry, which makes the field of the struct and the [`Key`] of the table.

use super::domain::Domain;
use crate::sim::key::Key;

pub(super) const DATA: &str = "paper; docs/theory/model.md";
pub(super) const MODEL: &str = "paper; docs/theory/model.md";
pub(super) const TRAINING: &str = "paper; docs/theory/training.md";
pub(super) const PRUNING: &str = "paper; docs/theory/pruning.md";
pub(super) const CRITERIA: &str = "docs/theory/criteria.md";
pub(super) const OPTION: &str = "ours; docs/theory/model.md";
pub(super) const MEASURED: &str = "ours; docs/theory/roles.md";
pub(super) const CERTIFIED: &str = "ours; docs/theory/certificates.md";
pub(super) const ROLES: &str = "ours; docs/theory/roles.md";
pub(super) const CONTROL: &str = "ours; docs/judge/controls.md";
pub(super) const BUILT: &str = "ours; docs/theory/training.md";
pub(super) const WORLD: &str = "ours; docs/theory/worlds.md";
pub(super) const PICTURES: &str = "ours; docs/theory/pictures.md";
pub(super) const SYSTEM: &str = "docs/theory/systems.md";
/// Of keys that the paper's model does not read: another system does.
pub(in crate::sim) const FOREIGN: &str = "other systems; docs/theory/systems.md";
pub(super) const ROUTING: &str = "docs/theory/token-choice.md";
pub(super) const VMOE: &str = "docs/theory/systems/vmoe.md";
pub(super) const WINDOWED: &str = "docs/theory/systems/windowed.md";
pub(super) const SEER: &str = "docs/theory/systems/seer.md";
pub(super) const STACK: &str = "ours; docs/theory/systems/stack.md";
pub(super) const MERGE: &str = "docs/theory/systems/merge.md";
pub(super) const UPSTREAM: &str = "ours; docs/theory/training.md";
pub(super) const AUDIT: &str = "ours; docs/reference/assumptions.md";

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
