//! Whether the premise of the theorem shows in a router: is there a gap, and does Δ mean what it means in the theory?

use super::rows::RouterRows;
use super::scores::{ExpertScore, RouterState, deltas};
use crate::stats::{kendall, p_value_group_larger};
use serde::Serialize;

/// Seed of the permutations: a fixed one, so that the same checkpoints give the same p-value.
const SEED: u64 = 0;

/// From here on p-values say that two groups are no accident of the coordinates.
const LEVEL: f64 = 0.05;

/// The largest gap in the order of Δ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// Experts below it: those that would be pruned.
    pub below: usize,
    /// The gap over the range of all Δ. Beyond ½ the two groups are farther apart than both are wide together.
    pub share: f64,
}

/// What a router's rows say of the theorem's premise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SiteAudit {
    /// Whether any entry of the router changed.
    pub trained: bool,
    /// `None` where all Δ are equal.
    pub gap: Option<Gap>,
    /// Two groups are found in the even coordinates by the largest gap there; the p-value that they are no groups in the odd
    /// coordinates (permutation test).
    pub groups_p_value: Option<f64>,
    /// Experts with a negative Δ.
    pub negative: usize,
    /// Kendall's τ between the orders of Δ and |Δ|.
    pub tau_abs: Option<f64>,
    /// Kendall's τ between the orders of Δ and D.
    pub tau_displacement: Option<f64>,
    /// Kendall's τ between the orders of Δ and Δ less the mean over experts.
    pub tau_less_mean: Option<f64>,
    /// Kendall's τ between the orders of Δ and of the γ-folded Δ.
    pub tau_folded: Option<f64>,
    /// E‖mean change‖² / Σ‖change‖²: the part of the change that is one vector added to all rows, which softmax does not see.
    pub common_shift: Option<f64>,
    /// Pairs of experts whose order rounding may have swapped.
    pub tied_pairs: usize,
    /// Experts whose row is closer (by cosine) to another expert's row of the pre-trained router, and that expert.
    pub permuted: Vec<(usize, usize)>,
}

impl SiteAudit {
    /// Looks at one router.
    pub(crate) fn of(before: &RouterState, after: &RouterState, scores: &[ExpertScore]) -> Self {
        let column = |value: fn(&ExpertScore) -> f64| scores.iter().map(value).collect::<Vec<f64>>();
        let delta = column(|score| score.delta);
        let tau = |other: Vec<f64>| kendall(&delta, &other);
        let folded: Option<Vec<f64>> = scores.iter().map(|score| score.delta_folded).collect();
        Self {
            trained: scores.iter().any(|score| score.displacement > 0.0),
            gap: largest_gap(&delta),
            groups_p_value: groups_p_value(&before.rows, &after.rows),
            negative: delta.iter().filter(|&&delta| delta < 0.0).count(),
            tau_abs: tau(column(|score| score.delta.abs())),
            tau_displacement: tau(column(|score| score.displacement)),
            tau_less_mean: tau(column(|score| score.delta_less_mean)),
            tau_folded: folded.and_then(tau),
            common_shift: common_shift(&before.rows, &after.rows),
            tied_pairs: scores.iter().map(|score| score.tied).sum::<usize>() / 2,
            permuted: permuted(&before.rows, &after.rows),
        }
    }

    /// Whether two groups stand apart: a gap of more than half the range, found in half of the coordinates and again in the
    /// other half.
    pub(crate) fn has_two_groups(&self) -> bool {
        self.gap.is_some_and(|gap| gap.share > 0.5) && self.groups_p_value.is_some_and(|p| p <= LEVEL)
    }
}

/// Experts in ascending order of a value; ties by number.
pub(crate) fn ascending(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
    order
}

fn largest_gap(values: &[f64]) -> Option<Gap> {
    let order = ascending(values);
    let range = values[*order.last()?] - values[*order.first()?];
    let gaps = order.windows(2).map(|pair| values[pair[1]] - values[pair[0]]).enumerate();
    let (place, gap) = gaps.reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    (range > 0.0).then(|| Gap { below: place + 1, share: gap / range })
}

/// The grouping is found in one half of the coordinates and tested in the other, so that looking for the gap costs nothing.
fn groups_p_value(before: &RouterRows, after: &RouterRows) -> Option<f64> {
    let half = |rows: &RouterRows, parity: usize| RouterRows {
        values: rows.rows().flat_map(|row| row.iter().skip(parity).step_by(2).copied()).collect(),
        hidden: (rows.hidden + 1 - parity) / 2,
        rounding: rows.rounding,
    };
    if before.hidden < 2 {
        return None;
    }
    let found = deltas(&half(before, 0), &half(after, 0));
    let tested = deltas(&half(before, 1), &half(after, 1));
    let gap = largest_gap(&found)?;
    let mut above = vec![true; found.len()];
    ascending(&found).iter().take(gap.below).for_each(|&expert| above[expert] = false);
    p_value_group_larger(&tested, &above, SEED)
}

fn common_shift(before: &RouterRows, after: &RouterRows) -> Option<f64> {
    let experts = before.rows().len() as f64;
    let mut mean = vec![0.0; before.hidden];
    let mut all = 0.0;
    for (before, after) in before.rows().zip(after.rows()) {
        for ((mean, before), after) in mean.iter_mut().zip(before).zip(after) {
            *mean += (after - before) / experts;
            all += (after - before) * (after - before);
        }
    }
    (all > 0.0).then(|| experts * mean.iter().map(|mean| mean * mean).sum::<f64>() / all)
}

fn permuted(before: &RouterRows, after: &RouterRows) -> Vec<(usize, usize)> {
    let norms: Vec<f64> = before.rows().map(|row| dot(row, row).sqrt()).collect();
    // The norm of the row itself is common to all its cosines.
    let closeness = |row: &[f64], (other, norm): (&[f64], &f64)| if *norm > 0.0 { dot(row, other) / norm } else { 0.0 };
    let nearest = |(expert, row): (usize, &[f64])| {
        let all: Vec<f64> = before.rows().zip(&norms).map(|other| closeness(row, other)).collect();
        let best = (0..all.len()).fold(expert, |best, other| if all[other] > all[best] { other } else { best });
        (best != expert).then_some((expert, best))
    };
    after.rows().enumerate().filter_map(nearest).collect()
}

/// Eight sums side by side, which the compiler makes vectors of.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::dtype::Rounding;
    use safetensors::Dtype;

    fn rows(values: Vec<f64>, hidden: usize) -> RouterRows {
        RouterRows { values, hidden, rounding: Rounding::of(Dtype::F32).expect("floating") }
    }

    #[test]
    fn the_largest_gap_by_hand() {
        assert_eq!(largest_gap(&[1.0, 0.0, 5.0, 0.5]), Some(Gap { below: 3, share: 0.8 }));
        assert_eq!(largest_gap(&[2.0, 2.0]), None);
        assert_eq!(largest_gap(&[2.0]), None);
    }

    #[test]
    fn groups_that_are_in_all_coordinates_are_found_and_those_in_half_are_not() {
        let (experts, hidden) = (10, 8);
        let before = rows(vec![1.0; experts * hidden], hidden);
        let grown = |grows: fn(usize, usize) -> bool| {
            let value = |entry: usize| {
                // A little of everything, so that no two experts are equal.
                let noise = (entry * 7919 % 101) as f64 / 1e4;
                1.0 + noise + f64::from(u8::from(grows(entry / hidden, entry % hidden)))
            };
            rows((0..experts * hidden).map(value).collect(), hidden)
        };
        let everywhere = groups_p_value(&before, &grown(|expert, _| expert < 3)).expect("groups");
        // Of the 120 groups of three only one is as large.
        assert!((everywhere - 1.0 / 120.0).abs() < 1e-15);
        let even = groups_p_value(&before, &grown(|expert, coordinate| expert < 3 && coordinate % 2 == 0));
        assert!(even.expect("groups") > LEVEL);
    }

    #[test]
    fn a_common_shift_is_all_of_the_change() {
        let before = rows(vec![1.0, 2.0, 3.0, 4.0], 2);
        assert_eq!(common_shift(&before, &rows(vec![2.0, 2.0, 4.0, 4.0], 2)), Some(1.0));
        assert_eq!(common_shift(&before, &rows(vec![2.0, 2.0, 2.0, 4.0], 2)), Some(0.0));
        assert_eq!(common_shift(&before, &before), None);
    }

    #[test]
    fn strangers_are_noticed() {
        let before = rows(vec![1.0, 0.0, 0.0, 1.0, 1.0, 1.0], 2);
        assert!(permuted(&before, &before).is_empty());
        let swapped = rows(vec![0.0, 1.1, 1.1, 0.0, 1.0, 1.0], 2);
        assert_eq!(permuted(&before, &swapped), [(0, 1), (1, 0)]);
    }
}
