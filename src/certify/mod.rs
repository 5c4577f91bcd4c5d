//! Certificates: "no error" proved for every input of a noise-free support, or refuted by an input.
//!
//! The support of noise-free data is finite, so that a trained model makes no error is a statement that can be proved.
//! [`certify()`] does so by bounds from below on the margin y f(x) over all x of a class, each tighter than the one before:
//!
//! 1. [`extremes`]: every expert at its own worst tokens (the *sum bound*);
//! 2. [`relaxation`]: prices on tokens make the experts agree on the tokens that they all see (Lagrange multipliers);
//! 3. [`search`]: branching on the tokens that they disagree about most.
//!
//! docs/theory/certificates.md has the formulas and the account of rounding.

mod cells;
pub mod evaluate;
mod expert_bound;
pub mod extremes;
pub(crate) mod file;
mod leaf;
mod local;
pub mod noise;
pub mod occurrences;
pub mod relaxation;
mod sampled;
pub mod search;
pub(crate) mod selection;
pub(crate) mod stored;
pub(crate) mod subsets;
pub(crate) mod support;
pub(crate) mod table;

pub use evaluate::{Enclosure, Input};
pub use file::{Given, ModelFile};
pub use sampled::Sampled;
pub use search::{Budget, Certificate, Verdict};
pub use stored::Stored;
pub(crate) use subsets::smallest_met;
pub use subsets::{certify, certify_path, certify_subsets};
pub use support::Support;
pub use table::{ModelTable, Radii};
