//! The dense engine: the reference. Weights and tokens in ambient coordinates, matrix products, any basis, any token
//! noise. It keeps no fact about patterns but the vocabulary at its two ends.
//!
//! `tokens` places the tokens and scores them, `choice` lets every expert choose, `experts` evaluates the experts on what
//! they chose, `gradients` goes back, `update` makes the step, `readings` are what measurements ask for. All products are
//! those of [`crate::simd::product`], so that no bit depends on the processor. Once a batch of a size has been seen,
//! [`Engine::step`] allocates nothing.
//!
//! Ties. An expert takes tied tokens by position, so equal scores must come out bit-identical. A score is one chain of
//! fused multiply-adds over the coordinates, in an order that is the same for every token. Hence identical tokens of a
//! batch tie exactly on every basis, wherever they stand. On the canonical basis without noise, ⟨w, v⟩ is w_v plus exact
//! zeros, so different patterns with equal coordinates tie exactly too. On another basis those differ by rounding.

use super::{Competitors, Diverged, Engine, Objective, Rates, StepReport, TheoryEngine};
use crate::moe::Model;
use crate::patterns::{Batch, Class, Vocabulary};
use crate::simd::Level;
use crate::simd::panels::{LINE, Panels, stride};
use experts::Passes;
use gradients::Backward;
use readings::Readings;
use tokens::Tokens;

mod choice;
mod experts;
mod gradients;
mod readings;
#[cfg(test)]
mod tests;
mod tokens;
mod update;

/// The model in ambient coordinates, trained by matrix products.
///
/// A batch takes d·B·n numbers beside the weights. Equations: [`Engine`].
#[derive(Clone, Debug)]
pub struct DenseEngine {
    level: Level,
    vocabulary: Vocabulary,
    rates: Rates,
    /// l.
    tokens_per_expert: usize,
    /// m.
    neurons_per_expert: usize,
    /// a_s, `[k]`.
    signs: Vec<f64>,
    /// w_s in column s, `[d, k]`.
    routers: Panels,
    /// w_{s,r} in column r of matrix s, k matrices `[d, m]`.
    neurons: Vec<Panels>,
    tokens: Tokens,
    passes: Passes,
    backward: Backward,
    readings: Readings,
    /// The half-batch contrast V in ambient coordinates, `[k, d]`, rows padded; `None` while it is not tracked, and after
    /// a batch of odd size.
    contrast: Option<Vec<f64>>,
}

impl DenseEngine {
    /// Puts `model`, given in pattern coordinates, on the basis of `vocabulary`: w = Σ_v u_v v. Both must have the same
    /// number of patterns d.
    pub fn new(model: &Model, vocabulary: Vocabulary, rates: Rates) -> Self {
        Self::at_level(Level::best(), model, vocabulary, rates)
    }

    /// As [`DenseEngine::new`], with the instructions of one level. The numbers are the same at every level.
    pub(crate) fn at_level(level: Level, model: &Model, vocabulary: Vocabulary, rates: Rates) -> Self {
        let (d, k) = (model.patterns, model.experts());
        let columns = |rows: &[f64]| Panels::from_columns(&vocabulary.rows_to_ambient(rows), d);
        Self {
            level,
            rates,
            tokens_per_expert: model.tokens_per_expert,
            neurons_per_expert: model.neurons_per_expert,
            signs: model.signs.clone(),
            routers: columns(&model.routers),
            neurons: (0..k).map(|expert| columns(model.expert_neurons(expert))).collect(),
            tokens: Tokens::default(),
            passes: Passes::default(),
            backward: Backward::new(d, model.neurons_per_expert),
            readings: Readings::default(),
            contrast: None,
            vocabulary,
        }
    }

    /// l, or n if a sample has fewer tokens.
    fn chosen_per_sample(&self, batch: &Batch) -> usize {
        self.tokens_per_expert.min(batch.tokens_per_sample)
    }

    /// d, padded to whole lines.
    fn padded_length(&self) -> usize {
        self.vocabulary.patterns().next_multiple_of(LINE)
    }

    /// Scores all tokens; every expert chooses l of each sample and gates them.
    fn route(&mut self, batch: &Batch) {
        let stride = stride(self.vocabulary.patterns());
        self.tokens.resize(batch, stride, self.routers.width());
        self.passes.resize(self.signs.len(), batch.samples(), self.chosen_per_sample(batch));
        self.level.run(tokens::Place {
            tokens: &mut self.tokens,
            vocabulary: &self.vocabulary,
            routers: &self.routers,
            batch,
        });
        self.level.run(choice::Choose {
            passes: &mut self.passes,
            scores: &self.tokens.scores,
            tokens_per_sample: batch.tokens_per_sample,
            stride,
        });
    }

    /// Routes the batch, then evaluates every expert on the tokens that it chose.
    fn forward(&mut self, batch: &Batch) {
        self.route(batch);
        let lines = self.padded_length() / LINE;
        let neurons_per_expert = self.neurons_per_expert;
        self.passes.resize_neurons(neurons_per_expert);
        self.level.run(experts::Evaluate {
            passes: &mut self.passes,
            tokens: &self.tokens.numbers,
            lines,
            neurons: &self.neurons,
            neurons_per_expert,
        });
    }
}

impl Engine for DenseEngine {
    fn experts(&self) -> usize {
        self.signs.len()
    }

    fn step(&mut self, batch: &Batch, objective: &Objective) -> Result<StepReport, Diverged> {
        debug_assert!(objective.regularisers.are_none(), "the general engine has regularisers");
        self.readings.are_fresh = false;
        self.forward(batch);
        let loss = self.losses(batch, objective.loss)?;
        let active = self.backward.active.len();
        if !batch.samples().is_multiple_of(2) {
            self.contrast = None;
        }
        if active > 0 && !self.level.run(update::Descend { engine: self, batch }) {
            return Err(Diverged);
        }
        Ok(StepReport { loss, active })
    }

    fn outputs(&mut self, batch: &Batch, outputs: &mut Vec<f64>) {
        self.forward(batch);
        outputs.clear();
        for sample in 0..batch.samples() {
            let experts = self.signs.iter().enumerate();
            outputs.extend(experts.map(|(expert, sign)| sign * self.passes.mean(expert, sample)));
        }
    }

    fn class_token_gates(&mut self, batch: &Batch, gates: &mut Vec<f64>) {
        self.route(batch);
        let stride = stride(self.vocabulary.patterns());
        gates.clear();
        for (sample, &position) in batch.class_positions.iter().enumerate() {
            let class_token = (sample * batch.tokens_per_sample + position as usize) * stride;
            gates.extend((0..self.signs.len()).map(|expert| self.passes.gate(expert, sample, class_token)));
        }
    }

    fn routers(&self) -> Vec<f64> {
        self.by_pattern(&self.routers)
    }

    fn expert_weights(&self) -> Vec<f64> {
        self.neurons.iter().flat_map(|weights| self.by_pattern(weights)).collect()
    }

    fn theory(&mut self) -> Option<&mut dyn TheoryEngine> {
        Some(self)
    }
}

impl TheoryEngine for DenseEngine {
    fn model(&self) -> Model {
        Model {
            patterns: self.vocabulary.patterns(),
            neurons_per_expert: self.neurons_per_expert,
            tokens_per_expert: self.tokens_per_expert,
            signs: self.signs.clone(),
            routers: self.routers(),
            neurons: self.expert_weights(),
        }
    }

    fn competitors(&mut self, expert: usize, class: Class) -> Competitors {
        self.read_competitors(expert, class)
    }

    fn range_above(&mut self, expert: usize, floor: f64) -> Option<f64> {
        Some(self.read_range(expert)).filter(|&range| range > floor)
    }

    fn track_contrast(&mut self) {
        self.contrast = Some(vec![0.0; self.signs.len() * self.padded_length()]);
    }

    fn contrast(&self) -> Option<Vec<f64>> {
        let d = self.vocabulary.patterns();
        let contrast = self.contrast.as_ref()?;
        let rows: Vec<f64> = contrast.chunks_exact(self.padded_length()).flat_map(|row| &row[..d]).copied().collect();
        Some(self.vocabulary.rows_to_patterns(&rows))
    }
}
