//! What one sample does in a model: which tokens meet which experts, with which gates and activations.
//!
//! Straight from the definitions, on any routing, with or without token noise: the criteria read this and nothing else
//! of a forward pass, so that they do not depend on an engine.

use crate::moe::Model;
use crate::moe::routing::{choose_tokens, softmax};
use crate::patterns::Batch;

/// One token at one expert.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RoutedPair {
    /// s.
    pub expert: usize,
    /// j: the token's position.
    pub position: usize,
    /// Γ_sj.
    pub gate: f64,
    /// A_s(x⁽ʲ⁾) = σ_s(x⁽ʲ⁾) ≥ 0.
    pub activation: f64,
}

/// One sample in a model.
#[derive(Clone, Copy, Debug)]
pub struct RoutedSample<'a> {
    /// z_sj = ⟨w_s, x⁽ʲ⁾⟩, `[n, k]`.
    pub scores: &'a [f64],
    /// The routed pairs, expert by expert.
    pub pairs: &'a [RoutedPair],
    /// f_s(x) = a_s Σ_j Γ_sj A_s(x⁽ʲ⁾), `[k]`.
    pub outputs: &'a [f64],
    /// y.
    pub label: f64,
}

/// Calls `visit` with every sample of a batch.
pub fn for_each_routed(model: &Model, batch: &Batch, mut visit: impl FnMut(RoutedSample)) {
    let tables: Vec<Vec<f64>> = (0..model.experts()).map(|expert| model.activations(expert)).collect();
    let (k, n, d) = (model.experts(), batch.tokens_per_sample, model.patterns);
    let (mut scores, mut outputs) = (vec![0.0; n * k], vec![0.0; k]);
    let (mut pairs, mut chosen) = (Vec::new(), Vec::new());
    for (sample, &label) in batch.labels.iter().enumerate() {
        let tokens = batch.sample(sample);
        let noise = |position: usize| batch.noise.get((sample * n + position) * d..).and_then(|rest| rest.get(..d));
        for (position, &token) in tokens.iter().enumerate() {
            for expert in 0..k {
                scores[position * k + expert] = product(model.router(expert), token as usize, noise(position));
            }
        }
        pairs.clear();
        route(model, &scores, &mut chosen, &mut pairs);
        outputs.fill(0.0);
        for pair in &mut pairs {
            let token = tokens[pair.position] as usize;
            pair.activation = match noise(pair.position) {
                None => tables[pair.expert][token],
                noise => {
                    let neurons = model.expert_neurons(pair.expert).chunks_exact(d);
                    let sum: f64 = neurons.map(|neuron| product(neuron, token, noise).max(0.0)).sum();
                    sum / model.neurons_per_expert as f64
                }
            };
            outputs[pair.expert] += model.signs[pair.expert] * pair.gate * pair.activation;
        }
        visit(RoutedSample { scores: &scores, pairs: &pairs, outputs: &outputs, label });
    }
}

/// ⟨w, x⟩ for the token of this pattern and, if any, noise, all in pattern coordinates.
fn product(weights: &[f64], token: usize, noise: Option<&[f64]>) -> f64 {
    let along = noise.map_or(0.0, |noise| weights.iter().zip(noise).map(|(weight, noise)| weight * noise).sum());
    weights[token] + along
}

/// Adds the routed pairs with their gates, expert by expert; activations are left 0.
fn route(model: &Model, scores: &[f64], chosen: &mut Vec<usize>, pairs: &mut Vec<RoutedPair>) {
    let k = model.experts();
    let mut own = Vec::with_capacity(scores.len() / k);
    let mut gates = Vec::with_capacity(model.tokens_per_expert);
    for expert in 0..k {
        own.clear();
        own.extend(scores.iter().skip(expert).step_by(k));
        choose_tokens(&own, model.tokens_per_expert, chosen);
        gates.clear();
        gates.extend(chosen.iter().map(|&position| own[position]));
        softmax(&mut gates);
        let routed = chosen.iter().zip(&gates);
        pairs.extend(routed.map(|(&position, &gate)| RoutedPair { expert, position, gate, activation: 0.0 }));
    }
}
