//! What one run says of one claim.

use super::definitions::Definition;
use crate::measure::Role;
use crate::record::rows::{ExpertRow, PruningRow, RunBody};
use crate::sim::{ClaimSpec, RoleSource};

/// The rows of one run that claims are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// Its row of `runs.csv`.
    pub run: &'a RunBody,
    /// Its rows of `experts.csv`.
    pub experts: &'a [ExpertRow],
    /// Its rows of `pruning.csv`; none if the run diverged.
    pub pruning: &'a [PruningRow],
}

/// What one run says of one claim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// Whether the claim holds in the run. A run without the figure (it diverged, or has no relevant expert) does not
    /// count as one where it holds.
    pub holds: bool,
    /// The figure that the claim is about.
    pub figure: Option<f64>,
}

impl Finding {
    const FAILS: Finding = Finding { holds: false, figure: None };
}

impl Evidence<'_> {
    /// Whether the run meets every assumption of a claim.
    pub fn meets(&self, definition: &Definition) -> bool {
        self.missed(definition).next().is_none()
    }

    /// The assumptions of a claim that the run misses, as places in the definition's list.
    pub fn missed<'b>(&'b self, definition: &'b Definition) -> impl Iterator<Item = usize> + 'b {
        let assumptions = definition.assumptions.iter().enumerate();
        assumptions.filter(|(_, assumption)| !assumption.is_met(self.run)).map(|(place, _)| place)
    }

    /// What the run says of a claim.
    pub fn finding(&self, claim: &ClaimSpec) -> Finding {
        match claim.id.as_str() {
            "T0" => self.without_error(),
            "T1a" => self.relevant_change_at_least(claim.threshold.unwrap_or(f64::INFINITY), claim.roles),
            "T1c" => self.separates(|row| row.delta, claim.roles),
            "T1c-D" => self.separates(|row| row.displacement, claim.roles),
            "T1c-Δᶜ" => self.separates(|row| row.delta_centred, claim.roles),
            "T2a" => self.survives_pruning_the_irrelevant(claim.roles),
            "T2b" => self.survives_with_finetuning(claim.threshold.unwrap_or(f64::INFINITY)),
            _ => Finding::FAILS,
        }
    }

    fn unpruned(&self) -> Option<&PruningRow> {
        self.pruning.iter().find(|row| !row.finetuned && row.kept == self.experts.len())
    }

    /// T0.
    fn without_error(&self) -> Finding {
        let unpruned = self.unpruned();
        Finding {
            holds: unpruned.is_some_and(|row| row.errors == Some(0)),
            figure: unpruned.and_then(|row| row.accuracy),
        }
    }

    /// T1a.
    fn relevant_change_at_least(&self, threshold: f64, roles: RoleSource) -> Finding {
        let relevant = self.experts.iter().filter(|row| role(row, roles) == Role::Relevant);
        let smallest = extreme(relevant.map(|row| row.delta), f64::min);
        Finding { holds: smallest.is_some_and(|delta| delta >= threshold), figure: smallest }
    }

    /// T1c: the smallest measure of the relevant experts above the largest of all others.
    fn separates(&self, measure: impl Fn(&ExpertRow) -> Option<f64>, roles: RoleSource) -> Finding {
        let (relevant, others): (Vec<_>, Vec<_>) =
            self.experts.iter().partition(|row| role(row, roles) == Role::Relevant);
        let smallest = extreme(relevant.iter().map(|row| measure(row)), f64::min);
        let largest = extreme(others.iter().map(|row| measure(row)), f64::max);
        match (smallest, largest) {
            (Some(smallest), Some(largest)) => Finding { holds: smallest > largest, figure: Some(smallest - largest) },
            // Without others there is nothing to be told apart from.
            (Some(_), None) if others.is_empty() => Finding { holds: true, figure: None },
            _ => Finding::FAILS,
        }
    }

    /// T2a.
    fn survives_pruning_the_irrelevant(&self, roles: RoleSource) -> Finding {
        let experts = self.experts.len();
        let irrelevant = self.experts.iter().filter(|row| role(row, roles) == Role::Irrelevant).count();
        let within = self.pruning.iter().filter(|row| !row.finetuned && experts - row.kept <= irrelevant);
        let without_error = within.clone().filter(|row| row.errors == Some(0)).count();
        Finding {
            // Every ratio from 0 to γ has a row, so a missing one counts as an error.
            holds: without_error == irrelevant.min(experts - 1) + 1,
            figure: Some(irrelevant as f64 / experts as f64),
        }
    }

    /// T2b.
    fn survives_with_finetuning(&self, sufficient: f64) -> Finding {
        let within = || self.pruning.iter().filter(|row| row.finetuned && row.kept as f64 >= sufficient);
        let smallest = within().min_by_key(|row| row.kept);
        Finding {
            holds: smallest.is_some() && within().all(|row| row.errors == Some(0)),
            figure: smallest.and_then(|row| row.accuracy),
        }
    }
}

fn role(row: &ExpertRow, source: RoleSource) -> Role {
    match source {
        RoleSource::Measured => row.role,
        RoleSource::Built => row.built_role,
    }
}

/// The extreme of the figures; `None` if there are none or one is missing.
fn extreme(figures: impl Iterator<Item = Option<f64>>, pick: fn(f64, f64) -> f64) -> Option<f64> {
    figures.collect::<Option<Vec<f64>>>()?.into_iter().reduce(pick)
}
