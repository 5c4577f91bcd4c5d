//! Figures of one run that are followed over a sweep: what claims about orders of magnitude speak of.

use super::observation::Observation;
use crate::measure::Role;
use crate::record::ExpertRow;
use crate::sim::RoleSource;
use crate::stats::extreme;

/// One number of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunFigure {
    /// min Δ over relevant experts.
    MinRelevantChange,
    /// max |Δ| over irrelevant experts.
    MaxChange,
    /// max |Δ|·‖w⁰‖ over irrelevant experts: what of |Δ| is not the growth of ‖w⁰‖ (lemma L11).
    MaxChangeTimesNorm,
    /// max |Δᶜ| over irrelevant experts.
    MaxCentredChange,
    /// max D over irrelevant experts.
    MaxDisplacement,
    /// max over irrelevant experts of the part of D along the class patterns.
    MaxClassDisplacement,
    /// Mean ‖w⁰‖ of irrelevant experts.
    MeanInitialNorm,
    /// Mean over irrelevant experts of the squared noise of the displacement.
    NoiseSquared,
    /// Mean over irrelevant experts of the squared drift along irrelevant patterns; unbiased, so it can be negative.
    DriftSquared,
    /// Mean over irrelevant experts of the squared drift along the class patterns; unbiased, so it can be negative.
    LeakageSquared,
    /// max over irrelevant experts of max_t R_s.
    MaxRange,
    /// max over irrelevant experts of max_t λ.
    MaxLambda,
    /// The smallest listed number of experts kept that suffices after further fine-tuning, as do all larger listed
    /// ones; k if none does.
    SmallestSufficient,
}

impl RunFigure {
    /// Its name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            RunFigure::MinRelevantChange => "min relevant Δ",
            RunFigure::MaxChange => "max |Δ|",
            RunFigure::MaxChangeTimesNorm => "max |Δ|·‖w⁰‖",
            RunFigure::MaxCentredChange => "max |Δᶜ|",
            RunFigure::MaxDisplacement => "max D",
            RunFigure::MaxClassDisplacement => "max D along o",
            RunFigure::MeanInitialNorm => "‖w⁰‖",
            RunFigure::NoiseSquared => "noise",
            RunFigure::DriftSquared => "drift",
            RunFigure::LeakageSquared => "leakage",
            RunFigure::MaxRange => "max R",
            RunFigure::MaxLambda => "max λ",
            RunFigure::SmallestSufficient => "smallest sufficient number kept",
        }
    }

    /// The figure of a run, with experts' roles from `source`; `None` if the run has none.
    pub fn of(self, run: &Observation, source: RoleSource) -> Option<f64> {
        let of_role = |wanted: Role| run.experts.iter().filter(move |row| row.role_by(source) == wanted);
        let irrelevant = |measure: fn(&ExpertRow) -> Option<f64>| of_role(Role::Irrelevant).map(measure);
        let largest = |measure| extreme(irrelevant(measure), f64::max);
        let average = |measure| mean(irrelevant(measure));
        match self {
            RunFigure::MinRelevantChange => extreme(of_role(Role::Relevant).map(|row| row.delta), f64::min),
            RunFigure::MaxChange => largest(|row| row.delta.map(f64::abs)),
            RunFigure::MaxChangeTimesNorm => largest(|row| Some(row.delta?.abs() * row.norm_0?)),
            RunFigure::MaxCentredChange => largest(|row| row.delta_centred.map(f64::abs)),
            RunFigure::MaxDisplacement => largest(|row| row.displacement),
            RunFigure::MaxClassDisplacement => largest(|row| row.displacement_class),
            RunFigure::MeanInitialNorm => average(|row| row.norm_0),
            RunFigure::NoiseSquared => average(|row| row.noise_squared),
            RunFigure::DriftSquared => average(|row| row.drift_squared),
            RunFigure::LeakageSquared => average(|row| row.leakage_squared),
            RunFigure::MaxRange => largest(|row| row.max_range),
            RunFigure::MaxLambda => largest(|row| row.lambda_max),
            RunFigure::SmallestSufficient => smallest_sufficient(run),
        }
    }
}

fn mean(numbers: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let numbers = numbers.collect::<Option<Vec<f64>>>()?;
    if numbers.is_empty() { None } else { Some(numbers.iter().sum::<f64>() / numbers.len() as f64) }
}

fn smallest_sufficient(run: &Observation) -> Option<f64> {
    let mut tuned: Vec<_> = run.own().iter().filter(|row| row.finetuned).collect();
    if tuned.is_empty() {
        return None;
    }
    tuned.sort_by_key(|row| std::cmp::Reverse(row.kept));
    let sufficient = tuned.iter().take_while(|row| row.errors == Some(0)).last();
    Some(sufficient.map_or(run.experts.len(), |row| row.kept) as f64)
}
