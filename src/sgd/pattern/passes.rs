//! One sample through the experts: forward for the outputs, backward for the gradients.

use super::{Entry, PatternEngine};
use crate::patterns::{Batch, Pattern};
use crate::sgd::{Diverged, StepReport};
use std::ops::Range;

/// Sums of exponentials outside this range are computed again relative to the largest score.
const SAFE_TOTALS: std::ops::Range<f64> = 1e-250..1e250;

/// The forward pass of one sample.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// Cells of the chosen tokens, best first, `[k, l]`.
    pub(super) chosen: Vec<u32>,
    /// Gates before normalisation, `[k, l]`.
    pub(super) weights: Vec<f64>,
    /// Their sums, `[k]`.
    totals: Vec<f64>,
    /// σ̄ = Σ_j G_j σ_j, `[k]`.
    pub(super) means: Vec<f64>,
}

impl Sample {
    /// For `experts` experts that choose `tokens_per_expert` tokens each.
    pub(super) fn new(experts: usize, tokens_per_expert: usize) -> Self {
        let choices = experts * tokens_per_expert;
        Self {
            chosen: vec![0; choices],
            weights: vec![0.0; choices],
            totals: vec![0.0; experts],
            means: vec![0.0; experts],
        }
    }
}

impl PatternEngine {
    /// Passes some samples of a batch forward and those with a loss backward; adds their losses to `report`.
    pub(super) fn pass(
        &mut self,
        batch: &Batch,
        samples: Range<usize>,
        report: &mut StepReport,
    ) -> Result<(), Diverged> {
        for sample in samples {
            let (tokens, label) = (batch.sample(sample), batch.labels[sample]);
            let output = self.forward(tokens);
            if !output.is_finite() {
                return Err(Diverged);
            }
            let slack = 1.0 - label * output;
            if slack > 0.0 {
                report.loss += slack;
                report.active += 1;
                self.backward(tokens, label);
            }
        }
        Ok(())
    }

    /// Chooses, gates and averages for every expert; returns f(x).
    #[inline]
    pub(super) fn forward(&mut self, tokens: &[Pattern]) -> f64 {
        let l = self.shape.tokens_per_expert;
        let Sample { chosen, weights, totals, means } = &mut self.sample;
        self.selector.select(tokens, chosen);
        // A slice of its own: its address is then read once and not for every token.
        let table = self.table.as_slice();
        let mut output = 0.0;
        let experts = chosen.chunks_exact(l).zip(weights.chunks_exact_mut(l));
        for (expert, (chosen, weights)) in experts.enumerate() {
            let (mut total, mut sum) = (0.0, 0.0);
            for (&cell, weight) in chosen.iter().zip(weights.iter_mut()) {
                let entry = table[cell as usize];
                *weight = entry.exponential;
                total += entry.exponential;
                sum += entry.exponential * entry.activation;
            }
            if !SAFE_TOTALS.contains(&total) {
                let router = &self.routers[expert * self.shape.patterns..][..self.shape.patterns];
                (total, sum) = gate_again(router, self.shape.experts(), table, chosen, weights);
            }
            totals[expert] = total;
            means[expert] = sum / total;
            output += self.shape.signs[expert] * means[expert];
        }
        output
    }

    /// Adds the gradient of the sample that was last passed forward, of label `label`.
    #[inline]
    fn backward(&mut self, tokens: &[Pattern], label: f64) {
        let l = self.shape.tokens_per_expert;
        let Sample { chosen, weights, totals, means } = &self.sample;
        for (expert, (chosen, weights)) in chosen.chunks_exact(l).zip(weights.chunks_exact(l)).enumerate() {
            let scale = label * self.shape.signs[expert] / totals[expert];
            let mean = means[expert];
            for (&cell, &weight) in chosen.iter().zip(weights) {
                let mass = weight * scale;
                let gradient = &mut self.gradients[cell as usize];
                gradient.mass += mass;
                gradient.router += mass * (self.table[cell as usize].activation - mean);
            }
        }
        for &token in tokens {
            if !std::mem::replace(&mut self.is_touched[token as usize], true) {
                self.touched.push(token);
            }
        }
    }
}

/// Gates relative to the largest chosen score, for scores so far from the shift that the table under- or overflows.
#[cold]
fn gate_again(router: &[f64], experts: usize, table: &[Entry], chosen: &[u32], weights: &mut [f64]) -> (f64, f64) {
    let largest = router[chosen[0] as usize / experts];
    let (mut total, mut sum) = (0.0, 0.0);
    for (&cell, weight) in chosen.iter().zip(weights) {
        *weight = libm::exp(router[cell as usize / experts] - largest);
        total += *weight;
        sum += *weight * table[cell as usize].activation;
    }
    (total, sum)
}
