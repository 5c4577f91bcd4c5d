//! Two layers, of which the second reads what the first says: the smallest model in which it matters whether experts are
//! ranked within each layer or over the whole model (ours).
//!
//! Half of the k experts stand in each layer. A token of pattern v is x = e_v in layer 1. There p¹ is the softmax of
//! ⟨w_s, x⟩ over the layer's experts, the c = `experts_per_token` of largest score carry, and σ_s(x) = (1/m) Σ_r max(0,
//! ⟨v_{s,r}, x⟩). Layer 2 reads x′: in the place of the class patterns of +1 and −1 it has what the experts of each sign say
//! of the token, x′_0 = Σ_{a_s = +1} p¹_s σ_s(x) and x′_1 = Σ_{a_s = −1} p¹_s σ_s(x); an irrelevant pattern passes as it is,
//! x′_v = 1; a class pattern does not pass. So layer 2 knows the class only from layer 1. Its router scores are ⟨w_s, g x′⟩
//! with the scale g = `layer_scale`, its gates p² and activations σ_s(x′) are as in layer 1, and out(v) = Σ_s p²_s a_s σ_s(x′).
//! f(x) is the sum over the tokens of a sample.
//!
//! Start: each layer is a constructed model of the paper's. Layer 1 has `relevant_per_class` experts for the first feature of
//! each class and `rare_per_class` for each other one; layer 2 has `relevant_per_class`, which read x′_0 or x′_1. Its routers
//! start at 1/g of their size.
//!
//! Gradients: with V_s = a_s σ_s(x′) in layer 2, and 0 of an expert that does not carry, ∂out/∂w_s = p_s (V_s − Σ_i p_i V_i)
//! g x′ and ∂out/∂v_{s,r} = (1/m) p_s a_s `1[active]` x′. With δ_0, δ_1 the derivatives of out by x′_0 and x′_1, layer 1 has the
//! same with V_s = σ_s(x) δ of its sign. The rate of the routers of layer 2 is η_r/g²: so g divides their weights and their
//! change by g and changes neither scores nor outputs, exactly where g is a power of two. The order of Δ within a layer does
//! not know g. The order over both does.

use super::rows::{OnRows, Rows};
use super::tokenwise::{Routed, Tokenwise, TokenwiseEngine, for_each_routed, product};
use super::{Setting, StartingPoint, UpstreamDiverged};
use crate::moe::Pretrained;
use crate::moe::routing::{choose_tokens, softmax};
use crate::patterns::Batch;
use crate::patterns::streams::{Purpose, stream};
use crate::prune::routed::RoutedSample;
use crate::sgd::{Engine, Rates};
use crate::sim::parameters::{ModelParameters, Parameters, PretrainedParameters};
use rand::RngExt;

/// Two layers of experts.
#[derive(Clone, Debug)]
pub struct Stack {
    /// d.
    patterns: usize,
    first_irrelevant: usize,
    /// c.
    experts_per_token: usize,
    /// g.
    scale: f64,
    /// Routers `[k, d]` and neurons `[k, m, d]`: those of layer 1, then those of layer 2, each layer a group.
    rows: Rows,
}

/// Two layers in training.
pub type StackEngine = TokenwiseEngine<Stack>;

/// A token on its way through the layers.
struct Passed {
    /// x′_0 and x′_1.
    said: [f64; 2],
    /// σ_s in the order of the block of its layer, of an expert that carries.
    activations: Vec<f64>,
}

/// The two layers of a run.
pub(super) fn start(setting: &Setting) -> (StartingPoint, Option<UpstreamDiverged>) {
    let Setting { parameters, seed, .. } = *setting;
    let layer = |rare_per_class: usize, seed: u64| {
        let model = ModelParameters { experts: parameters.model.experts / 2, ..parameters.model.clone() };
        let pretrained = PretrainedParameters { rare_per_class, ..parameters.pretrained.clone() };
        Pretrained::constructed(&Parameters { model, pretrained, ..parameters.clone() }, seed)
    };
    let first = layer(parameters.pretrained.rare_per_class, seed);
    let second = layer(0, stream(seed, Purpose::SecondLayer).random());
    let system = Box::new(Stack::new(&first, &second, parameters));
    let roles = [first.roles, second.roles].concat();
    // An expert of layer 2 hears every feature of its class.
    let features = first.features.into_iter().chain(second.features.iter().map(|_| None)).collect();
    (StartingPoint { system, roles, features }, None)
}

impl Stack {
    /// `first` and `second` in two layers, whose routers are those of scale 1.
    pub fn new(first: &Pretrained, second: &Pretrained, parameters: &Parameters) -> Self {
        let scale = parameters.model.layer_scale;
        let scaled = second.model.routers.iter().map(|weight| weight / scale);
        let routers = first.model.routers.iter().copied().chain(scaled).collect();
        let neurons = [first.model.neurons.as_slice(), &second.model.neurons].concat();
        let (k, all) = (first.model.experts(), first.model.experts() + second.model.experts());
        Self {
            patterns: parameters.data.patterns,
            first_irrelevant: parameters.data.first_irrelevant(),
            experts_per_token: parameters.model.experts_per_token,
            scale,
            rows: Rows::new(routers, neurons, all, parameters.data.patterns)
                .with_signs([first.model.signs.as_slice(), &second.model.signs].concat())
                .grouped(vec![(0..k).collect(), (k..all).collect()]),
        }
    }

    /// ⟨row, x′⟩.
    fn reads(&self, row: &[f64], said: [f64; 2], pattern: usize) -> f64 {
        let passes = if pattern >= self.first_irrelevant { row[pattern] } else { 0.0 };
        row[0] * said[0] + row[1] * said[1] + passes
    }

    /// (1/m) Σ_r max(0, pre_r) of an expert that is left.
    fn activation(&self, slot: usize, before_relu: impl Fn(&[f64]) -> f64) -> f64 {
        let neurons = self.rows.expert(slot).chunks_exact(self.patterns);
        let count = neurons.len() as f64;
        neurons.map(|neuron| before_relu(neuron).max(0.0)).sum::<f64>() / count
    }

    /// Routes a token through one layer: appends the layer's block, gates, and who carries. `routed.scores` has them.
    fn choose(&self, layer: usize, routed: &mut Routed) {
        let slots = &self.rows.groups()[layer];
        let scores: Vec<f64> = slots.iter().map(|&slot| routed.scores[slot]).collect();
        let (mut order, mut gates) = (Vec::new(), Vec::new());
        choose_tokens(&scores, scores.len(), &mut order);
        gates.extend(order.iter().map(|&place| scores[place]));
        softmax(&mut gates);
        let carries =
            |(rank, &place): (usize, &usize)| rank < self.experts_per_token && self.rows.is_left(slots[place]);
        routed.carries.extend(order.iter().enumerate().map(carries));
        routed.block.extend(order.iter().map(|&place| slots[place]));
        routed.gates.extend(gates);
    }

    /// Routes a token of this pattern through both layers; the values of layer 1 are 0, since it adds nothing to f itself.
    fn pass(&self, pattern: usize, routed: &mut Routed) -> Passed {
        let Routed { scores, block, gates, values, carries } = &mut *routed;
        [scores, gates, values].into_iter().for_each(Vec::clear);
        block.clear();
        carries.clear();
        routed.scores.extend(self.rows.groups()[0].iter().map(|&slot| self.rows.router(slot)[pattern]));
        self.choose(0, routed);
        let mut passed = Passed { said: [0.0; 2], activations: Vec::new() };
        let Routed { block, gates, values, carries, .. } = &mut *routed;
        for ((&slot, gate), &carries) in block.iter().zip(gates.iter()).zip(carries.iter()) {
            let activation = if carries { self.activation(slot, |neuron| neuron[pattern]) } else { 0.0 };
            passed.said[class_of(self.rows.signs()[slot])] += gate * activation;
            passed.activations.push(activation);
            values.push(0.0);
        }
        let (said, start) = (passed.said, routed.block.len());
        let score = |&slot: &usize| self.scale * self.reads(self.rows.router(slot), said, pattern);
        routed.scores.extend(self.rows.groups()[1].iter().map(score));
        self.choose(1, routed);
        for place in start..routed.block.len() {
            let slot = routed.block[place];
            let reads = |neuron: &[f64]| self.reads(neuron, said, pattern);
            let activation = if routed.carries[place] { self.activation(slot, reads) } else { 0.0 };
            passed.activations.push(activation);
            routed.values.push(self.rows.signs()[slot] * activation);
        }
        passed
    }

    /// `by` · x′ is added to a row.
    fn add_read(&self, row: &mut [f64], by: f64, said: [f64; 2], pattern: usize) {
        row[0] += by * said[0];
        row[1] += by * said[1];
        if pattern >= self.first_irrelevant {
            row[pattern] += by;
        }
    }

    /// Adds `pull` times the gradients of out at a token to `routers` and `neurons`.
    fn add_gradients(&self, pattern: usize, pull: f64, (routers, neurons): (&mut [f64], &mut [f64])) {
        let mut routed = Routed::default();
        let Passed { said, activations } = self.pass(pattern, &mut routed);
        let (d, start) = (self.patterns, self.rows.groups()[0].len());
        let length = neurons.len() / self.rows.slots();
        let m = (length / d) as f64;
        let mean: f64 = product(&routed.gates[start..], &routed.values[start..]);
        let mut against_said = [0.0; 2];
        for place in start..routed.block.len() {
            let (slot, gate) = (routed.block[place], routed.gates[place]);
            let against_score = gate * (routed.values[place] - mean);
            let own = self.rows.router(slot);
            (0..2).for_each(|class| against_said[class] += against_score * self.scale * own[class]);
            self.add_read(&mut routers[slot * d..][..d], pull * against_score * self.scale, said, pattern);
            if !routed.carries[place] {
                continue;
            }
            let against_neuron = gate * self.rows.signs()[slot] / m;
            let rows =
                self.rows.expert(slot).chunks_exact(d).zip(neurons[slot * length..][..length].chunks_exact_mut(d));
            for (neuron, sum) in rows.filter(|(neuron, _)| self.reads(neuron, said, pattern) > 0.0) {
                (0..2).for_each(|class| against_said[class] += against_neuron * neuron[class]);
                self.add_read(sum, pull * against_neuron, said, pattern);
            }
        }
        let value = |place: usize| activations[place] * against_said[class_of(self.rows.signs()[routed.block[place]])];
        let mean: f64 = (0..start).map(|place| routed.gates[place] * value(place)).sum();
        for place in 0..start {
            let (slot, gate) = (routed.block[place], routed.gates[place]);
            routers[slot * d + pattern] += pull * gate * (value(place) - mean);
            if routed.carries[place] {
                let by = pull * gate * against_said[class_of(self.rows.signs()[slot])] / m;
                let rows =
                    self.rows.expert(slot).chunks_exact(d).zip(neurons[slot * length..][..length].chunks_exact_mut(d));
                rows.filter(|(neuron, _)| neuron[pattern] > 0.0).for_each(|(_, sum)| sum[pattern] += by);
            }
        }
    }
}

/// 0 of +1, 1 of −1.
fn class_of(sign: f64) -> usize {
    usize::from(sign < 0.0)
}

impl OnRows for Stack {
    fn rows(&self) -> &Rows {
        &self.rows
    }

    fn on(&self, rows: Rows) -> Self {
        Self { rows, ..self.clone() }
    }

    fn reads_patterns(&self) -> bool {
        false
    }

    fn trained_by(&self, rates: Rates) -> Box<dyn Engine> {
        Box::new(StackEngine::new(self.clone(), rates))
    }

    fn visit_routed(&self, batch: &Batch, visit: &mut dyn FnMut(RoutedSample)) {
        for_each_routed(self, batch, visit);
    }
}

impl Tokenwise for Stack {
    fn patterns(&self) -> usize {
        self.patterns
    }

    fn route(&self, pattern: usize, routed: &mut Routed) {
        self.pass(pattern, routed);
    }

    /// What an expert of layer 1 says goes into layer 2 alone, so its value is 0 and its activation is not.
    fn activation(&self, pattern: usize, slot: usize, value: f64) -> f64 {
        match self.rows.groups()[0].contains(&slot) {
            true => Stack::activation(self, slot, |neuron| neuron[pattern]),
            false => value.abs(),
        }
    }

    fn ascend(&mut self, coefficients: &[f64], _routed: &[Routed], rates: Rates, samples: usize) {
        let (mut routers, mut neurons) = (vec![0.0; self.rows.routers.len()], vec![0.0; self.rows.experts.len()]);
        for (pattern, &pull) in coefficients.iter().enumerate().filter(|(_, pull)| **pull != 0.0) {
            self.add_gradients(pattern, pull, (&mut routers, &mut neurons));
        }
        let (first, second) =
            (rates.router / samples as f64, rates.router / (samples as f64 * self.scale * self.scale));
        let boundary = self.rows.groups()[0].len() * self.patterns;
        let step = |weights: &mut [f64], sums: &[f64], rate: f64| {
            weights.iter_mut().zip(sums).for_each(|(weight, sum)| *weight += rate * sum);
        };
        step(&mut self.rows.routers[..boundary], &routers[..boundary], first);
        step(&mut self.rows.routers[boundary..], &routers[boundary..], second);
        step(&mut self.rows.experts, &neurons, rates.expert / samples as f64);
    }
}
