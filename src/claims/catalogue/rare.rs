//! Q: experts for rare features, pruned with the irrelevant ones or protected from few bits.

use super::{Definition, PLAIN, Rule};
use crate::claims::assumptions::Assumption;
use crate::sim::ClaimId;

use Assumption::{Balance, Labels, Roles};

pub(super) const CLAIMS: &[Definition] = &[
    Definition {
        id: ClaimId::Q1,
        statement: "pruned to as many experts as serve the common features the model has lost the rare ones",
        holds_if: "with as many experts kept as are relevant for a common feature the accuracy is lower than the unpruned model's by at least `threshold`·α",
        figure: "fall of the accuracy in units of α",
        assumptions: &[Labels, Balance, Roles],
        source: "ours: what is left if a small norm change marks irrelevant and rare experts alike",
        rule: Rule::Written {
            holds: "max(accuracy where not finetuned and kept = max(kept)) - max(accuracy where not finetuned and kept = count(common)) >= threshold * rare_share",
            figure: "(max(accuracy where not finetuned and kept = max(kept)) - max(accuracy where not finetuned and kept = count(common))) / rare_share",
        },
        constant: "by at least {}·α",
        ..PLAIN
    },
    Definition {
        id: ClaimId::Q2,
        statement: "experts for rare features need more bits than experts for common ones",
        holds_if: "b_rare > b_common, the fewest bits at which the experts of that role can be quantised with both accuracies, on common and on rare features, within 0.01",
        figure: "b_rare − b_common",
        assumptions: &[Labels, Balance, Roles],
        source: "router-norm quantization (arXiv 2604.06515): protect small norm changes",
        rule: Rule::Written { holds: "bits_rare > bits_common", figure: "bits_rare - bits_common" },
        ..PLAIN
    },
    Definition {
        id: ClaimId::Q3,
        statement: "experts for rare features need log₂((1 − α)/α) more bits than experts for common ones",
        holds_if: "|b_rare − b_common − log₂((1 − α)/α)| ≤ `threshold`, with the bits of Q2",
        figure: "b_rare − b_common − log₂((1 − α)/α)",
        assumptions: &[Labels, Balance, Roles],
        source: "router-norm quantization (arXiv 2604.06515), its rule for the two widths",
        rule: Rule::Written {
            holds: "abs(bits_rare - bits_common - log2((1 - rare_share) / rare_share)) <= threshold",
            figure: "bits_rare - bits_common - log2((1 - rare_share) / rare_share)",
        },
        constant: "within {} bits",
        ..PLAIN
    },
    Definition {
        id: ClaimId::Q4,
        statement: "irrelevant experts need no more bits than experts for common features",
        holds_if: "b_irrelevant ≤ b_common, with the bits of Q2: a small norm change alone asks for no bits",
        figure: "b_irrelevant − b_common",
        assumptions: &[Labels, Balance, Roles],
        source: "ours: prune small norm changes (arXiv 2405.16646) and protect them (arXiv 2604.06515) cannot both be right of irrelevant experts",
        rule: Rule::Written { holds: "bits_irrelevant <= bits_common", figure: "bits_irrelevant - bits_common" },
        ..PLAIN
    },
];
