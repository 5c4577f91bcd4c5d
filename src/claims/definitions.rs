//! The claims as data: what each says, of which figure, under which assumptions.

use super::assumptions::Assumption;

/// One claim of the theory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Definition {
    /// Its name.
    pub id: &'static str,
    /// The claim in words.
    pub statement: &'static str,
    /// What has to be true of one run for the claim to hold there.
    pub holds_if: &'static str,
    /// The figure whose median the tables show beside the verdict; empty if there is none.
    pub figure: &'static str,
    /// The assumptions under which it is claimed (`on = "met"`).
    pub assumptions: &'static [Assumption],
    /// Where it comes from.
    pub source: &'static str,
}

use Assumption::{Activation, Balance, Batch, Gauge, Labels, Rate, Roles, Travel};

/// Every claim, in the order of the theory.
pub static DEFINITIONS: &[Definition] = &[
    Definition {
        id: "T0",
        statement: "the fine-tuned, unpruned model generalizes",
        holds_if: "no error among the test samples (an error is y·f(x) ≤ 0)",
        figure: "accuracy of the unpruned model",
        assumptions: &[Labels, Balance, Roles, Travel, Rate],
        source: "Chowdhury et al. 2024 (arXiv 2405.16646), the premise of Theorem 2",
    },
    Definition {
        id: "T1a",
        statement: "relevant experts' router norm change is Ω(1)",
        holds_if: "min Δ over relevant experts ≥ c₁",
        figure: "min Δ over relevant experts",
        assumptions: &[Labels, Balance, Roles, Gauge, Travel, Rate],
        source: "Chowdhury et al. 2024, Theorem 1, first half",
    },
    Definition {
        id: "T1c",
        statement: "Δ separates the relevant experts from all others",
        holds_if: "min Δ over relevant experts > max Δ over all others",
        figure: "min relevant Δ − max Δ of the others",
        assumptions: &[Labels, Balance, Roles, Batch, Gauge, Travel, Rate],
        source: "Chowdhury et al. 2024, what Theorem 1 is used for",
    },
    Definition {
        id: "T1c-D",
        statement: "the displacement D separates the relevant experts from all others",
        holds_if: "min D over relevant experts > max D over all others",
        figure: "min relevant D − max D of the others",
        assumptions: &[Labels, Balance, Roles, Batch, Travel, Rate],
        source: "ours: T1c for a measure that no gauge changes (L11)",
    },
    Definition {
        id: "T1c-Δᶜ",
        statement: "the centred norm change Δᶜ separates the relevant experts from all others",
        holds_if: "min Δᶜ over relevant experts > max Δᶜ over all others",
        figure: "min relevant Δᶜ − max Δᶜ of the others",
        assumptions: &[Labels, Balance, Roles, Batch, Travel, Rate],
        source: "ours: T1c for a measure that no gauge changes (L11)",
    },
    Definition {
        id: "T2a",
        statement: "pruning up to the share γ of irrelevant experts needs no further fine-tuning",
        holds_if: "no error among the test samples at every pruning ratio ρ ≤ γ",
        figure: "γ",
        assumptions: &[Labels, Balance, Roles, Batch, Gauge, Activation, Travel, Rate],
        source: "Chowdhury et al. 2024, Theorem 2, first half",
    },
    Definition {
        id: "T2b",
        statement: "pruning up to 1 − c/k is enough with further fine-tuning",
        holds_if: "no error after T′ iterations at every listed number of experts kept ≥ c",
        figure: "accuracy at the smallest listed number kept ≥ c",
        assumptions: &[Labels, Balance, Roles, Batch, Gauge, Travel, Rate],
        source: "Chowdhury et al. 2024, Theorem 2, second half",
    },
];

/// The definition of a claim.
pub fn definition(id: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|definition| definition.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::CLAIM_IDS;

    #[test]
    fn every_claim_that_a_file_may_name_is_defined() {
        let named: Vec<&str> = CLAIM_IDS.iter().map(|claim| claim.id).collect();
        let defined: Vec<&str> = DEFINITIONS.iter().map(|definition| definition.id).collect();
        assert_eq!(named, defined);
    }
}
