//! What the runs of a candidate say of the claim.

use super::{Candidate, Region};
use crate::claims::Definition;
use crate::claims::Observation;
use crate::claims::judge::{ClaimTests, conclusions};
use crate::measure::{Audit, ExpertAtStart, Role, RouterChange};
use crate::moe::Pretrained;
use crate::record::RunRecord;
use crate::record::design::Design;
use crate::record::rows::RunBody;
use crate::run::run;
use crate::sgd::EngineChoice;
use crate::sim::Decision;
use crate::sim::parameters::PretrainedKind;
use crate::sim::{ClaimSpec, Point, run_seed};
use crate::stats::binomial::p_value_refuted;
use rayon::prelude::*;

/// The runs of a candidate, judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Runs that meet the claim's assumptions.
    pub met: u64,
    /// All runs.
    pub runs: u64,
    /// Of those that meet them, those in which the claim holds; for a claim on slopes 1 or 0, by its estimates.
    pub holds: u64,
    /// How far the claim is from failing, in the worst of the runs; of slopes, how far the worst is from its threshold.
    pub margin: f64,
    /// The probability of so few holding runs if the claim held with probability ≥ its level; of slopes, Holm's p of REFUTED.
    pub p_refuted: f64,
}

impl Evaluation {
    /// Whether enough of the runs meet the assumptions for the candidate to be one within them.
    pub fn is_within(&self) -> bool {
        self.met > 0 && 2 * self.met >= self.runs
    }

    /// What the search lowers: the share of runs in which the claim holds, then the margin.
    pub(crate) fn score(&self) -> f64 {
        if !self.is_within() {
            return f64::INFINITY;
        }
        self.holds as f64 / self.met.max(1) as f64 + 0.1 * self.margin.clamp(-1.0, 1.0)
    }
}

/// Runs candidates of a region.
#[derive(Clone, Debug)]
pub struct Evaluator<'a> {
    /// The region.
    pub region: &'a Region,
    /// Master seed; each look at a candidate has seeds of its own.
    pub seed: u64,
    looks: u64,
}

/// Runs at each value of d that a claim on slopes takes to be judged.
const RUNS_ON_A_LINE: u64 = crate::claims::slope_parts::FEWEST_RUNS as u64;

impl<'a> Evaluator<'a> {
    /// A evaluator with this master seed.
    pub fn new(region: &'a Region, seed: u64) -> Self {
        Self { region, seed, looks: 0 }
    }

    /// Whether the claim is one on slopes.
    pub fn is_on_slopes(&self) -> bool {
        !self.region.line.is_empty()
    }

    /// Runs a candidate `runs` times on seeds that no look before this one used; `None` if its keys contradict each other.
    pub(crate) fn evaluate(&mut self, candidate: &Candidate, runs: u64) -> Option<Evaluation> {
        self.looks += 1;
        let master = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(self.looks);
        self.evaluate_at(candidate, runs, master)
    }

    /// Whether a candidate's runs can be expected to meet the claim's assumptions: the audit of one pre-trained model, with the
    /// roles that its experts were built for. It costs no training, and decides nothing: runs are audited by themselves.
    pub(crate) fn is_likely_within(&self, candidate: &Candidate) -> bool {
        let simulation = self.region.simulation(candidate, 1).ok();
        let Some(points) = simulation.and_then(|simulation| simulation.points().ok()) else { return false };
        let definition = Definition::of(self.region.claim);
        points.iter().all(|point| {
            let parameters = &point.parameters;
            if parameters.pretrained.kind == PretrainedKind::Upstream {
                // Nothing is built, so nothing is known before the pre-training.
                return true;
            }
            let pretrained = Pretrained::constructed(parameters, run_seed(self.seed, parameters, 0));
            let model = &pretrained.model;
            let experts: Vec<ExpertAtStart> = (0..model.experts())
                .map(|expert| ExpertAtStart {
                    sign: model.signs[expert],
                    role: Role::from(pretrained.roles[expert]),
                    norm: RouterChange::between(model.router(expert), model.router(expert)).norm_0,
                    mean_activation: model.activations(expert).iter().sum::<f64>() / model.patterns as f64,
                })
                .collect();
            let mut body = RunBody::default();
            body.set_audit(&Audit::new(parameters, &experts));
            definition.assumptions.iter().all(|assumption| assumption.is_met(&body))
        })
    }

    /// Runs a candidate on the seeds of `master`.
    pub fn evaluate_at(&self, candidate: &Candidate, runs: u64, master: u64) -> Option<Evaluation> {
        let runs = if self.is_on_slopes() { runs.max(RUNS_ON_A_LINE) } else { runs };
        let simulation = self.region.simulation(candidate, runs).ok()?;
        let points = simulation.points().ok()?;
        let claim = simulation.claims.first()?;
        let tasks: Vec<(usize, u64)> =
            points.iter().flat_map(|point| (0..runs).map(move |run| (point.index, run))).collect();
        let records: Vec<RunRecord> =
            tasks.par_iter().map(|&(point, index)| run(&points[point], index, master, EngineChoice::Auto)).collect();
        if self.is_on_slopes() {
            let mut jury = ClaimTests::new(&simulation, &points, Design::Fixed);
            records
                .iter()
                .for_each(|record| jury.add(record.run.head.point, record.run.head.run, &observation(&points, record)));
            return Some(of_slopes(&mut jury, claim, runs * points.len() as u64));
        }
        Some(of_runs(&points, &records, claim))
    }
}

fn observation<'a>(points: &'a [Point], record: &'a RunRecord) -> Observation<'a> {
    Observation {
        parameters: &points[record.run.head.point].parameters,
        run: &record.run.body,
        experts: &record.experts,
        pruning: &record.pruning,
        trajectory: &record.trajectory,
    }
}

fn of_runs(points: &[Point], records: &[RunRecord], claim: &ClaimSpec) -> Evaluation {
    let (mut met, mut holds, mut margin) = (0, 0, f64::INFINITY);
    let assumptions = claim.assumptions();
    for record in records {
        let observation = observation(points, record);
        if observation.missed(claim, &assumptions).is_empty() {
            let finding = observation.decision(claim);
            met += 1;
            holds += u64::from(finding.holds);
            // Without the figure a run is as far from holding as one can be.
            margin = margin.min(claim.margin().of(&observation, claim, &finding).unwrap_or(-1.0));
        }
    }
    let p_refuted = if met == 0 { 1.0 } else { p_value_refuted(holds, met, claim.level) };
    Evaluation { met, runs: records.len() as u64, holds, margin, p_refuted }
}

fn of_slopes(jury: &mut ClaimTests, claim: &ClaimSpec, runs: u64) -> Evaluation {
    let rows = jury.rows();
    let slopes = rows.iter().filter(|row| row.part.is_slope());
    let distance = |row: &crate::record::ClaimRow| Some(row.threshold? - row.estimate?);
    let margin = slopes.filter_map(distance).fold(f64::INFINITY, f64::min);
    let set_aside = rows.iter().map(|row| row.set_aside).max().unwrap_or(0);
    let refuted = conclusions(&rows).iter().any(|row| row.verdict == Decision::Refuted);
    let smallest = rows.iter().filter(|row| row.verdict == Decision::Refuted).filter_map(|row| row.p_holm);
    let margin = if margin.is_finite() { margin } else { claim.level };
    Evaluation {
        met: runs - set_aside.min(runs),
        runs,
        holds: u64::from(margin > 0.0),
        margin,
        p_refuted: if refuted { smallest.fold(1.0, f64::min) } else { 1.0 },
    }
}
