//! The pattern engine: noise-free training by the reduced state of lemma L5.
//!
//! Tokens are patterns, so a router's score is a table look-up, and so is σ. What an iteration costs does not depend on
//! the number of neurons m but for their deaths, nor on d but for tables that no longer fit a cache and the scans that
//! [`Engine::range_above`] and [`Engine::competitors`] need. The canonical basis and any other give the same numbers,
//! because the state is kept in pattern coordinates.
//!
//! One token's numbers of eight experts lie side by side (`table`), so that a vector instruction works for as many
//! experts as it has lanes. `threshold` finds the l-th largest score, `forward` and `backward` go through a sample,
//! `update` makes the step, `cells` keeps the neurons, `ranges` the activation ranges, `competitors` counts, `contrast`
//! keeps the half-batch contrast.

mod backward;
mod cells;
mod competitors;
mod contrast;
mod forward;
mod passes;
mod ranges;
mod table;
mod threshold;
mod update;

use super::engine::{Competitors, Diverged, Engine, Rates, StepReport};
use crate::moe::Model;
use crate::patterns::{Batch, Class};
use crate::simd::Level;
use crate::simd::exp::exp;
use backward::Gradients;
use cells::Cells;
use competitors::{Counts, Take};
use contrast::Contrast;
use forward::{LOOKED_UP, Sample, field};
use passes::{Gates, Outputs, Step};
use ranges::Ranges;
use table::Table;

/// A model in training on noise-free samples.
#[derive(Clone, Debug)]
pub struct PatternEngine {
    level: Level,
    /// The model at t = 0: signs and sizes; its weights are not kept.
    shape: Model,
    rates: Rates,
    /// a_s by place; 0 past the last expert.
    signs: Vec<f64>,
    /// The score that each expert's exponentials are taken relative to, by place.
    shifts: Vec<f64>,
    /// u, exp(u − shift) and σ.
    table: Table<LOOKED_UP>,
    cells: Cells,
    gradients: Gradients,
    ranges: Ranges,
    counts: Counts,
    sample: Sample,
    /// `None` while the half-batch contrast is not tracked.
    contrast: Option<Contrast>,
}

impl PatternEngine {
    /// An engine for samples of `tokens` tokens that starts from `model`.
    pub fn new(model: &Model, tokens: usize, rates: Rates) -> Self {
        Self::at_level(Level::best(), model, tokens, rates)
    }

    /// As [`PatternEngine::new`], with the instructions of one level. The numbers are the same at every level.
    pub fn at_level(level: Level, model: &Model, tokens: usize, rates: Rates) -> Self {
        let (k, d) = (model.experts(), model.patterns);
        let lanes = level.lanes();
        let cells = Cells::new(model, lanes);
        let mut table = Table::new(d, k, lanes);
        let places = table.places();
        let mut shifts = vec![0.0; places];
        for (expert, shift) in shifts.iter_mut().enumerate() {
            if expert < k {
                *shift = model.router(expert).iter().copied().fold(f64::NEG_INFINITY, f64::max);
            }
            for pattern in 0..d {
                // Experts that are not there have scores that do not tie and exponentials that do not under- or overflow.
                let score = if expert < k { model.router(expert)[pattern] } else { -(pattern as f64 / d as f64) };
                table.set(pattern, expert, field::SCORE, score);
                table.set(pattern, expert, field::EXPONENTIAL, exp(score - *shift));
                table.set(pattern, expert, field::ACTIVATION, cells.activation(pattern, expert));
            }
        }
        Self {
            level,
            rates,
            signs: model.signs.iter().copied().chain(std::iter::repeat(0.0)).take(places).collect(),
            shifts,
            cells,
            gradients: Gradients::new(d, k, lanes),
            ranges: Ranges::new(&table, d, lanes),
            counts: Counts::new(k, lanes),
            sample: Sample::new(tokens, k, lanes),
            contrast: None,
            shape: Model { routers: Vec::new(), neurons: Vec::new(), ..model.clone() },
            table,
        }
    }

    /// σ_{s,v}, `[k, d]`.
    pub fn activations(&self) -> Vec<f64> {
        self.table.by_expert(self.shape.experts(), field::ACTIVATION)
    }
}

impl Engine for PatternEngine {
    fn experts(&self) -> usize {
        self.shape.experts()
    }

    fn step(&mut self, batch: &Batch) -> Result<StepReport, Diverged> {
        self.level.run(Step { engine: self, batch })
    }

    fn outputs(&mut self, batch: &Batch, outputs: &mut Vec<f64>) {
        self.level.run(Outputs { engine: self, batch, outputs });
    }

    fn class_token_gates(&mut self, batch: &Batch, gates: &mut Vec<f64>) {
        self.level.run(Gates { engine: self, batch, gates });
    }

    fn model(&self) -> Model {
        Model { routers: self.routers(), neurons: self.cells.neurons(), ..self.shape.clone() }
    }

    fn routers(&self) -> Vec<f64> {
        self.table.by_expert(self.shape.experts(), field::SCORE)
    }

    fn competitors(&mut self, expert: usize, class: Class) -> Competitors {
        if !self.counts.are_fresh {
            self.level.run(Take { counts: &mut self.counts, table: &self.table });
        }
        self.counts.get(expert, class)
    }

    fn range_above(&mut self, expert: usize, floor: f64) -> Option<f64> {
        self.ranges.range_above(&self.table, self.shape.patterns, expert, floor)
    }

    fn track_contrast(&mut self) {
        self.contrast = Some(Contrast::new(self.shape.patterns, self.shape.experts(), self.level.lanes()));
    }

    fn contrast(&self) -> Option<Vec<f64>> {
        self.contrast.as_ref()?.by_expert(self.shape.experts())
    }
}
