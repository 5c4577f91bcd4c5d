//! MoV, a mixture of vectors (Zadouri et al. 2023, arXiv 2309.05444): the experts are vectors l_s that scale the hidden
//! neurons of a frozen base, and the router reads the very neurons that are scaled.
//!
//! Here the base has m frozen neurons h_r(v) = max(0, ⟨v_r, v⟩), v_r ~ N(0, s₀² I), with the fixed signs a_r = ±1 in turn.
//! A token z of pattern v gives out(z) = (1/m) Σ_r a_r h_r(v) Σ_s p_s l_{s,r}, where p is the softmax over the experts of
//! ⟨w_s, h(v)⟩, w_s ∈ R^m, without a bias. f(x) is the sum over the tokens of a sample, as in token choice, and so is
//! f_s(x) = Σ_j p_s q_s of an expert, with q_s(v) = (1/m) Σ_r a_r h_r(v) l_{s,r}.
//!
//! Gates: of all k experts the c = `experts_per_token` of largest score carry. `raw` keeps their shares of the softmax over
//! all (soft for c = k, masked below, where they sum to less than 1); `renormalised` is the softmax over the chosen.
//! Start: l = 1 + N(0, `scaling_noise`²), w = N(0, `router_noise`²).
//!
//! Over a block of gates with V_s = q_s for an expert that carries and 0 for one that does not,
//! ∂f/∂w_s = Σ_j p_s (V_s − Σ_i p_i V_i) h(v) and ∂f/∂l_{s,r} = (1/m) Σ_j p_s a_r h_r(v). A pruned expert whose router
//! stays keeps its gate and carries nothing; a dropped one leaves the softmax.

use super::{Setting, StartingPoint, System, UpstreamDiverged};
use crate::moe::routing::{choose_tokens, softmax};
use crate::patterns::streams::{Purpose, stream};
use crate::patterns::{Batch, StandardNormal};
use crate::prune::routed::{RoutedPair, RoutedSample};
use crate::prune::{Calibration, Checkpoint};
use crate::sgd::{Diverged, Engine, Objective, Rates, StepReport};
use crate::sim::parameters::{Gates, Parameters};
use rand::distr::Distribution;
use std::sync::Arc;

/// What does not train.
#[derive(Debug)]
struct Base {
    /// a_r, `[m]`.
    signs: Vec<f64>,
    /// h_r(v), `[d, m]`.
    hidden: Vec<f64>,
}

/// A mixture of vectors.
#[derive(Clone, Debug)]
pub struct Mov {
    base: Arc<Base>,
    gates: Gates,
    /// c.
    experts_per_token: usize,
    /// w, `[k, m]`, of all experts whose routers are there.
    routers: Vec<f64>,
    /// l, `[k, m]`.
    vectors: Vec<f64>,
    /// The experts that are left, ascending.
    places: Vec<usize>,
    /// All experts whose routers are there: one group.
    groups: Vec<Vec<usize>>,
}

/// A token of one pattern at all experts.
#[derive(Clone, Debug, Default)]
struct Routed {
    /// ⟨w_s, h⟩, `[k]`.
    scores: Vec<f64>,
    /// The experts of the softmax.
    block: Vec<usize>,
    /// p_s, in the order of `block`.
    gates: Vec<f64>,
    /// V_s, in the order of `block`.
    values: Vec<f64>,
    /// Whether an expert carries, in the order of `block`.
    carries: Vec<bool>,
}

impl Routed {
    /// Σ_s p_s V_s, as V_1 + Σ_s p_s (V_s − V_1): exactly V_1 where all are equal.
    fn mean(&self) -> f64 {
        let first = self.values.first().copied().unwrap_or_default();
        first + self.gates.iter().zip(&self.values).map(|(gate, value)| gate * (value - first)).sum::<f64>()
    }
}

/// The base, the vectors and the routers of a run.
pub(super) fn start(setting: &Setting) -> (StartingPoint, Option<UpstreamDiverged>) {
    let system = Box::new(Mov::new(setting.parameters, setting.seed));
    let experts = system.experts();
    (StartingPoint { system, roles: Vec::new(), features: vec![None; experts] }, None)
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Mov {
    /// At t = 0.
    pub fn new(parameters: &Parameters, seed: u64) -> Self {
        let Parameters { data, model, pretrained, .. } = parameters;
        let (k, m) = (model.experts, model.neurons);
        let mut generator = stream(seed, Purpose::Pretrained);
        let mut normal = |count: usize, mean: f64, scale: f64| -> Vec<f64> {
            (0..count).map(|_| StandardNormal.sample(&mut generator)).map(|value: f64| mean + scale * value).collect()
        };
        let mut hidden = normal(data.patterns * m, 0.0, pretrained.neuron_scale);
        hidden.iter_mut().for_each(|activation| *activation = activation.max(0.0));
        let signs = (0..m).map(|neuron| if neuron % 2 == 0 { 1.0 } else { -1.0 }).collect();
        Self {
            base: Arc::new(Base { signs, hidden }),
            gates: model.gates,
            experts_per_token: model.experts_per_token,
            routers: normal(k * m, 0.0, pretrained.router_noise),
            vectors: normal(k * m, 1.0, pretrained.scaling_noise),
            places: (0..k).collect(),
            groups: vec![(0..k).collect()],
        }
    }

    /// The same base with these routers and scaling vectors, `[k, m]` each.
    pub fn with_weights(&self, routers: Vec<f64>, vectors: Vec<f64>) -> Self {
        Self { routers, vectors, ..self.clone() }
    }

    /// h(v), `[m]`.
    pub fn hidden(&self, pattern: usize) -> &[f64] {
        let m = self.base.signs.len();
        &self.base.hidden[pattern * m..][..m]
    }

    /// a_r, `[m]`.
    pub fn signs(&self) -> &[f64] {
        &self.base.signs
    }

    /// Experts whose routers are there.
    fn slots(&self) -> usize {
        self.groups[0].len()
    }

    /// (1/m) Σ_r a_r h_r l_{s,r}.
    fn value(&self, slot: usize, hidden: &[f64]) -> f64 {
        let m = hidden.len();
        let vector = &self.vectors[slot * m..][..m];
        let terms = self.base.signs.iter().zip(hidden).zip(vector).map(|((sign, h), l)| sign * h * l);
        terms.sum::<f64>() / m as f64
    }

    /// Routes a token of this pattern.
    fn route(&self, pattern: usize, routed: &mut Routed) {
        let hidden = self.hidden(pattern);
        let Routed { scores, block, gates, values, carries } = routed;
        scores.clear();
        scores.extend(self.routers.chunks_exact(hidden.len()).map(|router| product(router, hidden)));
        let chosen = self.experts_per_token.min(scores.len());
        let listed = if self.gates == Gates::Raw { scores.len() } else { chosen };
        choose_tokens(scores, listed, block);
        gates.clear();
        gates.extend(block.iter().map(|&slot| scores[slot]));
        softmax(gates);
        carries.clear();
        carries.extend(block.iter().enumerate().map(|(rank, slot)| rank < chosen && self.is_left(*slot)));
        values.clear();
        values.extend(block.iter().zip(carries.iter()).map(|(&slot, &carries)| match carries {
            true => self.value(slot, hidden),
            false => 0.0,
        }));
    }

    fn is_left(&self, slot: usize) -> bool {
        self.places.len() == self.slots() || self.places.binary_search(&slot).is_ok()
    }
}

impl Checkpoint for Mov {
    fn experts(&self) -> usize {
        self.places.len()
    }

    fn router(&self, expert: usize) -> &[f64] {
        let m = self.row_length();
        &self.routers[self.places[expert] * m..][..m]
    }

    /// One row: the scaling vector l_s.
    fn expert_weights(&self, expert: usize) -> &[f64] {
        let m = self.row_length();
        &self.vectors[self.places[expert] * m..][..m]
    }

    fn row_length(&self) -> usize {
        self.base.signs.len()
    }

    fn sign(&self, _expert: usize) -> Option<f64> {
        None
    }

    fn is_in_pattern_coordinates(&self) -> bool {
        false
    }
}

impl System for Mov {
    fn engine(&self, setting: &Setting) -> Box<dyn Engine> {
        Box::new(MovEngine::new(self.clone(), Rates::from(&setting.parameters.training)))
    }

    fn with_weights_of(&self, engine: &dyn Engine) -> Box<dyn System> {
        Box::new(self.with_weights(engine.routers(), engine.expert_weights()))
    }

    fn keep(&self, kept: &[usize], _calibration: Option<&Calibration>, parameters: &Parameters) -> Box<dyn System> {
        let kept: Vec<usize> = kept.iter().map(|&number| self.places[number]).collect();
        if parameters.pruning.removal.traits().keeps_router {
            return Box::new(Self { places: kept, ..self.clone() });
        }
        let m = self.row_length();
        let rows = |of: &[f64]| kept.iter().flat_map(|&slot| of[slot * m..][..m].to_vec()).collect();
        let all: Vec<usize> = (0..kept.len()).collect();
        let left = self.with_weights(rows(&self.routers), rows(&self.vectors));
        Box::new(Self { places: all.clone(), groups: vec![all], ..left })
    }

    /// An activation is |q_s|: how much an expert says of a token before its gate.
    fn for_each_routed(&self, batch: &Batch, visit: &mut dyn FnMut(RoutedSample)) {
        let k = self.slots();
        let mut routed = Routed::default();
        for (sample, &label) in batch.labels.iter().enumerate() {
            let (mut scores, mut pairs, mut outputs) = (Vec::new(), Vec::new(), vec![0.0; k]);
            for (position, &token) in batch.sample(sample).iter().enumerate() {
                self.route(token as usize, &mut routed);
                scores.extend_from_slice(&routed.scores);
                for (place, &expert) in routed.block.iter().enumerate().filter(|(place, _)| routed.carries[*place]) {
                    let (gate, value) = (routed.gates[place], routed.values[place]);
                    pairs.push(RoutedPair { expert, position, gate, activation: value.abs() });
                    outputs[expert] += gate * value;
                }
            }
            pairs.sort_by_key(|pair| (pair.expert, pair.position));
            visit(RoutedSample { scores: &scores, pairs: &pairs, outputs: &outputs, label });
        }
    }

    fn places(&self) -> &[usize] {
        &self.places
    }

    fn groups(&self) -> &[Vec<usize>] {
        &self.groups
    }

    fn boxed(&self) -> Box<dyn System> {
        Box::new(self.clone())
    }
}

/// A mixture of vectors in training. What a token meets depends on its pattern alone, so it is worked out once a pattern.
#[derive(Clone, Debug)]
pub struct MovEngine {
    model: Mov,
    rates: Rates,
    /// By pattern; out of date where `are_fresh` is false.
    routed: Vec<Routed>,
    are_fresh: bool,
}

impl MovEngine {
    /// An engine that starts from `model`.
    pub fn new(model: Mov, rates: Rates) -> Self {
        let patterns = model.base.hidden.len() / model.base.signs.len();
        Self { model, rates, routed: vec![Routed::default(); patterns], are_fresh: false }
    }

    fn refresh(&mut self) {
        if !self.are_fresh {
            for (pattern, routed) in self.routed.iter_mut().enumerate() {
                self.model.route(pattern, routed);
            }
            self.are_fresh = true;
        }
    }

    /// Moves weights by `step` times the gradients of Σ_v c_v out(v); false if one is no finite number afterwards.
    fn ascend(&mut self, coefficients: &[f64], samples: usize) -> bool {
        let m = self.model.base.signs.len();
        let router_step = self.rates.router / samples as f64;
        let vector_step = self.rates.expert / (samples * m) as f64;
        let base = Arc::clone(&self.model.base);
        let of_patterns = base.hidden.chunks_exact(m).zip(&self.routed).zip(coefficients);
        for ((hidden, routed), &coefficient) in of_patterns.filter(|(_, coefficient)| **coefficient != 0.0) {
            let mean = routed.mean();
            for (place, &slot) in routed.block.iter().enumerate() {
                let pull = coefficient * routed.gates[place];
                let router = self.model.routers[slot * m..][..m].iter_mut();
                let by = router_step * pull * (routed.values[place] - mean);
                router.zip(hidden).for_each(|(weight, h)| *weight += by * h);
                if routed.carries[place] {
                    let vector = self.model.vectors[slot * m..][..m].iter_mut();
                    let signed = base.signs.iter().zip(hidden);
                    vector.zip(signed).for_each(|(l, (sign, h))| *l += vector_step * pull * sign * h);
                }
            }
        }
        self.are_fresh = false;
        self.model.routers.iter().chain(&self.model.vectors).all(|weight| weight.is_finite())
    }
}

impl Engine for MovEngine {
    fn experts(&self) -> usize {
        self.model.slots()
    }

    fn step(&mut self, batch: &Batch, objective: &Objective) -> Result<StepReport, Diverged> {
        debug_assert!(objective.regularisers.are_none(), "MoV has no regulariser");
        self.refresh();
        let out: Vec<f64> = self.routed.iter().map(|routed| product(&routed.gates, &routed.values)).collect();
        let mut coefficients = vec![0.0; out.len()];
        let mut report = StepReport::default();
        for (sample, &label) in batch.labels.iter().enumerate() {
            let tokens = batch.sample(sample);
            let f: f64 = tokens.iter().map(|&token| out[token as usize]).sum();
            let against_f = report.add(objective.loss, label, f)?;
            if against_f != 0.0 {
                tokens.iter().for_each(|&token| coefficients[token as usize] += against_f);
            }
        }
        if report.active > 0 && !self.ascend(&coefficients, batch.samples()) {
            return Err(Diverged);
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
            for (place, &slot) in routed.block.iter().enumerate().filter(|(place, _)| routed.carries[*place]) {
                gates[slot] = routed.gates[place];
            }
        }
    }

    fn routers(&self) -> Vec<f64> {
        self.model.routers.clone()
    }

    fn expert_weights(&self) -> Vec<f64> {
        self.model.vectors.clone()
    }
}
