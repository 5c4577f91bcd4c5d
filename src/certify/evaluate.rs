//! The margin of one input, enclosed.

use super::table::{LIGHT, ModelTable, Seen};
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
    /// The numbers within `error` of `value`.
    pub fn around(value: f64, error: f64) -> Self {
        Self { low: value - error, high: value + error }
    }
}

/// Bound on the relative error of the mean Σ w σ / Σ w of at most `count` tokens, beside the errors of its parts.
pub(super) fn mean_error(count: usize) -> f64 {
    (2 * count + 8) as f64 * f64::EPSILON
}

/// y f(x) of the model that keeps the experts `kept`, for tokens at their positions, with the model's rule of ties
/// (smallest position). Scores that are tied only within [`Radii`](super::Radii) are taken as they are.
pub fn margin(table: &ModelTable, kept: &[usize], input: &Input) -> Enclosure {
    let (mut value, mut error) = (0.0, 0.0);
    let mut seen: Vec<Seen> = Vec::with_capacity(input.tokens.len());
    for &expert in kept {
        let own = &table.experts[expert];
        seen.clear();
        seen.extend(input.tokens.iter().map(|&token| match token {
            0 | 1 => own.class[token as usize],
            other => own.seen(own.ranks[other as usize - 2] as usize),
        }));
        // A stable sort keeps tied positions in ascending order.
        seen.sort_by(|a, b| descending(a.score, b.score));
        let mut sums = (0.0, 0.0);
        for token in &seen[..table.chosen] {
            sums.0 += token.weight * token.activation;
            sums.1 += token.weight;
        }
        let mean = if sums.1 > LIGHT { sums.0 / sums.1 } else { 0.5 * own.largest_activation };
        value += own.vote(input.class) * mean;
        error += own.activation_error;
        error += if sums.1 > LIGHT { mean * (2.0 * own.weight_error + mean_error(table.chosen)) } else { mean };
        error += f64::EPSILON * value.abs();
    }
    Enclosure::around(value, 1.01 * error)
}
