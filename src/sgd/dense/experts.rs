//! The experts on the tokens that they chose.

use super::choice::Lists;
use super::tokens::as_lines;
use crate::simd::panels::{Aligned, LINE, Panels, Rows, grow, zeros};
use crate::simd::product::multiply_rows;
use crate::simd::{Kernel, Lanes};
use pulp::Simd;

/// Neurons whose states fit a [`Dead`]'s words.
const GROUP: usize = 64 * LINE;

/// Which of 512 neurons are dead on one token: bit v of word j says it of neuron 8v + j.
pub(super) type Dead = [u64; LINE];

/// Every expert's forward pass over a batch. A choice is (expert, sample, place in the list of the chosen tokens).
#[derive(Clone, Debug)]
pub(super) struct Passes {
    /// k.
    pub(super) experts: usize,
    /// B.
    pub(super) samples: usize,
    /// l, or n if a sample has fewer tokens.
    pub(super) choices: usize,
    /// J_s: the first line of every chosen token, in descending order of score, `[k, B, l]`.
    pub(super) chosen: Vec<usize>,
    /// G_j of the chosen tokens, `[k, B, l]`.
    pub(super) gates: Vec<f64>,
    /// σ_s(x⁽ʲ⁾) of the chosen tokens, `[k, B, l]`.
    pub(super) activations: Vec<f64>,
    /// σ̄ = Σ_{j∈J_s} G_j σ_s(x⁽ʲ⁾), `[k, B]`.
    pub(super) means: Vec<f64>,
    /// The neurons with ⟨w_{s,r}, x⁽ʲ⁾⟩ ≤ 0, `[k, B, l, groups]`.
    dead: Vec<Dead>,
    /// Groups of 512 neurons.
    groups: usize,
    /// ⟨w_{s,r}, x⁽ʲ⁾⟩ of one expert, `[B, l, m padded]`.
    preactivations: Aligned,
    pub(super) lists: Lists,
}

impl Default for Passes {
    fn default() -> Self {
        Self {
            experts: 0,
            samples: 0,
            choices: 0,
            chosen: Vec::new(),
            gates: Vec::new(),
            activations: Vec::new(),
            means: Vec::new(),
            dead: Vec::new(),
            groups: 0,
            preactivations: zeros(0),
            lists: Lists::default(),
        }
    }
}

impl Passes {
    /// Makes room for the choices of a batch.
    pub(super) fn resize(&mut self, experts: usize, samples: usize, choices: usize) {
        (self.experts, self.samples, self.choices) = (experts, samples, choices);
        let all = experts * samples * choices;
        self.chosen.resize(all, 0);
        self.gates.resize(all, 0.0);
        self.activations.resize(all, 0.0);
        self.means.resize(experts * samples, 0.0);
    }

    /// Makes room for the neurons of the choices.
    pub(super) fn resize_neurons(&mut self, neurons_per_expert: usize) {
        self.groups = neurons_per_expert.div_ceil(GROUP);
        self.dead.resize(self.chosen.len() * self.groups, [0; LINE]);
        grow(&mut self.preactivations, self.samples * self.choices * neurons_per_expert.next_multiple_of(LINE));
    }

    /// The first choice of an expert on a sample; the others follow.
    #[inline(always)]
    pub(super) fn first_choice(&self, expert: usize, sample: usize) -> usize {
        (expert * self.samples + sample) * self.choices
    }

    /// σ̄ of an expert on a sample.
    #[inline(always)]
    pub(super) fn mean(&self, expert: usize, sample: usize) -> f64 {
        self.means[expert * self.samples + sample]
    }

    /// The gate of the token that starts at line `start`; 0 if the expert did not choose it.
    pub(super) fn gate(&self, expert: usize, sample: usize, start: usize) -> f64 {
        let first = self.first_choice(expert, sample);
        let mut choices = first..first + self.choices;
        choices.find(|&choice| self.chosen[choice] == start).map_or(0.0, |choice| self.gates[choice])
    }

    /// The dead neurons of a choice, `[groups]`.
    #[inline(always)]
    pub(super) fn dead(&self, choice: usize) -> &[Dead] {
        &self.dead[choice * self.groups..][..self.groups]
    }
}

/// Evaluates every expert on its chosen tokens.
pub(super) struct Evaluate<'a> {
    pub(super) passes: &'a mut Passes,
    /// The tokens of the batch.
    pub(super) tokens: &'a [f64],
    /// Lines of a token.
    pub(super) lines: usize,
    /// k matrices `[d, m]`.
    pub(super) neurons: &'a [Panels],
    pub(super) neurons_per_expert: usize,
}

impl Kernel for Evaluate<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let Self { passes, tokens, lines, neurons, neurons_per_expert } = self;
        let (l, groups) = (passes.choices, passes.groups);
        let choices = passes.samples * l;
        let share = 1.0 / neurons_per_expert as f64;
        for (expert, weights) in neurons.iter().enumerate() {
            let own = expert * choices..(expert + 1) * choices;
            let rows = Rows { numbers: as_lines(tokens), starts: &passes.chosen[own.clone()], lines };
            let width = weights.width();
            multiply_rows(simd, rows, weights, &mut passes.preactivations, width);
            let activations = &mut passes.activations[own.clone()];
            let dead = passes.dead[own.start * groups..own.end * groups].chunks_exact_mut(groups.max(1));
            let preactivations = passes.preactivations.chunks_exact(width.max(1));
            for ((activation, dead), preactivations) in activations.iter_mut().zip(dead).zip(preactivations) {
                *activation = share * rectified_sum(simd, preactivations, dead);
            }
            let means = &mut passes.means[expert * passes.samples..][..passes.samples];
            let of_samples = passes.gates[own].chunks_exact(l.max(1)).zip(activations.chunks_exact(l.max(1)));
            for (mean, (gates, activations)) in means.iter_mut().zip(of_samples) {
                *mean = gates.iter().zip(activations).map(|(gate, activation)| gate * activation).sum();
            }
        }
    }
}

/// Σ_r ReLU(z_r) in eight partial sums, z_r to sum r mod 8, which are added in pairs; not a number if one of them is
/// (a maximum could make it 0). Sets which neurons are dead, those with z ≤ 0. `preactivations` are padded with zeros.
#[inline(always)]
fn rectified_sum<S: Simd>(simd: S, preactivations: &[f64], dead: &mut [Dead]) -> f64 {
    let vectors = LINE / S::F64_LANES;
    let zero = simd.splat_f64s(0.0);
    let mut sums = [zero; LINE];
    for (preactivations, dead) in preactivations.chunks(GROUP).zip(dead) {
        let mut words = [simd.splat_u64s(0); LINE];
        for (number, line) in preactivations.chunks_exact(LINE).enumerate() {
            let bit = simd.splat_u64s(1 << number);
            for (vector, &z) in S::as_simd_f64s(line).0.iter().enumerate() {
                let is_dead = simd.less_than_or_equal_f64s(z, zero);
                sums[vector] = simd.add_f64s(sums[vector], simd.select_f64s(is_dead, zero, z));
                words[vector] = simd.or_u64s(words[vector], simd.select_u64s(is_dead, bit, simd.splat_u64s(0)));
            }
        }
        S::as_mut_simd_u64s(dead).0.copy_from_slice(&words[..vectors]);
    }
    in_pairs::<S>(&sums)
}

/// As [`rectified_sum`], of numbers that come in parts of whole lines.
#[inline(always)]
pub(super) fn rectified_sum_of_parts<'a, S: Simd>(simd: S, parts: impl Iterator<Item = &'a [f64]>) -> f64 {
    let zero = simd.splat_f64s(0.0);
    let mut sums = [zero; LINE];
    for part in parts {
        for line in part.chunks_exact(LINE) {
            for (sum, &z) in sums.iter_mut().zip(S::as_simd_f64s(line).0) {
                *sum = simd.add_f64s(*sum, simd.select_f64s(simd.less_than_or_equal_f64s(z, zero), zero, z));
            }
        }
    }
    in_pairs::<S>(&sums)
}

/// The sum of eight partial sums, which stand in as many vectors as they need.
#[inline(always)]
fn in_pairs<S: Simd>(sums: &[S::f64s; LINE]) -> f64 {
    let mut partial = [0.0; LINE];
    S::as_mut_simd_f64s(&mut partial).0.copy_from_slice(&sums[..LINE / S::F64_LANES]);
    let [a, b, c, d, e, f, g, h] = partial;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}
