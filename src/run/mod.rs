//! One run from seed to rows, and many runs in parallel.

mod bits;
mod calibration;
mod certificates;
mod costs;
mod ends;
mod pruned;
mod pruned_engine;
mod pruning_schedule;
pub mod replay;
pub(crate) mod schedule;
pub(crate) mod single;
pub mod trace;
pub mod trajectory;

pub use calibration::criteria;
pub use costs::criterion_costs;
pub use pruned_engine::pruned_engine;
pub use schedule::run_all;
pub use single::run;
