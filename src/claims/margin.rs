//! How far a run is from failing a claim, on a scale of order 1: what the falsifier makes smaller.

use super::observation::{Observation, RunDecision};
use crate::sim::ClaimSpec;

/// The measure of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Margin {
    /// The claim's figure.
    Figure,
    /// The figure less the claim's constant.
    AboveThreshold,
    /// The figure less 1: a share that should be 1.
    BelowOne,
    /// The smallest y f(x) that was met at ρ ≤ γ.
    OfThePath,
    /// The distance of the figure from the threshold in units of the larger of 1 and the threshold; below 0 if the claim
    /// fails. It is that of claims of a file, which may ask for a large figure or for a small one.
    BeyondThreshold,
}

impl Margin {
    /// The margin of a run; `None` if the run has none.
    pub(crate) fn of(self, run: &Observation, claim: &ClaimSpec, finding: &RunDecision) -> Option<f64> {
        let margin = match self {
            Margin::Figure => finding.figure,
            Margin::AboveThreshold => finding.figure.zip(claim.threshold()).map(|(figure, least)| figure - least),
            Margin::BelowOne => finding.figure.map(|share| share - 1.0),
            Margin::OfThePath => run.run.path_margin,
            Margin::BeyondThreshold => finding.figure.zip(claim.threshold()).map(|(figure, threshold)| {
                let distance = (figure - threshold).abs() / threshold.abs().max(1.0);
                if finding.holds { distance } else { -distance }
            }),
        };
        margin.filter(|margin| margin.is_finite())
    }
}
