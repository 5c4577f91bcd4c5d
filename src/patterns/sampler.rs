//! The sampler: fresh batches of (x, y) ~ D from a stream.

use super::streams::{Purpose, Stream, stream};
use super::{Batch, Class, Pattern};
use crate::sim::parameters::{DataParameters, Labels};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

/// Draws samples of the distribution D. A sample has one class token at a uniform position, o₁ with probability
/// `class_share` and else o₂, and n−1 irrelevant patterns, uniform with or without replacement. Its label is the class,
/// but with probability `label_noise` one that is drawn anew: the two then differ with probability
/// 2·`label_noise`·`class_share`·(1 − `class_share`).
#[derive(Debug)]
pub struct Sampler {
    data: DataParameters,
    tokens: Stream,
    noise: Stream,
    /// The irrelevant patterns in the order that the last draw left: a partial Fisher–Yates shuffle is uniform from any
    /// starting order, so it never has to be put back.
    standing: Vec<Pattern>,
}

impl Sampler {
    /// A sampler that reads the streams `tokens` and `noise` of the run with seed `run_seed`.
    pub fn new(data: &DataParameters, run_seed: u64, tokens: Purpose, noise: Purpose) -> Self {
        Self {
            data: data.clone(),
            tokens: stream(run_seed, tokens),
            noise: stream(run_seed, noise),
            standing: (2..data.patterns as Pattern).collect(),
        }
    }

    /// The sampler of the training batches of a run.
    pub fn training(data: &DataParameters, run_seed: u64) -> Self {
        Self::new(data, run_seed, Purpose::Training, Purpose::TrainingNoise)
    }

    /// The sampler of the batches of fine-tuning after pruning.
    pub fn finetuning(data: &DataParameters, run_seed: u64) -> Self {
        Self::new(data, run_seed, Purpose::Finetuning, Purpose::FinetuningNoise)
    }

    /// The sampler of the test samples of a run.
    pub fn evaluation(data: &DataParameters, run_seed: u64) -> Self {
        Self::new(data, run_seed, Purpose::Evaluation, Purpose::EvaluationNoise)
    }

    /// The sampler of the samples for the proficiencies of a run.
    pub fn proficiency(data: &DataParameters, run_seed: u64) -> Self {
        Self::new(data, run_seed, Purpose::Proficiency, Purpose::ProficiencyNoise)
    }

    /// Fills `batch` with `samples` fresh samples.
    pub fn fill(&mut self, batch: &mut Batch, samples: usize) {
        let n = self.data.tokens;
        batch.tokens_per_sample = n;
        batch.tokens.resize(samples * n, 0);
        batch.labels.resize(samples, 0.0);
        batch.class_positions.resize(samples, 0);
        for sample in 0..samples {
            let tokens = &mut batch.tokens[sample * n..][..n];
            let (label, position) = self.draw(tokens);
            batch.labels[sample] = label;
            batch.class_positions[sample] = position;
        }
        self.fill_noise(batch, samples * n * self.data.patterns);
    }

    /// One sample: writes its pattern numbers, returns its label and the position of the class token.
    fn draw(&mut self, tokens: &mut [Pattern]) -> (f64, u32) {
        let class = if self.tokens.random_bool(self.data.class_share) { Class::One } else { Class::Two };
        // Without label noise there is no draw for it: the stream is the one of a world that has none.
        let is_noisy = self.data.label_noise > 0.0;
        let label = match self.data.labels {
            Labels::Class if is_noisy && self.tokens.random_bool(self.data.label_noise) => self.draw_label(),
            Labels::Class => class.label(),
            // A label that is independent of the tokens stays so if it is drawn anew.
            Labels::Independent => self.draw_label(),
        };
        let position = self.tokens.random_range(0..tokens.len() as u32);
        let (before, rest) = tokens.split_at_mut(position as usize);
        let irrelevant = before.iter_mut().chain(rest.iter_mut().skip(1));
        let q = self.standing.len() as u32;
        if self.data.replacement {
            for token in irrelevant {
                *token = 2 + self.tokens.random_range(0..q);
            }
        } else {
            for (first, token) in irrelevant.enumerate() {
                let other = self.tokens.random_range(first as u32..q);
                self.standing.swap(first, other as usize);
                *token = self.standing[first];
            }
        }
        rest[0] = class.pattern() as Pattern;
        (label, position)
    }

    /// +1 with probability `class_share`, else −1, whatever the tokens are.
    fn draw_label(&mut self) -> f64 {
        if self.tokens.random_bool(self.data.class_share) { 1.0 } else { -1.0 }
    }

    /// ξ·N(0, I_d/d) for every token. In pattern coordinates: the Gaussian is rotation-invariant, so a run on another
    /// basis sees the same noise turned with the patterns.
    fn fill_noise(&mut self, batch: &mut Batch, numbers: usize) {
        if self.data.noise == 0.0 {
            batch.noise.clear();
            return;
        }
        let scale = self.data.noise / (self.data.patterns as f64).sqrt();
        batch.noise.resize(numbers, 0.0);
        for value in &mut batch.noise {
            let gaussian: f64 = StandardNormal.sample(&mut self.noise);
            *value = scale * gaussian;
        }
    }
}
