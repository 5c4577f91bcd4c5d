//! A slope with its standard error: interval, one-sided tests, test of equivalence, and planning.
//!
//! The reference is Student's t: `(slope - truth)/standard_error` is compared with `degrees`
//! degrees of freedom. The estimators are in [`least_squares`](mod@super::least_squares) and
//! [`quantile_regression`](mod@super::quantile_regression); each states how its degrees are chosen.
//! For a number of runs fixed in advance; with several looks use `spending`.

use super::student::{normal_critical, normal_upper_tail, student_critical, student_upper_tail};

/// With a standard error of 0, a slope this near to a threshold (relative to the larger of 1 and
/// the threshold) counts as equal to it: the slope itself is rounded.
const TIE: f64 = 1e-12;

/// Standard error of a median over that of a mean, for normal values and many runs: `sqrt(pi/2)`.
///
/// [`runs_for_slope_power`] of a median slope: multiply `sd` by this, and expect less power than
/// planned, because its standard error is estimated with few degrees (measured at size 0.01 and
/// planned power 0.9: about 0.82 with 61 runs at each of six points, 0.87 with 244). For other shapes the factor
/// is `1/(2 f sd)`, `f` the density at the median. Source: Koenker and Bassett (1978).
pub const MEDIAN_FACTOR: f64 = 1.253_314_137_315_500_1;

/// A closed interval of real numbers, `low <= high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Bounds {
    /// Whether `value` lies in the interval, ends included; false for NaN.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// Estimate of a slope with its standard error and the degrees of freedom of its t reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// Change of the value per unit of `x`.
    pub slope: f64,
    /// The fitted value at `x = 0`.
    pub intercept: f64,
    /// Standard error of `slope`; 0 if no group varies.
    pub standard_error: f64,
    /// Degrees of freedom, a positive real number.
    pub degrees: f64,
}

impl Slope {
    /// Two-sided interval of confidence `1 - alpha`: `slope ± t(1 - alpha/2, degrees) standard_error`.
    ///
    /// Range: `alpha` in (0, 1\]; 0 gives the whole line, illegal values NaN ends. Error: that of
    /// [`student_critical`] and of the estimator. Source: Student (1908).
    pub fn interval(&self, alpha: f64) -> Bounds {
        let reach = if self.standard_error == 0.0 && alpha > 0.0 && alpha <= 1.0 {
            0.0
        } else {
            student_critical(alpha / 2.0, self.degrees) * self.standard_error
        };
        Bounds { low: self.slope - reach, high: self.slope + reach }
    }

    /// p-value of `slope <= threshold`, `P[T >= (slope - threshold)/standard_error]`; small: the
    /// slope is above.
    ///
    /// With a standard error of 0 it is 0 or 1, and 1 at a tie. Range: any finite threshold, NaN
    /// gives 1. Error and source as [`interval`](Self::interval).
    pub fn p_value_above(&self, threshold: f64) -> f64 {
        self.p_value_of(self.slope - threshold, threshold)
    }

    /// p-value of `slope >= threshold`; small: the slope is below. Otherwise as
    /// [`p_value_above`](Self::p_value_above).
    pub fn p_value_below(&self, threshold: f64) -> f64 {
        self.p_value_of(threshold - self.slope, threshold)
    }

    /// p-value of "the slope lies outside \[centre - margin, centre + margin\]", the larger of two
    /// one-sided p-values; small: equivalent to `centre` up to `margin`.
    ///
    /// Range: `margin >= 0`, else 1. Error as [`interval`](Self::interval). Source: two one-sided
    /// tests, Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15:657–680.
    pub fn p_value_equivalent(&self, centre: f64, margin: f64) -> f64 {
        if margin.is_nan() || margin < 0.0 {
            return 1.0;
        }
        self.p_value_above(centre - margin).max(self.p_value_below(centre + margin))
    }

    /// `P[T >= distance/standard_error]`, `distance` the way from the threshold into the
    /// alternative.
    fn p_value_of(&self, distance: f64, threshold: f64) -> f64 {
        if self.standard_error == 0.0 {
            let tie = TIE * threshold.abs().max(1.0);
            return if distance > tie { 0.0 } else { 1.0 };
        }
        let p = student_upper_tail(distance / self.standard_error, self.degrees);
        if p.is_nan() { 1.0 } else { p }
    }
}

/// Power of a one-sided test of size `alpha` when the slope lies `distance` beyond the threshold,
/// with `runs` runs at each of `xs`: `Phi(distance/s - z)`, `s = sd / sqrt(runs S)`,
/// `S = sum of (x - mean)^2`, `z` the normal quantile at `1 - alpha`.
///
/// `sd` is the standard deviation of the value of one run (for a median slope times
/// [`MEDIAN_FACTOR`]). Range: `sd > 0`, `alpha` in \[0, 1\], else NaN. Error: the normal
/// approximation, too high because t has heavier tails: 0.888 is measured where least squares with
/// 39 runs at each of six points is planned for 0.9 at size 0.01. Source: the definition for a known `sd`.
pub fn slope_power(xs: &[f64], sd: f64, runs: u64, distance: f64, alpha: f64) -> f64 {
    if sd.is_nan() || sd <= 0.0 {
        return f64::NAN;
    }
    let standard_error = sd / (runs as f64 * sum_of_squares(xs)).sqrt();
    normal_upper_tail(normal_critical(alpha) - distance / standard_error)
}

/// Smallest equal number of runs at each of `xs` whose [`slope_power`] is at least `power`:
/// `sd^2 (z(1 - alpha) + z(power))^2 / (S distance^2)`, rounded up.
///
/// Range: `sd > 0`, `distance > 0`, `alpha` and `power` in (0, 1), two different `xs`; else
/// `u64::MAX`, "no number of runs". At least 2, below which no estimator answers. Error and
/// source as [`slope_power`]. For a test of equivalence put the margin minus the distance of the
/// truth from the centre for `distance` and, at the centre, `(1 + power)/2` for `power`.
pub fn runs_for_slope_power(xs: &[f64], sd: f64, distance: f64, alpha: f64, power: f64) -> u64 {
    let spread = sum_of_squares(xs);
    let inside = |v: f64| v > 0.0 && v < 1.0;
    let positive = |v: f64| v > 0.0 && v.is_finite();
    if !(positive(sd) && positive(distance) && positive(spread) && inside(alpha) && inside(power)) {
        return u64::MAX;
    }
    let quantiles = normal_critical(alpha) + normal_critical(1.0 - power);
    if quantiles <= 0.0 {
        return 2;
    }
    let ratio = sd * quantiles / distance;
    (libm::ceil(ratio * ratio / spread) as u64).max(2)
}

/// `sum of (x - mean)^2`.
fn sum_of_squares(xs: &[f64]) -> f64 {
    let mean = xs.iter().sum::<f64>() / xs.len() as f64;
    xs.iter().map(|x| (x - mean) * (x - mean)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_spread_the_answer_is_yes_or_no_and_a_tie_rejects_nothing() {
        let exact = Slope { slope: 2.0 - 4e-16, intercept: 0.0, standard_error: 0.0, degrees: 10.0 };
        assert_eq!((exact.p_value_above(1.9), exact.p_value_below(1.9)), (0.0, 1.0));
        assert_eq!((exact.p_value_above(2.0), exact.p_value_below(2.0)), (1.0, 1.0));
        assert_eq!((exact.p_value_equivalent(2.0, 0.1), exact.p_value_equivalent(2.2, 0.1)), (0.0, 1.0));
        assert_eq!(exact.interval(0.05), Bounds { low: exact.slope, high: exact.slope });
    }

    #[test]
    fn illegal_input_rejects_nothing() {
        let slope = Slope { slope: 1.0, intercept: 0.0, standard_error: 0.1, degrees: 10.0 };
        assert_eq!(slope.p_value_above(f64::NAN), 1.0);
        assert_eq!(slope.p_value_equivalent(1.0, -0.1), 1.0);
        assert_eq!(runs_for_slope_power(&[1.0, 1.0], 0.3, 0.1, 0.05, 0.9), u64::MAX);
        assert_eq!(runs_for_slope_power(&[1.0, 2.0], 0.3, 0.0, 0.05, 0.9), u64::MAX);
    }

    #[test]
    fn the_number_of_runs_is_the_first_with_the_power() {
        let xs = [4.0, 5.0, 6.0, 7.0, 8.0, 9.0].map(|octave| octave * std::f64::consts::LN_2);
        let runs = runs_for_slope_power(&xs, 0.5, 0.05, 0.05, 0.9);
        assert!(slope_power(&xs, 0.5, runs, 0.05, 0.05) >= 0.9);
        assert!(slope_power(&xs, 0.5, runs - 1, 0.05, 0.05) < 0.9);
    }
}
