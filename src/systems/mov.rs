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

use super::rows::{OnRows, Rows};
use super::tokenwise::{Routed, Tokenwise, TokenwiseEngine, for_each_routed, product};
use super::{Setting, StartingPoint, UpstreamDiverged};
use crate::moe::routing::{choose_tokens, softmax};
use crate::patterns::streams::{Purpose, stream};
use crate::patterns::{Batch, StandardNormal};
use crate::prune::routed::RoutedSample;
use crate::sgd::{Engine, Rates};
use crate::sim::parameters::Gates;
use crate::sim::parameters::Parameters;
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
    /// Routers w and vectors l, `[k, m]` each.
    rows: Rows,
}

/// A mixture of vectors in training.
pub type MovEngine = TokenwiseEngine<Mov>;

/// The base, the vectors and the routers of a run.
pub(super) fn start(setting: &Setting) -> (StartingPoint, Option<UpstreamDiverged>) {
    let system = Box::new(Mov::new(setting.parameters, setting.seed));
    let features = vec![None; system.rows.slots()];
    (StartingPoint { system, roles: Vec::new(), features }, None)
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
        let routers = normal(k * m, 0.0, pretrained.router_noise);
        let vectors = normal(k * m, 1.0, pretrained.scaling_noise);
        Self {
            base: Arc::new(Base { signs, hidden }),
            gates: model.gates,
            experts_per_token: model.experts_per_token,
            rows: Rows::new(routers, vectors, k, m),
        }
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

    /// (1/m) Σ_r a_r h_r l_{s,r}.
    fn value(&self, slot: usize, hidden: &[f64]) -> f64 {
        let terms = self.base.signs.iter().zip(hidden).zip(self.rows.expert(slot)).map(|((sign, h), l)| sign * h * l);
        terms.sum::<f64>() / hidden.len() as f64
    }
}

impl OnRows for Mov {
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
        Box::new(MovEngine::new(self.clone(), rates))
    }

    fn visit_routed(&self, batch: &Batch, visit: &mut dyn FnMut(RoutedSample)) {
        for_each_routed(self, batch, visit);
    }
}

impl Tokenwise for Mov {
    fn patterns(&self) -> usize {
        self.base.hidden.len() / self.base.signs.len()
    }

    fn route(&self, pattern: usize, routed: &mut Routed) {
        let hidden = self.hidden(pattern);
        let Routed { scores, block, gates, values, carries } = routed;
        scores.clear();
        scores.extend(self.rows.routers.chunks_exact(hidden.len()).map(|router| product(router, hidden)));
        let chosen = self.experts_per_token.min(scores.len());
        let listed = if self.gates == Gates::Raw { scores.len() } else { chosen };
        choose_tokens(scores, listed, block);
        gates.clear();
        gates.extend(block.iter().map(|&slot| scores[slot]));
        softmax(gates);
        carries.clear();
        carries.extend(block.iter().enumerate().map(|(rank, slot)| rank < chosen && self.rows.is_left(*slot)));
        values.clear();
        values.extend(block.iter().zip(carries.iter()).map(|(&slot, &carries)| match carries {
            true => self.value(slot, hidden),
            false => 0.0,
        }));
    }

    fn ascend(&mut self, coefficients: &[f64], routed: &[Routed], rates: Rates, samples: usize) {
        let m = self.base.signs.len();
        let router_step = rates.router / samples as f64;
        let vector_step = rates.expert / (samples * m) as f64;
        let base = Arc::clone(&self.base);
        let of_patterns = base.hidden.chunks_exact(m).zip(routed).zip(coefficients);
        for ((hidden, routed), &coefficient) in of_patterns.filter(|(_, coefficient)| **coefficient != 0.0) {
            let mean = routed.mean();
            for (place, &slot) in routed.block.iter().enumerate() {
                let pull = coefficient * routed.gates[place];
                let router = self.rows.routers[slot * m..][..m].iter_mut();
                let by = router_step * pull * (routed.values[place] - mean);
                router.zip(hidden).for_each(|(weight, h)| *weight += by * h);
                if routed.carries[place] {
                    let vector = self.rows.experts[slot * m..][..m].iter_mut();
                    let signed = base.signs.iter().zip(hidden);
                    vector.zip(signed).for_each(|(l, (sign, h))| *l += vector_step * pull * sign * h);
                }
            }
        }
    }
}
