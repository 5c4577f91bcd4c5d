//! A search for settings that break a claim within its assumptions.
//!
//! A candidate is a setting of keys inside a [`Region`]. It is run at a few seeds, each run is audited, and runs that miss an
//! assumption of the claim are set aside, as in any simulation. The search starts with a Latin hypercube, goes on from the
//! candidates of smallest margin, and confirms what seems to fail on fresh seeds; [`shrink()`] then makes a failure as small
//! and as ordinary as it can be while it still fails.

pub mod candidate;
pub mod region;
pub mod report;
pub mod search;
pub mod shrink;
pub mod trial;

pub use candidate::Candidate;
pub use region::{Dimension, Region, RegionError};
pub use search::{Found, Outcome, search};
pub use shrink::shrink;
pub use trial::{Bench, Look};
