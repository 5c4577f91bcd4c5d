//! Claims about experts for rare features: pruned with the irrelevant ones, or protected from few bits.

use super::evidence::{Evidence, Finding, role};
use crate::measure::Role;
use crate::sim::{ClaimSpec, RoleSource};

impl Evidence<'_> {
    /// Q1 to Q4. A run without the figure counts against.
    pub(super) fn of_rare_features(&self, claim: &ClaimSpec) -> Finding {
        let threshold = claim.threshold.unwrap_or(f64::NAN);
        let bits = [self.run.bits_rare, self.run.bits_irrelevant].map(|bits| bits.zip(self.run.bits_common));
        let [rare, irrelevant] = bits.map(|bits| bits.map(|(own, common)| own - common));
        let (figure, holds): (Option<f64>, fn(f64, f64) -> bool) = match claim.id.as_str() {
            "Q1" => (self.fall_at_the_common_experts(claim.roles), |fall, least| fall >= least),
            "Q2" => (rare, |difference, _| difference > 0.0),
            "Q3" => (rare.map(|difference| difference - self.log_odds()), |off, most| off.abs() <= most),
            _ => (irrelevant, |difference, _| difference <= 0.0),
        };
        Finding::new(figure.is_some_and(|figure| holds(figure, threshold)), figure)
    }

    /// log₂((1 − α)/α).
    fn log_odds(&self) -> f64 {
        let share = self.parameters.data.rare_share;
        libm::log2((1.0 - share) / share)
    }

    /// By how much the accuracy falls, in units of α, from the unpruned model to the one that keeps as many experts as are
    /// relevant for a common feature.
    fn fall_at_the_common_experts(&self, roles: RoleSource) -> Option<f64> {
        let feature = |row: &crate::record::ExpertRow| match roles {
            RoleSource::Measured => row.feature,
            RoleSource::Built => row.built_feature,
        };
        let is_common = |row: &&crate::record::ExpertRow| role(row, roles) == Role::Relevant && feature(row) == Some(0);
        let common = self.experts.iter().filter(is_common).count();
        let pruned = self.own().iter().find(|row| !row.finetuned && row.kept == common)?;
        let fall = self.unpruned()?.accuracy? - pruned.accuracy?;
        Some(fall / self.parameters.data.rare_share)
    }
}
