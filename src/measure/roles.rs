//! Roles: what an expert is to the task, measured at t = 0.

use crate::moe::BuiltRole;
use crate::sim::parameters::RolesParameters;
use crate::sim::words::words;

words! {
    /// What an expert is to the task. With the expert's sign a relevant or misaligned role also names the class.
    pub enum Role {
        /// Proficient in the pattern of the class that its sign votes for.
        Relevant = "relevant",
        /// Proficient in the pattern of the other class.
        Misaligned = "misaligned",
        /// Both class patterns are almost never routed to it.
        Irrelevant = "irrelevant",
        /// None of these.
        Ambiguous = "ambiguous",
        /// The system has no such roles: its experts have no sign to vote with. Empty in CSVs.
        Undefined = "",
    }
}

impl Default for Role {
    /// The role of an expert that was built for nothing.
    fn default() -> Self {
        BuiltRole::Unbuilt.into()
    }
}

impl From<BuiltRole> for Role {
    fn from(role: BuiltRole) -> Self {
        match role {
            BuiltRole::Relevant => Role::Relevant,
            BuiltRole::Misaligned => Role::Misaligned,
            BuiltRole::Irrelevant => Role::Irrelevant,
            BuiltRole::Unbuilt => Role::Ambiguous,
        }
    }
}

impl Role {
    /// The measured role of an expert of sign `sign` from its proficiencies and routing probabilities at t = 0.
    pub(crate) fn measured(sign: f64, proficiency: [f64; 2], lambda: [f64; 2], thresholds: &RolesParameters) -> Self {
        let (own, other) = if sign > 0.0 { (0, 1) } else { (1, 0) };
        if proficiency[own] >= thresholds.relevant_min {
            Role::Relevant
        } else if proficiency[other] >= thresholds.relevant_min {
            Role::Misaligned
        } else if lambda.iter().all(|&lambda| lambda <= thresholds.irrelevant_max) {
            Role::Irrelevant
        } else {
            Role::Ambiguous
        }
    }
}
