//! The pattern engine: noise-free training by the reduced state of lemma L5.
//!
//! Tokens are patterns, so a router's score is a table look-up, and so is σ. What an iteration costs does not depend on
//! the number of neurons m, nor on d but for the places that the ranking's repairs jump over and the scans that [`Engine::range_above`] needs. The canonical basis and
//! any other give the same numbers, because the state is kept in pattern coordinates.
//!
//! `passes` goes through a sample forward and backward, `select` chooses tokens by integer ranks, `ranking` keeps the
//! ranks, `cells` the neurons, `ranges` the activation ranges, `contrast` the half-batch contrast.

mod cells;
mod contrast;
mod passes;
mod ranges;
mod ranking;
mod select;

use super::engine::{Competitors, Diverged, Engine, Rates, StepReport};
use crate::moe::Model;
use crate::patterns::{Batch, Class, Pattern};
use cells::Cells;
use contrast::Contrast;
use passes::Sample;
use ranges::Ranges;
use ranking::Ranking;
use select::Selector;

/// exp(u − shift) and σ of one (pattern, expert).
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    exponential: f64,
    activation: f64,
}

/// Summed over a batch for one (pattern, expert): y a_s G (moves the neurons) and y a_s G (σ − σ̄) (moves the router).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Gradient {
    mass: f64,
    router: f64,
}

/// A model in training on noise-free samples.
#[derive(Clone, Debug)]
pub struct PatternEngine {
    /// The model at t = 0: signs and sizes; its weights are not kept.
    shape: Model,
    rates: Rates,
    /// u, `[k, d]`.
    routers: Vec<f64>,
    /// The score that each expert's exponentials are taken relative to, `[k]`.
    shifts: Vec<f64>,
    cells: Cells,
    ranking: Ranking,
    selector: Selector,
    ranges: Ranges,
    /// By cell (pattern · k + expert).
    table: Vec<Entry>,
    gradients: Vec<Gradient>,
    /// Patterns of the active samples of a batch, each once, and whether a pattern is among them.
    touched: Vec<Pattern>,
    is_touched: Vec<bool>,
    /// Patterns whose score moved, by expert.
    moved: Vec<Vec<Pattern>>,
    sample: Sample,
    /// `None` while the half-batch contrast is not tracked.
    contrast: Option<Contrast>,
}

impl PatternEngine {
    /// An engine for samples of `tokens` tokens that starts from `model`.
    pub fn new(model: &Model, tokens: usize, rates: Rates) -> Self {
        let (k, d, l) = (model.experts(), model.patterns, model.tokens_per_expert);
        let cells = Cells::new(model);
        let shifts: Vec<f64> =
            (0..k).map(|expert| model.router(expert).iter().copied().fold(f64::NEG_INFINITY, f64::max)).collect();
        let table: Vec<Entry> = (0..k * d)
            .map(|cell| Entry {
                exponential: libm::exp(model.router(cell % k)[cell / k] - shifts[cell % k]),
                activation: cells.activation(cell),
            })
            .collect();
        let mut selector = Selector::new(k, d, tokens, l);
        let ranking = Ranking::new(&model.routers, d, |expert, pattern, rank| selector.set_rank(expert, pattern, rank));
        let activations: Vec<f64> = (0..k * d).map(|at| table[at % d * k + at / d].activation).collect();
        Self {
            rates,
            routers: model.routers.clone(),
            shifts,
            cells,
            ranking,
            selector,
            ranges: Ranges::new(activations, d),
            table,
            gradients: vec![Gradient::default(); k * d],
            touched: Vec::new(),
            is_touched: vec![false; d],
            moved: vec![Vec::new(); k],
            sample: Sample::new(k, l),
            contrast: None,
            shape: Model { routers: Vec::new(), neurons: Vec::new(), ..model.clone() },
        }
    }

    /// σ_{s,v}, `[k, d]`.
    pub fn activations(&self) -> &[f64] {
        self.ranges.activations()
    }

    /// Moves routers and neurons by the gradients of the batch, clears these, and repairs ranks.
    fn apply(&mut self, samples: usize) -> Result<(), Diverged> {
        let (k, d) = (self.shape.experts(), self.shape.patterns);
        let router_rate = self.rates.router / samples as f64;
        let neuron_rate = self.rates.expert / (samples * self.shape.neurons_per_expert) as f64;
        let mut finite = true;
        for &pattern in &self.touched {
            let v = pattern as usize;
            self.is_touched[v] = false;
            for expert in 0..k {
                let cell = v * k + expert;
                let gradient = std::mem::take(&mut self.gradients[cell]);
                if gradient.router != 0.0 {
                    let score = &mut self.routers[expert * d + v];
                    *score += router_rate * gradient.router;
                    finite &= score.is_finite();
                    self.table[cell].exponential = libm::exp(*score - self.shifts[expert]);
                    self.moved[expert].push(pattern);
                }
                if gradient.mass != 0.0 {
                    let activation = self.cells.shift(cell, neuron_rate * gradient.mass);
                    finite &= activation.is_finite();
                    self.table[cell].activation = activation;
                    self.ranges.set(expert, v, activation);
                }
            }
        }
        self.touched.clear();
        if !finite {
            return Err(Diverged);
        }
        for (expert, moved) in self.moved.iter_mut().enumerate() {
            let scores = &self.routers[expert * d..][..d];
            let selector = &mut self.selector;
            self.ranking.repair(expert, scores, moved, |pattern, rank| selector.set_rank(expert, pattern, rank));
            moved.clear();
        }
        Ok(())
    }
}

impl Engine for PatternEngine {
    fn experts(&self) -> usize {
        self.shape.experts()
    }

    fn step(&mut self, batch: &Batch) -> Result<StepReport, Diverged> {
        let mut report = StepReport { loss: 0.0, active: 0 };
        let samples = batch.samples();
        if self.contrast.is_none() {
            self.pass(batch, 0..samples, &mut report)?;
        } else {
            self.pass(batch, 0..samples / 2, &mut report)?;
            self.contrast_after_half(samples);
            self.pass(batch, samples / 2..samples, &mut report)?;
            self.contrast_after_all(samples);
        }
        report.loss /= samples as f64;
        self.apply(samples)?;
        Ok(report)
    }

    fn outputs(&mut self, batch: &Batch, outputs: &mut Vec<f64>) {
        outputs.clear();
        for sample in 0..batch.samples() {
            self.forward(batch.sample(sample));
            outputs.extend(self.sample.means.iter().zip(&self.shape.signs).map(|(mean, sign)| sign * mean));
        }
    }

    fn class_token_gates(&mut self, batch: &Batch, gates: &mut Vec<f64>) {
        let (k, l) = (self.shape.experts(), self.shape.tokens_per_expert);
        gates.clear();
        for (sample, &position) in batch.class_positions.iter().enumerate() {
            let tokens = batch.sample(sample);
            self.forward(tokens);
            let class_token = tokens[position as usize] as usize;
            for expert in 0..k {
                let cell = (class_token * k + expert) as u32;
                let chosen = &self.sample.chosen[expert * l..][..l];
                let weights = &self.sample.weights[expert * l..][..l];
                // Relative to the best token, so that l tied tokens have a gate of exactly 1/l.
                let gate = |place: usize| {
                    weights[place] / weights[0] / weights.iter().map(|weight| weight / weights[0]).sum::<f64>()
                };
                gates.push(chosen.iter().position(|&other| other == cell).map_or(0.0, gate));
            }
        }
    }

    fn model(&self) -> Model {
        Model { routers: self.routers.clone(), neurons: self.cells.neurons(), ..self.shape.clone() }
    }

    fn routers(&self) -> Vec<f64> {
        self.routers.clone()
    }

    fn competitors(&self, expert: usize, class: Class) -> Competitors {
        let (own, other) = (class.pattern(), 1 - class.pattern());
        let (mut above, mut tied) = self.ranking.above_and_tied(expert, own);
        let router = &self.routers[expert * self.shape.patterns..][..self.shape.patterns];
        above -= usize::from(router[other] > router[own]);
        tied -= usize::from(router[other] == router[own]);
        Competitors { above, tied }
    }

    fn range_above(&mut self, expert: usize, floor: f64) -> Option<f64> {
        self.ranges.range_above(expert, floor)
    }

    fn track_contrast(&mut self) {
        self.contrast = Some(Contrast::new(self.gradients.len()));
    }

    fn contrast(&self) -> Option<Vec<f64>> {
        self.contrast.as_ref()?.by_expert(self.shape.experts())
    }
}
