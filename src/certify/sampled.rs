//! How often a model errs, from samples whose margins are enclosed.

use super::evaluate::{Input, margin};
use super::table::ModelTable;
use crate::patterns::{Batch, Class, Sampler};
use crate::sim::parameters::DataParameters;
use crate::stats::interval::{Interval, clopper_pearson};

/// Samples of a block, which are drawn together.
const BLOCK: u64 = 1000;

/// What samples say of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sampled {
    /// Samples drawn.
    pub samples: u64,
    /// Those with y f(x) ≤ 0 for certain.
    pub errors: u64,
    /// Those whose margin lies so near to 0, or under such a tie, that rounding does not decide.
    pub undecided: u64,
}

impl Sampled {
    /// Judges fresh samples without token noise of the model that keeps the experts `kept`.
    pub fn of(table: &ModelTable, kept: &[usize], data: &DataParameters, samples: u64) -> Self {
        let mut sampler = Sampler::evaluation(data, 0);
        let mut batch = Batch::default();
        let mut seen = Self::default();
        while seen.samples < samples {
            let block = BLOCK.min(samples - seen.samples);
            sampler.fill(&mut batch, block as usize);
            for sample in 0..block as usize {
                let class = if batch.labels[sample] > 0.0 { Class::One } else { Class::Two };
                let enclosure = margin(table, kept, &Input { class, tokens: batch.sample(sample).to_vec() });
                seen.errors += u64::from(enclosure.high <= 0.0);
                seen.undecided += u64::from(enclosure.low <= 0.0 && enclosure.high > 0.0);
            }
            seen.samples += block;
        }
        seen
    }

    /// Holds the error rate with probability at least 1 − `alpha`, however rounding decides: the lower Clopper–Pearson limit of the
    /// certain errors, and the upper one of these and what is undecided.
    pub fn rate(&self, alpha: f64) -> Interval {
        let of = |errors: u64| clopper_pearson(errors, self.samples, alpha);
        Interval { low: of(self.errors).low, high: of(self.errors + self.undecided).high }
    }
}
