//! The scores of experts: what happened to the rows of a router between two checkpoints.

use super::dtype::Rounding;
use super::family::Family;
use super::neurons::WeightScores;
use super::rows::RouterRows;
use crate::measure::RouterChange;
use serde::Serialize;

/// The scores of one expert.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExpertScore {
    /// ‖w⁰‖.
    pub norm_before: f64,
    /// ‖w‖.
    pub norm: f64,
    /// Δ = ‖w‖ − ‖w⁰‖: the paper's criterion, signed.
    pub delta: f64,
    /// D = ‖w − w⁰‖.
    pub displacement: f64,
    /// Δ after the mean over experts is removed from every row: no vector added to all rows changes it (L12).
    pub delta_less_mean: f64,
    /// Δ of w ⊙ γ, the row that multiplies the normalised input; `None` where γ is not known.
    pub delta_folded: Option<f64>,
    /// The most by which rounding of the stored numbers may have changed Δ.
    pub rounding: f64,
    /// How many experts have a Δ so near that rounding may have swapped them.
    pub tied: usize,
    /// Scores of the expert's own weights; `None` unless they were read.
    pub weights: Option<WeightScores>,
}

/// Rows of one router, and γ.
#[derive(Clone, Debug)]
pub(crate) struct RouterState {
    pub rows: RouterRows,
    pub gamma: Option<Vec<f64>>,
}

/// The scores of all experts of a router.
pub(crate) fn scores(before: &RouterState, after: &RouterState, family: &Family) -> Vec<ExpertScore> {
    let less_mean = deltas(&before.rows.less_mean(), &after.rows.less_mean());
    let folded = before.gamma.as_ref().zip(after.gamma.as_ref()).map(|(gamma_before, gamma)| {
        deltas(&before.rows.folded(gamma_before, family), &after.rows.folded(gamma, family))
    });
    let changes = before.rows.rows().zip(after.rows.rows()).map(|(before, after)| RouterChange::between(before, after));
    let mut scores: Vec<ExpertScore> = changes
        .enumerate()
        .map(|(expert, change)| ExpertScore {
            norm_before: change.norm_0,
            norm: change.norm,
            delta: change.delta,
            displacement: change.displacement,
            delta_less_mean: less_mean[expert],
            delta_folded: folded.as_ref().map(|folded| folded[expert]),
            rounding: rounding(&change, before.rows.rounding, after.rows.rounding, before.rows.hidden),
            tied: 0,
            weights: None,
        })
        .collect();
    let bounds: Vec<(f64, f64)> = scores.iter().map(|score| (score.delta, score.rounding)).collect();
    let near = |(a, a_bound): (f64, f64), (b, b_bound): (f64, f64)| (a - b).abs() <= a_bound + b_bound;
    for (expert, score) in scores.iter_mut().enumerate() {
        // It is near to itself.
        score.tied = bounds.iter().filter(|&&other| near(bounds[expert], other)).count() - 1;
    }
    scores
}

/// Δ of every row.
pub(crate) fn deltas(before: &RouterRows, after: &RouterRows) -> Vec<f64> {
    before.rows().zip(after.rows()).map(|(before, after)| RouterChange::between(before, after).delta).collect()
}

/// The rounding of both rows; a row that did not change at all was rounded in the same way, so nothing of Δ is rounding.
fn rounding(change: &RouterChange, before: Rounding, after: Rounding, hidden: usize) -> f64 {
    match change.displacement == 0.0 {
        true => 0.0,
        false => before.of_norm(change.norm_0, hidden) + after.of_norm(change.norm, hidden),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::Dtype;

    fn state(values: &[f64], dtype: Dtype) -> RouterState {
        let rounding = Rounding::of(dtype).expect("floating");
        RouterState { rows: RouterRows { values: values.to_vec(), hidden: 2, rounding }, gamma: Some(vec![2.0, 1.0]) }
    }

    #[test]
    fn scores_by_hand() {
        let before = state(&[3.0, 4.0, 0.0, 1.0], Dtype::F32);
        let after = state(&[6.0, 8.0, 1.0, 0.0], Dtype::F32);
        let scores = scores(&before, &after, &Family::default());
        assert_eq!((scores[0].delta, scores[0].displacement, scores[0].norm), (5.0, 5.0, 10.0));
        assert_eq!((scores[1].delta, scores[1].displacement), (0.0, 2f64.sqrt()));
        assert_eq!(scores[0].delta_folded, Some(208f64.sqrt() - 52f64.sqrt()));
        // Two rows less their mean are each other's negative.
        assert_eq!(scores[0].delta_less_mean, scores[1].delta_less_mean);
        assert_eq!((scores[0].tied, scores[1].tied), (0, 0));
    }

    #[test]
    fn a_vector_added_to_all_rows_moves_delta_but_not_delta_less_mean() {
        let before = state(&[3.0, 4.0, 0.0, 1.0], Dtype::F32);
        let shifted = state(&[13.0, 4.0, 10.0, 1.0], Dtype::F32);
        let scores = scores(&before, &shifted, &Family::default());
        assert!(scores.iter().all(|score| score.delta > 8.0 && score.delta_less_mean.abs() < 1e-12));
    }

    #[test]
    fn deltas_within_the_rounding_of_the_type_are_ties() {
        let values = |x: f64| [3.0, 4.0 + x, 3.0, 4.0 + x / 2.0];
        let tied =
            |dtype| scores(&state(&values(0.0), dtype), &state(&values(0.01), dtype), &Family::default())[0].tied;
        assert_eq!((tied(Dtype::BF16), tied(Dtype::F32)), (1, 0));
    }
}
