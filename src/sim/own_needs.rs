//! What a claim of a file needs of the points that it is judged at: that what it reads is measured there.

use super::claim_name::ClaimName;
use super::claim_words::RoleSource;
use super::consistency::{
    check_bits_for, check_certificates_for, check_half_batches_for, check_measured_for, check_pruned_certificates_for,
    check_rare_for, check_roles_for, check_routers_for, check_trajectories_for,
};
use super::contradiction::Contradiction;
use super::formula::Formula;
use super::grid::Point;
use super::own_claim::{Assumed, OwnClaim};
use super::parameters::Criterion;
use crate::record::vocabulary::vocabulary;

impl OwnClaim {
    /// Refuses a point where a column that the claim reads is empty in every run.
    pub(super) fn check_at(&self, name: &ClaimName, roles: RoleSource, point: &Point) -> Result<(), Contradiction> {
        let met = self.assumes.iter().filter_map(|assumed| match assumed {
            Assumed::Own(own) => Some(&own.met),
            Assumed::Known(_) => None,
        });
        for formula in self.formulas().map(|(_, formula)| formula).chain(met) {
            check_formula(formula, name, roles, point)?;
        }
        Ok(())
    }

    /// Whether it assumes something of the theory.
    pub(super) fn assumes_theory(&self) -> bool {
        self.assumes.iter().any(|assumed| matches!(assumed, Assumed::Known(_)))
    }
}

fn check_formula(formula: &Formula, name: &ClaimName, roles: RoleSource, point: &Point) -> Result<(), Contradiction> {
    let parameters = &point.parameters;
    let program = &formula.program;
    for other in program.others() {
        Criterion::ALL.get(*other).map_or(Ok(()), |criterion| check_measured_for(name, *criterion, parameters))?;
    }
    let columns = program.reads().iter().filter_map(|cell| vocabulary().schema.column(*cell));
    for column in columns {
        let (table, short) = column.path.split_once('.').unwrap_or_default();
        match (table, short) {
            ("experts", "relevant" | "irrelevant" | "misaligned" | "ambiguous") => {
                check_roles_for(name, roles, parameters)?;
            }
            ("experts", "role") => check_roles_for(name, RoleSource::Measured, parameters)?,
            ("experts", "built_role") => check_roles_for(name, RoleSource::Built, parameters)?,
            ("experts", "common" | "feature" | "built_feature") | ("pruning", "accuracy_common" | "accuracy_rare") => {
                check_rare_for(name, parameters)?;
            }
            (
                "experts",
                "norm_0"
                | "norm_t"
                | "delta"
                | "delta_centred"
                | "displacement"
                | "displacement_class"
                | "router_norm_change"
                | "router_displacement",
            ) => check_routers_for(name, parameters)?,
            ("experts", "noise_squared" | "drift_squared" | "leakage_squared") => {
                check_half_batches_for(name, parameters)?;
            }
            ("runs", "bits_common" | "bits_rare" | "bits_irrelevant") => check_bits_for(name, roles, parameters)?,
            (
                "runs" | "pruning",
                "certificate" | "margin_lower" | "sum_bound" | "margin_met" | "certificate_subsets",
            ) => {
                check_certificates_for(name, parameters)?;
                if table == "pruning" || short == "certificate_subsets" {
                    check_pruned_certificates_for(name, parameters)?;
                }
            }
            ("trajectory", _) => check_trajectories_for(name, point)?,
            ("experts", score) => {
                let criterion = Criterion::ALL.iter().find(|criterion| criterion.name().replace('-', "_") == score);
                match criterion {
                    Some(criterion) if !criterion.is_always_scored() => {
                        check_measured_for(name, *criterion, parameters)?
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    Ok(())
}
