//! The pattern engine: noise-free training by the reduced state of lemma L5.
//!
//! Tokens are patterns, so a router's score is a table look-up, and so is σ. What an iteration costs does not depend on
//! the number of neurons m, nor on d but for the places that the ranking's repairs jump over and the scans that [`Engine::range_above`] needs. The canonical basis and
//! any other give the same numbers, because the state is kept in pattern coordinates.
//!
//! `select` chooses tokens by integer ranks, `ranking` keeps the ranks, `cells` the neurons, `ranges` the
//! activation ranges.

mod cells;
mod ranges;
mod ranking;
mod select;

use super::engine::{Competitors, Diverged, Engine, Rates, StepReport};
use crate::moe::Model;
use crate::patterns::{Batch, Class, Pattern};
use cells::Cells;
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

/// Sums of exponentials outside this range are computed again relative to the largest score.
const SAFE_TOTALS: std::ops::Range<f64> = 1e-250..1e250;

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
}

/// The forward pass of one sample.
#[derive(Clone, Debug)]
struct Sample {
    /// Cells of the chosen tokens, best first, `[k, l]`.
    chosen: Vec<u32>,
    /// Gates before normalisation, `[k, l]`.
    weights: Vec<f64>,
    /// Their sums, `[k]`.
    totals: Vec<f64>,
    /// σ̄ = Σ_j G_j σ_j, `[k]`.
    means: Vec<f64>,
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
            sample: Sample {
                chosen: vec![0; k * l],
                weights: vec![0.0; k * l],
                totals: vec![0.0; k],
                means: vec![0.0; k],
            },
            shape: Model { routers: Vec::new(), neurons: Vec::new(), ..model.clone() },
        }
    }

    /// σ_{s,v}, `[k, d]`.
    pub fn activations(&self) -> &[f64] {
        self.ranges.activations()
    }

    /// Chooses, gates and averages for every expert; returns f(x).
    #[inline]
    fn forward(&mut self, tokens: &[Pattern]) -> f64 {
        let l = self.shape.tokens_per_expert;
        let Sample { chosen, weights, totals, means } = &mut self.sample;
        self.selector.select(tokens, chosen);
        let mut output = 0.0;
        let experts = chosen.chunks_exact(l).zip(weights.chunks_exact_mut(l));
        for (expert, (chosen, weights)) in experts.enumerate() {
            let (mut total, mut sum) = (0.0, 0.0);
            for (&cell, weight) in chosen.iter().zip(weights.iter_mut()) {
                let entry = self.table[cell as usize];
                *weight = entry.exponential;
                total += entry.exponential;
                sum += entry.exponential * entry.activation;
            }
            if !SAFE_TOTALS.contains(&total) {
                let router = &self.routers[expert * self.shape.patterns..][..self.shape.patterns];
                (total, sum) = gate_again(router, self.shape.experts(), &self.table, chosen, weights);
            }
            totals[expert] = total;
            means[expert] = sum / total;
            output += self.shape.signs[expert] * means[expert];
        }
        output
    }

    /// Adds the gradient of the sample that was last passed forward, of label `label`.
    #[inline]
    fn backward(&mut self, tokens: &[Pattern], label: f64) {
        let l = self.shape.tokens_per_expert;
        let Sample { chosen, weights, totals, means } = &self.sample;
        for (expert, (chosen, weights)) in chosen.chunks_exact(l).zip(weights.chunks_exact(l)).enumerate() {
            let scale = label * self.shape.signs[expert] / totals[expert];
            let mean = means[expert];
            for (&cell, &weight) in chosen.iter().zip(weights) {
                let mass = weight * scale;
                let gradient = &mut self.gradients[cell as usize];
                gradient.mass += mass;
                gradient.router += mass * (self.table[cell as usize].activation - mean);
            }
        }
        for &token in tokens {
            if !std::mem::replace(&mut self.is_touched[token as usize], true) {
                self.touched.push(token);
            }
        }
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

/// Gates relative to the largest chosen score, for scores so far from the shift that the table under- or overflows.
#[cold]
fn gate_again(router: &[f64], experts: usize, table: &[Entry], chosen: &[u32], weights: &mut [f64]) -> (f64, f64) {
    let largest = router[chosen[0] as usize / experts];
    let (mut total, mut sum) = (0.0, 0.0);
    for (&cell, weight) in chosen.iter().zip(weights) {
        *weight = libm::exp(router[cell as usize / experts] - largest);
        total += *weight;
        sum += *weight * table[cell as usize].activation;
    }
    (total, sum)
}

impl Engine for PatternEngine {
    fn experts(&self) -> usize {
        self.shape.experts()
    }

    fn step(&mut self, batch: &Batch) -> Result<StepReport, Diverged> {
        let mut report = StepReport { loss: 0.0, active: 0 };
        for (sample, &label) in batch.labels.iter().enumerate() {
            let tokens = batch.sample(sample);
            let output = self.forward(tokens);
            if !output.is_finite() {
                return Err(Diverged);
            }
            let slack = 1.0 - label * output;
            if slack > 0.0 {
                report.loss += slack;
                report.active += 1;
                self.backward(tokens, label);
            }
        }
        report.loss /= batch.samples() as f64;
        self.apply(batch.samples())?;
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
}
