//! Errors at every number of experts kept, from the outputs of the unpruned model.

use super::plan::Plan;
use crate::measure::{Errors, FeatureErrors};

/// Counts the errors of a plan's models, where removing an expert puts a constant in place of its output and leaves the
/// others' outputs alone. Then f of every pruned model follows from the outputs of the whole one.
#[derive(Clone, Debug)]
pub struct Curve<'a> {
    plan: &'a Plan,
    /// Entry r: the sum of the constants of all experts that are not among the r kept.
    constants: Vec<f64>,
    /// Samples: all, and those with a rare feature.
    samples: [u64; 2],
    /// Errors among them, by r − 1.
    errors: Vec<[u64; 2]>,
}

impl<'a> Curve<'a> {
    /// For a plan; `constants` stand in for the outputs of pruned experts, `[k]`.
    pub fn new(plan: &'a Plan, constants: &[f64]) -> Self {
        let k = plan.experts();
        let mut sums = vec![0.0; k + 1];
        match plan {
            Plan::Nested { keep_first, .. } => {
                (0..k).rev().for_each(|place| sums[place] = sums[place + 1] + constants[keep_first[place]]);
            }
            Plan::Sets { kept, .. } => {
                let of_pruned = |kept: &Vec<usize>| (0..k).filter(|s| !kept.contains(s)).map(|s| constants[s]).sum();
                sums[1..].iter_mut().zip(kept).for_each(|(sum, kept)| *sum = of_pruned(kept));
            }
        }
        let constants = sums;
        Self { plan, constants, samples: [0; 2], errors: vec![[0; 2]; k] }
    }

    /// One sample: f_s(x) of every expert, `[k]`, its label y, and the number of its class token's feature.
    pub fn add(&mut self, outputs: &[f64], label: f64, feature: usize) {
        let is_rare = u64::from(feature > 0);
        self.samples = [self.samples[0] + 1, self.samples[1] + is_rare];
        let constants = &self.constants;
        let count = |place: usize, errors: &mut [u64; 2], f: f64| {
            // An output that is no number is an error too.
            let error = 1 - u64::from(label * (f + constants[place + 1]) > 0.0);
            *errors = [errors[0] + error, errors[1] + error * is_rare];
        };
        match self.plan {
            Plan::Nested { keep_first, .. } => {
                let mut f = 0.0;
                for (place, (&expert, errors)) in keep_first.iter().zip(&mut self.errors).enumerate() {
                    f += outputs[expert];
                    count(place, errors, f);
                }
            }
            Plan::Sets { kept, .. } => {
                for (place, (kept, errors)) in kept.iter().zip(&mut self.errors).enumerate() {
                    count(place, errors, kept.iter().map(|&expert| outputs[expert]).sum());
                }
            }
        }
    }

    /// The errors for r = 1 … k (entry r − 1).
    pub fn by_kept(self) -> Vec<FeatureErrors> {
        let [samples, rare] = self.samples;
        let of = |[all, of_rare]: [u64; 2]| FeatureErrors {
            all: Errors { errors: all, samples },
            rare: Errors { errors: of_rare, samples: rare },
        };
        self.errors.into_iter().map(of).collect()
    }
}
