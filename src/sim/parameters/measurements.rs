//! `[roles]`, `[evaluation]`, `[certificate]`, `[record]` and `[assumptions]`: what is measured, and how it is judged.

use serde::{Deserialize, Serialize};

/// Thresholds of the measured roles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolesParameters {
    /// An expert is relevant (or misaligned) for v if its proficiency p_v is at least this.
    pub relevant_min: f64,
    /// An expert is irrelevant if λ₁ and λ₂ are at most this.
    pub irrelevant_max: f64,
    /// Samples per class from which a proficiency is estimated.
    pub proficiency_samples: usize,
}

/// How many samples the measurements take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationParameters {
    /// N: fresh samples on which an accuracy is measured.
    pub samples: usize,
}

/// Proofs and counterexamples of "no error".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateParameters {
    /// Nodes of the search, for each class and pruned model; 0: no certificates.
    pub nodes: usize,
    /// Whether pruned models are certified too, or the unpruned one alone.
    pub pruned: bool,
}

/// What is recorded while training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordParameters {
    /// Trajectories are recorded for this many first runs of each point.
    pub trajectory_runs: usize,
    /// Iterations between two recorded states; 0: spaced evenly in the logarithm.
    pub record_every: usize,
    /// Whether drift and noise of every router are told apart by independent half-batches; needs an even batch.
    pub half_batches: bool,
}

/// Thresholds of the assumption audit: functions of the configuration and of t = 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssumptionParameters {
    /// A-batch: B ≥ this · d.
    pub batch_per_pattern_min: f64,
    /// A-balance: |class_share − ½| ≤ this.
    pub imbalance_max: f64,
    /// A-gauge: the largest ‖w⁰‖ of a relevant expert is at most this.
    pub norm_max: f64,
    /// A-activation: per sign, the sum over irrelevant experts of the mean activation at t = 0 is at most this.
    pub activation_max: f64,
    /// A-travel: η_r·T ≥ this.
    pub travel_min: f64,
    /// A-rate: η_r ≤ this.
    pub router_rate_max: f64,
    /// A-growth: η_e·T/m ≥ this.
    pub growth_min: f64,
    /// A-aligned: the share of misaligned experts at t = 0 is at most this.
    pub misaligned_max: f64,
}
