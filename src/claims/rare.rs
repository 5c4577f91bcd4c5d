//! Claims about experts for rare features: pruned with the irrelevant ones, or protected from few bits.

use super::evidence::{Evidence, Finding, role};
use crate::measure::Role;
use crate::record::{ExpertRow, PruningRow};
use crate::sim::{ClaimSpec, RoleSource};
use crate::stats::decimal::{difference, product};

impl Evidence<'_> {
    /// Q1. Here and below a run without the figure counts against.
    pub(super) fn loses_the_rare(&self, claim: &ClaimSpec) -> Finding {
        let Some((unpruned, pruned)) = self.common_experts_alone(claim.roles) else { return Finding::FAILS };
        let share = self.parameters.data.rare_share;
        let least = product(claim.threshold.unwrap_or(f64::NAN), share);
        let fall = unpruned.correct().zip(pruned.correct()).map(|(unpruned, pruned)| unpruned.minus(pruned));
        let figure = unpruned.accuracy.zip(pruned.accuracy).map(|(unpruned, pruned)| (unpruned - pruned) / share);
        Finding::new(fall.is_some_and(|fall| fall >= least), figure)
    }

    /// Q2.
    pub(super) fn rare_needs_more_bits(&self) -> Finding {
        of_figure(self.more_bits_than_common(self.run.bits_rare), |more| more > 0.0)
    }

    /// Q3.
    pub(super) fn bits_follow_the_rule(&self, most: f64) -> Finding {
        let off = self.more_bits_than_common(self.run.bits_rare).map(|more| more - self.log_odds());
        of_figure(off, |off| off.abs() <= most)
    }

    /// Q4.
    pub(super) fn irrelevant_needs_no_bits(&self) -> Finding {
        of_figure(self.more_bits_than_common(self.run.bits_irrelevant), |more| more <= 0.0)
    }

    fn more_bits_than_common(&self, bits: Option<f64>) -> Option<f64> {
        Some(bits? - self.run.bits_common?)
    }

    /// log₂((1 − α)/α).
    fn log_odds(&self) -> f64 {
        let share = self.parameters.data.rare_share;
        libm::log2(difference(1.0, share) / share)
    }

    /// The unpruned model, and the one that keeps as many experts as are relevant for a common feature.
    fn common_experts_alone(&self, roles: RoleSource) -> Option<(&PruningRow, &PruningRow)> {
        let feature = |row: &ExpertRow| match roles {
            RoleSource::Measured => row.feature,
            RoleSource::Built => row.built_feature,
        };
        let is_common = |row: &&ExpertRow| role(row, roles) == Role::Relevant && feature(row) == Some(0);
        let common = self.experts.iter().filter(is_common).count();
        let pruned = self.own().iter().find(|row| !row.finetuned && row.kept == common)?;
        Some((self.unpruned()?, pruned))
    }
}

fn of_figure(figure: Option<f64>, holds: impl Fn(f64) -> bool) -> Finding {
    Finding::new(figure.is_some_and(holds), figure)
}
