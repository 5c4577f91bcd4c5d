//! The attentive gate (Krishnamurthy et al. 2023, arXiv 2302.14703; the authors' code was read): who processes a sample is
//! asked of what experts have to say of it. Then experts are frozen, and an ordinary gate is trained anew for them.
//!
//! Experts are those of the paper's model: expert s says V_s(x) = (a_s/m) Σ_r H_{s,r}(x) of a sample x of n tokens,
//! H_{s,r}(x) = Σ_j max(0, ⟨θ_{s,r}, x⁽ʲ⁾⟩), and f(x) = Σ_s p_s(x) V_s(x). The gate belongs to the sample, as the authors'
//! does: q = W_q x̄, k_s = W_k H_s(x), z_s = ⟨q, k_s⟩/√h, p = softmax(z), x̄ the mean token. All experts run. The ordinary
//! gate has z_s = ⟨w_s, x̄⟩, and of its softmax over all the c = `experts_per_token` largest carry.
//!
//! The loss is that of the labels, plus the importance loss and the sample-similarity loss ([`super::gate_losses`]).
//!
//! With δ_s = −∂ℓ/∂f·V_s less the losses of gates, or without V_s of an expert that does not carry, and
//! g_s = p_s (δ_s − Σ_i p_i δ_i): −∂/∂w_s = g_s x̄, −∂/∂W_q = Σ_s g_s k_s x̄ᵀ/√h, −∂/∂W_k = Σ_s g_s q H_sᵀ/√h, and
//! −∂/∂H_{s,r} = g_s ⟨q, W_k e_r⟩/√h − ∂ℓ/∂f·p_s a_s/m, which reaches θ_{s,r} at the tokens where it is active.

use super::rows::{OnRows, Rows};
use super::tokenwise::product;
use super::{Setting, StartingPoint, UpstreamDiverged};
use crate::moe::Pretrained;
use crate::moe::routing::{choose_tokens, softmax};
use crate::patterns::streams::{Purpose, stream};
use crate::patterns::{Batch, Pattern, Sampler, StandardNormal};
use crate::prune::routed::{RoutedPair, RoutedSample};
use crate::sgd::train::{Schedule, StopReason};
use crate::sgd::{Engine, Rates, train};
use crate::sim::parameters::{Distance, Gate, Parameters};
use rand::distr::Distribution;

mod training;

pub use training::AttentiveEngine;

/// Experts behind an attentive gate, or behind the ordinary one that comes after it.
#[derive(Clone, Debug)]
pub struct AttentiveGate {
    /// Routers `[slots, d]`, none of the attentive gate, and neurons `[slots, m, d]`.
    rows: Rows,
    /// W_q, `[h, d]`, and W_k, `[h, m]`, one behind the other.
    maps: Vec<f64>,
    gate: Gate,
    patterns: usize,
    neurons: usize,
    key_length: usize,
    /// c.
    carrying: usize,
    /// β.
    similarity: f64,
    distance: Distance,
}

/// An attentive gate and its experts, trained; or with an ordinary gate that has not learned yet.
pub(super) fn start(setting: &Setting) -> (StartingPoint, Option<UpstreamDiverged>) {
    let Setting { parameters, seed, .. } = *setting;
    let untrained = Pretrained::constructed(parameters, seed);
    let (roles, features) = (untrained.roles.clone(), untrained.features.clone());
    let begun = AttentiveGate::new(parameters, seed);
    let (system, failed) = match parameters.model.gate {
        Gate::Attentive => (begun, None),
        _ => begun.gated_anew(parameters, seed, untrained),
    };
    (StartingPoint { system: Box::new(system), roles, features }, failed)
}

/// What a sample meets.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// H, `[slots, m]`.
    hidden: Vec<f64>,
    /// V_s, or 0 of an expert that does not carry, `[slots]`.
    values: Vec<f64>,
    carries: Vec<bool>,
    /// q, `[h]`, and k, `[slots, h]`; empty with an ordinary gate.
    query: Vec<f64>,
    keys: Vec<f64>,
    /// z, `[slots]`.
    scores: Vec<f64>,
    /// p, `[slots]`.
    gates: Vec<f64>,
}

impl AttentiveGate {
    /// Constructed experts behind an attentive gate at t = 0.
    pub fn new(parameters: &Parameters, seed: u64) -> Self {
        let Parameters { data, model, pretrained, training, .. } = parameters;
        let experts = Pretrained::constructed(parameters, seed).model;
        let rows = Rows::new(Vec::new(), experts.neurons, model.experts, data.patterns).with_signs(experts.signs);
        let maps = normal(seed, Purpose::AttentiveMaps, model.key_length * (data.patterns + model.neurons));
        Self {
            rows,
            maps: maps.map(|entry| pretrained.map_scale * entry).collect(),
            gate: Gate::Attentive,
            patterns: data.patterns,
            neurons: model.neurons,
            key_length: model.key_length,
            carrying: model.experts_per_token,
            similarity: training.similarity_loss,
            distance: training.distance,
        }
    }

    /// The same experts behind an ordinary gate at t = 0, after the attentive gate has trained them. If it diverged, those
    /// of the start.
    fn gated_anew(self, parameters: &Parameters, seed: u64, untrained: Pretrained) -> (Self, Option<UpstreamDiverged>) {
        let mut engine = AttentiveEngine::new(self.clone(), Rates::from(&parameters.training));
        let mut sampler = Sampler::new(&parameters.data, seed, Purpose::Upstream, Purpose::UpstreamNoise);
        let iterations = parameters.pretrained.attentive_iterations;
        let schedule = Schedule { iterations, zero_loss_window: 0, ..Schedule::training(parameters) };
        let (experts, failed) = match train(&mut engine, &mut sampler, schedule, &mut []) {
            (StopReason::Diverged, iteration) => {
                (self, Some(UpstreamDiverged { iteration, untrained: Box::new(untrained) }))
            }
            _ => (engine.into_model(), None),
        };
        let noise = parameters.pretrained.router_noise;
        let routers = normal(seed, Purpose::OrdinaryGate, experts.rows.slots() * experts.patterns);
        (experts.with_ordinary_gate(routers.map(|weight| noise * weight).collect()), failed)
    }

    /// The same experts behind an ordinary gate with these routers, `[slots, d]`.
    pub fn with_ordinary_gate(self, routers: Vec<f64>) -> Self {
        let rows = self.rows.with_weights(routers, self.rows.experts.clone());
        Self { gate: Gate::Ordinary, rows, ..self }
    }

    /// The same with these maps: W_q, `[h, d]`, and W_k, `[h, m]`, one behind the other.
    pub fn with_maps(&self, maps: Vec<f64>) -> Self {
        Self { maps, ..self.clone() }
    }

    /// W_q and W_k.
    fn maps(&self) -> (&[f64], &[f64]) {
        self.maps.split_at(self.key_length * self.patterns)
    }

    /// ⟨row, x̄⟩.
    fn at_mean(row: &[f64], tokens: &[Pattern]) -> f64 {
        tokens.iter().map(|&token| row[token as usize]).sum::<f64>() / tokens.len() as f64
    }

    fn see(&self, tokens: &[Pattern], seen: &mut Seen) {
        let (m, slots) = (self.neurons, self.rows.slots());
        let neurons = self.rows.experts.chunks_exact(self.patterns);
        seen.hidden.clear();
        seen.hidden
            .extend(neurons.map(|neuron| tokens.iter().map(|&token| neuron[token as usize].max(0.0)).sum::<f64>()));
        match self.gate {
            Gate::Attentive => self.attend(tokens, seen),
            _ => {
                seen.scores.clear();
                seen.scores.extend(self.rows.routers.chunks_exact(self.patterns).map(|w| Self::at_mean(w, tokens)));
            }
        }
        seen.gates.clone_from(&seen.scores);
        softmax(&mut seen.gates);
        seen.carries.clear();
        seen.carries.extend((0..slots).map(|slot| self.rows.is_left(slot)));
        if self.gate != Gate::Attentive {
            let mut chosen = Vec::new();
            choose_tokens(&seen.scores, self.carrying, &mut chosen);
            seen.carries.iter_mut().enumerate().for_each(|(slot, carries)| *carries &= chosen.contains(&slot));
        }
        let says = seen.hidden.chunks_exact(m).zip(self.rows.signs()).zip(&seen.carries);
        seen.values.clear();
        seen.values.extend(says.map(|((hidden, sign), &carries)| match carries {
            true => sign * hidden.iter().sum::<f64>() / m as f64,
            false => 0.0,
        }));
    }

    fn attend(&self, tokens: &[Pattern], seen: &mut Seen) {
        let (query, key) = self.maps();
        seen.query.clear();
        seen.query.extend(query.chunks_exact(self.patterns).map(|row| Self::at_mean(row, tokens)));
        seen.keys.clear();
        seen.keys.extend(
            seen.hidden
                .chunks_exact(self.neurons)
                .flat_map(|hidden| key.chunks_exact(self.neurons).map(move |row| product(row, hidden))),
        );
        let length = (self.key_length as f64).sqrt();
        seen.scores.clear();
        seen.scores.extend(seen.keys.chunks_exact(self.key_length).map(|key| product(&seen.query, key) / length));
    }
}

fn normal(seed: u64, purpose: Purpose, count: usize) -> impl Iterator<Item = f64> {
    let mut generator = stream(seed, purpose);
    (0..count).map(move |_| StandardNormal.sample(&mut generator))
}

impl OnRows for AttentiveGate {
    fn rows(&self) -> &Rows {
        &self.rows
    }

    fn on(&self, rows: Rows) -> Self {
        Self { rows, ..self.clone() }
    }

    fn reads_patterns(&self) -> bool {
        true
    }

    fn trained_by(&self, rates: Rates) -> Box<dyn Engine> {
        Box::new(AttentiveEngine::new(self.clone(), rates))
    }

    fn of_engine(&self, engine: &dyn Engine) -> Self {
        self.with_maps(engine.shared_weights()).with_weights(engine.routers(), engine.expert_weights())
    }

    /// A pair is every token at every expert that carries, its gate that of the sample.
    fn visit_routed(&self, batch: &Batch, visit: &mut dyn FnMut(RoutedSample)) {
        let (mut seen, n, m) = (Seen::default(), batch.tokens_per_sample, self.neurons as f64);
        for (sample, &label) in batch.labels.iter().enumerate() {
            let tokens = batch.sample(sample);
            self.see(tokens, &mut seen);
            let mut pairs = Vec::new();
            for expert in (0..self.rows.slots()).filter(|&slot| seen.carries[slot]) {
                let gate = seen.gates[expert];
                pairs.extend(tokens.iter().enumerate().map(|(position, &token)| {
                    let neurons = self.rows.expert(expert).chunks_exact(self.patterns);
                    let activation = neurons.map(|neuron| neuron[token as usize].max(0.0)).sum::<f64>() / m;
                    RoutedPair { expert, position, gate, activation }
                }));
            }
            let outputs: Vec<f64> = seen.gates.iter().zip(&seen.values).map(|(gate, value)| gate * value).collect();
            visit(RoutedSample { scores: &seen.scores.repeat(n), pairs: &pairs, outputs: &outputs, label });
        }
    }
}
