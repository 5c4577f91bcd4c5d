//! Enums whose values are words of a file: the word stands once, beside its variant.

/// An enum whose values are words of a simulation file or of a CSV.
pub(crate) trait Word: Copy + PartialEq + 'static {
    /// Every value.
    const ALL: &'static [Self];
    /// Their words, in the same order.
    const NAMES: &'static [&'static str];

    /// The word of this value.
    fn name(self) -> &'static str;

    /// The value of this word.
    fn of_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().position(|known| *known == name).map(|place| Self::ALL[place])
    }
}

/// Declares such an enum. Its words are what `Display` shows and what serde reads and writes.
macro_rules! words {
    (
        $(#[doc = $doc:literal])+
        pub enum $name:ident {
            $($(#[doc = $variant_doc:literal])+ $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[doc = $variant_doc])+ #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];
            /// Their words, in the same order.
            pub const NAMES: &'static [&'static str] = &[$($word,)+];

            /// The word of this value in files.
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }

        impl $crate::sim::words::Word for $name {
            const ALL: &'static [Self] = $name::ALL;
            const NAMES: &'static [&'static str] = $name::NAMES;

            fn name(self) -> &'static str {
                $name::name(self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.name())
            }
        }
    };
}

pub(crate) use words;
