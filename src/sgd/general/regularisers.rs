//! Regularisers of the gates.
//!
//! - **Entropy**, κ times the mean over samples and blocks of H = −Σ_i G_i ln G_i of a block's softmax (SEER-MoE's, arXiv
//!   2404.05089, for κ > 0). ∂H/∂z_i = −G_i (ln G_i + H).
//! - **Load balance**, λ times the mean over groups of k Σ_s F_s P_s, k the experts of the group (Switch Transformer's,
//!   arXiv 2101.03961, with F over c choices): P_s is the batch's mean of p_{s|j}, the softmax over the group's experts,
//!   and F_s the share of the batch's choices that are s, before capacity. F has no gradient.
//!   ∂/∂z_{s,j} = λ k p_{s|j} (F_s − Σ_i p_{i|j} F_i) over the number of tokens.

use super::GeneralEngine;
use crate::moe::routing::choose_tokens;
use crate::moe::rule::soft_gates;
use crate::patterns::Batch;

/// −Σ G ln G; 0·ln 0 is 0.
fn entropy(gates: impl Iterator<Item = f64>) -> f64 {
    gates.filter(|&gate| gate > 0.0).map(|gate| -gate * libm::log(gate)).sum()
}

impl GeneralEngine {
    /// Adds −κ ∂H/∂u of the sample that was routed last.
    pub(super) fn pull_entropy(&mut self, coefficient: f64) {
        if coefficient == 0.0 || self.routed.ends.is_empty() {
            return;
        }
        let factor = coefficient / self.routed.ends.len() as f64;
        let routed = std::mem::take(&mut self.routed);
        for block in routed.blocks() {
            let entropy = entropy(block.iter().map(|pair| pair.gate));
            for pair in block.iter().filter(|pair| pair.gate > 0.0) {
                let place = self.place(pair);
                self.router_pull[place] += factor * pair.gate * (libm::log(pair.gate) + entropy);
            }
        }
        self.routed = routed;
    }

    /// Adds the pull of the load-balance loss of the batch, times the number of samples, by which a step divides.
    pub(super) fn pull_load_balance(&mut self, batch: &Batch, coefficient: f64) {
        if coefficient == 0.0 {
            return;
        }
        let d = self.patterns;
        let mut counts = vec![0.0; d];
        batch.tokens.iter().for_each(|&token| counts[token as usize] += 1.0);
        let groups = self.rule.groups().to_vec();
        for group in groups.iter().filter(|group| !group.is_empty()) {
            let gates: Vec<Vec<f64>> = (0..d).map(|v| soft_gates(group, &self.routers, d, v)).collect();
            let shares = self.loads(group, &counts);
            let scale = coefficient * group.len() as f64 / groups.len() as f64;
            // Pulls are summed over samples, and the loss is a mean over tokens: n tokens a sample.
            let factor = scale / batch.tokens_per_sample as f64;
            for (pattern, gates) in gates.iter().enumerate().filter(|(pattern, _)| counts[*pattern] > 0.0) {
                let mean: f64 = gates.iter().zip(&shares).map(|(gate, share)| gate * share).sum();
                for ((&expert, gate), share) in group.iter().zip(gates).zip(&shares) {
                    self.router_pull[expert * d + pattern] -= factor * counts[pattern] * gate * (share - mean);
                }
            }
        }
    }

    /// F: the share of the choices of all tokens that goes to each expert of a group, in its order.
    fn loads(&self, group: &[usize], counts: &[f64]) -> Vec<f64> {
        let mut loads = vec![0.0; group.len()];
        let mut chosen = Vec::new();
        for (pattern, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            let scores: Vec<f64> = group.iter().map(|&expert| self.routers[expert * self.patterns + pattern]).collect();
            choose_tokens(&scores, self.rule.experts_per_token(), &mut chosen);
            chosen.iter().for_each(|&place| loads[place] += count);
        }
        let total: f64 = loads.iter().sum();
        loads.iter().map(|load| load / total).collect()
    }
}
