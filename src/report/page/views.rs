//! The rows of each grid point, for the charts that show one point at a time.

use super::chart::Select;
use crate::record::TrajectoryRow;
use crate::report::drawn::{DrawnExpert, DrawnModel};
use crate::report::gathering::PointRuns;
use crate::report::results::{PointLabel, Results};
use std::collections::BTreeMap;

/// Points that charts of single points show at most, the first ones.
pub const MAX_POINTS: usize = 40;

/// Iterations that a chart over time shows at most.
pub(crate) const MAX_ITERATIONS: usize = 60;

/// The rows of a folder by grid point.
pub(crate) struct Views<'a> {
    /// The folder.
    pub results: &'a Results,
    /// The points that are shown.
    pub points: Vec<usize>,
    /// Points that are not shown.
    pub hidden: usize,
    /// What tells each point from the others.
    pub labels: BTreeMap<usize, PointLabel>,
    experts: BTreeMap<usize, &'a [DrawnExpert]>,
    pruning: BTreeMap<usize, &'a [DrawnModel]>,
    trajectory: BTreeMap<usize, &'a [TrajectoryRow]>,
}

impl<'a> Views<'a> {
    /// Groups the rows of a folder.
    pub(crate) fn new(results: &'a Results) -> Self {
        let all: Vec<usize> = results.points().into_iter().collect();
        Self {
            results,
            hidden: all.len().saturating_sub(MAX_POINTS),
            points: all.into_iter().take(MAX_POINTS).collect(),
            labels: results.labels(),
            experts: by_point(&results.runs.experts, |row| row.point),
            pruning: by_point(&results.runs.pruning, |row| row.point),
            trajectory: by_point(&results.runs.trajectory, |row| row.point),
        }
    }

    /// The experts of a point.
    pub(crate) fn experts(&self, point: usize) -> &'a [DrawnExpert] {
        self.experts.get(&point).copied().unwrap_or_default()
    }

    /// The pruned models of a point.
    pub(crate) fn pruning(&self, point: usize) -> &'a [DrawnModel] {
        self.pruning.get(&point).copied().unwrap_or_default()
    }

    /// The trajectories of a point.
    pub(crate) fn trajectory(&self, point: usize) -> &'a [TrajectoryRow] {
        self.trajectory.get(&point).copied().unwrap_or_default()
    }

    /// The choice of a point among these.
    pub(crate) fn select(&self, points: &[usize]) -> Select {
        let name = |point: &usize| {
            let words = self.labels.get(point).map(PointLabel::words).unwrap_or_default();
            let words = if words.is_empty() { format!("point {point}") } else { format!("point {point}: {words}") };
            match self.results.runs.points.get(point).and_then(PointRuns::part_drawn) {
                Some(part) => format!("{words} ({part})"),
                None => words,
            }
        };
        Select { name: "grid point".to_owned(), options: points.iter().map(name).collect() }
    }
}

fn by_point<T>(rows: &[T], point: impl Fn(&T) -> usize) -> BTreeMap<usize, &[T]> {
    rows.chunk_by(|a, b| point(a) == point(b)).filter_map(|chunk| Some((point(chunk.first()?), chunk))).collect()
}
