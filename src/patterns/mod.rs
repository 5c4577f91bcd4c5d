//! The vocabulary of patterns and the sampler of (x, y) ~ D.

mod appearance;
pub(crate) mod batch;
pub(crate) mod dictionary;
pub(crate) mod gaussian;
pub(crate) mod normal;
pub(crate) mod pictures;
pub(crate) mod sampler;
pub mod streams;
pub(crate) mod training_set;
pub(crate) mod vocabulary;
mod words;

pub use batch::Batch;
pub use dictionary::Dictionary;
pub use normal::StandardNormal;
pub use sampler::Sampler;
pub use streams::{Purpose, Stream, stream};
pub use vocabulary::Vocabulary;

/// A pattern's number: 0 is o₁, 1 is o₂; 2f and 2f + 1 are feature f of either class, as many as there are; all others are
/// the irrelevant patterns q.
pub type Pattern = u32;

/// The two classes; class `One` is y = +1 with pattern o₁, class `Two` is y = −1 with pattern o₂.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// y = +1, pattern o₁.
    One,
    /// y = −1, pattern o₂.
    Two,
}

impl Class {
    /// Both classes.
    pub const BOTH: [Class; 2] = [Class::One, Class::Two];

    /// The label y.
    pub fn label(self) -> f64 {
        match self {
            Class::One => 1.0,
            Class::Two => -1.0,
        }
    }

    /// The number of the class's pattern o_v: its first feature.
    pub fn pattern(self) -> usize {
        match self {
            Class::One => 0,
            Class::Two => 1,
        }
    }

    /// The number of the pattern that is this feature of the class, 2f or 2f + 1.
    pub fn feature(self, feature: usize) -> usize {
        2 * feature + self.pattern()
    }

    /// The other class.
    pub(crate) fn other(self) -> Class {
        match self {
            Class::One => Class::Two,
            Class::Two => Class::One,
        }
    }
}
