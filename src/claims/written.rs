//! Claims that are written in the language: a condition on a run, and a figure of it.

use super::catalogue::{DEFINITIONS, Rule};
use super::observation::{Observation, RunDecision};
use super::run_rows::RunRows;
use crate::language::{Expression, Number, Problem, Program, Scope};
use crate::record::vocabulary::vocabulary;
use crate::sim::{ClaimId, ClaimSpec};
use std::sync::LazyLock;

/// What decides a claim in a run.
#[derive(Clone, Debug)]
pub(super) struct Written {
    holds: Program,
    figure: Option<Program>,
}

impl Written {
    /// Reads both texts.
    fn new(holds: &str, figure: Option<&str>) -> Result<Self, Problem> {
        let scope = Scope::new(&vocabulary().schema);
        let holds = Expression::parse(holds)?.condition(&scope)?;
        let figure = figure.map(|figure| Expression::parse(figure)?.number(&scope)).transpose()?;
        Ok(Self { holds, figure })
    }

    /// What the run says of a claim that is decided so.
    pub(super) fn decision(&self, run: &Observation, claim: &ClaimSpec) -> RunDecision {
        of_programs(Some(&self.holds), self.figure.as_ref(), run, claim)
    }

    /// The figure of a run alone.
    pub(super) fn figure(&self, run: &Observation, claim: &ClaimSpec) -> Option<f64> {
        self.figure.as_ref()?.number(&RunRows::new(run, claim)).map(Number::float)
    }
}

/// What a run says by a condition and a figure. A condition without a value does not hold.
pub(super) fn of_programs(
    holds: Option<&Program>,
    figure: Option<&Program>,
    run: &Observation,
    claim: &ClaimSpec,
) -> RunDecision {
    let rows = RunRows::new(run, claim);
    let truth = holds.and_then(|holds| holds.truth(&rows));
    let figure = figure.and_then(|figure| figure.number(&rows)).map(Number::float);
    RunDecision { missing: truth.is_none(), ..RunDecision::new(truth == Some(true), figure) }
}

/// What decides a claim of the theory; `None` if no expression does.
pub(super) fn written(id: ClaimId) -> Option<&'static Written> {
    static ALL: LazyLock<Vec<Option<Written>>> = LazyLock::new(|| {
        let read = |rule: &Rule| match rule {
            // A test reads them all.
            Rule::Written { holds, figure } => Written::new(holds, Some(figure)).ok(),
            _ => None,
        };
        DEFINITIONS.iter().map(|definition| read(&definition.rule)).collect()
    });
    ALL.get(id as usize)?.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::ConstantRule;

    #[test]
    fn every_claim_that_is_written_can_be_read_and_names_its_threshold() {
        for definition in &DEFINITIONS {
            let Rule::Written { holds, figure } = definition.rule else { continue };
            assert!(
                Written::new(holds, Some(figure)).is_ok(),
                "{}: {:?}",
                definition.id,
                Written::new(holds, Some(figure))
            );
            let key = definition.id.key();
            let takes = matches!(key.in_maps.unwrap_or(key.constants), ConstantRule::Threshold { .. });
            let named = Expression::parse(holds).expect("read above").mentions("threshold");
            assert_eq!(named, takes, "{}", definition.id);
        }
    }
}
