//! What the theorems assume: names, statements, and the column of `runs.csv` that tells whether a run meets it.

use crate::record::rows::RunBody;

/// What a claim can assume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assumption {
    /// The label is the class of the sample's class token, always.
    Labels,
    /// |class_share − ½| ≤ `imbalance_max`.
    Balance,
    /// Each class has at least one relevant expert at t = 0, by measured roles.
    Roles,
    /// B ≥ `batch_per_pattern_min` · d.
    Batch,
    /// max relevant ‖w⁰‖ ≤ `norm_max` (lemma L11 shows why).
    Gauge,
    /// Per sign, Σ over irrelevant experts of mean_v σ_{s,v} ≤ `activation_max` (lemmas L9 and L10 show why).
    Activation,
    /// η_r·T ≥ `travel_min`.
    Travel,
    /// η_r ≤ `router_rate_max`.
    Rate,
    /// η_e·T/m ≥ `growth_min`: neurons move far enough for the relevant experts to build a margin.
    Growth,
    /// The share of misaligned experts at t = 0, by measured roles, is ≤ `misaligned_max`.
    Aligned,
}

impl Assumption {
    /// All of them.
    pub const ALL: [Assumption; 10] = [
        Assumption::Labels,
        Assumption::Balance,
        Assumption::Roles,
        Assumption::Batch,
        Assumption::Gauge,
        Assumption::Activation,
        Assumption::Travel,
        Assumption::Rate,
        Assumption::Growth,
        Assumption::Aligned,
    ];

    /// The name that documents, `explain` and verdict tables use.
    pub fn name(self) -> &'static str {
        match self {
            Assumption::Labels => "A-labels",
            Assumption::Balance => "A-balance",
            Assumption::Roles => "A-roles",
            Assumption::Batch => "A-batch",
            Assumption::Gauge => "A-gauge",
            Assumption::Activation => "A-activation",
            Assumption::Travel => "A-travel",
            Assumption::Rate => "A-rate",
            Assumption::Growth => "A-growth",
            Assumption::Aligned => "A-aligned",
        }
    }

    /// The assumption of this name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|assumption| assumption.name() == name)
    }

    /// The assumption in one line.
    pub fn statement(self) -> &'static str {
        match self {
            Assumption::Labels => "the label is the class of the sample's class token, always",
            Assumption::Balance => "|class_share − ½| ≤ imbalance_max",
            Assumption::Roles => "each class has a relevant expert at t = 0 (measured roles)",
            Assumption::Batch => "B ≥ batch_per_pattern_min · d",
            Assumption::Gauge => "the largest ‖w⁰‖ of a relevant expert is ≤ norm_max",
            Assumption::Activation => {
                "per sign, Σ over irrelevant experts of the mean activation at t = 0 is ≤ activation_max"
            }
            Assumption::Travel => "η_r·T ≥ travel_min",
            Assumption::Rate => "η_r ≤ router_rate_max",
            Assumption::Growth => "η_e·T/m ≥ growth_min",
            Assumption::Aligned => "the share of misaligned experts at t = 0 (measured roles) is ≤ misaligned_max",
        }
    }

    /// Whether a run meets the assumption, by its row.
    pub(crate) fn is_met(self, run: &RunBody) -> bool {
        match self {
            Assumption::Labels => run.meets_labels,
            Assumption::Balance => run.meets_balance,
            Assumption::Roles => run.meets_roles,
            Assumption::Batch => run.meets_batch,
            Assumption::Gauge => run.meets_gauge,
            Assumption::Activation => run.meets_activation,
            Assumption::Travel => run.meets_travel,
            Assumption::Rate => run.meets_rate,
            Assumption::Growth => run.meets_growth,
            Assumption::Aligned => run.meets_aligned,
        }
    }
}
