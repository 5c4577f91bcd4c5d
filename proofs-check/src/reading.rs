//! The model read straight from its definition, sample by sample: what each expert takes, what comes out, and the
//! gradient of the routers. A third implementation beside the two engines, short and slow.

use moe_theory::moe::Model;
use moe_theory::patterns::Pattern;
use std::cmp::Ordering;

/// A model with its activations looked up once.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    model: &'a Model,
    /// σ_{s,v}, `[k][d]`.
    activations: Vec<Vec<f64>>,
}

/// What one expert does with one sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Pattern and gate of each chosen token, in descending order of score.
    pub taken: Vec<(usize, f64)>,
    /// σ̄.
    pub mean: f64,
    /// How little a chosen token leads a token left out, over all pairs of different patterns.
    pub clearance: f64,
}

impl Choice {
    /// The gates' mass on a pattern.
    pub fn gate(&self, pattern: usize) -> f64 {
        self.taken.iter().filter(|(taken, _)| *taken == pattern).map(|(_, gate)| gate).sum()
    }
}

/// What the model does with one sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Of each expert, `[k]`.
    pub choices: Vec<Choice>,
    /// y f(x).
    pub margin: f64,
    /// y.
    pub label: f64,
}

impl Reading {
    /// Whether α = 1.
    pub fn active(&self) -> bool {
        self.margin < 1.0
    }
}

impl<'a> Reader<'a> {
    /// Reads `model`.
    pub fn new(model: &'a Model) -> Self {
        Self { model, activations: (0..model.experts()).map(|expert| model.activations(expert)).collect() }
    }

    /// σ_{s,v} of every pattern.
    pub fn activations(&self, expert: usize) -> &[f64] {
        &self.activations[expert]
    }

    /// What the expert takes of `tokens`: the l largest scores, the smaller position first among equals.
    pub fn choose(&self, expert: usize, tokens: &[Pattern]) -> Choice {
        let router = self.model.router(expert);
        let score = |position: usize| router[tokens[position] as usize];
        let mut order: Vec<usize> = (0..tokens.len()).collect();
        // A stable sort keeps tied positions in ascending order.
        order.sort_by(|&a, &b| score(b).partial_cmp(&score(a)).unwrap_or(Ordering::Equal));
        let (chosen, left) = order.split_at(self.model.tokens_per_expert.min(tokens.len()));
        let best = score(chosen[0]);
        let total: f64 = chosen.iter().map(|&position| (score(position) - best).exp()).sum();
        let gate = |position: usize| (score(position) - best).exp() / total;
        let taken: Vec<(usize, f64)> =
            chosen.iter().map(|&position| (tokens[position] as usize, gate(position))).collect();
        let mean = taken.iter().map(|&(pattern, gate)| gate * self.activations[expert][pattern]).sum();
        let lead = |&inside: &usize| {
            let others = left.iter().filter(move |&&outside| tokens[outside] != tokens[inside]);
            others.fold(f64::INFINITY, |lead: f64, &outside| lead.min(score(inside) - score(outside)))
        };
        let clearance = chosen.iter().map(lead).fold(f64::INFINITY, f64::min);
        Choice { taken, mean, clearance }
    }

    /// What the model does with a sample.
    pub fn read(&self, tokens: &[Pattern], label: f64) -> Reading {
        let choices: Vec<Choice> = (0..self.model.experts()).map(|expert| self.choose(expert, tokens)).collect();
        let output: f64 = choices.iter().zip(&self.model.signs).map(|(choice, sign)| sign * choice.mean).sum();
        Reading { choices, margin: label * output, label }
    }

    /// Adds `weight` times −∂ℓ/∂w_s of the sample to `pull`, `[d]`.
    pub fn add_pull(&self, reading: &Reading, expert: usize, weight: f64, pull: &mut [f64]) {
        if reading.active() {
            let direction = weight * reading.label * self.model.signs[expert];
            self.add_spread(&reading.choices[expert], expert, direction, pull);
        }
    }

    /// Adds `weight` times Φ = Σ_j G_j (σ_j − σ̄) x⁽ʲ⁾ to `sum`, `[d]`.
    pub fn add_spread(&self, choice: &Choice, expert: usize, weight: f64, sum: &mut [f64]) {
        for &(pattern, gate) in &choice.taken {
            sum[pattern] += weight * gate * (self.activations[expert][pattern] - choice.mean);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Configuration;
    use moe_theory::patterns::{Batch, Sampler};

    #[test]
    fn it_agrees_with_the_models_own_outputs() {
        for run in 0..40 {
            let configuration = Configuration::draw(3, run).expect("legal");
            let model = configuration.initial();
            let mut batch = Batch::default();
            Sampler::training(&configuration.parameters.data, 1).fill(&mut batch, 20);
            let reader = Reader::new(&model);
            for sample in 0..batch.samples() {
                let reading = reader.read(batch.sample(sample), batch.labels[sample]);
                let outputs = model.expert_outputs(batch.sample(sample));
                for ((choice, sign), output) in reading.choices.iter().zip(&model.signs).zip(outputs) {
                    assert!((sign * choice.mean - output).abs() < 1e-13);
                }
            }
        }
    }

    #[test]
    fn a_chosen_token_may_tie_with_one_left_out_that_repeats_another() {
        let model = Model {
            patterns: 4,
            neurons_per_expert: 1,
            tokens_per_expert: 2,
            signs: vec![1.0],
            routers: vec![-5.0, -5.0, 1.0, 1.0 - 1e-12],
            neurons: vec![0.0; 4],
        };
        // Taken are 2 and the first 3; with scores rounded the other way both 3 would be.
        let choice = Reader::new(&model).choose(0, &[3, 2, 3]);
        assert_eq!(choice.taken.iter().map(|(pattern, _)| *pattern).collect::<Vec<_>>(), [2, 3]);
        assert!(choice.clearance < 1e-11);
    }
}
