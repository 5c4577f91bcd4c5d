//! Rows ↔ CSV, and the manifest.

pub mod manifest;
pub mod rows;
pub mod tables;

pub use rows::{ClaimRow, ExpertRow, PruningRow, RunRow, TrajectoryRow};
