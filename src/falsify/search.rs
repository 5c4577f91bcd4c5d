//! The search: a Latin hypercube, then steps from the candidates that are nearest to failing.

use super::candidate::{latin_hypercube, neighbour};
use super::{Candidate, Evaluation, Evaluator};
use crate::patterns::{Purpose, stream};
use crate::stats::interval::clopper_pearson;
use rand::RngExt;

/// Candidates of one hypercube; hypercubes are drawn until so many of them lie within the assumptions, if the budget allows.
const START: usize = 128;
/// Candidates drawn at most for that.
const MOST_DRAWN: u64 = 20_000;
/// Runs of a candidate before it is suspected.
const FEW: u64 = 4;
/// Runs that confirm a failure.
pub(crate) const CONFIRM: u64 = 40;
/// Error of all confirmations of a search together.
const ALPHA: f64 = 0.01;
/// Candidates that steps are made from.
const POOL: usize = 8;

/// A failure.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The setting.
    pub candidate: Candidate,
    /// What its confirming runs said.
    pub result: Evaluation,
}

/// What a search did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The failure, if there is one.
    pub found: Option<Found>,
    /// Candidates tried.
    pub candidates: usize,
    /// Of the hypercube: candidates tried, those within the assumptions, runs within them, and runs in which the claim failed.
    pub start: Start,
    /// Runs made in all, but for confirmations.
    pub runs: u64,
    /// Candidates that seemed to fail.
    pub suspected: usize,
    /// Of all candidates within the assumptions, the one nearest to failing.
    pub(crate) nearest: Option<(Candidate, Evaluation)>,
}

/// What the hypercube says of the region as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Candidates drawn.
    pub candidates: u64,
    /// Of them, within the assumptions, and run.
    pub within: u64,
    /// Of them, candidates with a run in which the claim failed.
    pub failing: u64,
}

impl Start {
    /// Upper 95 % bound on the probability that a candidate drawn uniformly from the part of the region within the assumptions
    /// shows a failure in the runs of one look, as for independent candidates; a hypercube is more even than that.
    pub fn failure_bound(&self) -> f64 {
        if self.within == 0 { 1.0 } else { clopper_pearson(self.failing, self.within, 0.1).high }
    }
}

/// Searches until a failure is confirmed or `is_over`. `tell` is told what happens, line by line.
pub fn search(evaluator: &mut Evaluator, is_over: &dyn Fn() -> bool, tell: &mut dyn FnMut(String)) -> Outcome {
    let mut random = stream(evaluator.seed, Purpose::Criterion);
    let mut outcome = Outcome::default();
    let mut pool: Vec<(Candidate, Evaluation)> = Vec::new();
    // The default is no draw from the region.
    consider(evaluator, Candidate::default_of(evaluator.region), &mut pool, &mut outcome, tell);
    while outcome.found.is_none() && outcome.start.within < START as u64 && outcome.start.candidates < MOST_DRAWN {
        for candidate in latin_hypercube(evaluator.region, START, &mut random) {
            if is_over() || outcome.found.is_some() {
                return outcome;
            }
            outcome.start.candidates += 1;
            if evaluator.is_likely_within(&candidate)
                && let Some(look) = consider(evaluator, candidate, &mut pool, &mut outcome, tell)
            {
                outcome.start.within += u64::from(look.is_within());
                outcome.start.failing += u64::from(look.is_within() && look.holds < look.met);
            }
        }
    }
    let mut step = 0.2;
    while !is_over() && outcome.found.is_none() {
        if pool.is_empty() {
            let candidate = latin_hypercube(evaluator.region, 1, &mut random).remove(0);
            consider(evaluator, candidate, &mut pool, &mut outcome, tell);
            continue;
        }
        let from = &pool[random.random_range(0..pool.len())].0;
        let candidate = neighbour(evaluator.region, from, step, &mut random);
        if evaluator.is_likely_within(&candidate) {
            consider(evaluator, candidate, &mut pool, &mut outcome, tell);
        }
        step = if step < 0.03 { 0.3 } else { 0.97 * step };
    }
    outcome
}

/// Looks at a candidate; confirms it if it seems to fail, and keeps it in the pool if it is near to that.
fn consider(
    evaluator: &mut Evaluator,
    candidate: Candidate,
    pool: &mut Vec<(Candidate, Evaluation)>,
    outcome: &mut Outcome,
    tell: &mut dyn FnMut(String),
) -> Option<Evaluation> {
    outcome.candidates += 1;
    let result = evaluator.evaluate(&candidate, FEW)?;
    outcome.runs += result.runs;
    if !result.is_within() {
        return Some(result);
    }
    let failures = result.met - result.holds.min(result.met);
    if failures > 0 && (evaluator.is_on_slopes() && result.p_refuted <= 0.05 || !evaluator.is_on_slopes()) {
        outcome.suspected += 1;
        let confirmed = evaluator.evaluate(&candidate, CONFIRM)?;
        // Each confirmation spends its own part of the error: Σ 1/(i(i+1)) = 1.
        let number = outcome.suspected as f64;
        if confirmed.is_within() && confirmed.p_refuted <= ALPHA / (number * (number + 1.0)) {
            tell(format!(
                "candidate {}: fails, {} of {} runs hold",
                outcome.candidates, confirmed.holds, confirmed.met
            ));
            outcome.found = Some(Found { candidate: candidate.clone(), result: confirmed });
        }
    }
    let is_nearer = |other: &Option<(Candidate, Evaluation)>| {
        other.as_ref().is_none_or(|(_, nearest)| result.score() < nearest.score())
    };
    if is_nearer(&outcome.nearest) {
        outcome.nearest = Some((candidate.clone(), result.clone()));
    }
    pool.push((candidate, result.clone()));
    pool.sort_by(|a, b| a.1.score().total_cmp(&b.1.score()));
    pool.truncate(POOL);
    Some(result)
}
