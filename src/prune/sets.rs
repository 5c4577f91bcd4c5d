//! The criteria that choose a set for every number kept: least reconstruction error, and least error.

use super::plan::Plan;
use super::statistics::{Calibration, Statistics};
use crate::sim::parameters::{Criterion, PruningOrder};

/// What reconstruction does with the signs of outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signs {
    /// Outputs of opposite signs cancel (NAEE).
    Kept,
    /// No two outputs cancel: M of |f_s| (HOPE).
    Dropped,
}

/// NAEE: keeps the r experts for which the removed output is smallest, min √(pᵀMp) over the 0/1 vectors p of k − r ones,
/// M_{ss′} = Σ_i f_s f_s′ (identity I8).
///
/// All sets of up to [`Criterion::MOST_EXHAUSTIVE`] experts; beyond that greedily, one expert after the other. `None`
/// without a calibration set.
pub(crate) fn least_reconstruction(statistics: &Statistics, order: PruningOrder, signs: Signs) -> Option<Plan> {
    let calibration = statistics.calibration.as_ref()?;
    let k = calibration.experts.len();
    let gram = calibration.gram(signs == Signs::Dropped);
    let sign = sign(order);
    if k > Criterion::MOST_EXHAUSTIVE {
        return Some(greedy(k, &gram, sign, &statistics.chance));
    }
    let energies = energies(k, &gram);
    let all = energies.len() - 1;
    Some(best_sets(k, &statistics.chance, |kept| [sign * energies[all ^ kept], 0.0]))
}

/// The oracle: of all sets of r experts the one with the fewest errors on the calibration set, and of those the one of
/// least hinge loss. `None` without a calibration set, or with more than [`Criterion::MOST_EXHAUSTIVE`] experts.
pub(crate) fn least_error(statistics: &Statistics, order: PruningOrder) -> Option<Plan> {
    let calibration = statistics.calibration.as_ref()?;
    let k = calibration.experts.len();
    if k > Criterion::MOST_EXHAUSTIVE {
        return None;
    }
    let sign = sign(order);
    let losses = losses(calibration);
    Some(best_sets(k, &statistics.chance, |kept| losses[kept].map(|loss| sign * loss)))
}

/// 1 for the best sets, −1 for the worst.
fn sign(order: PruningOrder) -> f64 {
    if order == PruningOrder::SmallestFirst { 1.0 } else { -1.0 }
}

/// pᵀMp of every set p, a bit for each expert.
pub fn energies(k: usize, gram: &[f64]) -> Vec<f64> {
    let mut energies = vec![0.0; 1 << k];
    for set in 1..energies.len() {
        // The set is its largest expert s and the rest R: pᵀMp = M_ss + 2 Σ_R M_sr + the rest's.
        let last = set.ilog2() as usize;
        let rest = set ^ (1 << last);
        let row = &gram[last * k..][..k];
        let cross: f64 =
            row.iter().enumerate().filter(|(expert, _)| rest >> expert & 1 == 1).map(|(_, cell)| cell).sum();
        energies[set] = energies[rest] + row[last] + 2.0 * cross;
    }
    energies
}

/// Errors and summed hinge loss of every set of kept experts.
fn losses(calibration: &Calibration) -> Vec<[f64; 2]> {
    let k = calibration.experts.len();
    let samples = calibration.samples();
    let low = k / 2;
    // y f of the sets of the lower and of the upper half of the experts: any set's is the sum of two of them.
    let half = |experts: std::ops::Range<usize>| -> Vec<f64> {
        let mut margins = vec![0.0; samples << experts.len()];
        for set in 1usize..1 << experts.len() {
            let last = set.ilog2() as usize;
            let (done, open) = margins.split_at_mut(set * samples);
            let rest = &done[(set ^ (1 << last)) * samples..][..samples];
            let outputs = calibration.outputs.iter().skip(experts.start + last).step_by(k).zip(&calibration.labels);
            for ((margin, rest), (output, y)) in open.iter_mut().zip(rest).zip(outputs) {
                *margin = rest + y * output;
            }
        }
        margins
    };
    let (lower, upper) = (half(0..low), half(low..k));
    let of = |set: usize| {
        let (a, b) = (set & ((1 << low) - 1), set >> low);
        let margins = lower[a * samples..][..samples].iter().zip(&upper[b * samples..][..samples]);
        let (mut errors, mut loss) = (0.0, 0.0);
        for (a, b) in margins {
            let margin = a + b;
            errors += if margin > 0.0 { 0.0 } else { 1.0 };
            loss += (1.0 - margin).max(0.0);
        }
        [errors, loss]
    };
    (0..1usize << k).map(of).collect()
}

/// For every number kept the set whose `cost` is least, in the first entry and then in the second; sets that differ by
/// rounding are tied, and chance decides.
fn best_sets(k: usize, chance: &[f64], cost: impl Fn(usize) -> [f64; 2]) -> Plan {
    let costs: Vec<[f64; 2]> = (0..1usize << k).map(cost).collect();
    let scales = [0, 1].map(|part| costs.iter().map(|cost| cost[part].abs()).fold(0.0, f64::max) * super::plan::TIE);
    let luck = |set: usize| (0..k).filter(|expert| set >> expert & 1 == 1).map(|expert| chance[expert]).sum::<f64>();
    let mut best: Vec<(Option<usize>, usize)> = vec![(None, 0); k];
    // In two passes: the least cost of each size, then all sets that reach it.
    let mut least = vec![[f64::INFINITY; 2]; k + 1];
    for (set, cost) in costs.iter().enumerate().skip(1) {
        let least = &mut least[set.count_ones() as usize];
        if cost[0] < least[0] - scales[0] || (cost[0] <= least[0] + scales[0] && cost[1] < least[1]) {
            *least = *cost;
        }
    }
    for (set, cost) in costs.iter().enumerate().skip(1) {
        let size = set.count_ones() as usize;
        let reaches = (0..2).all(|part| cost[part] <= least[size][part] + scales[part]);
        let (chosen, tied) = &mut best[size - 1];
        if reaches {
            *tied += 1;
            if chosen.is_none_or(|chosen| luck(set) > luck(chosen)) {
                *chosen = Some(set);
            }
        }
    }
    let members = |set: usize| (0..k).filter(move |expert| set >> expert & 1 == 1).collect::<Vec<_>>();
    // Numbers that are none reach nothing: then the first experts stay, as good as any.
    let kept =
        best.iter().enumerate().map(|(place, (set, _))| members(set.unwrap_or((1 << (place + 1)) - 1))).collect();
    let tied = best.iter().map(|&(_, tied)| if tied > 1 { tied } else { 0 }).collect();
    Plan::Sets { kept, tied }
}

/// Removes one expert after the other, each time the one that leaves the removed output smallest; of those that do so up
/// to rounding chance keeps the luckiest longest.
fn greedy(k: usize, gram: &[f64], sign: f64, chance: &[f64]) -> Plan {
    let scale = gram.iter().fold(0.0f64, |largest, cell| largest.max(cell.abs())) * super::plan::TIE;
    let mut open: Vec<usize> = (0..k).collect();
    // Σ of M_sr over the removed r.
    let mut cross = vec![0.0; k];
    let (mut removed, mut tied) = (Vec::with_capacity(k), vec![0; k]);
    while !open.is_empty() {
        let cost = |expert: usize| sign * (gram[expert * k + expert] + 2.0 * cross[expert]);
        let least = open.iter().map(|&expert| cost(expert)).fold(f64::INFINITY, f64::min);
        let alike: Vec<usize> = open.iter().copied().filter(|&expert| cost(expert) <= least + scale).collect();
        let unlucky = alike.iter().copied().min_by(|&a, &b| chance[a].total_cmp(&chance[b]));
        // Numbers that are none reach nothing: then any expert is as good.
        let next = unlucky.unwrap_or(open[0]);
        open.retain(|&expert| expert != next);
        if alike.len() > 1 && !open.is_empty() {
            tied[open.len() - 1] = alike.len();
        }
        removed.push(next);
        cross.iter_mut().zip(&gram[next * k..][..k]).for_each(|(sum, cell)| *sum += cell);
    }
    removed.reverse();
    Plan::Nested { keep_first: removed, tied }
}
