//! Errors at every number of experts kept, from the outputs of the unpruned model.

use super::plan::Plan;
use crate::measure::Errors;

/// Counts the errors of a plan's models, where removing an expert puts a constant in place of its output and leaves the
/// others' outputs alone. Then f of every pruned model follows from the outputs of the whole one.
#[derive(Clone, Debug)]
pub struct Curve<'a> {
    plan: &'a Plan,
    /// Entry r: the sum of the constants of all experts that are not among the r kept.
    constants: Vec<f64>,
    samples: u64,
    /// By r − 1.
    errors: Vec<u64>,
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
        Self { plan, constants, samples: 0, errors: vec![0; k] }
    }

    /// One sample: f_s(x) of every expert, `[k]`, and its label y.
    pub fn add(&mut self, outputs: &[f64], label: f64) {
        self.samples += 1;
        // An output that is no number is an error too.
        let is_error = |f: f64| 1 - u64::from(label * f > 0.0);
        match self.plan {
            Plan::Nested { keep_first, .. } => {
                let mut f = 0.0;
                for (place, &expert) in keep_first.iter().enumerate() {
                    f += outputs[expert];
                    self.errors[place] += is_error(f + self.constants[place + 1]);
                }
            }
            Plan::Sets { kept, .. } => {
                for (place, kept) in kept.iter().enumerate() {
                    let f: f64 = kept.iter().map(|&expert| outputs[expert]).sum();
                    self.errors[place] += is_error(f + self.constants[place + 1]);
                }
            }
        }
    }

    /// The errors for r = 1 … k (entry r − 1).
    pub fn by_kept(self) -> Vec<Errors> {
        let samples = self.samples;
        self.errors.into_iter().map(|errors| Errors { errors, samples }).collect()
    }
}
