//! What a run says of a claim: whether it meets the claim's assumptions, and whether the claim holds in it.

use super::catalogue::{Definition, Rule};
use super::observation::{Observation, RunDecision};
use crate::sim::{ClaimSpec, Constants};

impl Observation<'_> {
    /// Whether the run meets every assumption of a claim.
    pub fn meets(&self, definition: &Definition) -> bool {
        self.missed(definition).next().is_none()
    }

    /// The assumptions of a claim that the run misses, as places in the definition's list.
    pub(crate) fn missed<'b>(&'b self, definition: &'b Definition) -> impl Iterator<Item = usize> + 'b {
        let assumptions = definition.assumptions.iter().enumerate();
        assumptions.filter(|(_, assumption)| !assumption.is_met(self.run)).map(|(place, _)| place)
    }

    /// What the run says of a claim.
    ///
    /// # Panics
    /// Never for the claims of a simulation: a claim whose rule and constants do not fit does not compile.
    pub fn decision(&self, claim: &ClaimSpec) -> RunDecision {
        match (Definition::of(claim.id).rule, &claim.constants) {
            (Rule::Property(decide), Constants::None) => decide(self, claim.roles),
            (Rule::Bounded(decide), Constants::Threshold(constant)) => decide(self, claim.roles, *constant),
            (Rule::WithinRange(decide), Constants::Range { range, lambda }) => decide(self, claim, [*range, *lambda]),
            (Rule::Compared(direction), Constants::Comparison(asked)) => {
                self.comparison(asked, claim.roles).decision(direction)
            }
            (rule, constants) => unreachable!("claim {}: {rule:?} is not decided by {constants:?}", claim.id),
        }
    }
}
