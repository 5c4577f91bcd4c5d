//! Claims and assumptions as data; rows → verdicts.

pub mod assumptions;
pub mod definitions;
pub mod evidence;
pub mod judge;
pub mod lemmas;

pub use evidence::Evidence;
