//! `[roles]`, `[evaluation]`, `[certificate]`, `[record]` and `[assumptions]`: what is measured, and how it is judged.

use super::domain::{flag, integer, real};
use super::section::{AUDIT, CERTIFIED, MANY, MEASURED, ROLES, section};

section! {
    /// Thresholds of the measured roles.
    pub struct RolesParameters: "roles" {
        /// An expert is relevant (or misaligned) for v if its proficiency p_v is at least this.
        relevant_min: f64 = "0.5", real(0.0, 1.0), "", "paper; docs/theory/roles.md";
        /// An expert is irrelevant if λ₁ and λ₂ are at most this.
        irrelevant_max: f64 = "0.02", real(0.0, 1.0), "", ROLES;
        /// Samples per class from which a proficiency is estimated.
        proficiency_samples: usize = "500", integer(1, MANY), "", ROLES;
    }
}

section! {
    /// How many samples the measurements take.
    pub struct EvaluationParameters: "evaluation" {
        /// Fresh samples on which an accuracy is measured.
        samples: usize = "2000", integer(1, MANY), "N", MEASURED;
    }
}

section! {
    /// Proofs and counterexamples of "no error".
    pub struct CertificateParameters: "certificate" {
        /// Nodes of the search for a certificate, for each class and pruned model; 0: no certificates.
        nodes: usize = "0", integer(0, 1_000_000), "", CERTIFIED;
        /// Whether pruned models are certified too, or the unpruned one alone.
        pruned: bool = "true", flag(), "", CERTIFIED;
    }
}

section! {
    /// What is recorded while training.
    pub struct RecordParameters: "record" {
        /// Trajectories are recorded for this many first runs of each point.
        trajectory_runs: usize = "0", integer(0, 1_000_000_000), "", MEASURED;
        /// Iterations between two recorded states; 0: spaced evenly in the logarithm.
        record_every: usize = "0", integer(0, MANY), "", MEASURED;
        /// Whether drift and noise of every router are told apart by independent half-batches; needs an even batch.
        half_batches: bool = "false", flag(), "", MEASURED;
    }
}

section! {
    /// Thresholds of the assumption audit: functions of the configuration and of t = 0.
    pub struct AssumptionParameters: "assumptions" {
        /// A-batch: B is at least this · d.
        batch_per_pattern_min: f64 = "1.0", real(0.0, 1e6), "", AUDIT;
        /// A-balance: |class_share − ½| is at most this.
        imbalance_max: f64 = "0.05", real(0.0, 0.5), "", AUDIT;
        /// A-gauge: the largest ‖w⁰‖ of a relevant expert is at most this.
        norm_max: f64 = "2.0", real(0.0, 1e12), "", AUDIT;
        /// A-activation: per sign, the summed mean activation of irrelevant experts at t = 0 is at most this.
        activation_max: f64 = "0.75", real(0.0, 1e12), "", AUDIT;
        /// A-travel: η_r·T is at least this.
        travel_min: f64 = "20.0", real(0.0, 1e12), "", AUDIT;
        /// A-rate: η_r is at most this.
        router_rate_max: f64 = "1.0", real(0.0, 1e6), "", AUDIT;
        /// A-growth: η_e·T/m is at least this.
        growth_min: f64 = "4.0", real(0.0, 1e12), "", AUDIT;
        /// A-aligned: the share of misaligned experts at t = 0 is at most this.
        misaligned_max: f64 = "0.0", real(0.0, 1.0), "", AUDIT;
    }
}
