//! The rows of each grid point, for the charts that show one point at a time.

use super::names::file;
use crate::record::TrajectoryRow;
use crate::report::drawn::{DrawnExpert, DrawnModel};
use crate::report::gathering::PointRuns;
use crate::report::labels::PointLabel;
use crate::report::results::Results;
use std::collections::BTreeMap;

/// Points that charts of single points show at most, the first ones.
pub(in crate::report) const MAX_POINTS: usize = 40;

/// Points of a scatter or strip in all drawings of a chart together, about.
const DOTS: usize = 6000;

/// Those of a role at a point: fewest and most.
const DOTS_OF_ROLE: [usize; 2] = [20, 150];

/// One grid point.
pub(in crate::report) struct Point<'a> {
    /// Its number.
    pub number: usize,
    /// What tells it from others, and of which part of its runs its rows are; may be empty.
    pub of: String,
    /// Whether there are others.
    is_one_of_many: bool,
    /// Points of a role that a drawing shows at most.
    pub dots: usize,
    /// c₁ of claim T1a, if it is judged here.
    pub threshold: Option<f64>,
    pub experts: Vec<&'a DrawnExpert>,
    pub pruning: Vec<&'a DrawnModel>,
    pub trajectory: &'a [TrajectoryRow],
}

impl Point<'_> {
    /// The file of a drawing of this point.
    pub(crate) fn file(&self, name: &str) -> String {
        if self.is_one_of_many { file(&[name, "point", &self.number.to_string()]) } else { name.to_owned() }
    }
}

/// The first points of a folder with their rows.
pub(in crate::report) fn points(results: &Results) -> Vec<Point<'_>> {
    let all = results.points();
    let labels = results.labels();
    let experts = by_point(&results.runs.experts, |row| row.point);
    let pruning = by_point(&results.runs.pruning, |row| row.point);
    let trajectory = by_point(&results.runs.trajectory, |row| row.point);
    let shown = all.len().min(MAX_POINTS);
    let one = |number: &usize| {
        let words = labels.get(*number).map(PointLabel::words).unwrap_or_default();
        let words = if words.is_empty() && all.len() > 1 { format!("point {number}") } else { words };
        let part = results.runs.points.get(number).and_then(PointRuns::part_drawn);
        let own = |row: &&crate::record::ClaimRow| row.claim == "T1a" && row.point == Some(*number);
        Point {
            number: *number,
            of: [Some(words).filter(|words| !words.is_empty()), part]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join("; "),
            is_one_of_many: all.len() > 1,
            dots: (DOTS / (4 * shown)).clamp(DOTS_OF_ROLE[0], DOTS_OF_ROLE[1]),
            threshold: results.claims.iter().find(own).and_then(|row| row.threshold),
            experts: experts.get(number).copied().unwrap_or_default().iter().collect(),
            pruning: pruning.get(number).copied().unwrap_or_default().iter().collect(),
            trajectory: trajectory.get(number).copied().unwrap_or_default(),
        }
    };
    all.iter().take(MAX_POINTS).map(one).collect()
}

fn by_point<T>(rows: &[T], point: impl Fn(&T) -> usize) -> BTreeMap<usize, &[T]> {
    rows.chunk_by(|a, b| point(a) == point(b)).filter_map(|chunk| Some((point(chunk.first()?), chunk))).collect()
}

/// This many of the places 0 … `count` − 1, evenly, the first and the last among them.
pub(in crate::report) fn ranks(count: usize, most: usize) -> impl Iterator<Item = usize> {
    let shown = count.min(most);
    (0..shown).map(move |index| if shown > 1 { index * (count - 1) / (shown - 1) } else { 0 })
}
