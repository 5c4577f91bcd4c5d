//! The vocabulary of patterns and the sampler of (x, y) ~ D.

pub mod batch;
pub mod gaussian;
pub mod sampler;
pub mod streams;
pub mod vocabulary;
mod words;

pub use batch::Batch;
pub use gaussian::Gaussians;
pub use sampler::Sampler;
pub use streams::{Purpose, Stream, stream};
pub use vocabulary::Vocabulary;

/// A pattern's number: 0 is o₁, 1 is o₂, 2 … d−1 are the irrelevant patterns q.
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

    /// The number of the class's pattern o_v.
    pub fn pattern(self) -> usize {
        match self {
            Class::One => 0,
            Class::Two => 1,
        }
    }
}
