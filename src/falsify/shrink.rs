//! A failure made as small and as ordinary as it can be while it still fails.

use super::search::{CONFIRM, Found};
use super::{Candidate, Evaluation, Evaluator};
use crate::sim::resolved_keys;

/// Runs by which a step is judged.
const RUNS: u64 = 20;
/// Largest p at which a candidate counts as failing.
const FAILS: f64 = 0.01;
/// Halvings of the way of one key to its default.
const HALVINGS: usize = 4;
/// Confirmations of the final candidate: at most this many, from the most to the least shrunk.
const CONFIRMATIONS: usize = 3;

/// Shrinks a failure: keys to their defaults, then the sizes k, d, n, B, T down, then what is left towards its default. The
/// result is confirmed on fresh seeds; if it is not, an earlier one is taken.
pub fn shrink(evaluator: &mut Evaluator, found: &Found, is_over: &dyn Fn() -> bool) -> Found {
    let mut steps = vec![found.candidate.clone()];
    let mut best = found.candidate.clone();
    // A second round finds what the first made possible.
    for _ in 0..2 {
        reset(evaluator, &mut best, &mut steps, is_over);
    }
    for place in 0..best.values.len() {
        if evaluator.region.dimensions[place].size {
            shrink_size(evaluator, &mut best, &mut steps, place, is_over);
        }
    }
    for place in 0..best.values.len() {
        if !evaluator.region.dimensions[place].size && best.values[place].is_some() {
            towards_default(evaluator, &mut best, &mut steps, place, is_over);
        }
    }
    reset(evaluator, &mut best, &mut steps, is_over);
    for candidate in steps.iter().rev().take(CONFIRMATIONS) {
        if let Some(result) = evaluator.evaluate(candidate, CONFIRM)
            && fails(&result)
        {
            return Found { candidate: candidate.clone(), result };
        }
    }
    found.clone()
}

/// Gives each key its default where the claim fails all the same.
fn reset(evaluator: &mut Evaluator, best: &mut Candidate, steps: &mut Vec<Candidate>, is_over: &dyn Fn() -> bool) {
    for place in 0..best.values.len() {
        // A size that was made smaller than its default stays so.
        let size = evaluator.region.dimensions[place].size;
        if best.values[place].is_some() && !(size && steps.len() > 1 && is_smaller(evaluator, best, place)) {
            let next = with(best, place, None);
            try_step(evaluator, best, steps, next, is_over);
        }
    }
}

/// Whether a size is below its default.
fn is_smaller(evaluator: &Evaluator, candidate: &Candidate, place: usize) -> bool {
    let sizes = (candidate.values[place], resolved(evaluator, &with(candidate, place, None), place));
    matches!(sizes, (Some(value), Some(default)) if value < default)
}

fn fails(result: &Evaluation) -> bool {
    result.is_within() && result.p_refuted <= FAILS
}

fn with(candidate: &Candidate, place: usize, value: Option<f64>) -> Candidate {
    let mut changed = candidate.clone();
    changed.values[place] = value;
    changed
}

/// Takes a step if the claim still fails; returns whether it did.
fn try_step(
    evaluator: &mut Evaluator,
    best: &mut Candidate,
    steps: &mut Vec<Candidate>,
    next: Candidate,
    is_over: &dyn Fn() -> bool,
) -> bool {
    let next = next.repaired(evaluator.region);
    if next == *best || is_over() || !evaluator.evaluate(&next, RUNS).is_some_and(|result| fails(&result)) {
        return false;
    }
    steps.push(next.clone());
    *best = next;
    true
}

/// The value that a key of the candidate resolves to.
fn resolved(evaluator: &Evaluator, candidate: &Candidate, place: usize) -> Option<f64> {
    let simulation = evaluator.region.simulation(candidate, 1).ok()?;
    let points = simulation.points().ok()?;
    let keys = resolved_keys(&points.first()?.parameters);
    let path = &evaluator.region.dimensions[place].path;
    keys.iter().find(|(key, _)| key == path).and_then(|(_, value)| value.parse().ok())
}

/// Halves a size as long as the claim fails.
fn shrink_size(
    evaluator: &mut Evaluator,
    best: &mut Candidate,
    steps: &mut Vec<Candidate>,
    place: usize,
    is_over: &dyn Fn() -> bool,
) {
    let Some(mut value) = resolved(evaluator, best, place) else { return };
    let smallest = evaluator.region.dimensions[place].from;
    let mut factor = 0.5;
    while factor < 0.95 {
        let smaller = (value * factor).round().max(smallest);
        if smaller < value && try_step(evaluator, best, steps, with(best, place, Some(smaller)), is_over) {
            value = resolved(evaluator, best, place).unwrap_or(smaller);
        } else {
            factor = factor.sqrt();
        }
    }
}

/// Moves a key half the way to its default, again and again, as long as the claim fails.
fn towards_default(
    evaluator: &mut Evaluator,
    best: &mut Candidate,
    steps: &mut Vec<Candidate>,
    place: usize,
    is_over: &dyn Fn() -> bool,
) {
    let Some(default) = resolved(evaluator, &with(best, place, None), place) else { return };
    let dimension = evaluator.region.dimensions[place].clone();
    let mut share = 0.5;
    for _ in 0..HALVINGS {
        let Some(value) = best.values[place] else { return };
        let (from, to) = (dimension.place(value), dimension.place(default));
        let next = dimension.at(from + share * (to - from));
        if next == value || !try_step(evaluator, best, steps, with(best, place, Some(next)), is_over) {
            share *= 0.5;
        }
    }
}
