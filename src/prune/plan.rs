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

    /// The order in which each group keeps its r-th expert before any group its next one, groups being disjoint and of all
    /// experts; between groups the order decides. Sets are left as they are.
    pub(crate) fn group_by_group(self, groups: &[Vec<usize>]) -> Self {
        let Plan::Nested { keep_first, tied } = self else { return self };
        let mut group_of = vec![0; keep_first.len()];
        groups
            .iter()
            .enumerate()
            .for_each(|(number, group)| group.iter().for_each(|&expert| group_of[expert] = number));
        // The experts tied with one another have one class: a cut between them is left to chance.
        let mut class_of = vec![0; keep_first.len()];
        let mut class = 0;
        for (place, &expert) in keep_first.iter().enumerate() {
            class_of[expert] = class;
            class += usize::from(tied[place] == 0);
        }
        let mut orders = vec![Vec::new(); groups.len()];
        keep_first.iter().for_each(|&expert| orders[group_of[expert]].push(expert));
        let mut rank_of = vec![0; keep_first.len()];
        orders.iter().flat_map(|order| order.iter().enumerate()).for_each(|(rank, &expert)| rank_of[expert] = rank);
        let mut regrouped = keep_first;
        // A stable sort: experts of one rank stay in their order.
        regrouped.sort_by_key(|&expert| rank_of[expert]);
        let mut place_of = vec![0; regrouped.len()];
        regrouped.iter().enumerate().for_each(|(place, &expert)| place_of[expert] = place);
        let tied = (1..=regrouped.len()).map(|kept| {
            let in_own_group = orders.iter().map(|order| {
                let first_gone = order.iter().position(|&expert| place_of[expert] >= kept);
                let at = first_gone.filter(|&at| at > 0 && class_of[order[at - 1]] == class_of[order[at]]);
                at.map_or(0, |at| order.iter().filter(|&&expert| class_of[expert] == class_of[order[at]]).count())
            });
            let among_equals = match regrouped.get(kept) {
                Some(&next) => {
                    let is_equal = |a: usize| class_of[a] == class_of[next] && rank_of[a] == rank_of[next];
                    let equals = regrouped.iter().filter(|&&expert| is_equal(expert)).count();
                    if is_equal(regrouped[kept - 1]) { equals } else { 0 }
                }
                None => 0,
            };
            in_own_group.sum::<usize>().max(among_equals)
        });
        let tied = tied.collect();
        Plan::Nested { keep_first: regrouped, tied }
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

        #[test]
        fn of_each_group_the_best_stay_and_chance_is_told(
            scores in prop::collection::vec(0u8..3, 6),
            number_of in prop::collection::vec(0usize..3, 6),
        ) {
            let k = scores.len();
            let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
            let members = |group: usize| (0..k).filter(|&expert| number_of[expert] == group).collect::<Vec<usize>>();
            let groups: Vec<Vec<usize>> = (0..3).map(members).filter(|group| !group.is_empty()).collect();
            let plan = |chance: &[f64]| {
                Plan::ranked(&scores, PruningOrder::SmallestFirst, chance).group_by_group(&groups)
            };
            let by_chance: Vec<Plan> = permutations(k).iter().map(|chance| plan(chance)).collect();
            for kept in 1..=k {
                let stays = &by_chance[0].kept(kept);
                let counts = groups.iter().map(|group| group.iter().filter(|e| stays.contains(e)).count());
                let counts: Vec<usize> = counts.collect();
                let most = counts.iter().max().copied().unwrap_or(0);
                for (group, count) in groups.iter().zip(&counts) {
                    prop_assert!(*count + 1 >= most || *count == group.len(), "{counts:?}");
                    let (stay, go): (Vec<usize>, Vec<usize>) = group.iter().partition(|expert| stays.contains(expert));
                    prop_assert!(go.iter().all(|&gone| stay.iter().all(|&stays| scores[stays] >= scores[gone])));
                }
                let sets: std::collections::BTreeSet<Vec<usize>> = by_chance.iter().map(|plan| {
                    let mut set = plan.kept(kept).to_vec();
                    set.sort_unstable();
                    set
                }).collect();
                prop_assert_eq!(by_chance[0].tied(kept) == 0, sets.len() == 1, "{} {:?}", kept, sets);
            }
        }
    }

    /// Every order of 0 … k − 1.
    fn permutations(k: usize) -> Vec<Vec<f64>> {
        let mut orders = vec![Vec::new()];
        for number in 0..k {
            let longer = |order: &Vec<f64>| {
                (0..=order.len())
                    .map(|place| {
                        let mut order = order.clone();
                        order.insert(place, number as f64);
                        order
                    })
                    .collect::<Vec<_>>()
            };
            orders = orders.iter().flat_map(longer).collect();
        }
        orders
    }
}
