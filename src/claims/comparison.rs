//! What one run says of two criteria that prune the same model.

use super::observation::{Observation, RunDecision};
use super::run_rows::RunRows;
use crate::language::{Expression, Program, Scope};
use crate::record::PruningRow;
use crate::record::vocabulary::vocabulary;
use crate::sim::{ClaimSpec, CriterionComparison, Feature};

/// What is claimed of the file's criterion beside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// It is nowhere less accurate.
    NotWorse,
    /// It is somewhere more accurate.
    Better,
}

/// What one run says of two criteria.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// At some ratio the file's criterion is less accurate by more than the margin.
    pub worse: bool,
    /// At some ratio it is more accurate by more than the margin.
    pub better: bool,
    /// The smallest difference over the ratios.
    pub difference: Option<f64>,
}

impl Comparison {
    /// A run without pruned models counts against the claim, whichever it is.
    const MISSING: Comparison = Comparison { worse: true, better: false, difference: None };

    /// What it says of a claim.
    pub(super) fn decision(self, direction: Direction) -> RunDecision {
        let holds = match direction {
            Direction::NotWorse => !self.worse,
            Direction::Better => self.better,
        };
        RunDecision::new(holds, self.difference)
    }
}

/// The two conditions that decide a comparison in a run: that the other criterion is better somewhere, and that the file's
/// is. `None` is any comparison, in placeholders.
pub(crate) fn conditions(asked: Option<&CriterionComparison>) -> [String; 2] {
    let accuracy = match asked.and_then(|asked| asked.feature) {
        None => "accuracy",
        Some(Feature::Common) => "accuracy_common",
        Some(Feature::Rare) => "accuracy_rare",
    };
    let against = asked.map_or("OTHER".to_owned(), |asked| asked.against.to_string());
    let margin = asked.map_or("margin".to_owned(), |asked| asked.margin.to_string());
    let within = match asked.and_then(|asked| asked.ratio) {
        None => "max(kept) - kept <= count(irrelevant)".to_owned(),
        Some(ratio) => format!("ratio <= {ratio}"),
    };
    let other = format!("{accuracy} of {against}");
    [(other.as_str(), accuracy), (accuracy, other.as_str())]
        .map(|(more, less)| format!("any({more} - {less} > {margin} where not finetuned and {within})"))
}

/// The conditions of one comparison, read.
#[derive(Clone, Debug)]
pub(super) struct Conditions([Option<Program>; 2]);

impl Conditions {
    pub fn of(asked: &CriterionComparison) -> Self {
        let scope = Scope::new(&vocabulary().schema);
        // A test reads them all.
        let read = |text: String| Expression::parse(&text).and_then(|text| text.condition(&scope)).ok();
        Self(conditions(Some(asked)).map(read))
    }

    /// What the run says of the claim that these are of.
    pub fn seen_in(&self, run: &Observation, claim: &ClaimSpec) -> Comparison {
        let difference = claim.comparison().and_then(|asked| run.smallest_difference(asked, claim));
        if difference.is_none() {
            return Comparison::MISSING;
        }
        let rows = RunRows::new(run, claim);
        let [worse, better] = self.0.each_ref().map(|own| own.as_ref().and_then(|own| own.truth(&rows)));
        Comparison { worse: worse.unwrap_or(true), better: better.unwrap_or(false), difference }
    }
}

impl Observation<'_> {
    /// C1 and C2: what the run says of the file's criterion beside another.
    pub fn comparison(&self, claim: &ClaimSpec) -> Comparison {
        claim.comparison().map_or(Comparison::MISSING, |asked| Conditions::of(asked).seen_in(self, claim))
    }

    /// The smallest difference of accuracies; `None` if a row lacks what is compared, or there is none.
    fn smallest_difference(&self, asked: &CriterionComparison, claim: &ClaimSpec) -> Option<f64> {
        let (experts, irrelevant) = (self.experts.len(), self.irrelevant(claim.roles));
        let is_within = |row: &&PruningRow| match asked.ratio {
            Some(ratio) => row.ratio <= ratio,
            None => experts - row.kept <= irrelevant,
        };
        let accuracy = |row: &PruningRow| match asked.feature {
            None => row.accuracy,
            Some(Feature::Common) => row.accuracy_common,
            Some(Feature::Rare) => row.accuracy_rare,
        };
        let others = || self.pruning.iter().filter(|row| row.criterion == asked.against && !row.finetuned);
        let own = self.own().iter().filter(|row| !row.finetuned).filter(is_within);
        let difference = |row: &PruningRow| {
            let other = others().find(|other| other.kept == row.kept)?;
            Some(accuracy(row)? - accuracy(other)?)
        };
        own.map(difference).collect::<Option<Vec<f64>>>()?.into_iter().reduce(f64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::parameters::Criterion;

    #[test]
    fn the_conditions_of_every_comparison_can_be_read() {
        for against in Criterion::ALL {
            for feature in [None, Some(Feature::Common), Some(Feature::Rare)] {
                for (margin, ratio) in [(0.0, None), (0.01, Some(0.75)), (1e-7, Some(1e-5)), (1.0, Some(1.0 / 3.0))] {
                    let Conditions(read) =
                        Conditions::of(&CriterionComparison { against: *against, margin, ratio, feature });
                    assert!(read.iter().all(Option::is_some), "{against} {feature:?} {margin} {ratio:?}");
                }
            }
        }
    }
}
