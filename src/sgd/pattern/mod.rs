//! The pattern engine: noise-free training by the reduced state of lemma L5.
//!
//! Tokens are patterns, so a router's score is a table look-up, and so is σ. What an iteration costs does not depend on
//! the number of neurons m but for their deaths, nor on d but for tables that no longer fit a cache and the scans that
//! [`TheoryEngine::range_above`] and [`TheoryEngine::competitors`] need. The canonical basis and any other give the same numbers,
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
mod repeats;
mod table;
mod tables;
mod threshold;
mod update;

use super::engine::{Competitors, Diverged, Engine, Rates, StepReport, TheoryEngine};
use super::objective::Objective;
use crate::moe::Model;
use crate::patterns::{Batch, Class};
use crate::simd::Level;
use backward::Gradients;
use cells::Cells;
use competitors::{Counts, Take};
use contrast::Contrast;
use passes::{Gates, Norms, Outputs, Step};
use ranges::Ranges;
use repeats::Repeats;
use tables::{Tables, value};

/// A model in training on noise-free samples.
#[derive(Clone, Debug)]
pub struct PatternEngine {
    level: Level,
    /// The model at t = 0: signs and sizes; its weights are not kept.
    shape: Model,
    rates: Rates,
    tables: Tables,
    cells: Cells,
    gradients: Gradients,
    ranges: Ranges,
    counts: Counts,
    repeats: Repeats,
    /// `None` while the half-batch contrast is not tracked.
    contrast: Option<Contrast>,
}

impl PatternEngine {
    /// An engine that starts from `model`.
    pub fn new(model: &Model, rates: Rates) -> Self {
        Self::at_level(Level::best_for(model.experts()), model, rates)
    }

    /// As [`PatternEngine::new`], with the instructions of one level. The numbers are the same at every level.
    pub fn at_level(level: Level, model: &Model, rates: Rates) -> Self {
        let (k, d) = (model.experts(), model.patterns);
        let lanes = level.lanes();
        let cells = Cells::new(model, level);
        let tables = Tables::new(model, &cells, level);
        Self {
            level,
            rates,
            cells,
            gradients: Gradients::new(d, k, lanes),
            ranges: Ranges::new(&tables.values, d, lanes),
            counts: Counts::new(k, lanes),
            repeats: Repeats::new(d),
            contrast: None,
            shape: Model { routers: Vec::new(), neurons: Vec::new(), ..model.clone() },
            tables,
        }
    }

    /// σ_{s,v}, `[k, d]`.
    pub fn activations(&self) -> Vec<f64> {
        self.tables.values.by_expert(self.shape.experts(), value::ACTIVATION)
    }
}

impl Engine for PatternEngine {
    fn experts(&self) -> usize {
        self.shape.experts()
    }

    fn step(&mut self, batch: &Batch, objective: &Objective) -> Result<StepReport, Diverged> {
        debug_assert!(objective.regularisers.are_none(), "the general engine has regularisers");
        self.level.run(Step { engine: self, batch, loss: objective.loss })
    }

    fn outputs(&mut self, batch: &Batch, outputs: &mut Vec<f64>) {
        self.level.run(Outputs { engine: self, batch, outputs });
    }

    fn class_token_gates(&mut self, batch: &Batch, gates: &mut Vec<f64>) {
        self.level.run(Gates { engine: self, batch, gates });
    }

    fn routers(&self) -> Vec<f64> {
        self.tables.values.by_expert(self.shape.experts(), value::SCORE)
    }

    fn router_norms(&self, norms: &mut Vec<f64>) {
        self.level.run(Norms { engine: self, norms });
    }

    fn expert_weights(&self) -> Vec<f64> {
        self.cells.neurons()
    }

    fn theory(&mut self) -> Option<&mut dyn TheoryEngine> {
        Some(self)
    }
}

impl TheoryEngine for PatternEngine {
    fn model(&self) -> Model {
        Model { routers: self.routers(), neurons: self.cells.neurons(), ..self.shape.clone() }
    }

    fn competitors(&mut self, expert: usize, class: Class) -> Competitors {
        if !self.counts.are_fresh {
            self.level.run(Take { counts: &mut self.counts, table: &self.tables.values });
        }
        self.counts.get(expert, class)
    }

    fn range_above(&mut self, expert: usize, floor: f64) -> Option<f64> {
        self.ranges.range_above(&self.tables.values, self.shape.patterns, expert, floor)
    }

    fn track_contrast(&mut self) {
        self.contrast = Some(Contrast::new(self.shape.patterns, self.shape.experts(), self.level.lanes()));
    }

    fn contrast(&self) -> Option<Vec<f64>> {
        self.contrast.as_ref()?.by_expert(self.shape.experts())
    }
}
