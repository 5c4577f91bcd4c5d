//! What is drawn of experts and pruned models: the columns that the page and the figures need, and no others, so that a
//! row takes a tenth of the memory.

use crate::measure::Role;
use serde::Deserialize;

/// What is drawn of an expert: columns of `experts.csv`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct DrawnExpert {
    /// Grid point.
    pub point: usize,
    /// Run.
    pub run: u64,
    /// Expert, from 0.
    pub expert: usize,
    /// a_s; empty where experts have no fixed sign.
    pub sign: Option<i8>,
    /// The role it was built for.
    pub built_role: Role,
    /// The role measured at t = 0.
    pub role: Role,
    /// Δ.
    pub delta: Option<f64>,
    /// D.
    pub displacement: Option<f64>,
}

impl DrawnExpert {
    /// The class that a relevant expert of this sign serves, 0 for o₁, 1 for o₂.
    pub(crate) fn own_class(&self) -> usize {
        usize::from(self.sign.is_some_and(|sign| sign < 0))
    }
}

/// What is drawn of a pruned model: columns of `pruning.csv`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct DrawnModel {
    /// Grid point.
    pub point: usize,
    /// Run.
    pub run: u64,
    /// The criterion that ordered the experts.
    pub criterion: Box<str>,
    /// Experts kept.
    pub kept: usize,
    /// ρ = 1 − kept/k.
    pub ratio: f64,
    /// Whether the pruned model was fine-tuned.
    pub finetuned: bool,
    /// Share of samples classified correctly; empty if fine-tuning diverged.
    pub accuracy: Option<f64>,
    /// Verdict of the exact certificate; empty if none was computed.
    pub certificate: Box<str>,
    /// Proven lower bound of the margin; empty if none was computed.
    pub margin_lower: Option<f64>,
}

/// What tells a run's point from the others: columns of `runs.csv`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct SweptPoint {
    /// Grid point.
    pub point: usize,
    /// The case; empty if there is none.
    #[serde(default)]
    pub case: String,
    /// d, if it is swept.
    #[serde(default)]
    pub patterns: Option<usize>,
}

/// The roles in the order of the legend, with their names.
pub(in crate::report) const ROLES: [(Role, &str); 4] = [
    (Role::Relevant, "relevant"),
    (Role::Misaligned, "misaligned"),
    (Role::Irrelevant, "irrelevant"),
    (Role::Ambiguous, "ambiguous"),
];
