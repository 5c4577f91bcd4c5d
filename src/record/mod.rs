//! Rows ↔ CSV, the manifest, and the journal of finished runs.

pub mod columns;
pub mod derived;
pub mod journal;
pub mod manifest;
pub mod rows;
mod scores;
pub mod tables;

pub use derived::{AuditRow, BoundaryRow, PhaseRow, ScalingRow, TermRow};
pub use rows::{ClaimRow, ExpertRow, PruningRow, RunRow, TrajectoryRow};
