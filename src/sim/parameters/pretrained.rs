//! `[pretrained]`: what fine-tuning starts from.

use serde::{Deserialize, Serialize};

/// The model that fine-tuning starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainedParameters {
    /// How the model is made.
    pub kind: PretrainedKind,
    /// R_c: experts per class that specialise in that class's pattern with the right sign.
    pub relevant_per_class: usize,
    /// W: experts, in all, that specialise in a class's pattern with the wrong sign; their signs alternate.
    pub misaligned: usize,
    /// φ: probability that an irrelevant expert specialises in a given irrelevant pattern, independently.
    pub specialisation: f64,
    /// A fixed number of irrelevant patterns that each irrelevant expert specialises in; 0: use φ.
    pub special_patterns: usize,
    /// c: mean router coordinate on the special patterns of irrelevant and misaligned experts.
    pub router_scale: f64,
    /// c of the relevant experts.
    pub router_scale_relevant: f64,
    /// s_r: standard deviation of the noise on every router coordinate.
    pub router_noise: f64,
    /// s₀ of irrelevant experts: neurons are |N(0, s₀²)| on special patterns, N(0, (s₀/2)²) elsewhere.
    pub neuron_scale: f64,
    /// s₀ of relevant experts.
    pub neuron_scale_relevant: f64,
    /// s₀ of misaligned experts.
    pub neuron_scale_misaligned: f64,
    /// b: added to every router coordinate of the relevant experts (lemma L11: changes norms and nothing else).
    pub gauge_relevant: f64,
    /// Experts per class and rare feature that specialise in it with the right sign.
    pub rare_per_class: usize,
    /// Relevant experts of a class and feature come in this many identical copies.
    pub copies: usize,
    /// Pairs of irrelevant experts of opposite sign and equal weights, whose outputs cancel.
    pub twins: usize,
    /// s₀ of twins.
    pub neuron_scale_twin: f64,
    /// Router coordinate of relevant experts on the irrelevant patterns that distract them.
    pub distraction: f64,
    /// Probability that an irrelevant pattern distracts a relevant expert.
    pub distraction_share: f64,
    /// U: upstream tasks, each a pair of patterns.
    pub upstream_tasks: usize,
    /// Iterations of upstream pre-training.
    pub upstream_iterations: usize,
    /// Samples of a batch of upstream pre-training.
    pub upstream_batch: usize,
    /// Learning rate of the routers in upstream pre-training.
    pub upstream_router_rate: f64,
    /// Learning rate of the neurons in upstream pre-training.
    pub upstream_expert_rate: f64,
    /// Standard deviation of a router coordinate before upstream pre-training.
    pub upstream_router_init: f64,
    /// Standard deviation of a neuron coordinate before upstream pre-training.
    pub upstream_neuron_init: f64,
    /// Standard deviation of the noise on the scaling vectors of MoV at the start.
    pub scaling_noise: f64,
}

/// How the pre-trained model is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PretrainedKind {
    /// Roles are built in.
    Constructed,
    /// Trained by SGD on a mixture of upstream tasks; nothing is built in.
    Upstream,
}
