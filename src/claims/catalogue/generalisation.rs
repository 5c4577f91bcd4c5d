//! T0: the unpruned model generalizes.

use super::{Definition, PLAIN, Rule};
use crate::claims::assumptions::Assumption;
use crate::claims::margin::Margin;
use crate::claims::observation::{Observation, RunDecision};
use crate::sim::{ClaimId, RoleSource};

use Assumption::{Balance, Growth, Labels, Rate, Roles, Travel};

pub(super) const CLAIMS: &[Definition] = &[
    Definition {
        id: ClaimId::T0,
        statement: "the fine-tuned, unpruned model generalizes",
        holds_if: "no error among the test samples (an error is y·f(x) ≤ 0)",
        figure: "accuracy of the unpruned model",
        assumptions: &[Labels, Balance, Roles, Travel, Rate, Growth],
        source: "Chowdhury et al. 2024 (arXiv 2405.16646), the premise of Theorem 2",
        rule: Rule::Written {
            holds: "all(errors = 0 where kept = max(kept where not finetuned) and not finetuned)",
            figure: "max(accuracy where kept = max(kept where not finetuned) and not finetuned)",
        },
        margin: Margin::OfThePath,
        ..PLAIN
    },
    Definition {
        id: ClaimId::T0x,
        statement: "the fine-tuned, unpruned model classifies every input",
        holds_if: "its certificate is CERTIFIED: y·f(x) > 0 is proved for every x of the support; UNDECIDED counts against",
        figure: "proven margin of the unpruned model",
        assumptions: &[Labels, Balance, Roles, Travel, Rate, Growth],
        source: "Chowdhury et al. 2024, the premise of Theorem 2, without sampling (ours)",
        rule: Rule::Property(is_certified),
        ..PLAIN
    },
];

fn is_certified(run: &Observation, _: RoleSource) -> RunDecision {
    run.certified(run.unpruned().as_slice(), 1)
}
