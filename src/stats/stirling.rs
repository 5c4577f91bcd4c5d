//! The two corrections of Loader's form of the binomial mass.
//!
//! A difference of three log-gammas loses about `log10(n)` digits; Loader's form adds only small
//! terms. That is what `statrs` loses where factorials are large (`tests/beside_statrs.rs`). Source: C. Loader (2000), "Fast and accurate computation of binomial probabilities".

/// `ln(2 pi)`.
pub(super) const LN_TWO_PI: f64 = 1.837_877_066_409_345_3;

/// From here on five terms of the series are exact to the last bit (the sixth is below 1e-16).
const SERIES_FROM: f64 = 16.0;

/// `ln(n!) - ((n + 1/2) ln n - n + ln(2 pi)/2)`, the error of Stirling's formula.
///
/// Range: integers `n >= 1` (as `f64`); 0 gives 0, which no caller uses. Absolute error below
/// 1e-14. Source: Loader (2000), the Stirling–De Moivre series.
pub(super) fn stirling_error(n: f64) -> f64 {
    if n <= 0.0 {
        return 0.0;
    }
    if n < SERIES_FROM {
        return libm::lgamma(n + 1.0) - (n + 0.5) * libm::log(n) + n - 0.5 * LN_TWO_PI;
    }
    let s = 1.0 / (n * n);
    let series = 1.0 / 1260.0 - s * (1.0 / 1680.0 - s / 1188.0);
    (1.0 / 12.0 - s * (1.0 / 360.0 - s * series)) / n
}

/// `x ln(x/m) + m - x`, the deviance of a count `x` from its mean `m`; never negative.
///
/// Range: `x >= 0`, `m > 0`, both finite. Near `x = m`, where the formula cancels, a series in
/// `(x - m)/(x + m)` replaces it. Relative error about 1e-15 in the series, absolute error about
/// `1e-16 x` outside. Source: Loader (2000), function `bd0`.
pub(super) fn deviance(x: f64, m: f64) -> f64 {
    if x <= 0.0 {
        return m;
    }
    if (x - m).abs() >= 0.1 * (x + m) {
        return x * libm::log(x / m) + m - x;
    }
    let v = (x - m) / (x + m);
    let mut sum = (x - m) * v;
    let mut power = 2.0 * x * v;
    // |v| < 0.1: every step gains two digits, so ten steps reach the last bit.
    for odd in [3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0, 17.0, 19.0, 21.0] {
        power *= v * v;
        let next = sum + power / odd;
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_and_the_factorial_agree_where_they_meet() {
        // 16! and 15! are exact in f64.
        for (n, factorial) in [(15.0_f64, 1_307_674_368_000.0_f64), (16.0, 20_922_789_888_000.0)] {
            let direct = factorial.ln() - (n + 0.5) * n.ln() + n - 0.5 * LN_TWO_PI;
            assert!((stirling_error(n) - direct).abs() < 3e-14, "n = {n}");
        }
    }

    #[test]
    fn deviance_is_continuous_across_the_switch_and_zero_at_the_mean() {
        assert_eq!(deviance(7.0, 7.0), 0.0);
        for x in [81.8_f64, 81.9, 122.2, 122.3] {
            let direct = x * (x / 100.0).ln() + 100.0 - x;
            assert!((deviance(x, 100.0) / direct - 1.0).abs() < 1e-12, "x = {x}");
        }
    }
}
