//! C1, C2: the file's criterion beside another, on the same models.

use super::{Definition, PLAIN, Rule};
use crate::claims::assumptions::Assumption;
use crate::claims::comparison::Direction;
use crate::sim::ClaimId;

use Assumption::{Balance, Labels, Rate, Roles, Travel};

pub(super) const CLAIMS: &[Definition] = &[
    Definition {
        id: ClaimId::C1,
        statement: "pruning by the file's criterion is at least as accurate as pruning by another at every ratio ρ ≤ γ (or `ratio`)",
        holds_if: "at no ρ ≤ γ (or `ratio`) the other's accuracy on the same samples is higher by more than `margin`. Judged pairwise: SUPPORTED if a test rejects that runs in which the other is better somewhere are more than those in which the file's is, by 1 − level or more; REFUTED if the exact McNemar test rejects that they are not more",
        figure: "worst difference of accuracies",
        assumptions: &[Labels, Balance, Roles, Travel, Rate],
        source: "Chowdhury et al. 2024, their experiments' comparison; the pairwise tests are ours",
        rule: Rule::Compared(Direction::NotWorse),
        ..PLAIN
    },
    Definition {
        id: ClaimId::C2,
        statement: "pruning by the file's criterion is more accurate than pruning by another at some ratio ρ ≤ γ (or `ratio`)",
        holds_if: "at some ρ ≤ γ (or `ratio`) its accuracy on the same samples is higher by more than `margin`. Judged pairwise: SUPPORTED if the exact McNemar test rejects that runs in which it is better somewhere are not more than those in which the other is; REFUTED if a test rejects that they are more by 1 − level or more",
        figure: "worst difference of accuracies",
        assumptions: &[Labels, Balance, Roles, Travel, Rate],
        source: "ours: C1 with the roles of the two criteria exchanged, and its verdict turned",
        rule: Rule::Compared(Direction::Better),
        ..PLAIN
    },
];
