//! The general engine: every routing, groups of experts, and regularisers of the gates; noise-free data only.
//!
//! It keeps weights in pattern coordinates and works pair by pair as [`crate::moe::rule`] defines them, without the tables
//! and vectors of the other two engines. Where all three apply (expert choice, one group, no regulariser) they agree to
//! rounding (`tests/general_engine.rs`).
//!
//! It minimises the whole [`Objective`], regularisers among it. Neurons have no part in the latter, so lemmas L4 and L5
//! hold here too: on a pattern, neurons that are not active stay as they are, unless steps have momentum.

use super::{Competitors, Diverged, Engine, Loss, Objective, Rates, StepReport, TheoryEngine};
use crate::moe::{Model, Pair, Routed, RoutingRule, TokenBlocks};
use crate::patterns::{Batch, Class, Pattern};
use crate::sim::parameters::{MemberLoss, ModelParameters, Parameters};

mod cv;
mod momentum;
mod regularisers;

use momentum::Momentum;

/// A model with any routing in training, in pattern coordinates. Equations: `crate::moe::rule`.
#[derive(Clone, Debug)]
pub struct GeneralEngine {
    rule: RoutingRule,
    rates: Rates,
    /// d.
    patterns: usize,
    /// m.
    neurons_per_expert: usize,
    /// l.
    tokens_per_expert: usize,
    /// 1/M.
    share: f64,
    /// a_s, `[k]`.
    signs: Vec<f64>,
    /// u, `[k, d]`.
    routers: Vec<f64>,
    /// h, `[k, d, m]`.
    neurons: Vec<f64>,
    /// σ, `[k, d]`.
    activations: Vec<f64>,
    /// Σ over the batch of −∂ℓ/∂u, `[k, d]`.
    router_pull: Vec<f64>,
    /// Σ over the batch of −∂ℓ/∂σ, `[k, d]`.
    activation_pull: Vec<f64>,
    /// The group that an expert stands in, `[k]`.
    member_of: Vec<usize>,
    member_loss: MemberLoss,
    /// −∂ℓ/∂f_m of the sample that was routed last, f_m the sum over group m, `[M]`.
    against: Vec<f64>,
    /// `None` for plain descent.
    momentum: Option<Momentum>,
    blocks: TokenBlocks,
    routed: Routed,
}

impl GeneralEngine {
    /// The unpruned model of these parameters.
    pub fn new(model: &Model, parameters: &Parameters) -> Self {
        let rule = RoutingRule::new(&parameters.model, parameters.data.tokens);
        Self::with_rule(model, rule, parameters)
    }

    /// A model that routes by `rule`, such as a pruned one; both have the same experts.
    pub fn with_rule(model: &Model, rule: RoutingRule, parameters: &Parameters) -> Self {
        let ModelParameters { groups, .. } = parameters.model;
        let (k, m, d) = (model.experts(), model.neurons_per_expert, model.patterns);
        let mut neurons = vec![0.0; k * d * m];
        for expert in 0..k {
            for (neuron, weights) in model.expert_neurons(expert).chunks_exact(d).enumerate() {
                for (pattern, &weight) in weights.iter().enumerate() {
                    neurons[(expert * d + pattern) * m + neuron] = weight;
                }
            }
        }
        let mut member_of = vec![0; k];
        for (group, experts) in rule.groups().iter().enumerate() {
            experts.iter().for_each(|&expert| member_of[expert] = group);
        }
        let momentum = parameters.training.momentum;
        Self {
            rule,
            member_of,
            member_loss: parameters.training.member_loss,
            against: vec![0.0; groups],
            momentum: (momentum > 0.0).then(|| Momentum::new(momentum, k * d, m)),
            rates: Rates::from(&parameters.training),
            patterns: d,
            neurons_per_expert: m,
            tokens_per_expert: model.tokens_per_expert,
            share: 1.0 / groups as f64,
            signs: model.signs.clone(),
            routers: model.routers.clone(),
            activations: neurons.chunks_exact(m).map(activation).collect(),
            neurons,
            router_pull: vec![0.0; k * d],
            activation_pull: vec![0.0; k * d],
            blocks: TokenBlocks::default(),
            routed: Routed::default(),
        }
    }

    fn route(&mut self, tokens: &[Pattern]) {
        self.rule.route_with(&self.routers, self.patterns, tokens, &mut self.blocks, &mut self.routed);
    }

    /// a_s σ_s of a pair, 0 if it does not carry.
    fn value(&self, pair: &Pair) -> f64 {
        match pair.carries {
            true => self.signs[pair.expert] * self.activations[self.place(pair)],
            false => 0.0,
        }
    }

    fn place(&self, pair: &Pair) -> usize {
        pair.expert * self.patterns + pair.pattern as usize
    }

    /// f(x) of the sample that was routed last.
    fn output(&self) -> f64 {
        self.share * self.routed.pairs.iter().map(|pair| pair.gate * self.value(pair)).sum::<f64>()
    }

    /// f_m(x) of one group, of the sample that was routed last.
    fn member_output(&self, member: usize) -> f64 {
        let own = self.routed.pairs.iter().filter(|pair| self.member_of[pair.expert] == member);
        own.map(|pair| pair.gate * self.value(pair)).sum()
    }

    /// Adds the loss of the sample that was routed last to the report, and notes what pulls at each group's output; whether
    /// anything does.
    fn lose(&mut self, loss: Loss, label: f64, report: &mut StepReport) -> Result<bool, Diverged> {
        match self.member_loss {
            MemberLoss::Mean => {
                let against_f = report.add(loss, label, self.output())?;
                self.against.fill(against_f * self.share);
            }
            MemberLoss::Own => {
                for member in 0..self.against.len() {
                    self.against[member] = report.add(loss, label, self.member_output(member))?;
                }
            }
        }
        Ok(self.against.iter().any(|&against| against != 0.0))
    }

    /// Adds ∂f_m/∂u and ∂f_m/∂σ of the sample that was routed last, times −∂ℓ/∂f_m.
    fn pull(&mut self) {
        let routed = std::mem::take(&mut self.routed);
        for block in routed.blocks() {
            let factor = block.first().map_or(0.0, |pair| self.against[self.member_of[pair.expert]]);
            let mean: f64 = block.iter().map(|pair| pair.gate * self.value(pair)).sum();
            for pair in block {
                let place = self.place(pair);
                self.router_pull[place] += factor * pair.gate * (self.value(pair) - mean);
                if pair.carries {
                    self.activation_pull[place] += factor * pair.gate * self.signs[pair.expert];
                }
            }
        }
        self.routed = routed;
    }

    /// Moves routers and neurons by the sums over a batch of this size; false if a weight is no finite number afterwards.
    fn descend(&mut self, samples: usize) -> bool {
        let m = self.neurons_per_expert;
        let router_step = self.rates.router / samples as f64;
        let neuron_step = self.rates.expert / (samples * m) as f64;
        if let Some(mut momentum) = self.momentum.take() {
            let finite = momentum.descend(self, router_step, neuron_step);
            self.momentum = Some(momentum);
            self.blocks.forget();
            return finite;
        }
        let mut finite = true;
        for (weight, pull) in self.routers.iter_mut().zip(&self.router_pull) {
            *weight += router_step * pull;
            finite &= weight.is_finite();
        }
        for (place, &pull) in self.activation_pull.iter().enumerate().filter(|(_, pull)| **pull != 0.0) {
            let neurons = &mut self.neurons[place * m..][..m];
            for weight in neurons.iter_mut().filter(|weight| **weight > 0.0) {
                *weight += neuron_step * pull;
            }
            self.activations[place] = activation(neurons);
            finite &= self.activations[place].is_finite();
        }
        self.blocks.forget();
        finite
    }
}

/// σ = (1/m) Σ_r max(0, h_r).
fn activation(neurons: &[f64]) -> f64 {
    neurons.iter().map(|weight| weight.max(0.0)).sum::<f64>() / neurons.len() as f64
}

impl Engine for GeneralEngine {
    fn experts(&self) -> usize {
        self.signs.len()
    }

    fn step(&mut self, batch: &Batch, objective: &Objective) -> Result<StepReport, Diverged> {
        self.router_pull.fill(0.0);
        self.activation_pull.fill(0.0);
        let samples = batch.samples();
        let mut report = StepReport::default();
        for sample in 0..samples {
            self.route(batch.sample(sample));
            if self.lose(objective.loss, batch.labels[sample], &mut report)? {
                self.pull();
            }
            self.pull_entropy(objective.regularisers.entropy);
        }
        self.pull_load_balance(batch, objective.regularisers.load_balance);
        self.pull_variation(batch, &objective.regularisers);
        let moves = report.active > 0 || !objective.regularisers.are_none() || self.momentum.is_some();
        if moves && !self.descend(samples) {
            return Err(Diverged);
        }
        Ok(report.over(samples))
    }

    fn outputs(&mut self, batch: &Batch, outputs: &mut Vec<f64>) {
        let k = self.experts();
        outputs.clear();
        outputs.resize(batch.samples() * k, 0.0);
        for sample in 0..batch.samples() {
            self.route(batch.sample(sample));
            for pair in self.routed.carrying() {
                outputs[sample * k + pair.expert] += self.share * pair.gate * self.value(pair);
            }
        }
    }

    /// In token-choice routing: the share of the class token's gates over the c experts that it chose.
    fn class_token_gates(&mut self, batch: &Batch, gates: &mut Vec<f64>) {
        let k = self.experts();
        gates.clear();
        gates.resize(batch.samples() * k, 0.0);
        let by_tokens = self.rule.routing().traits().tokens_choose;
        let chosen = self.rule.experts_per_token();
        for sample in 0..batch.samples() {
            self.route(batch.sample(sample));
            let position = batch.class_positions[sample] as usize;
            for block in self.routed.blocks() {
                // A token's chosen experts stand first in its block.
                let of_chosen = if by_tokens { block.iter().take(chosen).map(|pair| pair.gate).sum() } else { 1.0 };
                for pair in block.iter().filter(|pair| pair.carries && pair.position == position) {
                    gates[sample * k + pair.expert] = pair.gate / of_chosen;
                }
            }
        }
    }

    fn routers(&self) -> Vec<f64> {
        self.routers.clone()
    }

    fn expert_weights(&self) -> Vec<f64> {
        let (k, m, d) = (self.experts(), self.neurons_per_expert, self.patterns);
        let mut neurons = Vec::with_capacity(k * m * d);
        for expert in 0..k {
            for neuron in 0..m {
                neurons.extend((0..d).map(|pattern| self.neurons[(expert * d + pattern) * m + neuron]));
            }
        }
        neurons
    }

    fn theory(&mut self) -> Option<&mut dyn TheoryEngine> {
        Some(self)
    }
}

impl TheoryEngine for GeneralEngine {
    fn model(&self) -> Model {
        Model {
            patterns: self.patterns,
            neurons_per_expert: self.neurons_per_expert,
            tokens_per_expert: self.tokens_per_expert,
            signs: self.signs.clone(),
            routers: self.routers(),
            neurons: self.expert_weights(),
        }
    }

    fn competitors(&mut self, expert: usize, class: Class) -> Competitors {
        let router = &self.routers[expert * self.patterns..][..self.patterns];
        let own = router[class.pattern()];
        let irrelevant = &router[Class::BOTH.len()..];
        Competitors {
            above: irrelevant.iter().filter(|&&score| score > own).count(),
            tied: irrelevant.iter().filter(|&&score| score == own).count(),
        }
    }

    fn range_above(&mut self, expert: usize, floor: f64) -> Option<f64> {
        let activations = &self.activations[expert * self.patterns..][..self.patterns];
        let largest = activations.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let smallest = activations.iter().copied().fold(f64::INFINITY, f64::min);
        Some(largest - smallest).filter(|&range| range > floor)
    }
}
