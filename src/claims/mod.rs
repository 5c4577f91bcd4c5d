//! Claims and assumptions as data; rows → verdicts.

pub mod analysis;
pub mod assumptions;
mod audits;
pub mod catalogue;
pub mod comparison;
mod decision;
pub mod evidence;
pub mod judge;
pub mod lemmas;
pub mod margin;
pub mod phase;
pub mod run_figure;
mod run_rows;
mod sample;
pub mod scaling;
pub mod slope_parts;
pub mod stakes;
pub mod terms;
mod trial;
mod written;

pub use analysis::{Analysis, Findings};
pub use catalogue::{DEFINITIONS, Definition};
pub use evidence::Evidence;
pub use written::Written;
