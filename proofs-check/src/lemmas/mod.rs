//! The lemmas: statement, proof, scope and check of each in a file of its own.
//!
//! Notation, for all of them. u_{s,v} = ⟨w_s, v⟩ and h_{s,r,v} = ⟨w_{s,r}, v⟩ are the pattern coordinates of router and
//! neurons, σ_{s,v} = (1/m) Σ_r max(0, h_{s,r,v}). On a sample (x, y) expert s takes the tokens J_s with gates G_j > 0,
//! Σ_j G_j = 1, and σ̄ = Σ_j G_j σ_j; α = 1 if y f(x) < 1 and else 0. R_s = max_v σ_{s,v} − min_v σ_{s,v}. One step adds the
//! mean over the batch of
//!
//! - router: η_r α y a_s Σ_j G_j (σ_j − σ̄) x⁽ʲ⁾,
//! - neuron r: η_e α (y a_s/m) Σ_j G_j `1[h_{s,r,x⁽ʲ⁾} > 0]` x⁽ʲ⁾.
//!
//! Scope of all: noise-free tokens, which are orthonormal patterns; expert-choice routing; hinge loss without
//! regulariser. L3, S1′ and S4 also need that the class pattern decides the label, S1–S3 that batches are fresh. L1–L11
//! hold for every run up to rounding; so does S4, and S1′ given a sample's irrelevant tokens. S1 and S2 are about
//! expectations, S3 about a probability.

pub mod l01_conservation;
pub mod l02_step_bound;
pub mod l03_monotone_features;
pub mod l04_dead_stays_dead;
pub mod l05_reduced_state;
pub mod l06_norm_and_displacement;
pub mod l07_locality;
pub mod l08_one_sign;
pub mod l09_pruning_perturbation;
pub mod l10_dominance;
pub mod l11_gauge;
pub mod s1_cancellation;
pub mod s1_drift;
pub mod s2_noise;
pub mod s3_finite_sample;
pub mod s4_growth;

use crate::population::Study;
use crate::{Tally, Trajectory};

/// A lemma's check.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// Reads one run.
    Run(fn(&Trajectory) -> Tally),
    /// Reads one run, fresh inputs and the engine.
    Study(fn(&Study) -> Tally),
    /// Compares a run with the same run in another gauge, given for each expert.
    Gauge(fn(&Trajectory, &Trajectory, &[f64]) -> Tally),
}

/// What the largest slack is a share of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlackOf {
    /// The lemma is an equality: of the tolerance.
    Tolerance,
    /// The lemma is an inequality: of the bound.
    Bound,
    /// The lemma is true or false: nothing.
    None,
}

/// One lemma.
#[derive(Clone, Copy, Debug)]
pub struct Lemma {
    /// Number, as in the theory.
    pub id: &'static str,
    /// Name.
    pub name: &'static str,
    /// What its slack is a share of.
    pub slack_of: SlackOf,
    /// Its check.
    pub check: Check,
}

/// The lemmas, in order.
pub const LEMMAS: [Lemma; 16] = [
    lemma("L1", "conservation", SlackOf::Tolerance, Check::Run(l01_conservation::check)),
    lemma("L2", "step bound", SlackOf::Bound, Check::Run(l02_step_bound::check)),
    lemma("L3", "monotone features", SlackOf::Tolerance, Check::Run(l03_monotone_features::check)),
    lemma("L4", "dead stays dead", SlackOf::Tolerance, Check::Run(l04_dead_stays_dead::check)),
    lemma("L5", "reduced state", SlackOf::Tolerance, Check::Run(l05_reduced_state::check)),
    lemma("L6", "|norm change| <= displacement", SlackOf::Bound, Check::Run(l06_norm_and_displacement::check)),
    lemma("L7", "locality", SlackOf::Tolerance, Check::Run(l07_locality::check)),
    lemma("L8", "one-sign impossibility", SlackOf::None, Check::Study(l08_one_sign::check)),
    lemma("L9", "pruning perturbation", SlackOf::Bound, Check::Study(l09_pruning_perturbation::check)),
    lemma("L10", "dominance", SlackOf::None, Check::Study(l10_dominance::check)),
    lemma("L11", "gauge", SlackOf::Tolerance, Check::Gauge(l11_gauge::check)),
    lemma("S1", "drift", SlackOf::Bound, Check::Study(s1_drift::check)),
    lemma("S1'", "cancellation", SlackOf::Bound, Check::Study(s1_cancellation::check)),
    lemma("S2", "noise", SlackOf::Bound, Check::Study(s2_noise::check)),
    lemma("S3", "finite-sample bound", SlackOf::Bound, Check::Run(s3_finite_sample::check)),
    lemma("S4", "growth", SlackOf::Bound, Check::Study(s4_growth::check)),
];

const fn lemma(id: &'static str, name: &'static str, slack_of: SlackOf, check: Check) -> Lemma {
    Lemma { id, name, slack_of, check }
}
