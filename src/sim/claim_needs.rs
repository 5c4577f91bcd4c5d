//! What claims and maps need of the points that they are judged at.

use super::claim_key::find_claim;
use super::claim_spec::ClaimSpec;
use super::claim_words::{On, RoleSource};
use super::consistency::{
    Contradiction, check_against, check_bits_for, check_built_roles, check_certificates_for, check_half_batches_for,
    check_lemma_for, check_rare_for, check_roles_for, check_setting_for, check_t2b,
};
use super::error::{Place, SimulationError};
use super::grid::Point;
use super::line::lines;
use super::phase_spec;
use super::simulation::Simulation;
use std::collections::BTreeSet;

/// The key that slopes are taken along.
const ALONG: &str = "data.patterns";

impl Simulation {
    /// Resolves and checks every point, and checks there what the claims and maps need.
    pub(crate) fn check_points(&self) -> Result<(), SimulationError> {
        let of_claims = self.claims.iter().map(|claim| (claim.label(), claim));
        let of_maps = self.phases.iter().enumerate().flat_map(|(index, phase)| {
            let label = phase_spec::label(index + 1);
            phase.claims.iter().map(move |claim| (format!("{label}: {}", claim.label()), claim))
        });
        let needy: Vec<(String, &ClaimSpec)> = of_claims.chain(of_maps).collect();
        self.for_each_point(|point| {
            for (label, claim) in &needy {
                if claim.applies_to(point.case.as_deref()) {
                    claim.check_at(&point).map_err(|found| (label.clone(), found))?;
                }
            }
            Ok(())
        })?;
        self.check_lines()?;
        self.check_maps()
    }

    /// Refuses a claim on slopes whose points make no line that is long enough.
    fn check_lines(&self) -> Result<(), SimulationError> {
        let on_lines = |claim: &ClaimSpec| find_claim(&claim.id).map_or(0, |key| key.line);
        if self.claims.iter().all(|claim| on_lines(claim) == 0) {
            return Ok(());
        }
        let points = self.points()?;
        for claim in &self.claims {
            let least = on_lines(claim);
            let own: Vec<&Point> = points.iter().filter(|point| claim.applies_to(point.case.as_deref())).collect();
            let longest = lines(&own, ALONG).iter().map(|line| values(line)).max().unwrap_or(0);
            if longest < least {
                let found = if longest == 0 { "there is none".into() } else { format!("the longest has {longest}") };
                let problem = format!(
                    "needs a line of points with at least {least} values of {ALONG}, alike in every other swept key: \
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

/// How many values of the key the points of a line have: two settings may resolve to one value.
fn values(line: &[&Point]) -> usize {
    line.iter().map(|point| point.parameters.data.patterns).collect::<BTreeSet<_>>().len()
}

impl ClaimSpec {
    /// Whether the claim is about relevant or irrelevant experts.
    fn speaks_of_roles(&self) -> bool {
        match self.id.as_str() {
            "T0" | "T0x" | "T2b" => false,
            "C1" | "C2" => self.ratio.is_none(),
            _ => true,
        }
    }

    /// Refuses a point that lacks what the claim measures.
    fn check_at(&self, point: &Point) -> Result<(), Contradiction> {
        if self.on == On::Met {
            check_setting_for(&self.id, &point.parameters)?;
        }
        if self.speaks_of_roles() {
            check_roles_for(&self.id, &point.parameters)?;
        }
        if self.roles == RoleSource::Built {
            check_built_roles(&point.parameters)?;
        }
        match (self.id.as_str(), self.threshold) {
            ("S3", _) => check_lemma_for("S3", &point.parameters),
            ("T2b", Some(threshold)) => check_t2b(threshold, &point.parameters),
            (id, _) if find_claim(id).is_some_and(|key| key.half_batches) => {
                check_half_batches_for(id, &point.parameters)
            }
            (id, _) if find_claim(id).is_some_and(|key| key.rare) => {
                check_rare_for(id, &point.parameters)?;
                if find_claim(id).is_some_and(|key| key.bits) {
                    check_bits_for(id, self.roles, &point.parameters)?;
                }
                Ok(())
            }
            (id, _) if find_claim(id).is_some_and(|key| key.certificates) => {
                check_certificates_for(id, &point.parameters)
            }
            (id, _) => {
                self.feature.map_or(Ok(()), |_| check_rare_for(id, &point.parameters))?;
                self.against.map_or(Ok(()), |other| check_against(id, other, &point.parameters))
            }
        }
    }
}
