//! What claims and maps need of the points that they are judged at.

use super::claim_key::ClaimNeed;
use super::claim_spec::ClaimSpec;
use super::claim_words::{On, RoleSource};
use super::consistency::{
    check_against, check_bits_for, check_built_roles, check_certificates_for, check_finetuning_for,
    check_half_batches_for, check_lemma_for, check_pruned_certificates_for, check_rare_for, check_roles_for,
    check_routers_for, check_setting_for,
};
use super::contradiction::Contradiction;
use super::error::{Place, SimulationError};
use super::grid::Point;
use super::line::lines;
use super::own_claim::OwnClaim;
use super::parameters::Parameters;
use super::phase_spec;
use super::simulation::Simulation;

impl Simulation {
    /// Resolves and checks every point, and checks there what the claims and maps need.
    pub(crate) fn check_points(&self) -> Result<(), SimulationError> {
        let of_claims = self.claims.iter().map(|claim| (claim.label(), claim));
        let of_maps = self.phases.iter().enumerate().flat_map(|(index, phase)| {
            let label = phase_spec::label(index + 1);
            phase.claims.iter().map(move |claim| (format!("{label}: {}", claim.label()), claim))
        });
        let needy: Vec<(String, &ClaimSpec)> = of_claims.chain(of_maps).collect();
        let mut points = Vec::new();
        self.for_each_point(|point| {
            for (label, claim) in &needy {
                if claim.applies_to(point.case.as_deref()) {
                    claim.check_at(&point).map_err(|found| (label.clone(), found))?;
                }
            }
            points.push(point);
            Ok(())
        })?;
        self.check_twins(&points)?;
        self.check_lines(&points)?;
        self.check_maps()
    }

    /// Refuses a claim on slopes whose points make no line that is long enough.
    fn check_lines(&self, points: &[Point]) -> Result<(), SimulationError> {
        for claim in self.claims.iter().filter(|claim| claim.id.line().1 > 0) {
            let (along, least) = claim.id.line();
            let own: Vec<&Point> = points.iter().filter(|point| claim.applies_to(point.case.as_deref())).collect();
            let longest = lines(&own, along).iter().map(Vec::len).max().unwrap_or(0);
            if longest < least {
                let found = if longest == 0 { "there is none".into() } else { format!("the longest has {longest}") };
                let problem = format!(
                    "needs a line of points with at least {least} values of {along}, alike in every other swept key: \
                     {found}"
                );
                let place = Place::File(self.file.clone());
                return Err(SimulationError::Conflict { place, key: claim.label(), problem });
            }
        }
        Ok(())
    }

    /// Refuses a table of maps whose axes do not fit the points.
    fn check_maps(&self) -> Result<(), SimulationError> {
        for (index, phase) in self.phases.iter().enumerate() {
            for block in self.blocks().iter().filter(|block| phase.applies_to(block.case())) {
                phase.check(&self.file, index + 1, block.case(), &block.paths())?;
            }
        }
        Ok(())
    }
}

impl ClaimSpec {
    /// Whether the point has what the claim measures.
    pub(crate) fn can_be_judged_at(&self, point: &Point) -> bool {
        self.check_at(point).is_ok()
    }

    /// Refuses a point that lacks what the claim measures.
    fn check_at(&self, point: &Point) -> Result<(), Contradiction> {
        let own = self.id.own();
        if self.on == On::Met && own.is_none_or(OwnClaim::assumes_theory) {
            check_setting_for(&self.id, &point.parameters)?;
        }
        if self.roles == RoleSource::Built {
            check_built_roles(&point.parameters)?;
        }
        own.map_or(Ok(()), |own| own.check_at(&self.id, self.roles, point))?;
        self.id.needs().iter().try_for_each(|need| self.check_need(*need, &point.parameters))
    }

    fn check_need(&self, need: ClaimNeed, parameters: &Parameters) -> Result<(), Contradiction> {
        let id = &self.id;
        match need {
            ClaimNeed::Roles => check_roles_for(id, self.roles, parameters),
            ClaimNeed::Routers => check_routers_for(id, parameters),
            ClaimNeed::Lemma => check_lemma_for(id, parameters),
            ClaimNeed::HalfBatches => check_half_batches_for(id, parameters),
            ClaimNeed::Certificates => check_certificates_for(id, parameters),
            ClaimNeed::PrunedCertificates => check_pruned_certificates_for(id, parameters),
            ClaimNeed::Finetuning => self.threshold().map_or(Ok(()), |least| check_finetuning_for(least, parameters)),
            ClaimNeed::RareFeatures => check_rare_for(id, parameters),
            ClaimNeed::Bits => check_bits_for(id, self.roles, parameters),
            ClaimNeed::OtherCriterion => self.comparison().map_or(Ok(()), |comparison| {
                // γ, which a ratio stands for, is the share of irrelevant experts.
                if comparison.ratio.is_none() {
                    check_roles_for(id, self.roles, parameters)?;
                }
                comparison.feature.map_or(Ok(()), |_| check_rare_for(id, parameters))?;
                check_against(id, comparison.against, parameters)
            }),
        }
    }
}
