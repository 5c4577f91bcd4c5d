//! Criteria in whole runs, and the claims that compare them.

mod afterwards;
#[path = "../common/mod.rs"]
mod common;
mod criteria;
mod removal;
mod schedules;
mod setting;
#[path = "../common/silent.rs"]
mod silent;
mod task_specific;
mod verdicts;
