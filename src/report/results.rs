//! What a report is made from: tallies of all runs, rows of those that are drawn, the rows of what was computed from all.

use super::criteria::Standing;
use super::gathering::{Gathered, PointRuns};
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
    /// What the runs say of every criterion, by point; empty unless several criteria pruned models.
    pub standings: BTreeMap<usize, Vec<Standing>>,
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

/// What tells a grid point from the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PointLabel {
    /// The case; empty if there is none.
    pub case: String,
    /// The swept keys that differ between points, by their last part, with their values there.
    pub varying: Vec<(String, String)>,
}

impl PointLabel {
    /// The label in words: `linear, patterns = 512`; empty for the only point.
    pub(crate) fn words(&self) -> String {
        let case = (!self.case.is_empty()).then(|| self.case.clone());
        let varying = self.varying.iter().map(|(name, value)| format!("{name} = {value}"));
        case.into_iter().chain(varying).collect::<Vec<_>>().join(", ")
    }
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
    pub fn swept_points(&self) -> Vec<SweptPoint> {
        let swept = |(&point, own): (&usize, &PointRuns)| SweptPoint {
            point,
            case: self.case(&own.first).to_owned(),
            patterns: self.swept(&own.first, "patterns").and_then(|text| text.parse().ok()),
        };
        self.runs.points.iter().map(swept).collect()
    }

    /// What tells each point from the others. Within a case only the keys count that differ there.
    pub(crate) fn labels(&self) -> BTreeMap<usize, PointLabel> {
        let first: BTreeMap<usize, &RunRow> =
            self.runs.points.iter().map(|(point, own)| (*point, &own.first)).collect();
        let label = |run: &RunRow| {
            let case = self.case(run);
            let names = self.manifest.swept.iter().filter(|name| *name != "case");
            let differs = |name: &&String| {
                let own = self.swept(run, name);
                first.values().any(|other| self.case(other) == case && self.swept(other, name) != own)
            };
            let varying =
                names.filter(differs).filter_map(|name| Some((name.clone(), self.swept(run, name)?.to_owned())));
            PointLabel { case: case.to_owned(), varying: varying.collect() }
        };
        first.iter().map(|(point, run)| (*point, label(run))).collect()
    }
}
