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
    /// Whether it speaks of the probability that it holds in a run at each point; else only of slopes and constants over
    /// several points.
    pub has_probability: bool,
    /// The assumptions under which it is claimed (`on = "met"`).
    pub assumptions: &'static [Assumption],
    /// Where it comes from.
    pub source: &'static str,
}

use Assumption::{Activation, Aligned, Balance, Batch, Gauge, Growth, Labels, Rate, Roles, Travel};

/// Every claim, in the order of the theory.
pub static DEFINITIONS: &[Definition] = &[
    Definition {
        id: "T0",
        statement: "the fine-tuned, unpruned model generalizes",
        holds_if: "no error among the test samples (an error is y·f(x) ≤ 0)",
        figure: "accuracy of the unpruned model",
        has_probability: true,
        assumptions: &[Labels, Balance, Roles, Travel, Rate, Growth],
        source: "Chowdhury et al. 2024 (arXiv 2405.16646), the premise of Theorem 2",
    },
    Definition {
        id: "T0x",
        statement: "the fine-tuned, unpruned model classifies every input",
        holds_if: "its certificate is CERTIFIED: y·f(x) > 0 is proved for every x of the support; UNDECIDED counts against",
        figure: "proven margin of the unpruned model",
        has_probability: true,
        assumptions: &[Labels, Balance, Roles, Travel, Rate, Growth],
        source: "Chowdhury et al. 2024, the premise of Theorem 2, without sampling (ours)",
    },
    Definition {
        id: "T1a",
        statement: "relevant experts' router norm change is Ω(1)",
        holds_if: "min Δ over relevant experts ≥ c₁",
        figure: "min Δ over relevant experts",
        has_probability: true,
        assumptions: &[Labels, Balance, Roles, Gauge, Travel, Rate],
        source: "Chowdhury et al. 2024, Theorem 1, first half",
    },
    Definition {
        id: "T1b",
        statement: "irrelevant experts' router norm change is O(1/√d)",
        holds_if: "over a sweep of d: the slope of log max |Δ| on log d is at most `slope`, over all d and over the last two octaves; and the largest √d·max |Δ| of all runs of the lower half of the d's bounds that of a run at every d of the upper half. In a phase map: √d·max |Δ| ≤ C",
        figure: "max |Δ| over irrelevant experts",
        has_probability: false,
        assumptions: &[Labels, Balance, Roles, Batch, Travel, Rate],
        source: "Chowdhury et al. 2024, Theorem 1, second half",
    },
    Definition {
        id: "T1c",
        statement: "Δ separates the relevant experts from all others",
        holds_if: "min Δ over relevant experts > max Δ over all others",
        figure: "min relevant Δ − max Δ of the others",
        has_probability: true,
        assumptions: &[Labels, Balance, Roles, Batch, Gauge, Travel, Rate, Aligned],
        source: "Chowdhury et al. 2024, what Theorem 1 is used for",
    },
    Definition {
        id: "T1c-D",
        statement: "the displacement D separates the relevant experts from all others",
        holds_if: "min D over relevant experts > max D over all others",
        figure: "min relevant D − max D of the others",
        has_probability: true,
        assumptions: &[Labels, Balance, Roles, Batch, Travel, Rate, Aligned],
        source: "ours: T1c for a measure that no gauge changes (L11)",
    },
    Definition {
        id: "T1c-Δᶜ",
        statement: "the centred norm change Δᶜ separates the relevant experts from all others",
        holds_if: "min Δᶜ over relevant experts > max Δᶜ over all others",
        figure: "min relevant Δᶜ − max Δᶜ of the others",
        has_probability: true,
        assumptions: &[Labels, Balance, Roles, Batch, Travel, Rate, Aligned],
        source: "ours: T1c for a measure that no gauge changes (L11)",
    },
    Definition {
        id: "T1d",
        statement: "the displacement D of irrelevant experts falls with d, and so do its drift and its noise",
        holds_if: "over a sweep of d: the slopes on log d of log max D, of the root mean square of the noise, and over the last two octaves of that of the drift along irrelevant patterns, are each at most `slope`",
        figure: "max D over irrelevant experts",
        has_probability: false,
        assumptions: &[Labels, Balance, Roles, Batch, Travel, Rate],
        source: "ours: Theorem 1's second half for a measure that no gauge changes (L11)",
    },
    Definition {
        id: "T1d-λ",
        statement: "the leakage of class patterns into irrelevant routers falls with d",
        holds_if: "over a sweep of d: the slope on log d of the root mean square of the drift along the class patterns is at most `slope`",
        figure: "mean squared leakage",
        has_probability: false,
        assumptions: &[Labels, Balance, Roles, Batch, Travel, Rate],
        source: "ours: the term of lemma S1 that has to fall if D is to fall as 1/√d",
    },
    Definition {
        id: "T2a",
        statement: "pruning up to the share γ of irrelevant experts needs no further fine-tuning",
        holds_if: "no error among the test samples at every pruning ratio ρ ≤ γ",
        figure: "γ",
        has_probability: true,
        assumptions: &[Labels, Balance, Roles, Batch, Gauge, Activation, Travel, Rate, Growth],
        source: "Chowdhury et al. 2024, Theorem 2, first half",
    },
    Definition {
        id: "T2ax",
        statement: "pruned up to the share γ of irrelevant experts the model classifies every input, without further fine-tuning",
        holds_if: "the certificate is CERTIFIED at every pruning ratio ρ ≤ γ; UNDECIDED counts against",
        figure: "smallest proven margin at ρ ≤ γ",
        has_probability: true,
        assumptions: &[Labels, Balance, Roles, Batch, Gauge, Activation, Travel, Rate, Growth],
        source: "Chowdhury et al. 2024, Theorem 2, first half, without sampling (ours)",
    },
    Definition {
        id: "T2b",
        statement: "pruning up to 1 − c/k is enough with further fine-tuning",
        holds_if: "no error after T′ iterations at every listed number of experts kept ≥ c",
        figure: "accuracy at the smallest listed number kept ≥ c",
        has_probability: true,
        assumptions: &[Labels, Balance, Roles, Batch, Gauge, Travel, Rate, Growth],
        source: "Chowdhury et al. 2024, Theorem 2, second half",
    },
    Definition {
        id: "S3",
        statement: "no irrelevant router moves further than the finite-sample bound",
        holds_if: "no irrelevant expert with R_s ≤ R and λ ≤ Λ at every t has a D above η_r·R·(T·√(π/8 + (p₁² + p₂²)·Λ²/16) + min(√(T/(8·B·ε)), √(T·L/(4·B)) + √2·L/(3·B))), where π = (n − 1)/(d − 2), L = ln(2/ε), ε = (1 − level)/k",
        figure: "smallest ratio of bound to D",
        has_probability: true,
        assumptions: &[],
        source: "ours: lemma S3, with δ/k for each of the k experts",
    },
    Definition {
        id: "C1",
        statement: "pruning by the file's criterion is at least as accurate as pruning by another at every ratio ρ ≤ γ (or `ratio`)",
        holds_if: "at no ρ ≤ γ (or `ratio`) the other's accuracy on the same samples is higher by more than `margin`. Judged pairwise: SUPPORTED if a test rejects that runs in which the other is better somewhere are more than those in which the file's is, by 1 − level or more; REFUTED if the exact McNemar test rejects that they are not more",
        figure: "worst difference of accuracies",
        has_probability: true,
        assumptions: &[Labels, Balance, Roles, Travel, Rate],
        source: "Chowdhury et al. 2024, their experiments' comparison; the pairwise tests are ours",
    },
    Definition {
        id: "C2",
        statement: "pruning by the file's criterion is more accurate than pruning by another at some ratio ρ ≤ γ (or `ratio`)",
        holds_if: "at some ρ ≤ γ (or `ratio`) its accuracy on the same samples is higher by more than `margin`. Judged pairwise: SUPPORTED if the exact McNemar test rejects that runs in which it is better somewhere are not more than those in which the other is; REFUTED if a test rejects that they are more by 1 − level or more",
        figure: "worst difference of accuracies",
        has_probability: true,
        assumptions: &[Labels, Balance, Roles, Travel, Rate],
        source: "ours: C1 with the roles of the two criteria exchanged, and its verdict turned",
    },
    Definition {
        id: "Q1",
        statement: "pruned to as many experts as serve the common features the model has lost the rare ones",
        holds_if: "with as many experts kept as are relevant for a common feature the accuracy is lower than the unpruned model's by at least `threshold`·α",
        figure: "fall of the accuracy in units of α",
        has_probability: true,
        assumptions: &[Labels, Balance, Roles],
        source: "ours: what is left if a small norm change marks irrelevant and rare experts alike",
    },
    Definition {
        id: "Q2",
        statement: "experts for rare features need more bits than experts for common ones",
        holds_if: "b_rare > b_common, the fewest bits at which the experts of that role can be quantised with both accuracies, on common and on rare features, within 0.01",
        figure: "b_rare − b_common",
        has_probability: true,
        assumptions: &[Labels, Balance, Roles],
        source: "router-norm quantization (arXiv 2604.06515): protect small norm changes",
    },
    Definition {
        id: "Q3",
        statement: "experts for rare features need log₂((1 − α)/α) more bits than experts for common ones",
        holds_if: "|b_rare − b_common − log₂((1 − α)/α)| ≤ `threshold`, with the bits of Q2",
        figure: "b_rare − b_common − log₂((1 − α)/α)",
        has_probability: true,
        assumptions: &[Labels, Balance, Roles],
        source: "router-norm quantization (arXiv 2604.06515), its rule for the two widths",
    },
    Definition {
        id: "Q4",
        statement: "irrelevant experts need no more bits than experts for common features",
        holds_if: "b_irrelevant ≤ b_common, with the bits of Q2: a small norm change alone asks for no bits",
        figure: "b_irrelevant − b_common",
        has_probability: true,
        assumptions: &[Labels, Balance, Roles],
        source: "ours: prune small norm changes (arXiv 2405.16646) and protect them (arXiv 2604.06515) cannot both be right of irrelevant experts",
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
