//! One run from seed to rows, and many runs in parallel.

mod certificates;
mod ends;
mod pruned;
pub mod schedule;
pub mod single;
pub mod trace;
pub mod trajectory;

pub use schedule::run_all;
pub use single::{EngineChoice, RunRecord, run};
