//! The exact extremes of one expert's output over all inputs of a class, and the sum bound.
//!
//! |f_s(x)| = Σ w σ / Σ w over the chosen tokens is a linear-fractional function of which tokens are chosen, so that
//! Dinkelbach's iteration finds its extremes: with μ the value so far, the tokens of smallest w(σ − μ) are chosen until
//! μ no longer changes. Which tokens can be chosen, for l′ = l − 1 irrelevant ones beside o_v, or l without it: without
//! replacement let τ be the (n − 1 − l′)-th smallest irrelevant score. Candidates are the patterns that score above τ,
//! and of those at τ all but as many as must stay behind; o_v ∈ J_s needs τ ≤ u_o, o_v ∉ J_s needs n > l and chosen
//! scores of at least u_o. With replacement every pattern is a candidate; o_v ∈ J_s needs n = l or min_q u_q ≤ u_o.

use super::selection::Smallest;
use super::table::{ExpertTable, LIGHT, ModelTable, Seen};
use crate::patterns::Class;

/// Steps of Dinkelbach's iteration, which converges faster than linearly; the bound is sound wherever it stops.
const STEPS: usize = 50;

/// Which irrelevant patterns an expert can choose, when the class pattern is chosen or when it is not.
struct Candidates {
    /// Irrelevant tokens chosen.
    picks: usize,
    /// Ranks below this may be chosen.
    end: usize,
    /// Ranks from here to `end` are tied at τ.
    tied: usize,
    /// At most this many of the tied ones are chosen.
    tied_limit: usize,
    /// The class pattern, if it is chosen.
    class: Option<Seen>,
}

/// The smallest value of one expert's e·|f_s(x)| over all x of the class, e = ±1: `value` is it up to rounding, `bound`
/// at most it in real arithmetic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extreme {
    /// The extreme up to rounding.
    pub value: f64,
    /// At most the extreme.
    pub bound: f64,
}

/// The smallest e·|f_s(x)| over the inputs of `class`, for e = `direction`.
pub fn extreme(table: &ModelTable, expert: usize, class: Class, direction: f64) -> Extreme {
    let own = &table.experts[expert];
    let cases = [with_class(table, own, class), without_class(table, own, class)];
    let extremes = cases.into_iter().flatten().map(|candidates| dinkelbach(table, own, &candidates, direction));
    let none = Extreme { value: f64::INFINITY, bound: f64::INFINITY };
    let Extreme { value, bound } =
        extremes.fold(none, |a, b| Extreme { value: a.value.min(b.value), bound: a.bound.min(b.bound) });
    Extreme { value, bound: bound - own.slack }
}

/// Σ_s min_x y f_s(x) ≤ min_x y f(x) for the model that keeps the experts `kept`.
pub fn sum_bound(table: &ModelTable, kept: &[usize], class: Class) -> f64 {
    let bounds = kept.iter().map(|&expert| extreme(table, expert, class, table.experts[expert].vote(class)).bound);
    let (sum, size) = bounds.fold((0.0, 0.0), |(sum, size): (f64, f64), bound| (sum + bound, size + bound.abs()));
    sum - kept.len() as f64 * f64::EPSILON * size
}

/// The ranks that can be chosen when `left` irrelevant tokens stay behind: (end, start of the tied ones, their limit).
fn above_cut(table: &ModelTable, own: &ExpertTable, left: usize) -> (usize, usize, usize) {
    let all = own.scores.len();
    if left == 0 || table.replacement {
        return (all, all, 0);
    }
    let cut = own.scores[all - left];
    let end = own.count_at_least(cut);
    let tied = own.scores.partition_point(|&score| score > cut + own.tie);
    // Within a tie of positive width no order is certain, so all of it may be chosen.
    let limit = if own.tie > 0.0 { end - tied } else { all - tied - left };
    (end, tied, limit)
}

fn with_class(table: &ModelTable, own: &ExpertTable, class: Class) -> Option<Candidates> {
    let (picks, left) = (table.chosen - 1, table.tokens - table.chosen);
    let seen = own.class[class.pattern()];
    let all = own.scores.len();
    let lowest = if table.replacement { own.scores[all - 1] } else { own.scores[all - left.max(1)] };
    if left > 0 && lowest > seen.score + own.tie {
        return None;
    }
    let (end, tied, tied_limit) = above_cut(table, own, left);
    Some(Candidates { picks, end, tied, tied_limit, class: Some(seen) })
}

fn without_class(table: &ModelTable, own: &ExpertTable, class: Class) -> Option<Candidates> {
    let picks = table.chosen;
    let left = (table.tokens - 1).checked_sub(picks)?;
    let (end, tied, tied_limit) = above_cut(table, own, left);
    let end = end.min(own.count_at_least(own.class[class.pattern()].score));
    let candidates = Candidates { picks, end, tied: tied.min(end), tied_limit, class: None };
    let available = candidates.tied + (end - candidates.tied).min(tied_limit);
    (if table.replacement { end > 0 } else { available >= picks }).then_some(candidates)
}

fn dinkelbach(table: &ModelTable, own: &ExpertTable, candidates: &Candidates, direction: f64) -> Extreme {
    let Candidates { picks, end, tied, tied_limit, class } = *candidates;
    let copies = if table.replacement { picks as u32 } else { 1 };
    let mut best = Smallest::default();
    let mut at_tie = Smallest::default();
    let mut select = |mean: f64| {
        best.reset(picks);
        at_tie.reset(picks.min(tied_limit));
        let key = |rank: usize| direction * own.weights[rank] * (own.activations[rank] - mean);
        (0..tied.min(end)).for_each(|rank| _ = best.put(key(rank), rank, copies));
        (tied.min(end)..end).for_each(|rank| _ = at_tie.put(key(rank), rank, copies));
        for &rank in at_tie.first(picks) {
            best.put(key(rank as usize), rank as usize, 1);
        }
        let of_class = class.map_or(0.0, |seen| direction * seen.weight * (seen.activation - mean));
        let (mut sums, gap) = (class.map_or((0.0, 0.0), weighed), of_class + best.sum(picks));
        for &rank in best.first(picks) {
            let (numerator, weight) = weighed(own.seen(rank as usize));
            sums = (sums.0 + numerator, sums.1 + weight);
        }
        (gap, sums.0 / sums.1)
    };
    let mut mean = select(0.0).1;
    for _ in 0..STEPS {
        let next = select(mean).1;
        // Not a number, or no better: the bound below is sound for every mean.
        let is_better = direction * next < direction * mean;
        if !is_better {
            break;
        }
        mean = next;
    }
    let value = direction * mean;
    if !mean.is_finite() {
        mean = 0.0;
    }
    let gap = select(mean).0;
    let heaviest = class.map_or(0.0, |seen| seen.weight).max(own.weights[0]) * (picks + 1) as f64;
    let size = heaviest * (own.largest_activation + mean.abs());
    let error =
        size * (2.0 * own.weight_error + (picks + 12) as f64 * f64::EPSILON) + 2.0 * heaviest * own.activation_error;
    let outward = 1.0 - 1e-9 - 2.0 * own.weight_error;
    let lightest = (class.map_or(0.0, |seen| seen.weight) + picks as f64 * own.weights[end - 1]) * outward;
    let below = ((gap - error) / lightest).min(0.0) * (1.0 + 1e-9);
    let bound = direction * mean + below - 4.0 * f64::EPSILON * (mean.abs() + below.abs());
    // Whatever the weights, the mean lies between the smallest and the largest activation.
    let trivial = if direction > 0.0 { 0.0 } else { -(own.largest_activation + own.activation_error) };
    Extreme { value, bound: if bound.is_nan() || lightest <= LIGHT { trivial } else { bound.max(trivial) } }
}

fn weighed(seen: Seen) -> (f64, f64) {
    (seen.weight * seen.activation, seen.weight)
}
