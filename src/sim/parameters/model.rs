//! `[model]`: the mixture of experts.

use super::domain::{integer, real, word};
use super::section::{CONTROL, FOREIGN, MODEL, ROUTING, SYSTEM, VMOE, section};
use super::{Property, System};
use crate::catalogue::names;
use crate::catalogue::routings::routings;
use crate::sim::words::words;

section! {
    /// The mixture of experts.
    pub struct ModelParameters: "model" {
        /// Number of experts, even: half of each sign.
        experts: usize = "16", integer(2, 4096), "k", MODEL;
        /// ReLU neurons of an expert.
        neurons: usize = "16", integer(1, 65_536), "m", MODEL;
        /// Tokens that each expert chooses, 2 ≤ l ≤ n.
        tokens_per_expert: usize = "4", integer(2, 4096), "l", MODEL, because("with l = 1 the gate is constant and the router never moves");
        /// How tokens and experts meet.
        routing: Routing = "expert-choice", word(), "", MODEL;
        /// The fixed signs of the experts.
        signs: Signs = "alternating", word(), "a_s", CONTROL;
        /// Experts that each token chooses in token-choice routing.
        experts_per_token: usize = "1", integer(1, 4096), "c", ROUTING, unseeded;
        /// Gates of token-choice routing: softmax over all experts of the group, or over the chosen ones.
        gates: Gates = "raw", word(), "", ROUTING, unseeded;
        /// Room of an expert in token-choice routing, in units of its even share of a sample's tokens; 0: no limit.
        capacity: f64 = "0.0", real(0.0, 1e3), "", ROUTING, unseeded;
        /// Whose tokens find room first where capacity is limited.
        priority: Priority = "position", word(), "", ROUTING, unseeded;
        /// Groups of experts whose outputs are averaged.
        groups: usize = "1", integer(1, 2048), "M", ROUTING, unseeded;
        /// What kind of mixture it is: the paper's, or another system.
        system: System = "simplified-moe", word(), "", SYSTEM, unseeded;
        /// Columns of the grid of product keys in which the experts of PEER stand; 1: every expert has a key of its own.
        grid_columns: usize = "1", integer(1, 64), "", FOREIGN, unseeded;
        /// Which segment the router reads where experts are merged.
        merging: Merging = "own", word(), "", FOREIGN, unseeded;
        /// Softness of the shares with which experts are merged: scores are divided by it.
        temperature: f64 = "1.0", real(1e-6, 1e6), "τ", FOREIGN, unseeded;
        /// Scale of the token that the second layer of a stack reads: its routers start at 1/g of their size and learn at the
        /// rate η_r/g², so that g changes no output.
        layer_scale: f64 = "1.0", real(1e-6, 1e6), "g", FOREIGN, unseeded;
        /// Who gates. Where it is not `ordinary` no expert has a router of its own, and Δ is undefined.
        gate: Gate = "ordinary", word(), "", FOREIGN, unseeded;
        /// Length of the queries and keys of the attentive gate.
        key_length: usize = "8", integer(1, 4096), "h", FOREIGN, unseeded;
        /// Neurons of each sign of the dense teacher whose neurons the experts of MoEBERT are made of.
        teacher_neurons: usize = "32", integer(1, 65_536), "K", FOREIGN, unseeded;
        /// Neurons of the teacher that all experts of MoEBERT share.
        shared_neurons: usize = "0", integer(0, 65_536), "", FOREIGN, unseeded;
        /// How the room of an expert becomes a whole number of tokens where capacity is limited.
        capacity_rounding: CapacityRounding = "nearest", word(), "", VMOE, unseeded;
    }
}

impl ModelParameters {
    /// Tokens that share a gate of 1 with an expert's class token (l), or experts that share that of a token (c): a gate
    /// of at least 1 over this is what a proficiency counts. 2 for an attentive gate.
    pub fn gate_places(&self) -> usize {
        match self.gate {
            // All experts run: whoever has half of the gate owns the sample.
            Gate::Attentive => 2,
            _ if self.tokens_choose() => self.experts_per_token,
            _ => self.tokens_per_expert,
        }
    }

    /// Whether tokens choose experts, by `routing` or because the system knows no other way.
    pub(crate) fn tokens_choose(&self) -> bool {
        self.routing.traits().tokens_choose || !self.system.traits().reads("model.routing")
    }
}

routings!(names[
    /// How tokens and experts meet.
    Routing: pub(crate) RoutingTraits
]);

/// What is told of a routing before it is run.
#[derive(Debug)]
pub(crate) struct RoutingTraits {
    /// Whether a token chooses its experts, so that loads differ, and capacity and balance mean something.
    pub tokens_choose: bool,
    /// What is lost with it of the theory's setting.
    pub loses: &'static [Property],
}

/// What any other routing than expert choice loses.
const OF_EXPERT_CHOICE: &[Property] = &[
    Property::Theory,
    Property::Certificates,
    Property::ExactLambda,
    Property::SpecialisedEngines,
    Property::TokenNoise,
    Property::IndependentExperts,
];

words! {
    /// The gates of token-choice routing.
    pub enum Gates {
        /// The softmax over all experts of the group, kept for the c chosen ones (V-MoE's).
        Raw = "raw",
        /// The softmax over the c chosen experts: the gates of a token sum to 1. It needs c ≥ 2.
        Renormalised = "renormalised",
    }
}

words! {
    /// Whose tokens find room first, in token-choice routing with a limited capacity.
    pub enum Priority {
        /// In the order of their positions, first choices before second ones (V-MoE's vanilla routing).
        Position = "position",
        /// In descending order of their largest gate (V-MoE's batch prioritized routing, within a sample).
        Gate = "gate",
    }
}

words! {
    /// Which segment of a sample the router reads for the merged expert that processes a segment.
    pub enum Merging {
        /// The segment itself (SMEAR's, with one segment).
        Own = "own",
        /// The segment before; the first reads itself, and teaches no router (Lory's).
        Causal = "causal",
        /// The first segment, which teaches no router by itself.
        Prefix = "prefix",
    }
}

words! {
    /// Who gates, in a system that knows several ways.
    pub enum Gate {
        /// A router of each expert.
        Ordinary = "ordinary",
        /// Attention: products of a query of the sample and a key of what an expert says, by maps that all experts share.
        Attentive = "attentive",
        /// A random table of patterns and experts.
        Hash = "hash",
    }
}

impl Gate {
    /// Why no expert has a router of its own, if none has.
    pub fn without_router(self) -> Option<&'static str> {
        match self {
            Gate::Ordinary => None,
            Gate::Attentive => {
                Some("an attentive gate has two maps that all experts share, and no router of an expert")
            }
            Gate::Hash => Some("hash routing has a table, and no router of an expert"),
        }
    }
}

words! {
    /// How the room of an expert becomes a whole number of tokens.
    pub enum CapacityRounding {
        /// The nearest one.
        Nearest = "nearest",
        /// The next multiple of 4 that is not smaller (V-MoE's code).
        UpToFours = "up-to-fours",
    }
}

words! {
    /// The fixed signs a_s of the experts.
    pub enum Signs {
        /// Half of each sign: a_s = +1 for even s, −1 for odd s.
        Alternating = "alternating",
        /// a_s = +1 for every expert: a negative control (lemma L8).
        AllPositive = "all-positive",
    }
}
