//! Which experts stay when r are kept, and where that is decided by chance.

use crate::moe::routing::descending;
use crate::sim::parameters::PruningOrder;

/// Scores that differ by no more than this share of the largest are tied: rounding must not decide.
pub(crate) const TIE: f64 = 1e-9;

/// The kept experts for every number r of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// The first r experts of an order.
    Nested {
        /// A permutation of the experts.
        keep_first: Vec<usize>,
        /// Entry r − 1: how many experts are tied for the last places when r are kept; 0 if the scores decide.
        tied: Vec<usize>,
    },
    /// A set for every r.
    Sets {
        /// Entry r − 1: r experts, in ascending order.
        kept: Vec<Vec<usize>>,
        /// Entry r − 1: how many sets are equally good, 0 if one is best.
        tied: Vec<usize>,
    },
}

/// The scores with one value for all that are tied: what differs by rounding is equal.
pub(crate) fn without_rounding(scores: &[f64]) -> Vec<f64> {
    let largest =
        scores.iter().filter(|score| score.is_finite()).fold(0.0, |largest: f64, score| score.abs().max(largest));
    let mut places: Vec<usize> = (0..scores.len()).collect();
    places.sort_by(|&a, &b| descending(scores[a], scores[b]));
    let mut snapped = scores.to_vec();
    for pair in places.windows(2) {
        if scores[pair[0]] - scores[pair[1]] <= TIE * largest {
            snapped[pair[1]] = snapped[pair[0]];
        }
    }
    snapped
}

impl Plan {
    /// Ranks experts by `scores`, `[k]`. Tied experts stand in the order of `chance`, `[k]`, largest first: the scores of
    /// the criterion `random`.
    pub fn ranked(scores: &[f64], order: PruningOrder, chance: &[f64]) -> Self {
        let worth = |expert: usize| match order {
            PruningOrder::SmallestFirst => scores[expert],
            PruningOrder::LargestFirst => -scores[expert],
        };
        let mut keep_first: Vec<usize> = (0..scores.len()).collect();
        keep_first.sort_by(|&a, &b| descending(worth(a), worth(b)));
        let largest =
            scores.iter().filter(|score| score.is_finite()).fold(0.0, |largest, score| score.abs().max(largest));
        let is_tied = |a: usize, b: usize| {
            let (a, b) = (worth(a), worth(b));
            a == b || a - b <= TIE * largest || (a.is_nan() && b.is_nan())
        };
        let mut tied = vec![0; scores.len()];
        let mut start = 0;
        let groups: Vec<usize> = keep_first.chunk_by(|&a, &b| is_tied(a, b)).map(<[usize]>::len).collect();
        for group in groups {
            let places = start..start + group;
            keep_first[places.clone()].sort_by(|&a, &b| descending(chance[a], chance[b]));
            tied[start..start + group - 1].fill(group);
            start += group;
        }
        Plan::Nested { keep_first, tied }
    }

    /// k.
    pub(crate) fn experts(&self) -> usize {
        match self {
            Plan::Nested { keep_first, .. } => keep_first.len(),
            Plan::Sets { kept, .. } => kept.len(),
        }
    }

    /// The experts kept when `kept` of them are.
    pub fn kept(&self, kept: usize) -> &[usize] {
        match self {
            Plan::Nested { keep_first, .. } => &keep_first[..kept],
            Plan::Sets { kept: sets, .. } => &sets[kept - 1],
        }
    }

    /// How many experts (or, for a set criterion, sets) are tied where `kept` are kept; 0 if nothing is left to chance.
    pub fn tied(&self, kept: usize) -> usize {
        match self {
            Plan::Nested { tied, .. } | Plan::Sets { tied, .. } => tied[kept - 1],
        }
    }

    /// The order in which experts are kept, if there is one for all numbers.
    pub fn order(&self) -> Option<&[usize]> {
        match self {
            Plan::Nested { keep_first, .. } => Some(keep_first),
            Plan::Sets { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CHANCE: [f64; 4] = [2.0, 0.0, 3.0, 1.0];

    fn order(scores: &[f64], order: PruningOrder) -> (Vec<usize>, Vec<usize>) {
        match Plan::ranked(scores, order, &CHANCE) {
            Plan::Nested { keep_first, tied } => (keep_first, tied),
            Plan::Sets { .. } => unreachable!("ranked"),
        }
    }

    #[test]
    fn smallest_first_keeps_the_largest_and_chance_decides_between_equals() {
        assert_eq!(order(&[0.1, 0.5, 0.1, 0.9], PruningOrder::SmallestFirst), (vec![3, 1, 2, 0], vec![0, 0, 2, 0]));
        assert_eq!(order(&[0.1, 0.5, 0.1, 0.9], PruningOrder::LargestFirst), (vec![2, 0, 1, 3], vec![2, 0, 0, 0]));
    }

    #[test]
    fn without_rounding_what_is_tied_is_equal() {
        assert_eq!(
            without_rounding(&[1.0, 2.0 - 1e-12, 0.5, 2.0, 1.0 + 1e-15]),
            [1.0 + 1e-15, 2.0, 0.5, 2.0, 1.0 + 1e-15]
        );
    }

    #[test]
    fn what_differs_by_rounding_is_tied_and_no_number_is_last() {
        let rounded = [1.0, 1.0 + 1e-15, 1.0 - 1e-15, 1.0];
        assert_eq!(order(&rounded, PruningOrder::SmallestFirst), (vec![2, 0, 3, 1], vec![4, 4, 4, 0]));
        let broken = [f64::NAN, 1.0, f64::NAN, 0.5];
        assert_eq!(order(&broken, PruningOrder::SmallestFirst), (vec![1, 3, 2, 0], vec![0, 0, 2, 0]));
    }

    proptest! {
        #[test]
        fn a_tie_is_told_exactly_where_relabelling_could_change_the_kept_set(
            scores in prop::collection::vec(0u8..4, 1..8),
            shuffle in any::<u64>(),
        ) {
            let k = scores.len();
            let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
            let mut places: Vec<f64> = (0..k).map(|place| place as f64).collect();
            let forwards = Plan::ranked(&scores, PruningOrder::SmallestFirst, &places);
            places.reverse();
            let backwards = Plan::ranked(&scores, PruningOrder::SmallestFirst, &places);
            places.rotate_left(shuffle as usize % k);
            let third = Plan::ranked(&scores, PruningOrder::SmallestFirst, &places);
            for kept in 1..=k {
                let set = |plan: &Plan| {
                    let mut kept = plan.kept(kept).to_vec();
                    kept.sort_unstable();
                    kept
                };
                prop_assert_eq!(forwards.tied(kept) == 0, set(&forwards) == set(&backwards));
                prop_assert_eq!(forwards.tied(kept), third.tied(kept));
                prop_assert!(forwards.tied(kept) > 0 || set(&forwards) == set(&third));
            }
        }
    }
}
