//! Two-sided confidence intervals of a probability, for a number of trials fixed in advance.

use super::binomial::{lower_tail, upper_tail};
use statrs::function::erf::erfc_inv;

/// Bisection stops when the bracket is this narrow relative to its ends.
const RELATIVE_WIDTH: f64 = 1e-15;

/// A closed interval of probabilities, `0 <= low <= high <= 1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// \[0, 1\], which says nothing: the answer without data or to illegal input.
    pub(crate) const VACUOUS: Interval = Interval { low: 0.0, high: 1.0 };

    /// Whether `p` lies in the interval, ends included; false for NaN.
    pub fn contains(&self, p: f64) -> bool {
        (self.low..=self.high).contains(&p)
    }
}

/// Clopper–Pearson interval of confidence `1 - alpha`.
///
/// `low` solves `P[X >= x | low] = alpha/2`, `high` solves `P[X <= x | high] = alpha/2`; `low = 0`
/// exactly at `x = 0` and `high = 1` exactly at `x = n`. Range: `x <= n`, `alpha` in (0, 1\];
/// `n = 0` and illegal input give \[0, 1\]. Relative error of both ends below 1e-12 for
/// `alpha >= 1e-6` and `n <= 1e6` (of `high` itself: `1 - high` is as coarse as the last bit of 1).
/// Source: Clopper and Pearson (1934), Biometrika 26:404–413.
/// Solved by bisection on our own tails, because `statrs::function::beta::inv_beta_reg` is wrong
/// by 1.6e-3 (relative) at 3 successes in a million (`tests/beside_statrs.rs`).
pub fn clopper_pearson(successes: u64, trials: u64, alpha: f64) -> Interval {
    let (x, n) = (successes, trials);
    if n == 0 || x > n || !(alpha > 0.0 && alpha <= 1.0) {
        return Interval::VACUOUS;
    }
    let half = alpha / 2.0;
    let low = match x {
        0 => 0.0,
        _ if x == n => libm::exp(libm::log(half) / n as f64),
        _ => crossing(0.0, 1.0, |p| upper_tail(x, n, p) < half),
    };
    let high = match x {
        0 => -libm::expm1(libm::log(half) / n as f64),
        _ if x == n => 1.0,
        _ => crossing(0.0, 1.0, |p| lower_tail(x, n, p) >= half),
    };
    Interval { low, high }
}

/// Wilson (score) interval of confidence `1 - alpha`, approximate.
///
/// All `p` with `(x/n - p)^2 <= z^2 p(1-p)/n`, `z` the normal quantile at `1 - alpha/2`; `low = 0`
/// exactly at `x = 0` and `high = 1` exactly at `x = n`. Range as [`clopper_pearson`]. Relative
/// error below 1e-13 (each end comes from a sum without cancellation, the other from the product
/// of the roots). Source: Wilson (1927), JASA 22:209–212.
pub fn wilson(successes: u64, trials: u64, alpha: f64) -> Interval {
    let (x, n) = (successes, trials);
    if n == 0 || x > n || !(alpha > 0.0 && alpha <= 1.0) {
        return Interval::VACUOUS;
    }
    Interval { low: wilson_low(x, n, alpha), high: if x == n { 1.0 } else { wilson_high(x, n, alpha) } }
}

/// Larger root of `(1 + z^2/n) p^2 - (2 x/n + z^2/n) p + (x/n)^2 = 0`.
fn wilson_high(x: u64, n: u64, alpha: f64) -> f64 {
    let (trials, rate) = (n as f64, x as f64 / n as f64);
    let z = std::f64::consts::SQRT_2 * erfc_inv(alpha);
    let z2 = z * z / trials;
    let spread = (z2 * (rate * ((n - x) as f64 / trials) + z2 / 4.0)).sqrt();
    (rate + z2 / 2.0 + spread) / (1.0 + z2)
}

/// Smaller root of the same equation, from the product of the roots.
fn wilson_low(x: u64, n: u64, alpha: f64) -> f64 {
    if x == 0 {
        return 0.0;
    }
    let (trials, rate) = (n as f64, x as f64 / n as f64);
    let z = std::f64::consts::SQRT_2 * erfc_inv(alpha);
    rate * rate / ((1.0 + z * z / trials) * wilson_high(x, n, alpha))
}

/// The point of \[low, high\] where `before` turns from true to false, by bisection.
///
/// Ends after at most about 1100 halvings (a point near the smallest positive `f64`).
pub(super) fn crossing(mut low: f64, mut high: f64, before: impl Fn(f64) -> bool) -> f64 {
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high || high - low <= RELATIVE_WIDTH * low {
            return middle;
        }
        if before(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_data_or_illegal_input_says_nothing() {
        for make in [clopper_pearson, wilson] {
            assert_eq!(make(0, 0, 0.05), Interval::VACUOUS);
            assert_eq!(make(3, 2, 0.05), Interval::VACUOUS);
            assert_eq!(make(1, 2, 0.0), Interval::VACUOUS);
            assert_eq!(make(1, 2, f64::NAN), Interval::VACUOUS);
            assert_eq!(make(0, 9, 0.05).low, 0.0);
            assert_eq!(make(9, 9, 0.05).high, 1.0);
        }
    }

    #[test]
    fn crossing_finds_tiny_and_middling_points() {
        for target in [1e-300, 1e-9, 0.3, 0.999_999] {
            let found = crossing(0.0, 1.0, |p| p < target);
            assert!((found / target - 1.0).abs() < 2e-15, "target = {target}");
        }
    }
}
