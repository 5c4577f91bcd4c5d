//! A key whose value contradicts others.

/// A key whose value contradicts other keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contradiction {
    /// Path of the key.
    pub key: &'static str,
    /// Its value.
    pub value: String,
    /// What would be legal, and the contradicting keys with their values.
    pub legal: String,
}
