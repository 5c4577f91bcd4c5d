//! The assumption audit: what the theorems assume, as functions of the configuration and of t = 0.

use crate::measure::Role;
use crate::record::rows::RunBody;
use crate::sim::parameters::{Labels, Parameters};
use crate::stats::decimal::{difference, product};

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
    pub fn is_met(self, run: &RunBody) -> bool {
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

/// What the audit needs to know of one expert at t = 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExpertAtStart {
    /// a_s.
    pub sign: f64,
    /// Measured role.
    pub role: Role,
    /// ‖w⁰‖.
    pub norm: f64,
    /// mean_v σ_{s,v}.
    pub mean_activation: f64,
}

/// The audit of one run: each assumption met or missed, with what was measured for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Audit {
    /// A-labels.
    pub labels: bool,
    /// A-balance.
    pub balance: bool,
    /// A-roles.
    pub roles: bool,
    /// A-batch.
    pub batch: bool,
    /// A-gauge.
    pub gauge: bool,
    /// A-activation.
    pub activation: bool,
    /// A-travel.
    pub travel: bool,
    /// A-rate.
    pub rate: bool,
    /// A-growth.
    pub growth: bool,
    /// A-aligned.
    pub aligned: bool,
    /// Largest ‖w⁰‖ of a relevant expert; `None` without relevant experts.
    pub max_norm_0_relevant: Option<f64>,
    /// The larger, over both signs, of Σ_{irrelevant} mean_v σ_{s,v}.
    pub activation_irrelevant: f64,
}

impl Audit {
    /// Audits one run from its parameters and its experts at t = 0.
    pub fn new(parameters: &Parameters, experts: &[ExpertAtStart]) -> Self {
        let Parameters { data, model, training, assumptions, .. } = parameters;
        let relevant = || experts.iter().filter(|expert| expert.role == Role::Relevant);
        let norms = relevant().map(|expert| expert.norm);
        let max_norm_0_relevant =
            norms.fold(None, |max: Option<f64>, norm| Some(max.map_or(norm, |max| max.max(norm))));
        let loudness = |sign: f64| -> f64 {
            let irrelevant = experts.iter().filter(|expert| expert.role == Role::Irrelevant && expert.sign == sign);
            irrelevant.map(|expert| expert.mean_activation).sum()
        };
        let misaligned = experts.iter().filter(|expert| expert.role == Role::Misaligned).count();
        let iterations = training.iterations as f64;
        // An empty sum is −0; adding 0 makes it 0.
        let activation_irrelevant = loudness(1.0).max(loudness(-1.0)) + 0.0;
        Self {
            labels: data.labels == Labels::Class && data.label_noise == 0.0,
            balance: difference(data.class_share, 0.5).abs() <= assumptions.imbalance_max,
            roles: [1.0, -1.0].iter().all(|&sign| relevant().any(|expert| expert.sign == sign)),
            batch: training.batch as f64 >= product(assumptions.batch_per_pattern_min, data.patterns as f64),
            gauge: max_norm_0_relevant.is_some_and(|norm| norm <= assumptions.norm_max),
            activation: activation_irrelevant <= assumptions.activation_max,
            travel: product(training.router_rate, iterations) >= assumptions.travel_min,
            rate: training.router_rate <= assumptions.router_rate_max,
            growth: product(training.expert_rate, iterations) >= product(assumptions.growth_min, model.neurons as f64),
            aligned: misaligned as f64 <= product(assumptions.misaligned_max, experts.len() as f64),
            max_norm_0_relevant,
            activation_irrelevant,
        }
    }
}
