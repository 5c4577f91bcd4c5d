//! What a run says of a claim: whether it meets the claim's assumptions, and whether the claim holds in it.

use super::catalogue::{Definition, Rule};
use super::observation::{Observation, RunDecision};
use super::run_rows::RunRows;
use super::written::{of_programs, written};
use crate::language::Number;
use crate::sim::{Assumed, ClaimName, ClaimSpec, Constants, Formula};

impl Observation<'_> {
    /// Whether the run meets every assumption of a claim of the theory.
    pub fn meets(&self, definition: &Definition) -> bool {
        definition.assumptions.iter().all(|assumption| assumption.is_met(self.run))
    }

    /// The assumptions of a claim that the run misses, as places in their list. One whose value is missing is missed.
    pub(crate) fn missed(&self, claim: &ClaimSpec, assumptions: &[Assumed]) -> Vec<usize> {
        let is_missed = |assumed: &Assumed| match assumed {
            Assumed::Known(known) => !known.is_met(self.run),
            Assumed::Own(own) => own.met.program.truth(&RunRows::new(self, claim)) != Some(true),
        };
        let missed = assumptions.iter().enumerate().filter(|(_, assumed)| is_missed(assumed));
        missed.map(|(place, _)| place).collect()
    }

    /// The figure of a claim of the theory that is written in the language, in the run.
    pub(super) fn figure(&self, claim: &ClaimSpec) -> Option<f64> {
        match claim.id {
            ClaimName::Known(id) => written(id)?.figure(self, claim),
            ClaimName::Own(_) => None,
        }
    }

    /// A number of the run that a claim's file writes.
    pub(super) fn number(&self, formula: &Formula, claim: &ClaimSpec) -> Option<f64> {
        formula.program.number(&RunRows::new(self, claim)).map(Number::float)
    }

    /// What the run says of a claim.
    ///
    /// # Panics
    /// Never for the claims of a simulation: a claim whose rule and constants do not fit does not compile.
    pub fn decision(&self, claim: &ClaimSpec) -> RunDecision {
        let id = match &claim.id {
            ClaimName::Known(id) => *id,
            ClaimName::Own(own) => {
                let [holds, figure] = [&own.holds, &own.figure].map(|own| own.as_ref().map(|formula| &formula.program));
                return of_programs(holds, figure, self, claim);
            }
        };
        match (Definition::of(id).rule, &claim.constants) {
            (Rule::Property(decide), Constants::None) => decide(self, claim.roles),
            (Rule::Written { .. }, Constants::None | Constants::Threshold(_)) => {
                written(id).map_or(RunDecision::WITHOUT_FIGURE, |written| written.decision(self, claim))
            }
            (Rule::WithinRange(decide), Constants::Range { range, lambda }) => decide(self, claim, [*range, *lambda]),
            (Rule::Compared(direction), Constants::Comparison(_)) => self.comparison(claim).decision(direction),
            (rule, constants) => unreachable!("claim {id}: {rule:?} is not decided by {constants:?}"),
        }
    }
}
