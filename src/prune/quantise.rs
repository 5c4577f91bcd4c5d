//! Neurons of few bits.

use crate::moe::Model;
use crate::sim::parameters::QuantiserRange;

/// A uniform affine quantiser with N levels: step δ = (high − low)/(N − 1), values (q − z)·δ for q = 0 … N − 1, with the
/// zero point z = round(−low/δ), so that 0 is a level. The range [low, high] holds every weight and 0.
///
/// Source: round-to-nearest with an integer zero point, as in Jacob et al. 2018 (arXiv 1712.05877), section 2.1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quantiser {
    step: f64,
    zero: f64,
    last: f64,
}

impl Quantiser {
    /// With `levels` ≥ 2 levels over the range of `weights`.
    pub(crate) fn over(weights: &[f64], levels: usize) -> Self {
        let low = weights.iter().copied().fold(0.0, f64::min);
        let high = weights.iter().copied().fold(0.0, f64::max);
        let last = levels as f64 - 1.0;
        let step = (high - low) / last;
        let zero = if step > 0.0 { (-low / step).round() } else { 0.0 };
        Self { step, zero, last }
    }

    /// The level nearest to `weight`; `weight` itself where the range is a point.
    pub(crate) fn round(self, weight: f64) -> f64 {
        if self.step > 0.0 {
            let level = ((weight / self.step).round() + self.zero).clamp(0.0, self.last);
            (level - self.zero) * self.step
        } else {
            weight
        }
    }
}

/// The model in which the neurons of `experts` are rounded to `levels` levels over `range`. Routers stay as they are.
pub fn quantised(model: &Model, experts: &[usize], levels: usize, range: QuantiserRange) -> Model {
    let mut quantised = model.clone();
    let size = model.neurons_per_expert * model.patterns;
    for &expert in experts {
        let span = match range {
            QuantiserRange::Expert => model.expert_neurons(expert),
            QuantiserRange::Layer => &model.neurons,
        };
        let quantiser = Quantiser::over(span, levels);
        let neurons = &mut quantised.neurons[expert * size..][..size];
        neurons.iter_mut().for_each(|weight| *weight = quantiser.round(*weight));
    }
    quantised
}

/// The fewest bits b = log₂ N that are enough, and stay enough with more: whole bits are tried from `most` down to 1, then
/// quarter bits (N the nearest integer to 2^b) above the first that is not. `None` if `most` bits are not enough; 1 is the
/// least that is tried.
pub fn fewest_bits(most: u32, mut is_enough: impl FnMut(usize) -> bool) -> Option<f64> {
    let levels = |quarters: u32| (f64::from(quarters) / 4.0).exp2().round() as usize;
    let mut enough = None;
    for bits in (1..=most).rev() {
        if !is_enough(levels(4 * bits)) {
            break;
        }
        enough = Some(4 * bits);
    }
    let whole = enough?;
    let lowest = if whole == 4 { whole } else { whole - 3 };
    let mut finer: Vec<usize> = (lowest..whole).rev().map(levels).filter(|&levels| levels > 2).collect();
    finer.dedup();
    let finer = finer.into_iter().take_while(|&levels| is_enough(levels)).last();
    Some(libm::log2(finer.unwrap_or_else(|| levels(whole)) as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn model(neurons: Vec<f64>) -> Model {
        let experts = neurons.len() / 4;
        Model {
            patterns: 4,
            neurons_per_expert: 1,
            tokens_per_expert: 2,
            signs: (0..experts).map(|expert| if expert % 2 == 0 { 1.0 } else { -1.0 }).collect(),
            routers: vec![0.0; neurons.len()],
            neurons,
        }
    }

    #[test]
    fn the_levels_of_small_models_are_those_counted_by_hand() {
        let neurons = vec![-1.0, -0.4, 0.1, 2.0, 0.3, 0.3, 0.3, 0.3];
        let model = model(neurons.clone());
        let rounded = |experts: &[usize], levels, range| quantised(&model, experts, levels, range).neurons;
        // Range [-1, 2], step 3, zero point 0: only 0 and 3 are levels.
        assert_eq!(rounded(&[0], 2, QuantiserRange::Expert)[..4], [0.0, 0.0, 0.0, 3.0]);
        // Step 1, zero point 1: −1, 0, 1, 2.
        assert_eq!(rounded(&[0], 4, QuantiserRange::Expert)[..4], [-1.0, 0.0, 0.0, 2.0]);
        // The range holds 0: 0 and 0.3.
        assert_eq!(rounded(&[1], 2, QuantiserRange::Expert)[4..], [0.3, 0.3, 0.3, 0.3]);
        // The loud expert's range swallows the quiet one.
        assert_eq!(rounded(&[1], 4, QuantiserRange::Layer)[4..], [0.0; 4]);
        assert_eq!(rounded(&[], 2, QuantiserRange::Layer), neurons);
        assert_eq!(quantised(&self::model(vec![0.0; 4]), &[0], 2, QuantiserRange::Expert).neurons, [0.0; 4]);
    }

    proptest! {
        #[test]
        fn a_rounded_weight_is_one_of_few_levels_within_a_step_and_0_stays(
            weights in prop::collection::vec(-3.0f64..5.0, 4..40),
            levels in 2usize..300,
        ) {
            let quantiser = Quantiser::over(&weights, levels);
            let low = weights.iter().copied().fold(0.0, f64::min);
            let step = (weights.iter().copied().fold(0.0, f64::max) - low) / (levels as f64 - 1.0);
            let mut seen: Vec<i64> = Vec::new();
            for &weight in &weights {
                let rounded = quantiser.round(weight);
                prop_assert!((rounded - weight).abs() <= step * (1.0 + 1e-9), "{weight} {rounded} {step}");
                // Inside the levels nothing is off by more than half a step.
                let is_inside = weight >= low + 0.5 * step && weight <= low + (levels as f64 - 1.5) * step;
                prop_assert!(!is_inside || (rounded - weight).abs() <= 0.5 * step * (1.0 + 1e-9), "{weight} {rounded}");
                prop_assert_eq!(quantiser.round(rounded), rounded);
                seen.push((rounded / step).round() as i64);
            }
            seen.sort_unstable();
            let span = seen.last().zip(seen.first()).map_or(0, |(last, first)| last - first);
            prop_assert!(span < levels as i64);
            prop_assert_eq!(quantiser.round(0.0), 0.0);
        }

        #[test]
        fn the_fewest_bits_are_where_a_threshold_of_levels_lies(least in 2usize..4096) {
            let found = fewest_bits(12, |levels| levels >= least);
            // A quarter bit is a factor of 1.19, and small N are whole numbers.
            let bits = found.map(f64::exp2);
            prop_assert!(bits.is_some_and(|levels| levels >= least as f64 - 1e-9 && levels <= 1.5 * least as f64), "{found:?}");
        }
    }

    #[test]
    fn bits_that_are_enough_below_a_gap_do_not_count() {
        assert_eq!(fewest_bits(12, |levels| levels != 64), Some(libm::log2(76.0)));
        assert_eq!(fewest_bits(12, |levels| levels != 32), Some(libm::log2(38.0)));
        assert_eq!(fewest_bits(12, |_| true), Some(1.0));
        assert_eq!(fewest_bits(3, |levels| levels > 8), None);
    }
}
