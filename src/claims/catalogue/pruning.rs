//! T2: what is left of the model when experts are pruned.

use super::{Definition, PLAIN, Rule};
use crate::claims::assumptions::Assumption;
use crate::claims::margin::Margin;
use crate::claims::observation::{Observation, RunDecision};
use crate::claims::run_figure::RunFigure;
use crate::claims::slope_parts::{Along, Method, Side, SlopePart};
use crate::sim::{ClaimId, RoleSource};

use Assumption::{Activation, Balance, Batch, Gauge, Growth, Labels, Rate, Roles, Travel};

pub(super) const CLAIMS: &[Definition] = &[
    Definition {
        id: ClaimId::T2a,
        statement: "pruning up to the share γ of irrelevant experts needs no further fine-tuning",
        holds_if: "no error among the test samples at every pruning ratio ρ ≤ γ",
        figure: "γ",
        assumptions: &[Labels, Balance, Roles, Batch, Gauge, Activation, Travel, Rate, Growth],
        source: "Chowdhury et al. 2024, Theorem 2, first half",
        rule: Rule::Written {
            holds: "count(errors = 0 where not finetuned and max(kept) - kept <= count(irrelevant)) = min(count(irrelevant), max(kept) - 1) + 1",
            figure: "share(irrelevant)",
        },
        margin: Margin::OfThePath,
        ..PLAIN
    },
    Definition {
        id: ClaimId::T2ax,
        statement: "pruned up to the share γ of irrelevant experts the model classifies every input, without further fine-tuning",
        holds_if: "the certificate is CERTIFIED at every pruning ratio ρ ≤ γ; UNDECIDED counts against",
        figure: "smallest proven margin at ρ ≤ γ",
        assumptions: &[Labels, Balance, Roles, Batch, Gauge, Activation, Travel, Rate, Growth],
        source: "Chowdhury et al. 2024, Theorem 2, first half, without sampling (ours)",
        rule: Rule::Property(is_certified_up_to_the_irrelevant),
        ..PLAIN
    },
    Definition {
        id: ClaimId::T2b,
        statement: "pruning up to 1 − c/k is enough with further fine-tuning",
        holds_if: "no error after T′ iterations at every listed number of experts kept ≥ c",
        figure: "accuracy at the smallest listed number kept ≥ c",
        assumptions: &[Labels, Balance, Roles, Batch, Gauge, Travel, Rate, Growth],
        source: "Chowdhury et al. 2024, Theorem 2, second half",
        rule: Rule::Written {
            holds: "all(errors = 0 where finetuned and kept >= threshold)",
            figure: "max(accuracy where finetuned and kept = min(kept where finetuned and kept >= threshold))",
        },
        constant: "c = {}",
        usual_threshold: Some(3.0),
        slopes: &[SlopePart {
            along: Along::Experts,
            method: Method::LeastSquares,
            ..SlopePart::along_patterns(RunFigure::SmallestSufficient, Side::Below)
        }],
        margin: Margin::BelowOne,
        ..PLAIN
    },
];

fn is_certified_up_to_the_irrelevant(run: &Observation, roles: RoleSource) -> RunDecision {
    let within: Vec<_> = run.up_to_the_irrelevant(roles).collect();
    run.certified(&within, run.irrelevant(roles).min(run.experts.len() - 1) + 1)
}
