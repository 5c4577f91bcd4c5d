//! Rows ↔ CSV, the manifest, and the journal of finished runs.

mod column;
pub mod columns;
pub mod derived;
pub mod design;
pub mod journal;
pub mod lines;
pub mod manifest;
pub mod reader;
pub mod row;
pub mod rows;
pub mod run_record;
pub mod scores;
pub mod shard;
pub mod tables;
pub mod tasks;
pub mod vocabulary;

pub use derived::{AuditRow, BoundaryRow, PhaseRow, ScalingRow, TermRow};
pub use design::{ALPHA, Design};
pub use lines::{Headers, RunLines};
pub use reader::RunReader;
pub use rows::{ClaimRow, ExpertRow, PruningRow, RunRow, TrajectoryRow};
pub use run_record::{BadLines, RunRecord, TABLES, check_record, shown};
pub use shard::Shard;
pub use tasks::{Task, tasks};
