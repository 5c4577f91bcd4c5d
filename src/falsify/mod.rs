//! A search for settings that break a claim within its assumptions.
//!
//! A candidate is a setting of keys inside a [`Region`]. It is run at a few seeds, each run is audited, and runs that miss an
//! assumption of the claim are set aside, as in any simulation. The search starts with a Latin hypercube, goes on from the
//! candidates of smallest margin, and confirms what seems to fail on fresh seeds; [`shrink()`] then makes a failure as small
//! and as ordinary as it can be while it still fails.

pub(crate) mod candidate;
pub(crate) mod evaluator;
pub(crate) mod region;
pub mod report;
pub mod search;
pub mod shrink;

pub use candidate::Candidate;
pub use region::{Region, Searched};

pub(crate) use evaluator::Evaluation;
pub use evaluator::Evaluator;
pub use search::{Found, Outcome, search};
pub use shrink::shrink;
