//! Losses of the gates of a batch of samples: p_s(x), `[samples][experts]`, each sample's a softmax.

use crate::patterns::{Batch, Pattern};
use crate::sim::parameters::Distance;

/// A loss of the gates of a batch, and what it changes by with each of them.
#[derive(Clone, Debug, PartialEq)]
pub struct GateLoss {
    /// The loss.
    pub value: f64,
    /// ∂/∂p_s(x), `[samples][experts]`.
    pub gradient: Vec<Vec<f64>>,
}

/// The importance loss CV² = E Σ_s I_s²/B² − 1, I_s = Σ_x p_s(x), of B samples and E experts.
pub fn importance(gates: &[Vec<f64>]) -> GateLoss {
    let (samples, sums) = (gates.len() as f64, sums(gates));
    let experts = sums.len() as f64;
    let scale = experts / (samples * samples);
    let value = scale * sums.iter().map(|sum| sum * sum).sum::<f64>() - 1.0;
    let row: Vec<f64> = sums.iter().map(|sum| 2.0 * scale * sum).collect();
    GateLoss { value, gradient: vec![row; gates.len()] }
}

/// The sample-similarity loss with both of its coefficients 1 (Krishnamurthy et al. 2023), the mean over ordered pairs of
/// samples of D(x, x′) [Σ_i p_i p_i′/E − Σ_{i≠j} p_i p_j′/(E² − E)]. The gates of a sample sum to 1, so that it is
/// D(x, x′) [Σ_i p_i p_i′/(E − 1) − 1/(E² − E)], and only the sum of the two coefficients over their denominators counts.
///
/// `distances` is `[samples, samples]` and symmetric. 0 for one sample or one expert.
pub fn similarity(gates: &[Vec<f64>], distances: &[f64]) -> GateLoss {
    let (samples, experts) = (gates.len(), gates.first().map_or(0, Vec::len));
    let mut gradient = vec![vec![0.0; experts]; samples];
    if samples < 2 || experts < 2 {
        return GateLoss { value: 0.0, gradient };
    }
    let pairs = (samples * (samples - 1)) as f64;
    let (alike, whole) = (1.0 / (experts as f64 - 1.0), (experts * (experts - 1)) as f64);
    let mut value = 0.0;
    for ((row, own), distances) in gradient.iter_mut().zip(gates).zip(distances.chunks_exact(samples)) {
        for (other, &distance) in gates.iter().zip(distances).filter(|(_, distance)| **distance != 0.0) {
            row.iter_mut().zip(other).for_each(|(sum, gate)| *sum += distance * gate);
            value -= distance / (whole * pairs);
        }
        value += alike / pairs * own.iter().zip(&*row).map(|(gate, sum)| gate * sum).sum::<f64>();
        row.iter_mut().for_each(|sum| *sum *= 2.0 * alike / pairs);
    }
    GateLoss { value, gradient }
}

fn sums(gates: &[Vec<f64>]) -> Vec<f64> {
    let mut sums = vec![0.0; gates.first().map_or(0, Vec::len)];
    gates.iter().for_each(|own| sums.iter_mut().zip(own).for_each(|(sum, gate)| *sum += gate));
    sums
}

/// D of all pairs of samples of a batch, `[samples, samples]`.
pub(super) fn distances(distance: Distance, batch: &Batch) -> Vec<f64> {
    let samples = batch.samples();
    let token = |sample: usize| batch.sample(sample)[batch.class_positions[sample] as usize];
    // Samples are independent and alike: half a batch further on stands any other one.
    let other = |sample: usize| (sample + samples / 2) % samples;
    let distinct = |one: Pattern, two: Pattern| f64::from(u8::from(one != two));
    let all = (0..samples * samples).map(|place| (place / samples, place % samples));
    match distance {
        Distance::ClassToken => all.map(|(x, y)| distinct(token(x), token(y))).collect(),
        Distance::Shuffled => all.map(|(x, y)| distinct(token(other(x)), token(other(y)))).collect(),
        Distance::Bag => {
            let distances: Vec<f64> = all.map(|(x, y)| bag_distance(batch.sample(x), batch.sample(y))).collect();
            let largest = distances.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
            distances.into_iter().map(|distance| distance / largest).collect()
        }
    }
}

/// The Euclidean distance of two bags of patterns.
fn bag_distance(one: &[Pattern], two: &[Pattern]) -> f64 {
    let meets = |one: &[Pattern], two: &[Pattern]| -> usize {
        one.iter().map(|token| two.iter().filter(|other| *other == token).count()).sum()
    };
    ((meets(one, one) + meets(two, two) - 2 * meets(one, two)) as f64).sqrt()
}
