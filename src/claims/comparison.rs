//! What one run says of two criteria that prune the same model.

use super::observation::{Observation, RunDecision};
use crate::record::PruningRow;
use crate::sim::{CriterionComparison, Feature, RoleSource};
use crate::stats::decimal::Share;

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

impl Observation<'_> {
    /// C1 and C2: what the run says of the file's criterion beside another.
    pub fn comparison(&self, asked: &CriterionComparison, roles: RoleSource) -> Comparison {
        let CriterionComparison { against, margin, ratio, feature } = *asked;
        let experts = self.experts.len();
        let irrelevant = self.irrelevant(roles);
        let is_within = |row: &&PruningRow| match ratio {
            Some(ratio) => row.ratio <= ratio,
            None => experts - row.kept <= irrelevant,
        };
        let accuracy = |row: &PruningRow| match feature {
            None => row.accuracy,
            Some(Feature::Common) => row.accuracy_common,
            Some(Feature::Rare) => row.accuracy_rare,
        };
        // Of the samples of a feature the rows hold the share alone, of which the counts follow.
        let correct = |row: &PruningRow| match feature {
            None => row.correct(),
            Some(_) => Share::nearest(accuracy(row)?, row.samples?),
        };
        let others = || self.pruning.iter().filter(|row| row.criterion == against && !row.finetuned);
        let mut seen = Comparison { worse: false, better: false, difference: None };
        for row in self.own().iter().filter(|row| !row.finetuned).filter(is_within) {
            let Some(other) = others().find(|other| other.kept == row.kept) else { return Comparison::MISSING };
            let Some((own, others)) = correct(row).zip(correct(other)) else { return Comparison::MISSING };
            let Some(difference) = accuracy(row).zip(accuracy(other)).map(|(own, other)| own - other) else {
                return Comparison::MISSING;
            };
            seen.worse |= others.minus(own) > margin;
            seen.better |= own.minus(others) > margin;
            seen.difference = Some(seen.difference.map_or(difference, |least| difference.min(least)));
        }
        if seen.difference.is_none() { Comparison::MISSING } else { seen }
    }
}
