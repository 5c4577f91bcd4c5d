//! All that is computed from many runs: verdicts, scaling, terms, phase maps.

use super::audits::Audits;
use super::gram::gram;
use super::judge::ClaimTests;
use super::observation::Observation;
use super::phase::PhaseMaps;
use super::scaling::Scaling;
use super::terms::Terms;
use crate::record::design::Design;
use crate::record::rows::RunBody;
use crate::record::{
    AuditRow, BoundaryRow, ClaimRow, ExpertRow, GramRow, PhaseRow, PruningRow, ScalingRow, TermRow, TrajectoryRow,
    tables,
};
use crate::sim::{ClaimSpec, Point, Simulation};
use std::collections::BTreeSet;

/// Collects the runs of a simulation for everything that is computed from many of them.
#[derive(Clone, Debug)]
pub struct Analysis<'a> {
    points: &'a [Point],
    asked: &'a [ClaimSpec],
    tests: ClaimTests<'a>,
    scaling: Scaling<'a>,
    terms: Terms<'a>,
    maps: PhaseMaps<'a>,
    audits: Audits<'a>,
}

/// What came out of many runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// The verdicts.
    pub claims: Vec<ClaimRow>,
    /// For each claim of the file the fewest judged runs at a point with which it can be SUPPORTED: no table, for it
    /// follows from the file.
    pub fewest_runs: Vec<u64>,
    /// The claims of the file, whose words tables show: no table either.
    pub asked: Vec<ClaimSpec>,
    /// Exponents over lines of points; empty without a sweep over d.
    pub scaling: Vec<ScalingRow>,
    /// Drift, leakage and noise; empty without `record.half_batches`.
    pub terms: Vec<TermRow>,
    /// Cells of phase maps; empty without `[[phase]]`.
    pub phase: Vec<PhaseRow>,
    /// Where claims flip along a map's x; empty without `[[phase]]`.
    pub boundary: Vec<BoundaryRow>,
    /// How often the assumptions hold after upstream pre-training; empty without it.
    pub audits: Vec<AuditRow>,
    /// The Gram matrix of the pictures; empty without `data.images`.
    pub gram: Vec<GramRow>,
}

impl<'a> Analysis<'a> {
    /// For a simulation's points, whose runs are collected as `design` says.
    pub fn new(simulation: &'a Simulation, points: &'a [Point], design: Design) -> Self {
        Self {
            points,
            asked: &simulation.claims,
            tests: ClaimTests::new(simulation, points, design),
            scaling: Scaling::new(simulation, points),
            terms: Terms::new(simulation, points),
            maps: PhaseMaps::new(simulation, points),
            audits: Audits::new(points),
        }
    }

    /// Adds run number `run` of a point: its rows of `runs.csv`, `experts.csv`, `pruning.csv` and `trajectory.csv`. Runs of a
    /// point must come in the order of their numbers.
    pub fn add(
        &mut self,
        point: usize,
        run: u64,
        body: &RunBody,
        experts: &[ExpertRow],
        pruning: &[PruningRow],
        trajectory: &[TrajectoryRow],
    ) {
        let parameters = &self.points[point].parameters;
        let observation = Observation { parameters, run: body, experts, pruning, trajectory };
        self.tests.add(point, run, &observation);
        self.scaling.add(point, &observation);
        self.terms.add(point, &observation);
        self.maps.add(point, &observation);
        self.audits.add(point, &observation);
    }

    /// The points whose runs are still asked for: of claims that are INCONCLUSIVE, or of no claim at all.
    pub fn open_points(&mut self) -> BTreeSet<usize> {
        self.tests.open_points(self.points)
    }

    /// What came out.
    pub fn findings(&mut self) -> Findings {
        Findings {
            claims: self.tests.rows(),
            fewest_runs: self.tests.fewest_runs(),
            asked: self.asked.to_vec(),
            scaling: self.scaling.rows(),
            terms: self.terms.rows(),
            phase: self.maps.rows(),
            boundary: self.maps.boundaries(),
            audits: self.audits.rows(),
            gram: gram(self.points),
        }
    }
}

impl Findings {
    /// The CSV files, by name: `claims.csv`, and the others that have rows.
    ///
    /// # Errors
    /// Never for the flat rows of this crate.
    pub fn files(&self) -> Result<Vec<(&'static str, Vec<u8>)>, csv::Error> {
        let mut files = vec![("claims.csv", tables::to_csv(&self.claims)?)];
        let others = [
            ("scaling.csv", self.scaling.is_empty(), tables::to_csv(&self.scaling)?),
            ("terms.csv", self.terms.is_empty(), tables::to_csv(&self.terms)?),
            ("phase.csv", self.phase.is_empty(), tables::to_csv(&self.phase)?),
            ("boundary.csv", self.boundary.is_empty(), tables::to_csv(&self.boundary)?),
            ("assumptions.csv", self.audits.is_empty(), tables::to_csv(&self.audits)?),
            ("gram.csv", self.gram.is_empty(), tables::to_csv(&self.gram)?),
        ];
        files.extend(others.into_iter().filter(|(_, empty, _)| !empty).map(|(name, _, text)| (name, text)));
        Ok(files)
    }
}
