//! All rows of one run, the tables that hold them, and what they must be to be judged.

use super::rows::{ExpertRow, PruningRow, RunRow, TrajectoryRow};
use super::tasks::Task;
use crate::sim::Point;
use crate::sim::words::words;

words! {
    /// A table that holds rows of runs, in the order of [`RunLines::tables`](super::lines::RunLines::tables) and
    /// [`Headers`](super::lines::Headers).
    pub enum RunTable {
        /// One row a run.
        Runs = "runs.csv",
        /// One row an expert.
        Experts = "experts.csv",
        /// One row an expert and recorded iteration.
        Trajectory = "trajectory.csv",
        /// One row a pruned model.
        Pruning = "pruning.csv",
    }
}

/// Their names.
pub const TABLES: [&str; RunTable::ALL.len()] = {
    let [runs, experts, trajectory, pruning] = *RunTable::NAMES else { panic!("a table without a name") };
    [runs, experts, trajectory, pruning]
};

/// All rows of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRecord {
    /// Its row of `runs.csv`.
    pub run: RunRow,
    /// Its rows of `experts.csv`, one an expert.
    pub experts: Vec<ExpertRow>,
    /// Its rows of `trajectory.csv`; empty if it was not recorded.
    pub trajectory: Vec<TrajectoryRow>,
    /// Its rows of `pruning.csv`; empty if training diverged.
    pub pruning: Vec<PruningRow>,
}

/// Refuses rows that no run of the simulation can have; where it does not, they can be judged.
///
/// # Errors
/// What is wrong, with the table.
pub fn check_record(record: &RunRecord, points: &[Point]) -> Result<(), BadLines> {
    let head = &record.run.head;
    let Some(point) = points.get(head.point) else {
        return Err(bad(
            RunTable::Runs,
            format!("point {}: must be from 0 to {}", head.point, points.len().saturating_sub(1)),
        ));
    };
    if head.run >= point.seeds {
        let problem = format!("run {} of point {}: must be from 0 to {}", head.run, head.point, point.seeds - 1);
        return Err(bad(RunTable::Runs, problem));
    }
    let run = shown((head.point, head.run));
    let experts = point.parameters.model.experts;
    if !record.experts.iter().map(|row| row.expert).eq(0..experts) {
        return Err(bad(RunTable::Experts, format!("{run}: its experts are not 0 to {}", experts - 1)));
    }
    for row in &record.pruning {
        if !(1..=experts).contains(&row.kept) {
            return Err(bad(RunTable::Pruning, format!("{run}: kept = {}: must be from 1 to {experts}", row.kept)));
        }
    }
    Ok(())
}

/// Lines that are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{table}: {problem}")]
pub struct BadLines {
    /// The table.
    pub table: RunTable,
    /// What is wrong with them.
    pub problem: String,
}

pub(super) fn bad(table: RunTable, problem: impl ToString) -> BadLines {
    BadLines { table, problem: problem.to_string() }
}

/// A run in words.
pub fn shown((point, run): Task) -> String {
    format!("run {run} of point {point}")
}
