//! Which experts stay when r are kept.

use crate::moe::routing::descending;
use crate::sim::parameters::PruningOrder;

/// The experts in the order in which they are kept: the first r of it are the model that keeps r experts. Experts of
/// equal score stand in the order of their numbers.
pub fn keep_first(scores: &[f64], order: PruningOrder) -> Vec<usize> {
    let mut experts: Vec<usize> = (0..scores.len()).collect();
    experts.sort_by(|&a, &b| match order {
        PruningOrder::SmallestFirst => descending(scores[a], scores[b]),
        PruningOrder::LargestFirst => descending(scores[b], scores[a]),
    });
    experts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smallest_first_keeps_the_largest() {
        assert_eq!(keep_first(&[0.1, 0.5, 0.1, 0.9], PruningOrder::SmallestFirst), [3, 1, 0, 2]);
        assert_eq!(keep_first(&[0.1, 0.5, 0.1, 0.9], PruningOrder::LargestFirst), [0, 2, 1, 3]);
    }
}
