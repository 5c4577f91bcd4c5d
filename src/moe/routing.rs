//! Expert-choice routing: which tokens an expert takes, and with which gates.

use std::cmp::Ordering;

/// The l positions of largest score, in descending order of score; ties go to the smallest position.
///
/// `scores` has shape `[n]`; `chosen` is cleared and filled with l positions. Not a number counts as smaller than every
/// number, so that a diverged router still chooses l tokens.
pub fn choose_tokens(scores: &[f64], tokens_per_expert: usize, chosen: &mut Vec<usize>) {
    chosen.clear();
    chosen.extend(0..scores.len());
    // A stable sort keeps tied positions in ascending order.
    chosen.sort_by(|&a, &b| descending(scores[a], scores[b]));
    chosen.truncate(tokens_per_expert);
}

/// Descending order of numbers, not-a-number last.
pub(crate) fn descending(a: f64, b: f64) -> Ordering {
    b.partial_cmp(&a).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// G_j = exp(g_j) / Σ_i exp(g_i), in place, computed relative to the largest score so that it cannot overflow.
pub fn softmax(scores: &mut [f64]) {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut total = 0.0;
    for score in scores.iter_mut() {
        *score = libm::exp(*score - largest);
        total += *score;
    }
    for score in scores.iter_mut() {
        *score /= total;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_smallest_position() {
        let mut chosen = Vec::new();
        choose_tokens(&[1.0, 2.0, 1.0, 2.0, 1.0], 3, &mut chosen);
        assert_eq!(chosen, [1, 3, 0]);
    }

    #[test]
    fn softmax_does_not_overflow() {
        let mut gates = [1000.0, 1000.0, -1000.0];
        softmax(&mut gates);
        assert_eq!(gates, [0.5, 0.5, 0.0]);
    }
}
