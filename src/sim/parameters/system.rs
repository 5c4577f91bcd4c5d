//! The systems that a simulation may train, and what of the theory each leaves behind.
//!
//! This is the data part of a system, which simulation files are checked against: one row of [`SYSTEMS`]. What it computes is
//! one file of [`crate::systems`], which the compiler asks for.

use super::Removal;
use crate::sim::words::words;
use Property::{
    Certificates, ExactLambda, IndependentExperts, PatternCoordinates, ReluExperts, Roles, SpecialisedEngines, Theory,
    TokenNoise,
};

/// What holds in the theory's setting and may be lost outside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// Lemmas, bounds, half-batches and the theorems' assumptions speak of the setting.
    Theory,
    /// Trained models are of the family that certificates are about, however they were trained.
    Certificates,
    /// λ_v has a closed form: noise-free data, expert choice, and irrelevant tokens that are alike.
    ExactLambda,
    /// The dense and the pattern engine train it.
    SpecialisedEngines,
    /// Tokens may be noisy.
    TokenNoise,
    /// Experts are ReLU neurons over patterns with a fixed sign: a [`crate::moe::Model`].
    ReluExperts,
    /// Experts have roles: they vote for one class.
    Roles,
    /// A router's coordinates are its scores of patterns.
    PatternCoordinates,
    /// What an expert says does not depend on which others there are.
    IndependentExperts,
}

words! {
    /// A system.
    pub enum System {
        /// The paper's simplified mixture of experts, with either routing.
        SimplifiedMoe = "simplified-moe",
        /// MoV: experts are vectors that scale the hidden neurons of a frozen base.
        Mov = "mov",
    }
}

/// What is told of a system before it is run.
#[derive(Debug)]
pub(crate) struct SystemTraits {
    /// Which one.
    pub system: System,
    /// The keys of `model`, `pretrained` and `training` that it reads; every other must keep its default. Empty: all.
    pub keys: &'static [&'static str],
    /// What may become of its pruned experts.
    pub removals: &'static [Removal],
    /// What is lost with it of the theory's setting.
    pub loses: &'static [Property],
}

/// Every system, in the order of [`System`].
pub(crate) const SYSTEMS: &[SystemTraits; System::ALL.len()] = &[
    SystemTraits {
        system: System::SimplifiedMoe,
        keys: &[],
        removals: &[
            Removal::ZeroSlot,
            Removal::Drop,
            Removal::Novice,
            Removal::MergeNearest,
            Removal::MergeGroup,
            Removal::Quantise,
        ],
        loses: &[],
    },
    SystemTraits {
        system: System::Mov,
        keys: &[
            "model.system",
            "model.experts",
            "model.neurons",
            "model.experts_per_token",
            "model.gates",
            "pretrained.router_noise",
            "pretrained.neuron_scale",
            "pretrained.scaling_noise",
            "training.router_rate",
            "training.expert_rate",
            "training.batch",
            "training.iterations",
            "training.zero_loss_window",
            "training.training_set",
        ],
        removals: &[Removal::ZeroSlot, Removal::Drop],
        loses: &[
            Theory,
            Certificates,
            ExactLambda,
            SpecialisedEngines,
            TokenNoise,
            ReluExperts,
            Roles,
            PatternCoordinates,
            IndependentExperts,
        ],
    },
];

impl System {
    /// Its row of [`SYSTEMS`].
    pub(crate) fn traits(self) -> &'static SystemTraits {
        &SYSTEMS[self as usize]
    }
}

impl SystemTraits {
    /// Whether it reads the key of this path.
    pub(crate) fn reads(&self, path: &str) -> bool {
        self.keys.is_empty() || self.keys.contains(&path)
    }
}

// Each system has its row at its place.
const _: () = {
    let mut place = 0;
    while place < SYSTEMS.len() {
        assert!(SYSTEMS[place].system as usize == place);
        place += 1;
    }
};
