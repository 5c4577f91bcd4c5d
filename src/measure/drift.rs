//! What of a router's displacement is systematic and what is noise, from independent half-batches.

use crate::patterns::Class;

/// Estimates for one router that moved by W = w^T − w⁰ while the half-batch contrast V ran beside it
/// ([`crate::sgd::TheoryEngine::contrast`]).
///
/// W = M + N, where M sums the conditional means of the steps and N, a martingale, their noise. V has the covariance of
/// N, so each W_v² − V_v² = (W_v + V_v)(W_v − V_v) is an unbiased estimate of E\[M_v² + 2 M_v N_v\]: what would be left
/// of W_v² without noise. An estimate, so it may be negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DriftAndNoise {
    /// ‖V‖², whose mean is E‖N‖².
    pub noise_squared: f64,
    /// Σ_q (W_q² − V_q²) over the irrelevant patterns.
    pub drift_squared: f64,
    /// Σ_{v∈{o₁,o₂}} (W_v² − V_v²): drift along the class patterns.
    pub leakage_squared: f64,
}

impl DriftAndNoise {
    /// From the coordinates w⁰, w^T and V of one router, each `[d]`.
    pub fn between(before: &[f64], after: &[f64], contrast: &[f64]) -> Self {
        let systematic = before.iter().zip(after).zip(contrast).map(|((w_0, w), v)| {
            let moved = w - w_0;
            (moved + v) * (moved - v)
        });
        let classes = Class::BOTH.len();
        Self {
            noise_squared: contrast.iter().map(|v| v * v).sum(),
            drift_squared: systematic.clone().skip(classes).sum(),
            leakage_squared: systematic.take(classes).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_patterns_leak_and_the_others_drift() {
        let split = DriftAndNoise::between(&[1.0, 0.0, 2.0, 0.0], &[4.0, 1.0, 2.0, 5.0], &[1.0, 2.0, -2.0, 3.0]);
        assert_eq!(split.noise_squared, 18.0);
        assert_eq!(split.leakage_squared, 8.0 - 3.0);
        assert_eq!(split.drift_squared, -4.0 + 16.0);
    }
}
