//! Which tokens every expert takes and with which gates, for a vector of experts at a time.
//!
//! This file and `experts.rs` use each other: they are the two halves of one pass over the experts, which share its buffers.

use super::experts::Passes;
use crate::simd::exp::exp_f64s;
use crate::simd::panels::{Aligned, zeros};
use crate::simd::{Kernel, Lanes};
use pulp::Simd;

/// The best l tokens so far of a vector of experts: place p of the list in vector p.
#[derive(Clone, Debug)]
pub(super) struct Lists {
    /// Scores in descending order, later gates.
    scores: Aligned,
    /// Their positions in the sample.
    positions: Vec<u64>,
}

impl Default for Lists {
    fn default() -> Self {
        Self { scores: zeros(0), positions: Vec::new() }
    }
}

/// Every expert chooses the l tokens of largest score of each sample, in descending order, ties by the smallest position,
/// and gates them: G_j = exp(g_j − max g) / Σ_i exp(g_i − max g).
///
/// A score that is not a number, or −∞, is never chosen; a list without l others ends with its first tokens and gates that
/// are 0 or not a number.
pub(super) struct Choose<'a> {
    pub(super) passes: &'a mut Passes,
    /// `[B·n, k padded]`.
    pub(super) scores: &'a [f64],
    pub(super) tokens_per_sample: usize,
    /// Lines from one token to the next.
    pub(super) stride: usize,
}

impl Kernel for Choose<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let Self { passes, scores, tokens_per_sample: n, stride } = self;
        let Passes { experts, samples, choices: l, ref mut lists, ref mut chosen, ref mut gates, .. } = *passes;
        let width = experts.next_multiple_of(8);
        lists.scores.resize(l * 8, 0.0);
        lists.positions.resize(l * 8, 0);
        let list = &mut lists.scores[..l * S::F64_LANES];
        let positions = &mut lists.positions[..l * S::F64_LANES];
        for sample in 0..samples {
            let scores = &scores[sample * n * width..][..n * width];
            for first in (0..experts).step_by(S::F64_LANES) {
                let of_vector = scores.chunks_exact(width).map(|scores| S::as_simd_f64s(&scores[first..]).0[0]);
                let (places, place_positions) = (S::as_mut_simd_f64s(list).0, S::as_mut_simd_u64s(positions).0);
                insert(simd, of_vector, places, place_positions);
                softmax(simd, places);
                for lane in 0..S::F64_LANES.min(experts - first) {
                    let choices = ((first + lane) * samples + sample) * l;
                    let (chosen, gates) = (&mut chosen[choices..][..l], &mut gates[choices..][..l]);
                    for (place, (chosen, gate)) in chosen.iter_mut().zip(gates).enumerate() {
                        let position = positions[place * S::F64_LANES + lane] as usize;
                        *chosen = (sample * n + position) * stride;
                        *gate = list[place * S::F64_LANES + lane];
                    }
                }
            }
        }
    }
}

/// The largest scores in descending order, lane by lane; of equal ones the earlier come first.
#[inline(always)]
fn insert<S: Simd>(simd: S, scores: impl Iterator<Item = S::f64s>, list: &mut [S::f64s], positions: &mut [S::u64s]) {
    list.fill(simd.splat_f64s(f64::NEG_INFINITY));
    for (place, position) in positions.iter_mut().enumerate() {
        *position = simd.splat_u64s(place as u64);
    }
    for (position, score) in scores.enumerate() {
        // What stands in the list moves down from the first place whose score is smaller than the new one.
        let (mut moving, mut moving_position) = (score, simd.splat_u64s(position as u64));
        for (kept, kept_position) in list.iter_mut().zip(positions.iter_mut()) {
            let is_larger = simd.greater_than_f64s(score, *kept);
            let (old, old_position) = (*kept, *kept_position);
            *kept = simd.select_f64s(is_larger, moving, old);
            *kept_position = simd.select_u64s(is_larger, moving_position, old_position);
            moving = simd.select_f64s(is_larger, old, moving);
            moving_position = simd.select_u64s(is_larger, old_position, moving_position);
        }
    }
}

/// Scores in descending order → gates, lane by lane.
#[inline(always)]
fn softmax<S: Lanes>(simd: S, list: &mut [S::f64s]) {
    let Some(&largest) = list.first() else { return };
    let mut total = simd.splat_f64s(0.0);
    for score in list.iter_mut() {
        *score = exp_f64s(simd, simd.sub_f64s(*score, largest));
        total = simd.add_f64s(total, *score);
    }
    list.iter_mut().for_each(|gate| *gate = simd.div_f64s(*gate, total));
}
