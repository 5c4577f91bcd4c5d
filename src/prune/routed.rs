//! What one sample does in a model: which tokens meet which experts, with which gates and activations.
//!
//! Straight from the definitions, on any routing, with or without token noise: the criteria read this and nothing else
//! of a forward pass, so that they do not depend on an engine.

use crate::moe::routing::{choose_tokens, softmax};
use crate::moe::{Model, Routed, RoutingRule};
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
    /// f_s(x) = (a_s/M) Σ_j Γ_sj A_s(x⁽ʲ⁾), `[k]`, for M groups of experts.
    pub outputs: &'a [f64],
    /// y.
    pub label: f64,
}

/// Calls `visit` with every sample of a batch. With token noise routing is expert choice.
pub fn for_each_routed(model: &Model, rule: &RoutingRule, batch: &Batch, mut visit: impl FnMut(RoutedSample)) {
    let tables: Vec<Vec<f64>> = (0..model.experts()).map(|expert| model.activations(expert)).collect();
    let (k, n, d) = (model.experts(), batch.tokens_per_sample, model.patterns);
    let share = 1.0 / rule.groups().len() as f64;
    let (mut scores, mut outputs) = (vec![0.0; n * k], vec![0.0; k]);
    let (mut pairs, mut routed) = (Vec::new(), Routed::default());
    for (sample, &label) in batch.labels.iter().enumerate() {
        let tokens = batch.sample(sample);
        let noise = |position: usize| batch.noise.get((sample * n + position) * d..).and_then(|rest| rest.get(..d));
        for (position, &token) in tokens.iter().enumerate() {
            for expert in 0..k {
                scores[position * k + expert] = product(model.router(expert), token as usize, noise(position));
            }
        }
        pairs.clear();
        if batch.noise.is_empty() {
            rule.route(&model.routers, d, tokens, &mut routed);
            pairs.extend(routed.carrying().map(|pair| {
                let activation = tables[pair.expert][pair.pattern as usize];
                RoutedPair { expert: pair.expert, position: pair.position, gate: pair.gate, activation }
            }));
            // Token choice lists them token by token.
            pairs.sort_by_key(|pair| (pair.expert, pair.position));
        } else {
            choose_noisy(model, &scores, &mut pairs);
            for pair in &mut pairs {
                let (token, noise) = (tokens[pair.position] as usize, noise(pair.position));
                let neurons = model.expert_neurons(pair.expert).chunks_exact(d);
                let sum: f64 = neurons.map(|neuron| product(neuron, token, noise).max(0.0)).sum();
                pair.activation = sum / model.neurons_per_expert as f64;
            }
        }
        outputs.fill(0.0);
        for pair in &pairs {
            outputs[pair.expert] += share * model.signs[pair.expert] * pair.gate * pair.activation;
        }
        visit(RoutedSample { scores: &scores, pairs: &pairs, outputs: &outputs, label });
    }
}

/// ⟨w, x⟩ for the token of this pattern and, if any, noise, all in pattern coordinates.
fn product(weights: &[f64], token: usize, noise: Option<&[f64]>) -> f64 {
    let along = noise.map_or(0.0, |noise| weights.iter().zip(noise).map(|(weight, noise)| weight * noise).sum());
    weights[token] + along
}

/// Adds the pairs of expert choice with their gates, expert by expert; activations are left 0.
fn choose_noisy(model: &Model, scores: &[f64], pairs: &mut Vec<RoutedPair>) {
    let k = model.experts();
    let (mut own, mut chosen, mut gates) = (Vec::new(), Vec::new(), Vec::new());
    for expert in 0..k {
        own.clear();
        own.extend(scores.iter().skip(expert).step_by(k));
        choose_tokens(&own, model.tokens_per_expert, &mut chosen);
        gates.clear();
        gates.extend(chosen.iter().map(|&position| own[position]));
        softmax(&mut gates);
        let routed = chosen.iter().zip(&gates);
        pairs.extend(routed.map(|(&position, &gate)| RoutedPair { expert, position, gate, activation: 0.0 }));
    }
}
