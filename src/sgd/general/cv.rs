//! V-MoE's balance losses (Riquelme et al. 2021, arXiv 2106.05974, and the authors' code), for token choice. Each is the
//! squared coefficient of variation over the k experts of a group of a mean over the batch's tokens, and the mean of that
//! over groups. For means v_s with the sum V it is k Σ v_s²/V² − 1, and ∂/∂v_s = 2k (v_s/V² − Σ_i v_i²/V³).
//!
//! - **Importance**: v_s is the mean of p_{s|j}, the softmax over the group. V = 1.
//! - **Load**: v_s is the mean of Φ((z_s − z_(c))/τ), the chance that s is chosen if its score had noise of standard
//!   deviation τ = 1/k; z_(c) is the c-th largest score of the token, through which there is a gradient, too. The authors
//!   also draw noise for the choice itself; here the choice is by the scores as they are.

use super::GeneralEngine;
use crate::moe::routing::choose_tokens;
use crate::moe::rule::soft_gates;
use crate::patterns::Batch;
use crate::sgd::objective::Regularisers;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// The tokens of a batch by pattern.
struct Tokens {
    /// Tokens of each pattern, `[d]`.
    counts: Vec<f64>,
    per_sample: f64,
}

/// What experts have of one pattern's tokens: the derivative of a mean by the scores follows from it.
enum Shares {
    /// p.
    Soft(Vec<f64>),
    /// Φ, its density over τ, and the place of the c-th largest score.
    Noisy { chances: Vec<f64>, densities: Vec<f64>, last: usize },
}

impl Shares {
    fn values(&self) -> &[f64] {
        match self {
            Shares::Soft(values) | Shares::Noisy { chances: values, .. } => values,
        }
    }

    /// Σ_s slopes_s ∂v_s/∂z for each place of the group.
    fn back(&self, slopes: &[f64]) -> Vec<f64> {
        match self {
            Shares::Soft(gates) => {
                let mean: f64 = gates.iter().zip(slopes).map(|(gate, slope)| gate * slope).sum();
                gates.iter().zip(slopes).map(|(gate, slope)| gate * (slope - mean)).collect()
            }
            Shares::Noisy { densities, last, .. } => {
                let mut by_score: Vec<f64> = densities.iter().zip(slopes).map(|(a, b)| a * b).collect();
                by_score[*last] -= by_score.iter().sum::<f64>();
                by_score
            }
        }
    }
}

impl GeneralEngine {
    /// Adds the pull of both losses, times the number of samples, by which a step divides.
    pub(super) fn pull_variation(&mut self, batch: &Batch, coefficients: &Regularisers) {
        if coefficients.importance == 0.0 && coefficients.load == 0.0 {
            return;
        }
        let mut counts = vec![0.0; self.patterns];
        batch.tokens.iter().for_each(|&token| counts[token as usize] += 1.0);
        let tokens = Tokens { counts, per_sample: batch.tokens_per_sample as f64 };
        let groups = self.rule.groups().to_vec();
        for group in groups.iter().filter(|group| !group.is_empty()) {
            let share = 1.0 / groups.len() as f64;
            for (coefficient, is_load) in [(coefficients.importance, false), (coefficients.load, true)] {
                if coefficient != 0.0 {
                    self.pull_one(group, &tokens, coefficient * share, is_load);
                }
            }
        }
    }

    fn pull_one(&mut self, group: &[usize], tokens: &Tokens, coefficient: f64, is_load: bool) {
        let met: Vec<usize> = (0..self.patterns).filter(|&pattern| tokens.counts[pattern] > 0.0).collect();
        let of = |&pattern: &usize| if is_load { self.noisy(group, pattern) } else { self.soft(group, pattern) };
        let shares: Vec<Shares> = met.iter().map(of).collect();
        let total: f64 = tokens.counts.iter().sum();
        let mut means = vec![0.0; group.len()];
        for (&pattern, shares) in met.iter().zip(&shares) {
            let weight = tokens.counts[pattern] / total;
            means.iter_mut().zip(shares.values()).for_each(|(mean, value)| *mean += weight * value);
        }
        let sum: f64 = means.iter().sum();
        let squares: f64 = means.iter().map(|mean| mean * mean).sum();
        let slope = |mean: &f64| 2.0 * group.len() as f64 * (mean - squares / sum) / (sum * sum);
        let slopes: Vec<f64> = means.iter().map(slope).collect();
        for (&pattern, shares) in met.iter().zip(&shares) {
            // Pulls are summed over samples, and a mean is over tokens: n tokens a sample.
            let factor = coefficient * tokens.counts[pattern] / tokens.per_sample;
            for (&expert, slope) in group.iter().zip(shares.back(&slopes)) {
                self.router_pull[expert * self.patterns + pattern] -= factor * slope;
            }
        }
    }

    fn soft(&self, group: &[usize], pattern: usize) -> Shares {
        Shares::Soft(soft_gates(group, &self.routers, self.patterns, pattern))
    }

    fn noisy(&self, group: &[usize], pattern: usize) -> Shares {
        let scores: Vec<f64> = group.iter().map(|&expert| self.routers[expert * self.patterns + pattern]).collect();
        let mut chosen = Vec::new();
        choose_tokens(&scores, self.rule.experts_per_token(), &mut chosen);
        let last = chosen.last().copied().unwrap_or_default();
        let per_deviation = group.len() as f64;
        let above: Vec<f64> = scores.iter().map(|score| (score - scores[last]) * per_deviation).collect();
        Shares::Noisy {
            chances: above.iter().map(|above| 0.5 * libm::erfc(-above * FRAC_1_SQRT_2)).collect(),
            densities: above
                .iter()
                .map(|above| per_deviation * libm::exp(-0.5 * above * above) / (2.0 * PI).sqrt())
                .collect(),
            last,
        }
    }
}
