//! The assumption audit of one run: what the theorems assume, as functions of the configuration and of t = 0.

use super::roles::Role;
use crate::sim::parameters::{Labels, Parameters};
use crate::stats::decimal::{difference, product};

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
