//! A batch of samples: pattern numbers, labels and, if any, token noise.

use super::{Class, Pattern};

/// `samples` samples of n tokens. Reused from iteration to iteration: filling it allocates nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// n: tokens of a sample.
    pub tokens_per_sample: usize,
    /// Pattern numbers, `[samples, n]`.
    pub tokens: Vec<Pattern>,
    /// Labels y ∈ {−1, +1}, `[samples]`.
    pub labels: Vec<f64>,
    /// Position of the class token in each sample, `[samples]`.
    pub class_positions: Vec<u32>,
    /// What each token is beyond the unit vector of its pattern, in pattern coordinates, `[samples, n, d]`: noise, and what a
    /// dictionary or a picture puts in the place of that vector. Empty if tokens are their patterns.
    pub noise: Vec<f64>,
}

impl Batch {
    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.labels.len()
    }

    /// The pattern numbers of one sample, `[n]`.
    pub fn sample(&self, sample: usize) -> &[Pattern] {
        &self.tokens[sample * self.tokens_per_sample..][..self.tokens_per_sample]
    }

    /// Replaces every sample's class token by the first feature of `class`; labels stay. It is for batches whose tokens are
    /// their patterns: of others the sampler knows what a token looks like.
    pub fn set_class(&mut self, class: Class) {
        let n = self.tokens_per_sample;
        for (sample, &position) in self.class_positions.iter().enumerate() {
            self.tokens[sample * n + position as usize] = class.pattern() as Pattern;
        }
    }

    /// The number of the feature that a sample's class token is, of whichever class.
    pub fn feature(&self, sample: usize) -> usize {
        self.sample(sample)[self.class_positions[sample] as usize] as usize / Class::BOTH.len()
    }
}
