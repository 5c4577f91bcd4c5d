//! How often the assumptions hold by themselves: the audits of runs whose model was trained upstream, where nothing was
//! set by hand.

use super::assumptions::Assumption;
use super::catalogue::Definition;
use super::observation::Observation;
use crate::record::AuditRow;
use crate::sim::{ClaimId, Point};
use crate::stats::interval::clopper_pearson;

/// Error of a pointwise interval.
const ALPHA: f64 = 0.05;

/// Claims whose assumptions are also counted together: those of either theorem.
const TOGETHER: [ClaimId; 3] = [ClaimId::T1a, ClaimId::T1c, ClaimId::T2a];

/// Collects the audits of all runs at points with upstream pre-training.
#[derive(Clone, Debug)]
pub(crate) struct Audits<'a> {
    points: Vec<PointAudits<'a>>,
}

#[derive(Clone, Debug)]
struct PointAudits<'a> {
    point: &'a Point,
    runs: u64,
    /// Runs that meet each of [`Assumption::ALL`].
    met: Vec<u64>,
    /// Runs that meet all assumptions of each claim of [`TOGETHER`].
    together: Vec<u64>,
}

impl<'a> Audits<'a> {
    /// For the points whose models are not built, but trained upstream.
    pub(crate) fn new(points: &'a [Point]) -> Self {
        let unbuilt = points.iter().filter(|point| !point.parameters.pretrained.kind.traits().builds_roles);
        let empty = |point| PointAudits {
            point,
            runs: 0,
            met: vec![0; Assumption::ALL.len()],
            together: vec![0; TOGETHER.len()],
        };
        Self { points: unbuilt.map(empty).collect() }
    }

    /// Adds a run.
    pub(crate) fn add(&mut self, point: usize, observation: &Observation) {
        let Some(own) = self.points.iter_mut().find(|own| own.point.index == point) else { return };
        own.runs += 1;
        for (met, assumption) in own.met.iter_mut().zip(Assumption::ALL) {
            *met += u64::from(assumption.is_met(observation.run));
        }
        for (met, definition) in own.together.iter_mut().zip(together()) {
            *met += u64::from(observation.meets(definition));
        }
    }

    /// The rows of `assumptions.csv`.
    pub(crate) fn rows(&self) -> Vec<AuditRow> {
        self.points.iter().filter(|own| own.runs > 0).flat_map(PointAudits::rows).collect()
    }
}

/// The definitions of [`TOGETHER`], in order.
fn together() -> impl Iterator<Item = &'static Definition> {
    TOGETHER.iter().map(|id| Definition::of(*id))
}

impl PointAudits<'_> {
    fn rows(&self) -> Vec<AuditRow> {
        let row = |assumption: String, met: u64| {
            let interval = clopper_pearson(met, self.runs, ALPHA);
            AuditRow {
                case: self.point.case.clone().unwrap_or_default(),
                point: self.point.index,
                assumption,
                runs: self.runs,
                met,
                share: met as f64 / self.runs as f64,
                ci_low: interval.low,
                ci_high: interval.high,
            }
        };
        let single = Assumption::ALL.iter().zip(&self.met).map(|(assumption, &met)| row(assumption.name().into(), met));
        let all = together().zip(&self.together).map(|(claim, &met)| row(format!("all of {}", claim.id), met));
        single.chain(all).collect()
    }
}
