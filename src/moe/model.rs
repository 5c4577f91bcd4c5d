//! The model in pattern coordinates, and its plain forward pass.

use super::routing::{choose_tokens, softmax};
use crate::patterns::Pattern;

/// The largest size of a weight: sums of squares of more weights than fit into memory are finite.
const LARGEST: f64 = 1e140;

/// Whether all weights are numbers of at most 10¹⁴⁰ in size, so that their norms are numbers too. It looks at all of them,
/// which vectors of numbers do faster than a loop that may end early.
pub(crate) fn has_finite_norms(weights: &[f64]) -> bool {
    weights.iter().fold(true, |so_far, weight| so_far & (weight.abs() <= LARGEST))
}

/// Whether a weight is below 2.2·10⁻³⁰⁸ in size and not 0, so that it has lost digits.
pub(crate) fn has_subnormal(weights: &[f64]) -> bool {
    let is_subnormal = |weight: &f64| (weight.abs() < f64::MIN_POSITIVE) & (*weight != 0.0);
    weights.iter().fold(false, |so_far, weight| so_far | is_subnormal(weight))
}

/// k experts in pattern coordinates: u_{s,v} = ⟨w_s, v⟩ and h_{s,r,v} = ⟨w_{s,r}, v⟩. On the canonical basis these are
/// the weights themselves; on any other basis the model computes the same function of the pattern coordinates.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// d.
    pub patterns: usize,
    /// m: neurons of an expert.
    pub neurons_per_expert: usize,
    /// l: tokens that each expert chooses.
    pub tokens_per_expert: usize,
    /// a_s ∈ {−1, +1}, `[k]`.
    pub signs: Vec<f64>,
    /// u, `[k, d]`.
    pub routers: Vec<f64>,
    /// h, `[k, m, d]`.
    pub neurons: Vec<f64>,
}

impl Model {
    /// k.
    pub fn experts(&self) -> usize {
        self.signs.len()
    }

    /// Whether a weight has lost digits.
    pub(crate) fn has_subnormal(&self) -> bool {
        has_subnormal(&self.routers) || has_subnormal(&self.neurons)
    }

    /// Whether a weight is beyond 10¹⁴⁰ in size or no number, so that a norm may be no finite number.
    pub(crate) fn has_overflow(&self) -> bool {
        !has_finite_norms(&self.routers) || !has_finite_norms(&self.neurons)
    }

    /// The router of one expert, `[d]`.
    pub fn router(&self, expert: usize) -> &[f64] {
        &self.routers[expert * self.patterns..][..self.patterns]
    }

    /// The neurons of one expert, `[m, d]`.
    pub fn expert_neurons(&self, expert: usize) -> &[f64] {
        let size = self.neurons_per_expert * self.patterns;
        &self.neurons[expert * size..][..size]
    }

    /// σ_{s,v} = (1/m) Σ_r ReLU(h_{s,r,v}) for every pattern, `[d]`.
    pub fn activations(&self, expert: usize) -> Vec<f64> {
        let mut sums = vec![0.0; self.patterns];
        for neuron in self.expert_neurons(expert).chunks_exact(self.patterns) {
            for (sum, &weight) in sums.iter_mut().zip(neuron) {
                *sum += weight.max(0.0);
            }
        }
        let share = 1.0 / self.neurons_per_expert as f64;
        sums.iter().map(|sum| sum * share).collect()
    }

    /// The pruned model: only the experts in `kept`, in that order; the others go with their routers.
    pub fn subset(&self, kept: &[usize]) -> Model {
        Model {
            patterns: self.patterns,
            neurons_per_expert: self.neurons_per_expert,
            tokens_per_expert: self.tokens_per_expert,
            signs: kept.iter().map(|&expert| self.signs[expert]).collect(),
            routers: kept.iter().flat_map(|&expert| self.router(expert).iter().copied()).collect(),
            neurons: kept.iter().flat_map(|&expert| self.expert_neurons(expert).iter().copied()).collect(),
        }
    }

    /// f_s(x) = a_s Σ_{j∈J_s} G_j σ_s(x⁽ʲ⁾) of every expert for a noise-free sample, straight from the definition.
    ///
    /// The engines compute the same number faster; this is what they are tested against.
    pub fn expert_outputs(&self, tokens: &[Pattern]) -> Vec<f64> {
        let mut chosen = Vec::new();
        (0..self.experts())
            .map(|expert| {
                let router = self.router(expert);
                let scores: Vec<f64> = tokens.iter().map(|&token| router[token as usize]).collect();
                choose_tokens(&scores, self.tokens_per_expert, &mut chosen);
                let mut gates: Vec<f64> = chosen.iter().map(|&position| scores[position]).collect();
                softmax(&mut gates);
                let activations = self.activations(expert);
                let mean: f64 = chosen
                    .iter()
                    .zip(&gates)
                    .map(|(&position, gate)| gate * activations[tokens[position] as usize])
                    .sum();
                self.signs[expert] * mean
            })
            .collect()
    }
}
