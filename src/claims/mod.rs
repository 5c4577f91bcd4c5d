//! Claims and assumptions as data; rows → verdicts.

pub(crate) mod analysis;
mod asked;
pub mod assumptions;
mod audits;
pub mod catalogue;
pub(crate) mod comparison;
mod decision;
mod gram;
mod hypothesis_pair;
pub mod judge;
pub mod lemmas;
pub(crate) mod margin;
pub(crate) mod observation;
pub mod phase;
pub(crate) mod run_figure;
mod run_rows;
mod sample;
pub(crate) mod scaling;
pub mod slope_parts;
pub(crate) mod terms;
pub(crate) mod verdict_changes;
mod written;

pub use analysis::{Analysis, Findings};
pub use catalogue::{DEFINITIONS, Definition};
pub use observation::Observation;
