//! MoEBERT (Zuo et al. 2022, arXiv 2204.07675; the authors' code was read): the neurons of a dense teacher are dealt to
//! experts by their importance, and the experts learn to say what the teacher says.
//!
//! The teacher has K neurons of each sign: T(v) = (1/K) Σ_r a_r max(0, ⟨θ_r, v⟩) of a token of pattern v, and
//! F(x) = Σ_j T(v_j). It is trained first. The importance of neuron r is
//! I_r = Σ_x |⟨w¹_r, ∂ℓ/∂w¹_r⟩ + ⟨w²_r, ∂ℓ/∂w²_r⟩|, w¹_r = θ_r and w²_r = a_r/K; ReLU without a bias is homogeneous, so that
//! the two products are equal ([`Teacher::products`]).
//!
//! Of each sign there are N = k/2 experts of e = `neurons` neurons. The first s = `shared_neurons` in the order of `deal` go
//! to all of them, of the rest expert i gets ranks i, i + N, … up to its width, and what is left over is thrown away. A token
//! meets one expert of each sign: with `gate = "hash"` number h(v) of both, h a random table; with an ordinary gate, of each
//! sign, the expert of largest ⟨w_s, v⟩, with its gate of the softmax over those of its sign.
//! out(v) = (1/K) Σ_s p_s a_s Σ_r max(0, ⟨θ_{s,r}, v⟩): a neuron weighs what it weighs in the teacher.
//!
//! The loss is that of the labels plus λ/2 Σ_j (T(v_j) − out(v_j))², the authors' distance of hidden states.

use super::rows::{OnRows, Rows};
use super::tokenwise::{Routed, Tokenwise, TokenwiseEngine, for_each_routed};
use super::{Setting, StartingPoint, UpstreamDiverged};
use crate::moe::Pretrained;
use crate::moe::routing::softmax;
use crate::patterns::streams::{Purpose, stream};
use crate::patterns::{Batch, Sampler, StandardNormal};
use crate::prune::routed::RoutedSample;
use crate::sgd::{Engine, Loss, Rates};
use crate::sim::parameters::{Gate, Parameters};
use rand::RngExt;
use rand::distr::Distribution;
use std::sync::Arc;

mod teacher;

pub use teacher::Teacher;

/// Experts made of a teacher's neurons.
#[derive(Clone, Debug)]
pub struct Moebert {
    /// T(v), `[d]`.
    teacher: Arc<Vec<f64>>,
    /// h(v), `[d]`; empty with an ordinary gate.
    table: Arc<Vec<usize>>,
    /// K.
    of_a_sign: usize,
    patterns: usize,
    /// λ.
    distillation: f64,
    /// Routers `[slots, d]`, none with hash routing, and neurons `[slots, e, d]`, in a group for each sign.
    rows: Rows,
}

/// Experts of MoEBERT in training.
pub type MoebertEngine = TokenwiseEngine<Moebert>;

/// The experts of a run, after its teacher was trained.
pub(super) fn start(setting: &Setting) -> (StartingPoint, Option<UpstreamDiverged>) {
    let Setting { parameters, seed, .. } = *setting;
    let untrained = Teacher::new(parameters, seed);
    let mut teacher = untrained.clone();
    let mut sampler = Sampler::new(&parameters.data, seed, Purpose::Upstream, Purpose::UpstreamNoise);
    let failed = teacher
        .train(parameters, &mut sampler)
        .map(|iteration| UpstreamDiverged { iteration, untrained: Box::new(Pretrained::untrained(parameters, seed)) });
    let teacher = if failed.is_some() { untrained } else { teacher };
    let mut batch = Batch::default();
    sampler.fill(&mut batch, parameters.pruning.calibration_samples);
    let importance = teacher.importance(&batch, Loss::from(parameters.training.loss));
    let system = Box::new(Moebert::new(&teacher, &importance, parameters, seed));
    let features = vec![None; parameters.model.experts];
    (StartingPoint { system, roles: Vec::new(), features }, failed)
}

impl Moebert {
    /// The experts of a teacher with neurons of this importance, `[2 K]`.
    pub fn new(teacher: &Teacher, importance: &[f64], parameters: &Parameters, seed: u64) -> Self {
        let Parameters { model, pretrained, training, .. } = parameters;
        let (k, d) = (model.experts, teacher.patterns);
        let hands = teacher.dealt(importance, parameters, &mut stream(seed, Purpose::Deal));
        let neuron = |number: &usize| teacher.neurons[number * d..][..d].to_vec();
        let neurons = hands.iter().flatten().flat_map(neuron).collect();
        let signs = (0..k).map(|number| if number % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let (mut routers, mut table) = (Vec::new(), Vec::new());
        if model.gate == Gate::Hash {
            let mut generator = stream(seed, Purpose::HashTable);
            table.extend((0..d).map(|_| generator.random_range(0..k / 2)));
        } else {
            let mut generator = stream(seed, Purpose::OrdinaryGate);
            let noise = (0..k * d).map(|_| -> f64 { StandardNormal.sample(&mut generator) });
            routers.extend(noise.map(|weight| pretrained.router_noise * weight));
        }
        Self {
            teacher: Arc::new((0..d).map(|pattern| teacher.says(pattern)).collect()),
            table: Arc::new(table),
            of_a_sign: model.teacher_neurons,
            patterns: d,
            distillation: training.distillation,
            rows: Rows::new(routers, neurons, k, d).with_signs(signs).grouped_by_sign(),
        }
    }

    /// T(v).
    pub fn target(&self, pattern: usize) -> f64 {
        self.teacher[pattern]
    }

    /// h(v); `None` with an ordinary gate.
    pub fn hashed(&self, pattern: usize) -> Option<usize> {
        self.table.get(pattern).copied()
    }

    /// (a_s/K) Σ_r max(0, ⟨θ_{s,r}, v⟩).
    fn value(&self, slot: usize, pattern: usize) -> f64 {
        let neurons = self.rows.expert(slot).chunks_exact(self.patterns);
        self.rows.signs()[slot] * neurons.map(|neuron| neuron[pattern].max(0.0)).sum::<f64>() / self.of_a_sign as f64
    }
}

impl OnRows for Moebert {
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
        Box::new(MoebertEngine::new(self.clone(), rates))
    }

    fn visit_routed(&self, batch: &Batch, visit: &mut dyn FnMut(RoutedSample)) {
        for_each_routed(self, batch, visit);
    }
}

impl Tokenwise for Moebert {
    fn patterns(&self) -> usize {
        self.patterns
    }

    fn route(&self, pattern: usize, routed: &mut Routed) {
        let Routed { scores, block, gates, values, carries } = routed;
        let hashed = self.hashed(pattern);
        scores.clear();
        // Of a table: those of which the softmax is the table.
        scores.extend((0..self.rows.slots()).map(|slot| match hashed {
            Some(number) if self.rows.numbers()[slot] / 2 == number => 0.0,
            Some(_) => f64::NEG_INFINITY,
            None => self.rows.router(slot)[pattern],
        }));
        block.clear();
        gates.clear();
        carries.clear();
        values.clear();
        for group in self.rows.groups() {
            let mut own: Vec<f64> = group.iter().map(|&slot| scores[slot]).collect();
            let best = (0..own.len()).reduce(|best, place| if own[place] > own[best] { place } else { best });
            // Hash routing leaves a token without an expert if its own is gone.
            let Some(best) = best.filter(|&best| own[best] > f64::NEG_INFINITY) else { continue };
            softmax(&mut own);
            block.extend_from_slice(group);
            gates.extend(own);
            carries.extend((0..group.len()).map(|place| place == best && self.rows.is_left(group[place])));
        }
        values.extend(block.iter().zip(carries.iter()).map(|(&slot, &carries)| match carries {
            true => self.value(slot, pattern),
            false => 0.0,
        }));
    }

    fn beside(&self, pattern: usize, out: f64) -> (f64, f64) {
        let off = self.teacher[pattern] - out;
        (0.5 * self.distillation * off * off, self.distillation * off)
    }

    fn ascend(&mut self, coefficients: &[f64], routed: &[Routed], rates: Rates, samples: usize) {
        let d = self.patterns;
        let (router_step, neuron_step) =
            (rates.router / samples as f64, rates.expert / (samples * self.of_a_sign) as f64);
        let of_patterns = routed.iter().zip(coefficients).enumerate();
        for (pattern, (routed, &coefficient)) in of_patterns.filter(|(_, (_, coefficient))| **coefficient != 0.0) {
            for (place, &slot) in routed.block.iter().enumerate() {
                let sign = self.rows.signs()[slot];
                let pull = coefficient * routed.gates[place];
                if !self.rows.routers.is_empty() {
                    let alike = (0..routed.block.len()).filter(|&other| self.rows.signs()[routed.block[other]] == sign);
                    let mean: f64 = alike.map(|other| routed.gates[other] * routed.values[other]).sum();
                    self.rows.routers[slot * d + pattern] += router_step * pull * (routed.values[place] - mean);
                }
                if routed.carries[place] {
                    let length = self.rows.expert(slot).len();
                    let neurons = self.rows.experts[slot * length..][..length].chunks_exact_mut(d);
                    let active = neurons.filter(|neuron| neuron[pattern] > 0.0);
                    active.for_each(|neuron| neuron[pattern] += neuron_step * pull * sign);
                }
            }
        }
    }
}
