//! What a report is made from: tallies of all runs, rows of those that are drawn, the rows of what was computed from all.

use super::criteria::{CriterionSummary, CriterionTally};
use super::gathering::{Gathered, PointRuns};
use super::labels::Labels;
use crate::record::manifest::Manifest;
use crate::record::{BoundaryRow, ClaimRow, PhaseRow, RunRow, ScalingRow, TermRow};
use crate::report::drawn::SweptPoint;
use std::collections::{BTreeMap, BTreeSet};

/// A result folder, as far as a report needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// `manifest.json`.
    pub manifest: Manifest,
    /// What is kept of the runs, their experts, pruned models and trajectories.
    pub runs: Gathered,
    /// `claims.csv`.
    pub claims: Vec<ClaimRow>,
    /// `scaling.csv`; empty without a sweep over d.
    pub scaling: Vec<ScalingRow>,
    /// `terms.csv`; empty without half-batches.
    pub terms: Vec<TermRow>,
    /// `phase.csv`; empty without maps.
    pub phase: Vec<PhaseRow>,
    /// `boundary.csv`; empty without maps.
    pub boundary: Vec<BoundaryRow>,
    /// Files that `simulate falsify` wrote into the folder: name and text.
    pub falsified: Vec<(String, String)>,
}

impl Results {
    /// The value of a swept column in a run's row.
    fn swept<'a>(&self, run: &'a RunRow, name: &str) -> Option<&'a str> {
        let place = self.manifest.swept.iter().position(|column| column == name)?;
        run.swept.get(place).map(String::as_str)
    }

    /// The case of a run; empty if there is none.
    pub(crate) fn case<'a>(&self, run: &'a RunRow) -> &'a str {
        self.swept(run, "case").unwrap_or_default()
    }

    /// The points of the runs, in their order.
    pub(crate) fn points(&self) -> BTreeSet<usize> {
        self.runs.points.keys().copied().collect()
    }

    /// The number of all runs.
    pub(crate) fn number_of_runs(&self) -> u64 {
        self.runs.points.values().map(|point| point.runs).sum()
    }

    /// What the figures over d need to know of each point.
    pub(crate) fn swept_points(&self) -> Vec<SweptPoint> {
        let swept = |(&point, own): (&usize, &PointRuns)| SweptPoint {
            point,
            case: self.case(&own.first).to_owned(),
            patterns: self.swept(&own.first, "patterns").and_then(|text| text.parse().ok()),
        };
        self.runs.points.iter().map(swept).collect()
    }

    /// What the runs say of every criterion, by point; empty unless several criteria pruned models.
    pub(crate) fn criteria(&self) -> BTreeMap<usize, Vec<CriterionSummary>> {
        let claims = |point: usize| self.claims.iter().filter(move |row| row.point == Some(point)).collect::<Vec<_>>();
        let own = |(point, tally): (&usize, &CriterionTally)| (*point, tally.finish(&claims(*point)));
        self.runs.criteria.iter().map(own).filter(|(_, criteria)| !criteria.is_empty()).collect()
    }

    /// What tells each point from the others.
    pub(crate) fn labels(&self) -> Labels {
        let swept = |run: &RunRow| self.manifest.swept.iter().cloned().zip(run.swept.iter().cloned()).collect();
        Labels::new(self.runs.points.iter().map(|(point, own)| (*point, swept(&own.first))).collect())
    }
}
