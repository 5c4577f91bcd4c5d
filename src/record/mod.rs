//! Rows ↔ CSV, the manifest, and the journal of finished runs.

mod column;
pub mod columns;
pub(crate) mod derived;
pub mod design;
pub mod journal;
pub mod lines;
pub mod manifest;
pub(crate) mod reader;
pub(crate) mod row;
pub mod rows;
pub(crate) mod run_record;
pub(crate) mod scores;
pub(crate) mod shard;
pub mod tables;
pub mod tasks;
pub mod vocabulary;

pub(crate) use derived::{AuditRow, GramRow};
pub use derived::{BoundaryRow, PhaseRow, ScalingRow, TermRow};
pub use design::{ALPHA, Design};
pub use lines::{Headers, RunLines};
pub use reader::RunReader;
pub(crate) use rows::RunRow;
pub use rows::{ClaimRow, ExpertRow, PruningRow, TrajectoryRow};
pub use run_record::{BadLines, RunRecord, RunTable, TABLES, check_record, shown};
pub use shard::Shard;
pub use tasks::{Task, tasks};
