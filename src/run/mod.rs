//! One run from seed to rows, and many runs in parallel.

mod bits;
mod calibration;
mod certificates;
mod costs;
mod ends;
mod left;
pub mod lines;
mod pruned;
mod pruning_schedule;
pub mod reader;
pub mod replay;
pub mod schedule;
pub mod shard;
pub mod single;
pub mod tasks;
pub mod trace;
pub mod trajectory;
pub mod upstream;

pub use calibration::criteria;
pub use costs::criterion_costs;
pub use lines::{Headers, RunLines, TABLES};
pub use reader::{RunReader, check_record};
pub use schedule::run_all;
pub use shard::Shard;
pub use single::{EngineChoice, RunRecord, run};
pub use tasks::{Task, tasks};
pub use upstream::{UpstreamDiverged, pretrained};
