//! `[model]`: the mixture of experts.

use super::System;
use serde::{Deserialize, Serialize};

/// The mixture of experts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelParameters {
    /// k: number of experts, even.
    pub experts: usize,
    /// m: ReLU neurons of an expert.
    pub neurons: usize,
    /// l: tokens that each expert chooses, 2 ≤ l ≤ n.
    pub tokens_per_expert: usize,
    /// How tokens and experts meet.
    pub routing: Routing,
    /// The fixed signs a_s of the experts.
    pub signs: Signs,
    /// c: experts that each token chooses in token-choice routing.
    pub experts_per_token: usize,
    /// What the gates of a token's experts are a softmax of, in token-choice routing.
    pub gates: Gates,
    /// Room of an expert in token-choice routing, as a multiple of its even share of a sample's tokens; 0: no limit.
    pub capacity: f64,
    /// Whose tokens find room first where it is limited.
    pub priority: Priority,
    /// M: groups of experts whose outputs are averaged.
    pub groups: usize,
    /// What kind of mixture it is.
    pub system: System,
}

impl ModelParameters {
    /// Tokens that share a gate of 1 with an expert's class token (l), or experts that share that of a token (c): a gate
    /// of at least 1 over this is what a proficiency counts.
    pub fn gate_places(&self) -> usize {
        if self.tokens_choose() { self.experts_per_token } else { self.tokens_per_expert }
    }

    /// Whether tokens choose experts, by `routing` or because the system knows no other way.
    pub fn tokens_choose(&self) -> bool {
        self.routing == Routing::TokenChoice || !self.system.traits().reads("model.routing")
    }
}

/// How tokens and experts meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Routing {
    /// Each expert takes the l tokens of largest score.
    ExpertChoice,
    /// Each token goes to the c experts of largest score.
    TokenChoice,
}

/// The gates of token-choice routing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gates {
    /// The softmax over all experts of the group, kept for the c chosen ones (V-MoE's).
    Raw,
    /// The softmax over the c chosen experts: the gates of a token sum to 1. It needs c ≥ 2.
    Renormalised,
}

/// Whose tokens find room first, in token-choice routing with a limited capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// In the order of their positions, first choices before second ones (V-MoE's vanilla routing).
    Position,
    /// In descending order of their largest gate (V-MoE's batch prioritized routing, within a sample).
    Gate,
}

/// The fixed signs a_s of the experts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signs {
    /// Half of each sign: a_s = +1 for even s, −1 for odd s.
    Alternating,
    /// a_s = +1 for every expert: a negative control (lemma L8).
    AllPositive,
}
