//! How runs are collected, and the error rate of what is concluded from them.

/// Family-wise error rate of all verdicts of a simulation.
pub const ALPHA: f64 = 0.05;

/// How the runs were collected, which decides which tests are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Design {
    /// The number of runs was fixed before: exact binomial tests.
    Fixed,
    /// The verdicts were looked at after every `block` runs of each point: anytime-valid tests.
    Sequential {
        /// Runs a point between two looks.
        block: u64,
    },
}
