//! A finite training set: samples drawn once, then taken epoch by epoch, each in an order of its own.

use super::{Batch, Stream};
use rand::seq::SliceRandom;

/// N samples and where the current epoch stands. A batch that reaches the end of an epoch goes on with the next one.
#[derive(Debug)]
pub(crate) struct TrainingSet {
    samples: Batch,
    /// The order of the current epoch, `[N]`.
    order: Vec<usize>,
    next: usize,
    generator: Stream,
}

impl TrainingSet {
    /// Of these samples, at least one, with orders from `generator`.
    pub(crate) fn new(samples: Batch, mut generator: Stream) -> Self {
        let mut order: Vec<usize> = (0..samples.samples()).collect();
        order.shuffle(&mut generator);
        Self { samples, order, next: 0, generator }
    }

    /// Fills `batch` with the next `count` samples.
    pub(crate) fn fill(&mut self, batch: &mut Batch, count: usize) {
        let n = self.samples.tokens_per_sample;
        let noise_of_a_sample = self.samples.noise.len() / self.order.len();
        batch.tokens_per_sample = n;
        batch.tokens.clear();
        batch.labels.clear();
        batch.class_positions.clear();
        batch.noise.clear();
        for _ in 0..count {
            if self.next == self.order.len() {
                self.order.shuffle(&mut self.generator);
                self.next = 0;
            }
            let sample = self.order[self.next];
            self.next += 1;
            batch.tokens.extend_from_slice(self.samples.sample(sample));
            batch.labels.push(self.samples.labels[sample]);
            batch.class_positions.push(self.samples.class_positions[sample]);
            batch.noise.extend_from_slice(&self.samples.noise[sample * noise_of_a_sample..][..noise_of_a_sample]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::{Purpose, stream};

    #[test]
    fn every_epoch_holds_every_sample_once_and_orders_differ() {
        let samples = Batch {
            tokens_per_sample: 2,
            tokens: (0..14).collect(),
            labels: vec![1.0; 7],
            class_positions: vec![0; 7],
            noise: (0..21).map(f64::from).collect(),
        };
        let mut set = TrainingSet::new(samples, stream(3, Purpose::TrainingOrder));
        let (mut batch, mut seen) = (Batch::default(), Vec::new());
        // Batches of 5 do not divide epochs of 7.
        for _ in 0..14 {
            set.fill(&mut batch, 5);
            assert_eq!((batch.samples(), batch.tokens.len(), batch.noise.len()), (5, 10, 15));
            for sample in 0..5 {
                let number = batch.sample(sample)[0] / 2;
                assert_eq!(batch.sample(sample)[1], 2 * number + 1);
                assert_eq!(batch.noise[3 * sample], f64::from(3 * number));
                seen.push(number);
            }
        }
        let epochs: Vec<&[u32]> = seen.chunks_exact(7).collect();
        for epoch in &epochs {
            let mut sorted = epoch.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4, 5, 6]);
        }
        assert!(epochs.windows(2).any(|pair| pair[0] != pair[1]));
    }
}
