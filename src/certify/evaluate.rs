//! The margin of one input, enclosed.

use super::table::{ExpertTable, LIGHT, ModelTable, Seen};
use crate::moe::routing::descending;
use crate::patterns::{Class, Pattern};

/// An input of the support: pattern numbers in the order of their positions, and the class that it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The class.
    pub class: Class,
    /// Pattern numbers, `[n]`.
    pub tokens: Vec<Pattern>,
}

/// A real number between two floats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Enclosure {
    /// At most the number.
    pub low: f64,
    /// At least the number.
    pub high: f64,
}

impl Enclosure {
    /// The numbers within `error` of one between `low` and `high`.
    fn around(low: f64, high: f64, error: f64) -> Self {
        Self { low: low - error, high: high + error }
    }
}

/// Bound on the relative error of the mean Σ w σ / Σ w of at most `count` tokens, beside the errors of its parts.
pub(super) fn mean_error(count: usize) -> f64 {
    (2 * count + 8) as f64 * f64::EPSILON
}

/// y f(x) of the model that keeps the experts `kept`, for tokens at their positions. Scores that are equal as stored tie by the
/// model's rule (smallest position). Scores that lie within [`Radii`](super::Radii) of each other may fall either way, and
/// the enclosure holds for both.
pub(crate) fn margin(table: &ModelTable, kept: &[usize], input: &Input) -> Enclosure {
    let (mut low, mut high, mut error) = (0.0, 0.0, 0.0);
    let mut seen: Vec<Seen> = Vec::with_capacity(input.tokens.len());
    for &expert in kept {
        let own = &table.experts[expert];
        seen.clear();
        seen.extend(input.tokens.iter().map(|&token| own.token(token)));
        // A stable sort keeps tied positions in ascending order.
        seen.sort_by(|a, b| descending(a.score, b.score));
        let (least, most) = means(own, &mut seen, table.chosen);
        let vote = own.vote(input.class);
        let (a, b) = (vote * least, vote * most);
        (low, high) = (low + a.min(b), high + a.max(b));
        error += own.activation_error;
        error += most * (2.0 * own.weight_error + mean_error(table.chosen));
        error += f64::EPSILON * f64::max(low.abs(), high.abs());
    }
    Enclosure::around(low, high, 1.01 * error)
}

/// Σ w σ / Σ w over the `chosen` tokens of largest score, up to the error of weights and activations: the least and the largest
/// that rounding allows. `seen` is sorted by descending score.
///
/// Weights are the table's, relative to the expert's largest score, unless what is chosen lies so far below it that they have lost
/// digits: then they are relative to the largest score that is chosen.
fn means(own: &ExpertTable, seen: &mut [Seen], chosen: usize) -> (f64, f64) {
    let top = seen[0];
    let sums = |tokens: &[Seen], of: &dyn Fn(&Seen) -> f64| {
        tokens.iter().fold((0.0, 0.0), |sums, token| (sums.0 + of(token) * token.activation, sums.1 + of(token)))
    };
    let weight = |token: &Seen| if top.weight > LIGHT { token.weight } else { libm::exp(token.score - top.score) };
    let last = seen[chosen - 1];
    let next = seen.get(chosen).map_or(f64::NEG_INFINITY, |token| token.score);
    if own.rounding == 0.0 || last.score - next > own.rounding {
        let (numerator, total) = sums(&seen[..chosen], &weight);
        return (numerator / total, numerator / total);
    }
    // Chosen for certain is what scores above `next` by more than rounding; what lies at least about at `last` can be chosen.
    // Between them scores are one up to 2·rounding, which `weight_error` has room for, so activations alone order the choices.
    let sure = seen.partition_point(|token| token.score > next + own.rounding);
    let possible = seen.partition_point(|token| token.score >= last.score - own.rounding);
    let (sure_sums, rest) = (sums(&seen[..sure], &weight), chosen - sure);
    let tied = &mut seen[sure..possible];
    tied.sort_by(|a, b| a.activation.total_cmp(&b.activation));
    let of_tied = weight(&last);
    let mean = |tokens: &[Seen]| {
        let (numerator, total) = sums(tokens, &|_| of_tied);
        (sure_sums.0 + numerator) / (sure_sums.1 + total)
    };
    (mean(&tied[..rest]), mean(&tied[tied.len() - rest..]))
}

/// Whether two different tokens of the input are tied for some expert, as stored, by rounding, or by token noise.
pub fn has_ties(table: &ModelTable, kept: &[usize], input: &Input) -> bool {
    kept.iter().any(|&expert| {
        let own = &table.experts[expert];
        let mut scored: Vec<(f64, Pattern)> =
            input.tokens.iter().map(|&token| (own.token(token).score, token)).collect();
        scored.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        scored.windows(2).any(|pair| pair[0].1 != pair[1].1 && pair[1].0 - pair[0].0 <= own.tie)
    })
}
