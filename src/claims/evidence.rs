//! What one run says of one claim.

use super::definitions::Definition;
use super::run_figure::{RunFigure, extreme};
use crate::certify::Verdict;
use crate::measure::Role;
use crate::record::rows::{ExpertRow, PruningRow, RunBody};
use crate::sim::{ClaimSpec, Feature, Parameters, RoleSource};

/// The rows of one run that claims are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The parameters of its point.
    pub parameters: &'a Parameters,
    /// Its row of `runs.csv`.
    pub run: &'a RunBody,
    /// Its rows of `experts.csv`.
    pub experts: &'a [ExpertRow],
    /// Its rows of `pruning.csv`, those of the file's criterion first; none if the run diverged.
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
    /// Experts of which the claim says nothing, because they left its premise while they trained (S3).
    pub outside: u64,
    /// Experts that it looked at (S3).
    pub experts: u64,
    /// Whether it fails for want of a certificate or a counterexample (T0x, T2ax).
    pub undecided: bool,
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

    fn finding(self, holds: impl Fn(&Self) -> bool) -> Finding {
        Finding::new(holds(&self), self.difference)
    }
}

impl Finding {
    pub(super) const FAILS: Finding = Finding::new(false, None);

    pub(super) const fn new(holds: bool, figure: Option<f64>) -> Self {
        Self { holds, figure, outside: 0, experts: 0, undecided: false }
    }
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
            "T0x" => self.is_certified(),
            "T1a" => self.relevant_change_at_least(claim.threshold.unwrap_or(f64::INFINITY), claim.roles),
            "T1b" => self.irrelevant_change_at_most(claim.threshold.unwrap_or(0.0), claim.roles),
            "T1c" => self.separates(|row| row.delta, claim.roles),
            "T1c-D" => self.separates(|row| row.displacement, claim.roles),
            "T1c-Δᶜ" => self.separates(|row| row.delta_centred, claim.roles),
            "T2a" => self.survives_pruning_the_irrelevant(claim.roles),
            "T2ax" => self.is_certified_up_to_the_irrelevant(claim.roles),
            "T2b" => self.survives_with_finetuning(claim.threshold.unwrap_or(f64::INFINITY)),
            "S3" => self.within_finite_sample_bound(claim),
            "C1" => self.comparison(claim).finding(|seen| !seen.worse),
            "C2" => self.comparison(claim).finding(|seen| seen.better),
            "Q1" => self.loses_the_rare(claim),
            "Q2" => self.rare_needs_more_bits(),
            "Q3" => self.bits_follow_the_rule(claim.threshold.unwrap_or(f64::NAN)),
            "Q4" => self.irrelevant_needs_no_bits(),
            _ => Finding::FAILS,
        }
    }

    /// The rows of the criterion that the file's claims are judged by.
    pub fn own(&self) -> &[PruningRow] {
        let Some(first) = self.pruning.first() else { return &[] };
        &self.pruning[..self.pruning.iter().take_while(|row| row.criterion == first.criterion).count()]
    }

    /// C1 and C2: what the run says of the file's criterion beside another.
    pub fn comparison(&self, claim: &ClaimSpec) -> Comparison {
        let (Some(against), Some(margin)) = (claim.against, claim.margin) else { return Comparison::MISSING };
        let experts = self.experts.len();
        let irrelevant = self.experts.iter().filter(|row| role(row, claim.roles) == Role::Irrelevant).count();
        let is_within = |row: &&PruningRow| match claim.ratio {
            Some(ratio) => row.ratio <= ratio,
            None => experts - row.kept <= irrelevant,
        };
        let accuracy = |row: &PruningRow| match claim.feature {
            None => row.accuracy,
            Some(Feature::Common) => row.accuracy_common,
            Some(Feature::Rare) => row.accuracy_rare,
        };
        let others = || self.pruning.iter().filter(|row| row.criterion == against.name() && !row.finetuned);
        let mut seen = Comparison { worse: false, better: false, difference: None };
        for row in self.own().iter().filter(|row| !row.finetuned).filter(is_within) {
            let other = others().find(|other| other.kept == row.kept).and_then(accuracy);
            let Some(difference) = accuracy(row).zip(other).map(|(own, other)| own - other) else {
                return Comparison::MISSING;
            };
            seen.worse |= difference < -margin;
            seen.better |= difference > margin;
            seen.difference = Some(seen.difference.map_or(difference, |least| difference.min(least)));
        }
        if seen.difference.is_none() { Comparison::MISSING } else { seen }
    }

    pub(super) fn unpruned(&self) -> Option<&PruningRow> {
        self.own().iter().find(|row| !row.finetuned && row.kept == self.experts.len())
    }

    /// T0.
    fn without_error(&self) -> Finding {
        let unpruned = self.unpruned();
        Finding::new(unpruned.is_some_and(|row| row.errors == Some(0)), unpruned.and_then(|row| row.accuracy))
    }

    /// T0x.
    fn is_certified(&self) -> Finding {
        self.certified(self.unpruned().as_slice(), 1)
    }

    /// T2ax.
    fn is_certified_up_to_the_irrelevant(&self, roles: RoleSource) -> Finding {
        let experts = self.experts.len();
        let irrelevant = self.experts.iter().filter(|row| role(row, roles) == Role::Irrelevant).count();
        let within = self.own().iter().filter(|row| !row.finetuned && experts - row.kept <= irrelevant);
        self.certified(&within.collect::<Vec<_>>(), irrelevant.min(experts - 1) + 1)
    }

    /// Whether all of `rows`, of which there should be `expected`, are certified.
    fn certified(&self, rows: &[&PruningRow], expected: usize) -> Finding {
        let with = |verdict: Verdict| rows.iter().filter(|row| row.certificate == verdict.word()).count();
        let smallest = extreme(rows.iter().map(|row| row.margin_lower), f64::min);
        let holds = with(Verdict::Certified) == expected && rows.len() == expected;
        let undecided = !holds && with(Verdict::Counterexample) == 0;
        Finding { undecided, ..Finding::new(holds, smallest) }
    }

    /// T1a.
    fn relevant_change_at_least(&self, threshold: f64, roles: RoleSource) -> Finding {
        let smallest = RunFigure::MinRelevantChange.of(self, roles);
        Finding::new(smallest.is_some_and(|delta| delta >= threshold), smallest)
    }

    /// T1b at one point: √d·max |Δ| ≤ C.
    fn irrelevant_change_at_most(&self, constant: f64, roles: RoleSource) -> Finding {
        let root = (self.parameters.data.patterns as f64).sqrt();
        let scaled = RunFigure::MaxChange.of(self, roles).map(|largest| root * largest);
        Finding::new(scaled.is_some_and(|scaled| scaled <= constant), scaled)
    }

    /// T1c: the smallest measure of the relevant experts above the largest of all others.
    fn separates(&self, measure: impl Fn(&ExpertRow) -> Option<f64>, roles: RoleSource) -> Finding {
        let (relevant, others): (Vec<_>, Vec<_>) =
            self.experts.iter().partition(|row| role(row, roles) == Role::Relevant);
        let smallest = extreme(relevant.iter().map(|row| measure(row)), f64::min);
        let largest = extreme(others.iter().map(|row| measure(row)), f64::max);
        match (smallest, largest) {
            (Some(smallest), Some(largest)) => Finding::new(smallest > largest, Some(smallest - largest)),
            // Without others there is nothing to be told apart from.
            (Some(_), None) if others.is_empty() => Finding::new(true, None),
            _ => Finding::FAILS,
        }
    }

    /// T2a.
    fn survives_pruning_the_irrelevant(&self, roles: RoleSource) -> Finding {
        let experts = self.experts.len();
        let irrelevant = self.experts.iter().filter(|row| role(row, roles) == Role::Irrelevant).count();
        let within = self.own().iter().filter(|row| !row.finetuned && experts - row.kept <= irrelevant);
        let without_error = within.clone().filter(|row| row.errors == Some(0)).count();
        // Every ratio from 0 to γ has a row, so a missing one counts as an error.
        let holds = without_error == irrelevant.min(experts - 1) + 1;
        Finding::new(holds, Some(irrelevant as f64 / experts as f64))
    }

    /// T2a with a fixed ratio in place of γ: no error at any pruning ratio up to `ratio`.
    pub fn survives_pruning_up_to(&self, ratio: f64) -> bool {
        let mut within = self.own().iter().filter(|row| !row.finetuned && row.ratio <= ratio).peekable();
        within.peek().is_some() && within.all(|row| row.errors == Some(0))
    }

    /// T2b.
    fn survives_with_finetuning(&self, sufficient: f64) -> Finding {
        let within = || self.own().iter().filter(|row| row.finetuned && row.kept as f64 >= sufficient);
        let smallest = within().min_by_key(|row| row.kept);
        let holds = smallest.is_some() && within().all(|row| row.errors == Some(0));
        Finding::new(holds, smallest.and_then(|row| row.accuracy))
    }

    /// S3, for all experts together: each has the share δ/k of δ = 1 − level.
    fn within_finite_sample_bound(&self, claim: &ClaimSpec) -> Finding {
        let (Some(range), Some(lambda)) = (claim.range, claim.lambda) else { return Finding::FAILS };
        let delta = (1.0 - claim.level) / self.experts.len() as f64;
        let bound = displacement_bound(self.parameters, range, lambda, delta);
        let irrelevant: Vec<&ExpertRow> =
            self.experts.iter().filter(|row| role(row, claim.roles) == Role::Irrelevant).collect();
        let stayed = |row: &&&ExpertRow| {
            row.max_range.is_some_and(|max| max <= range) && row.lambda_max.is_some_and(|max| max <= lambda)
        };
        let inside: Vec<&&ExpertRow> = irrelevant.iter().filter(stayed).collect();
        let ratios = inside.iter().map(|row| row.displacement.map(|displacement| bound / displacement));
        let smallest = extreme(ratios, f64::min);
        let (outside, experts) = ((irrelevant.len() - inside.len()) as u64, irrelevant.len() as u64);
        // A router that left the premise, or diverged, violates nothing.
        Finding { outside, experts, ..Finding::new(smallest.is_none_or(|ratio| ratio >= 1.0), smallest) }
    }
}

/// The right side of lemma S3 for one expert with R_s ≤ `range` and λ ≤ `lambda` at every t, at error `delta`: the three
/// terms of [`bound_terms`] with the noise at its (1 − δ)-quantile in place of its root mean square.
pub fn displacement_bound(parameters: &Parameters, range: f64, lambda: f64, delta: f64) -> f64 {
    let training = &parameters.training;
    let (iterations, batch) = (training.iterations as f64, training.batch as f64);
    let [drift, leakage, _] = bound_terms(parameters, range, lambda);
    let logarithm = libm::log(2.0 / delta);
    // Doob's inequality, or Pinelis's, whichever is smaller.
    let doob = (iterations / (8.0 * batch * delta)).sqrt();
    let pinelis = (iterations * logarithm / (4.0 * batch)).sqrt() + 2f64.sqrt() / 3.0 * logarithm / batch;
    drift.hypot(leakage) + training.router_rate * range * doob.min(pinelis)
}

/// What lemmas S1 and S2 allow an expert with these R and λ at every t to be moved in T steps: drift along irrelevant
/// patterns η_r R T √(π/8), leakage η_r R T λ √(p₁² + p₂²)/4, and the root mean square of the noise η_r R √(T/(8B)).
pub fn bound_terms(parameters: &Parameters, range: f64, lambda: f64) -> [f64; 3] {
    let (data, training) = (&parameters.data, &parameters.training);
    let share = (data.tokens - 1) as f64 / (data.patterns - 2) as f64;
    let (one, two) = (data.class_share, 1.0 - data.class_share);
    let iterations = training.iterations as f64;
    let step = training.router_rate * range;
    [
        step * iterations * (share / 8.0).sqrt(),
        step * iterations * lambda * one.hypot(two) / 4.0,
        step * (iterations / (8.0 * training.batch as f64)).sqrt(),
    ]
}

pub(super) fn role(row: &ExpertRow, source: RoleSource) -> Role {
    match source {
        RoleSource::Measured => row.role,
        RoleSource::Built => row.built_role,
    }
}
