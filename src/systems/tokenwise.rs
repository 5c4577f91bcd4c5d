//! Systems in which what a token gives depends on its pattern alone: f(x) = Σ_j out(v_j), out(v) = Σ_s p_s(v) V_s(v).
//!
//! Each token meets a block of experts with gates that are a softmax over the block. What it meets is worked out once a
//! pattern; [`TokenwiseEngine`] trains and passes samples through any system that says how ([`Tokenwise`]).

use super::rows::OnRows;
use crate::patterns::Batch;
use crate::prune::routed::{RoutedPair, RoutedSample};
use crate::sgd::{Diverged, Engine, Objective, Rates, StepReport};

/// A system whose tokens are worked out pattern by pattern.
pub trait Tokenwise: OnRows {
    /// d.
    fn patterns(&self) -> usize;

    /// Routes a token of this pattern.
    fn route(&self, pattern: usize, routed: &mut Routed);

    /// How much an expert that carries says of a token before its gate, if its value is this.
    fn activation(&self, _pattern: usize, _slot: usize, value: f64) -> f64 {
        value.abs()
    }

    /// What the loss of a token has beside that of its sample's label, and minus its slope in out(v) = `out`.
    fn beside(&self, _pattern: usize, _out: f64) -> (f64, f64) {
        (0.0, 0.0)
    }

    /// Moves the weights by the rates over `samples` times the gradients of Σ_v c_v out(v), `routed` being what tokens meet
    /// before, by pattern.
    fn ascend(&mut self, coefficients: &[f64], routed: &[Routed], rates: Rates, samples: usize);
}

/// A token of one pattern at all experts.
#[derive(Clone, Debug, Default)]
pub struct Routed {
    /// ⟨w_s, h⟩, `[slots]`.
    pub scores: Vec<f64>,
    /// The experts of the softmax.
    pub block: Vec<usize>,
    /// p_s, in the order of `block`.
    pub gates: Vec<f64>,
    /// V_s, in the order of `block`; 0 for an expert that does not carry.
    pub values: Vec<f64>,
    /// Whether an expert carries, in the order of `block`.
    pub carries: Vec<bool>,
}

impl Routed {
    /// Σ_s p_s V_s, as V_1 + Σ_s p_s (V_s − V_1): exactly V_1 where all are equal.
    pub(super) fn mean(&self) -> f64 {
        let first = self.values.first().copied().unwrap_or_default();
        first + self.gates.iter().zip(&self.values).map(|(gate, value)| gate * (value - first)).sum::<f64>()
    }

    fn carrying(&self) -> impl Iterator<Item = (usize, f64, f64)> {
        let gated = self.block.iter().zip(&self.gates).zip(&self.values);
        gated
            .zip(&self.carries)
            .filter(|(_, carries)| **carries)
            .map(|(((slot, gate), value), _)| (*slot, *gate, *value))
    }
}

/// The scalar product.
pub(super) fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Calls `visit` with every sample of a batch. An activation is how much an expert says of a token before its gate.
pub(super) fn for_each_routed(model: &impl Tokenwise, batch: &Batch, visit: &mut dyn FnMut(RoutedSample)) {
    let k = model.rows().slots();
    let mut routed = Routed::default();
    for (sample, &label) in batch.labels.iter().enumerate() {
        let (mut scores, mut pairs, mut outputs) = (Vec::new(), Vec::new(), vec![0.0; k]);
        for (position, &token) in batch.sample(sample).iter().enumerate() {
            model.route(token as usize, &mut routed);
            scores.extend_from_slice(&routed.scores);
            for (expert, gate, value) in routed.carrying() {
                let activation = model.activation(token as usize, expert, value);
                pairs.push(RoutedPair { expert, position, gate, activation });
                outputs[expert] += gate * value;
            }
        }
        pairs.sort_by_key(|pair| (pair.expert, pair.position));
        visit(RoutedSample { scores: &scores, pairs: &pairs, outputs: &outputs, label });
    }
}

/// A system in training.
#[derive(Clone, Debug)]
pub struct TokenwiseEngine<T> {
    model: T,
    rates: Rates,
    /// By pattern; out of date where `are_fresh` is false.
    routed: Vec<Routed>,
    are_fresh: bool,
}

impl<T: Tokenwise> TokenwiseEngine<T> {
    /// An engine that starts from `model`.
    pub fn new(model: T, rates: Rates) -> Self {
        let routed = vec![Routed::default(); model.patterns()];
        Self { model, rates, routed, are_fresh: false }
    }

    fn refresh(&mut self) {
        if !self.are_fresh {
            for (pattern, routed) in self.routed.iter_mut().enumerate() {
                self.model.route(pattern, routed);
            }
            self.are_fresh = true;
        }
    }
}

impl<T: Tokenwise> Engine for TokenwiseEngine<T> {
    fn experts(&self) -> usize {
        self.model.rows().slots()
    }

    fn step(&mut self, batch: &Batch, objective: &Objective) -> Result<StepReport, Diverged> {
        debug_assert!(objective.regularisers.are_none(), "a foreign system has no regulariser");
        self.refresh();
        let out: Vec<f64> = self.routed.iter().map(|routed| product(&routed.gates, &routed.values)).collect();
        let mut coefficients = vec![0.0; out.len()];
        let mut report = StepReport::default();
        let mut moves = false;
        for (sample, &label) in batch.labels.iter().enumerate() {
            let tokens = batch.sample(sample);
            let f: f64 = tokens.iter().map(|&token| out[token as usize]).sum();
            let against_f = report.add(objective.loss, label, f)?;
            if against_f != 0.0 {
                tokens.iter().for_each(|&token| coefficients[token as usize] += against_f);
                moves = true;
            }
            for &token in tokens {
                let (of_token, against_out) = self.model.beside(token as usize, out[token as usize]);
                if against_out != 0.0 {
                    report.loss += of_token;
                    coefficients[token as usize] += against_out;
                    moves = true;
                }
            }
        }
        if moves {
            self.model.ascend(&coefficients, &self.routed, self.rates, batch.samples());
            self.are_fresh = false;
            if !self.model.rows().are_finite() {
                return Err(Diverged);
            }
        }
        Ok(report.over(batch.samples()))
    }

    fn outputs(&mut self, batch: &Batch, outputs: &mut Vec<f64>) {
        self.refresh();
        let k = self.experts();
        outputs.clear();
        outputs.resize(batch.samples() * k, 0.0);
        for (sample, outputs) in outputs.chunks_exact_mut(k).enumerate() {
            for &token in batch.sample(sample) {
                let routed = &self.routed[token as usize];
                let gated = routed.gates.iter().zip(&routed.values).map(|(gate, value)| gate * value);
                routed.block.iter().zip(gated).for_each(|(&slot, output)| outputs[slot] += output);
            }
        }
    }

    fn class_token_gates(&mut self, batch: &Batch, gates: &mut Vec<f64>) {
        self.refresh();
        let k = self.experts();
        gates.clear();
        gates.resize(batch.samples() * k, 0.0);
        for (sample, gates) in gates.chunks_exact_mut(k).enumerate() {
            let position = batch.class_positions[sample] as usize;
            let routed = &self.routed[batch.sample(sample)[position] as usize];
            routed.carrying().for_each(|(slot, gate, _)| gates[slot] = gate);
        }
    }

    fn routers(&self) -> Vec<f64> {
        self.model.rows().routers.clone()
    }

    fn expert_weights(&self) -> Vec<f64> {
        self.model.rows().experts.clone()
    }
}
