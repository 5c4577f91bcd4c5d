//! SMEAR and Lory: soft merging of experts (Muqeeth et al. 2023, arXiv 2306.03745; Zhong et al. 2024, arXiv 2405.03133;
//! detailed notes of both were read).
//!
//! A sample is cut into K segments of n/K tokens. For each segment, and for either sign by itself, the experts' neurons are
//! averaged with the router's shares, and the segment is processed by this one merged expert:
//! θ̄_a = Σ_{s: a_s = a} e_s θ_s, e the softmax over the experts of that sign of ⟨w_s, x̄⟩/τ, x̄ the mean of the tokens of
//! the segment that is read. f(x) = Σ_j Σ_a a σ(θ̄_a; x⁽ʲ⁾), σ the mean of the ReLU neurons. Merging across signs would
//! average votes for with votes against, so it stays inside a sign.
//!
//! Which segment is read (`merging`): its `own` (SMEAR); the one before, `causal` (Lory); always the first, `prefix`. Where it
//! is not its own, the first segment is processed by its own shares under stop-gradient, as Lory's is.
//!
//! A merged expert says no more than the mixture of its parts: σ(θ̄) ≤ Σ_s e_s σ(θ_s) (identity I10). f is no sum of what
//! experts would say alone. What is ascribed to expert s is its part where neurons are active,
//! f_s = a_s Σ_j e_s (1/m) Σ_r `1[⟨θ̄_r, x⁽ʲ⁾⟩ > 0]` ⟨θ_{s,r}, x⁽ʲ⁾⟩, and Σ_s f_s = f (ReLU is homogeneous).
//!
//! With h_s = ∂f/∂e_s, summed over the tokens of the segments that read a segment: ∂f/∂w_s = e_s (h_s − Σ_i e_i h_i) x̄/τ
//! and ∂f/∂θ_{s,r,v} = (a_s/m) e_s `1[θ̄_{r,v} > 0]` over the tokens of pattern v. A pruned expert whose router stays keeps
//! its share and adds 0.

use super::rows::{OnRows, Rows};
use super::{Setting, StartingPoint, UpstreamDiverged};
use crate::moe::routing::softmax;
use crate::moe::{Model, Pretrained};
use crate::patterns::{Batch, Pattern};
use crate::prune::routed::{RoutedPair, RoutedSample};
use crate::sgd::{Diverged, Engine, Objective, Rates, StepReport};
use crate::sim::parameters::{Merging, Parameters};

/// Experts that are merged before they speak.
#[derive(Clone, Debug)]
pub struct Smear {
    /// Routers `[slots, d]` and neurons `[slots, m, d]`, in a group for each sign.
    rows: Rows,
    patterns: usize,
    neurons: usize,
    segments: usize,
    merging: Merging,
    temperature: f64,
}

/// A constructed model of the paper's, whose experts are merged.
pub(super) fn start(setting: &Setting) -> (StartingPoint, Option<UpstreamDiverged>) {
    let Pretrained { model, roles, features } = Pretrained::constructed(setting.parameters, setting.seed);
    let system = Box::new(Smear::new(&model, setting.parameters));
    (StartingPoint { system, roles, features }, None)
}

/// What the router says of one segment.
#[derive(Clone, Debug, Default)]
struct Read {
    /// ⟨w_s, x̄⟩/τ, `[slots]`.
    scores: Vec<f64>,
    /// e_s, `[slots]`.
    shares: Vec<f64>,
}

/// What merged experts say of one token.
#[derive(Clone, Debug, Default)]
struct Said {
    /// (a_s/m) Σ_r `1[θ̄_{r,v} > 0]` θ_{s,r,v}, `[slots]`; 0 of a pruned expert.
    values: Vec<f64>,
    /// Whether θ̄_{r,v} > 0, `[2, m]`.
    active: Vec<bool>,
}

impl Smear {
    /// The experts of `model`, merged.
    pub fn new(model: &Model, parameters: &Parameters) -> Self {
        let rows = Rows::new(model.routers.clone(), model.neurons.clone(), model.experts(), model.patterns);
        Self {
            rows: rows.with_signs(model.signs.clone()).grouped_by_sign(),
            patterns: model.patterns,
            neurons: model.neurons_per_expert,
            segments: parameters.data.segments,
            merging: parameters.model.merging,
            temperature: parameters.model.temperature,
        }
    }

    /// The segment whose shares segment number `segment` is processed with, and whether it teaches the routers.
    fn source(&self, segment: usize) -> (usize, bool) {
        match self.merging {
            Merging::Own => (segment, true),
            Merging::Causal => (segment.saturating_sub(1), segment > 0),
            Merging::Prefix => (0, segment > 0),
        }
    }

    /// Reads every segment of a sample.
    fn read(&self, tokens: &[Pattern], reads: &mut Vec<Read>) {
        reads.resize_with(self.segments, Read::default);
        for (Read { scores, shares }, segment) in
            reads.iter_mut().zip(tokens.chunks_exact(tokens.len() / self.segments))
        {
            let scale = segment.len() as f64 * self.temperature;
            let score = |slot| segment.iter().map(|&token| self.rows.router(slot)[token as usize]).sum::<f64>() / scale;
            scores.clear();
            scores.extend((0..self.rows.slots()).map(score));
            shares.clear();
            shares.resize(scores.len(), 0.0);
            for group in self.rows.groups() {
                let mut own: Vec<f64> = group.iter().map(|&slot| scores[slot]).collect();
                softmax(&mut own);
                group.iter().zip(own).for_each(|(&slot, share)| shares[slot] = share);
            }
        }
    }

    /// θ_{s,r,v}.
    fn weight(&self, slot: usize, neuron: usize, pattern: usize) -> f64 {
        self.rows.expert(slot)[neuron * self.patterns + pattern]
    }

    /// Lets the experts that these shares merge speak of a token.
    fn speak(&self, shares: &[f64], token: Pattern, said: &mut Said) {
        let (m, v) = (self.neurons, token as usize);
        said.values.clear();
        said.values.resize(self.rows.slots(), 0.0);
        said.active.clear();
        for group in self.rows.groups() {
            for neuron in 0..m {
                let left = || group.iter().filter(|&&slot| self.rows.is_left(slot));
                let merged: f64 = left().map(|&slot| shares[slot] * self.weight(slot, neuron, v)).sum();
                said.active.push(merged > 0.0);
                if merged > 0.0 {
                    left().for_each(|&slot| said.values[slot] += self.weight(slot, neuron, v));
                }
            }
        }
        said.values.iter_mut().zip(self.rows.signs()).for_each(|(value, sign)| *value *= sign / m as f64);
    }

    /// f_s of one sample, `[slots]`.
    fn outputs_of(&self, tokens: &[Pattern], reads: &mut Vec<Read>, said: &mut Said, outputs: &mut [f64]) {
        self.read(tokens, reads);
        for (number, segment) in tokens.chunks_exact(tokens.len() / self.segments).enumerate() {
            let shares = &reads[self.source(number).0].shares;
            for &token in segment {
                self.speak(shares, token, said);
                let ascribed = shares.iter().zip(&said.values).map(|(share, value)| share * value);
                outputs.iter_mut().zip(ascribed).for_each(|(output, by)| *output += by);
            }
        }
    }

    /// Adds `pull` times the gradients of f at one sample to `routers` and `neurons`.
    fn add_gradients(&self, tokens: &[Pattern], pull: f64, (routers, neurons): (&mut [f64], &mut [f64])) {
        let (d, m) = (self.patterns, self.neurons);
        let (mut reads, mut said) = (Vec::new(), Said::default());
        self.read(tokens, &mut reads);
        let length = tokens.len() / self.segments;
        let step = pull / (length as f64 * self.temperature);
        for (number, segment) in tokens.chunks_exact(length).enumerate() {
            let (source, teaches) = self.source(number);
            let shares = &reads[source].shares;
            let mut against_shares = vec![0.0; shares.len()];
            for &token in segment {
                self.speak(shares, token, &mut said);
                against_shares.iter_mut().zip(&said.values).for_each(|(sum, value)| *sum += value);
                for (group, active) in self.rows.groups().iter().zip(said.active.chunks_exact(m)) {
                    for &slot in group.iter().filter(|&&slot| self.rows.is_left(slot)) {
                        let by = pull * self.rows.signs()[slot] * shares[slot] / m as f64;
                        let own = neurons[slot * m * d..][..m * d].chunks_exact_mut(d).zip(active);
                        own.filter(|(_, active)| **active).for_each(|(neuron, _)| neuron[token as usize] += by);
                    }
                }
            }
            for group in self.rows.groups().iter().filter(|_| teaches) {
                let mean: f64 = group.iter().map(|&slot| shares[slot] * against_shares[slot]).sum();
                for &slot in group {
                    let by = step * shares[slot] * (against_shares[slot] - mean);
                    let router = &mut routers[slot * d..][..d];
                    tokens[source * length..][..length].iter().for_each(|&token| router[token as usize] += by);
                }
            }
        }
    }
}

impl OnRows for Smear {
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
        Box::new(SmearEngine::new(self.clone(), rates))
    }

    /// A pair is every token at every expert, its gate the share that the expert has of the token's merged expert.
    fn visit_routed(&self, batch: &Batch, visit: &mut dyn FnMut(RoutedSample)) {
        let (d, m) = (self.patterns, self.neurons);
        let (mut reads, mut said) = (Vec::new(), Said::default());
        for (sample, &label) in batch.labels.iter().enumerate() {
            let tokens = batch.sample(sample);
            let (mut scores, mut pairs, mut outputs) = (Vec::new(), Vec::new(), vec![0.0; self.rows.slots()]);
            self.outputs_of(tokens, &mut reads, &mut said, &mut outputs);
            for (position, &token) in tokens.iter().enumerate() {
                let read = &reads[self.source(position / (tokens.len() / self.segments)).0];
                scores.extend_from_slice(&read.scores);
                for expert in (0..self.rows.slots()).filter(|&slot| self.rows.is_left(slot)) {
                    let neurons = self.rows.expert(expert).chunks_exact(d);
                    let activation = neurons.map(|neuron| neuron[token as usize].max(0.0)).sum::<f64>() / m as f64;
                    pairs.push(RoutedPair { expert, position, gate: read.shares[expert], activation });
                }
            }
            pairs.sort_by_key(|pair| (pair.expert, pair.position));
            visit(RoutedSample { scores: &scores, pairs: &pairs, outputs: &outputs, label });
        }
    }
}

/// Merged experts in training.
#[derive(Clone, Debug)]
pub struct SmearEngine {
    model: Smear,
    rates: Rates,
}

impl SmearEngine {
    /// An engine that starts from `model`.
    pub fn new(model: Smear, rates: Rates) -> Self {
        Self { model, rates }
    }

    /// f_s of a sample, `[slots]`.
    fn of_samples(&self, batch: &Batch, mut visit: impl FnMut(usize, &[f64], &[Read])) {
        let (mut reads, mut said) = (Vec::new(), Said::default());
        let mut outputs = vec![0.0; self.model.rows.slots()];
        for sample in 0..batch.samples() {
            outputs.fill(0.0);
            self.model.outputs_of(batch.sample(sample), &mut reads, &mut said, &mut outputs);
            visit(sample, &outputs, &reads);
        }
    }
}

impl Engine for SmearEngine {
    fn experts(&self) -> usize {
        self.model.rows.slots()
    }

    fn step(&mut self, batch: &Batch, objective: &Objective) -> Result<StepReport, Diverged> {
        debug_assert!(objective.regularisers.are_none(), "a foreign system has no regulariser");
        let mut report = StepReport::default();
        let mut pulls = Vec::with_capacity(batch.samples());
        self.of_samples(batch, |sample, outputs, _| {
            pulls.push(report.add(objective.loss, batch.labels[sample], outputs.iter().sum()));
        });
        let rows = &self.model.rows;
        let (mut routers, mut neurons) = (vec![0.0; rows.routers.len()], vec![0.0; rows.experts.len()]);
        for (sample, pull) in pulls.into_iter().enumerate() {
            let pull = pull?;
            if pull != 0.0 {
                self.model.add_gradients(batch.sample(sample), pull, (&mut routers, &mut neurons));
            }
        }
        let moved = |weights: &mut [f64], by: &[f64], rate: f64| {
            let step = rate / batch.samples() as f64;
            weights.iter_mut().zip(by).for_each(|(weight, by)| *weight += step * by);
        };
        let rows = &mut self.model.rows;
        moved(&mut rows.routers, &routers, self.rates.router);
        moved(&mut rows.experts, &neurons, self.rates.expert);
        if report.active > 0 && !rows.are_finite() {
            return Err(Diverged);
        }
        Ok(report.over(batch.samples()))
    }

    fn outputs(&mut self, batch: &Batch, outputs: &mut Vec<f64>) {
        outputs.clear();
        self.of_samples(batch, |_, own, _| outputs.extend_from_slice(own));
    }

    /// The share of every expert in the merged expert that processes the class token.
    fn class_token_gates(&mut self, batch: &Batch, gates: &mut Vec<f64>) {
        let model = &self.model;
        let length = batch.tokens_per_sample / model.segments;
        let mut reads = Vec::new();
        gates.clear();
        for (sample, &position) in batch.class_positions.iter().enumerate() {
            model.read(batch.sample(sample), &mut reads);
            let shares = &reads[model.source(position as usize / length).0].shares;
            gates.extend(
                shares.iter().enumerate().map(|(slot, &share)| if model.rows.is_left(slot) { share } else { 0.0 }),
            );
        }
    }

    fn routers(&self) -> Vec<f64> {
        self.model.rows.routers.clone()
    }

    fn expert_weights(&self) -> Vec<f64> {
        self.model.rows.experts.clone()
    }
}
