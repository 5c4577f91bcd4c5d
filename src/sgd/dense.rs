//! The dense engine: the reference. Weights and tokens in ambient coordinates, matrix products, any basis, any token
//! noise. It keeps no fact about patterns but the vocabulary at its two ends.
//!
//! Ties. An expert takes tied tokens by position, so equal scores must come out bit-identical. All scores of a batch are
//! one product W·X. A column of a product depends on the same column of X only, through one chain of additions whose
//! order is the same for every column: the kernel pads the edge of a block with zeros rather than handling it with
//! other code. Hence identical tokens of a batch tie exactly on every basis (a test below holds this for blocks of many
//! shapes). On the canonical basis without noise, ⟨w, v⟩ is w_v plus exact zeros, so different patterns with equal
//! coordinates tie exactly too. On another basis those differ by rounding.

use super::{Competitors, Diverged, Engine, Rates, StepReport};
use crate::moe::Model;
use crate::moe::routing::{choose_tokens, softmax};
use crate::patterns::{Batch, Class, Vocabulary};
use nalgebra::DMatrix;

mod gradients;
#[cfg(test)]
mod tests;

pub use gradients::Gradients;

/// The model in ambient coordinates, trained by matrix products.
///
/// A batch takes d·B·n numbers beside the weights. Equations: [`Engine`].
#[derive(Clone, Debug)]
pub struct DenseEngine {
    vocabulary: Vocabulary,
    rates: Rates,
    /// l.
    tokens_per_expert: usize,
    /// a_s, `[k]`.
    signs: Vec<f64>,
    /// w_s in row s, `[k, d]`.
    routers: DMatrix<f64>,
    /// w_{s,r} in row r of matrix s, k matrices `[m, d]`.
    neurons: Vec<DMatrix<f64>>,
    /// The tokens of the last batch, sample after sample, `[d, B·n]`.
    tokens: DMatrix<f64>,
    /// ⟨w_s, x⁽ʲ⁾⟩, `[k, B·n]`.
    scores: DMatrix<f64>,
    /// The last forward pass, `[k]`.
    passes: Vec<Pass>,
    /// The half-batch contrast V in ambient coordinates, `[k, d]`; `None` while it is not tracked, and after a batch of
    /// odd size.
    contrast: Option<DMatrix<f64>>,
}

/// One expert's forward pass over a batch. Chosen tokens stand in descending order of score.
#[derive(Clone, Debug, Default)]
struct Pass {
    /// J_s: the chosen columns of the token matrix, `[B, l]`.
    chosen: Vec<usize>,
    /// G_j of the chosen tokens, `[B, l]`.
    gates: Vec<f64>,
    /// ⟨w_{s,r}, x⁽ʲ⁾⟩ of the chosen tokens, `[m, B·l]`.
    preactivations: DMatrix<f64>,
    /// σ_s(x⁽ʲ⁾) of the chosen tokens, `[B, l]`.
    activations: Vec<f64>,
    /// σ̄ = Σ_{j∈J_s} G_j σ_s(x⁽ʲ⁾), `[B]`.
    means: Vec<f64>,
}

impl DenseEngine {
    /// Puts `model`, given in pattern coordinates, on the basis of `vocabulary`: w = Σ_v u_v v. Both must have the same
    /// number of patterns d.
    pub fn new(model: &Model, vocabulary: Vocabulary, rates: Rates) -> Self {
        let d = model.patterns;
        let m = model.neurons_per_expert;
        let k = model.experts();
        // Rows of length d, one after the other, are the columns of a matrix [d, any].
        let ambient =
            |rows: &[f64], count| vocabulary.to_ambient(DMatrix::from_column_slice(d, count, rows)).transpose();
        let routers = ambient(&model.routers, k);
        let neurons = (0..k).map(|expert| ambient(model.expert_neurons(expert), m)).collect();
        Self {
            rates,
            tokens_per_expert: model.tokens_per_expert,
            signs: model.signs.clone(),
            routers,
            neurons,
            tokens: DMatrix::zeros(0, 0),
            scores: DMatrix::zeros(0, 0),
            passes: vec![Pass::default(); k],
            contrast: None,
            vocabulary,
        }
    }

    /// Routes the batch, then evaluates every expert on the tokens that it chose.
    fn forward(&mut self, batch: &Batch) {
        self.route(batch);
        let l = self.chosen_per_sample(batch);
        for (pass, neurons) in self.passes.iter_mut().zip(&self.neurons) {
            let tokens = self.tokens.select_columns(&pass.chosen);
            reshape(&mut pass.preactivations, neurons.nrows(), tokens.ncols());
            neurons.mul_to(&tokens, &mut pass.preactivations);
            let share = 1.0 / neurons.nrows() as f64;
            pass.activations.clear();
            pass.activations
                .extend(pass.preactivations.column_iter().map(|column| rectified_sum(column.iter()) * share));
            pass.means.clear();
            pass.means.extend((0..batch.samples()).map(|sample| {
                let chosen = sample * l..(sample + 1) * l;
                let pairs = pass.gates[chosen.clone()].iter().zip(&pass.activations[chosen]);
                pairs.map(|(gate, activation)| gate * activation).sum::<f64>()
            }));
        }
    }

    /// Scores all tokens; every expert chooses l of each sample and gates them.
    fn route(&mut self, batch: &Batch) {
        self.place_tokens(batch);
        reshape(&mut self.scores, self.routers.nrows(), self.tokens.ncols());
        self.routers.mul_to(&self.tokens, &mut self.scores);
        let n = batch.tokens_per_sample;
        let mut scores = Vec::with_capacity(n);
        let mut chosen = Vec::with_capacity(n);
        for (expert, pass) in self.passes.iter_mut().enumerate() {
            pass.chosen.clear();
            pass.gates.clear();
            for sample in 0..batch.samples() {
                let first = sample * n;
                scores.clear();
                scores.extend((first..first + n).map(|column| self.scores[(expert, column)]));
                choose_tokens(&scores, self.tokens_per_expert, &mut chosen);
                let start = pass.gates.len();
                pass.chosen.extend(chosen.iter().map(|position| first + position));
                pass.gates.extend(chosen.iter().map(|&position| scores[position]));
                softmax(&mut pass.gates[start..]);
            }
        }
    }

    /// Writes the token matrix: pattern + noise turned by the basis.
    fn place_tokens(&mut self, batch: &Batch) {
        let (d, columns) = (self.vocabulary.patterns(), batch.tokens.len());
        if batch.noise.is_empty() {
            reshape(&mut self.tokens, d, columns);
            self.tokens.fill(0.0);
        } else {
            self.tokens = self.vocabulary.to_ambient(DMatrix::from_column_slice(d, columns, &batch.noise));
        }
        for (mut token, &pattern) in self.tokens.column_iter_mut().zip(&batch.tokens) {
            match self.vocabulary.matrix() {
                None => token[pattern as usize] += 1.0,
                Some(matrix) => token += matrix.column(pattern as usize),
            }
        }
    }

    /// l, or n if a sample has fewer tokens.
    fn chosen_per_sample(&self, batch: &Batch) -> usize {
        self.tokens_per_expert.min(batch.tokens_per_sample)
    }

    /// σ_{s,v} of every pattern, `[d]`.
    fn pattern_activations(&self, expert: usize) -> Vec<f64> {
        let neurons = &self.neurons[expert];
        let coordinates = self.vocabulary.to_patterns(&neurons.transpose());
        let share = 1.0 / neurons.nrows() as f64;
        coordinates.row_iter().map(|row| rectified_sum(row.iter()) * share).collect()
    }

    /// Rows in ambient coordinates → the same rows in pattern coordinates, one after the other.
    fn rows_by_pattern(&self, rows: &DMatrix<f64>) -> Vec<f64> {
        self.vocabulary.to_patterns(&rows.transpose()).as_slice().to_vec()
    }

    fn is_finite(&self) -> bool {
        self.neurons.iter().chain([&self.routers]).all(|weights| weights.iter().all(|weight| weight.is_finite()))
    }
}

impl Engine for DenseEngine {
    fn experts(&self) -> usize {
        self.signs.len()
    }

    fn step(&mut self, batch: &Batch) -> Result<StepReport, Diverged> {
        let gradients = self.gradients(batch)?;
        if let Some(contrast) = self.contrast.take() {
            let two_halves = batch.samples().is_multiple_of(2);
            self.contrast = two_halves.then_some(contrast + self.router_contrast(batch)? * self.rates.router);
        }
        self.routers -= gradients.routers * self.rates.router;
        for (weights, gradient) in self.neurons.iter_mut().zip(gradients.neurons) {
            *weights -= gradient * self.rates.expert;
        }
        if !self.is_finite() {
            return Err(Diverged);
        }
        Ok(StepReport { loss: gradients.loss, active: gradients.active })
    }

    fn outputs(&mut self, batch: &Batch, outputs: &mut Vec<f64>) {
        self.forward(batch);
        outputs.clear();
        for sample in 0..batch.samples() {
            outputs.extend(self.signs.iter().zip(&self.passes).map(|(sign, pass)| sign * pass.means[sample]));
        }
    }

    fn class_token_gates(&mut self, batch: &Batch, gates: &mut Vec<f64>) {
        self.route(batch);
        let l = self.chosen_per_sample(batch);
        gates.clear();
        for (sample, &position) in batch.class_positions.iter().enumerate() {
            let class_column = sample * batch.tokens_per_sample + position as usize;
            gates.extend(self.passes.iter().map(|pass| {
                let mut choices = sample * l..(sample + 1) * l;
                choices.find(|&choice| pass.chosen[choice] == class_column).map_or(0.0, |choice| pass.gates[choice])
            }));
        }
    }

    fn model(&self) -> Model {
        let mut neurons = Vec::new();
        for weights in &self.neurons {
            neurons.extend_from_slice(self.vocabulary.to_patterns(&weights.transpose()).as_slice());
        }
        Model {
            patterns: self.vocabulary.patterns(),
            neurons_per_expert: self.neurons.first().map_or(0, DMatrix::nrows),
            tokens_per_expert: self.tokens_per_expert,
            signs: self.signs.clone(),
            routers: self.routers(),
            neurons,
        }
    }

    fn routers(&self) -> Vec<f64> {
        self.rows_by_pattern(&self.routers)
    }

    fn competitors(&mut self, expert: usize, class: Class) -> Competitors {
        let router = self.vocabulary.to_patterns(&self.routers.rows(expert, 1).transpose());
        let own = router[class.pattern()];
        let irrelevant = || router.iter().skip(Class::BOTH.len());
        Competitors {
            above: irrelevant().filter(|&&score| score > own).count(),
            tied: irrelevant().filter(|&&score| score == own).count(),
        }
    }

    fn range_above(&mut self, expert: usize, floor: f64) -> Option<f64> {
        let activations = self.pattern_activations(expert);
        let largest = activations.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let smallest = activations.iter().copied().fold(f64::INFINITY, f64::min);
        Some(largest - smallest).filter(|&range| range > floor)
    }

    fn track_contrast(&mut self) {
        self.contrast = Some(DMatrix::zeros(self.routers.nrows(), self.routers.ncols()));
    }

    fn contrast(&self) -> Option<Vec<f64>> {
        self.contrast.as_ref().map(|contrast| self.rows_by_pattern(contrast))
    }
}

/// Σ_r ReLU(z_r), not a number if one of them is (`f64::max` would make it 0).
fn rectified_sum<'a>(preactivations: impl Iterator<Item = &'a f64>) -> f64 {
    preactivations.map(|&z| if z <= 0.0 { 0.0 } else { z }).sum()
}

/// Gives `matrix` the shape `[rows, columns]`; the numbers in it are to be written over.
fn reshape(matrix: &mut DMatrix<f64>, rows: usize, columns: usize) {
    if matrix.shape() != (rows, columns) {
        *matrix = DMatrix::zeros(rows, columns);
    }
}
