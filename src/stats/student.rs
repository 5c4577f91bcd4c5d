//! Tails and critical values of Student's t and of the normal distribution.
//!
//! `statrs` is not used: its incomplete beta stops after 140 steps and takes logarithms of
//! differences, and its logarithms are the platform's (`tests/beside_statrs.rs`).

use super::interval::crossing;
use super::stirling::stirling_error;

/// From here on Hill's normal deviate is exact to the last bits; below it `x = degrees/(degrees + t^2)` is far enough
/// from 1 that its rounding does not count.
const HILL_FROM: f64 = 1e5;
/// From this argument on the ratio of gammas comes from Stirling's series.
const SERIES_FROM: f64 = 16.0;
/// Steps after which the continued fraction is cut; it needs below 200 at any degrees.
const MOST_STEPS: u32 = 10_000;

/// `P[Z > z]` of a standard normal `Z`, `erfc(z / sqrt 2) / 2`.
///
/// Range: any `z`; NaN for NaN. Relative error below 1e-13 for `z <= 37`. Source: the definition,
/// `libm::erfc`.
pub fn normal_upper_tail(z: f64) -> f64 {
    0.5 * libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The `z` with `P[Z > z] = tail`.
///
/// Range, error and source as [`student_critical`].
pub fn normal_critical(tail: f64) -> f64 {
    student_critical(tail, f64::INFINITY)
}

/// `P[T > t]` of Student's t with real `degrees`.
///
/// For `t >= 0` it is `I_x(degrees/2, 1/2) / 2` at `x = degrees/(degrees + t^2)`, or one half minus
/// half of the complement where that converges faster. Range: `degrees > 0`, infinity being the
/// normal distribution, else NaN. Relative error below 1e-10 at any degrees from one, also in tails of 1e-280. Source:
/// NIST DLMF 8.17.22, the continued fraction, by Lentz's method; from 100,000 degrees on Hill's normal deviate
/// (Hill (1970), Communications of the ACM 13:617–619, algorithm 395).
pub fn student_upper_tail(t: f64, degrees: f64) -> f64 {
    if t.is_nan() || degrees.is_nan() || degrees <= 0.0 {
        return f64::NAN;
    }
    if degrees >= HILL_FROM {
        return normal_upper_tail(hill_deviate(t, degrees));
    }
    let square = t * t;
    let far = if square == f64::INFINITY { 0.0 } else { tail_beyond(square, degrees) };
    if t < 0.0 { 1.0 - far } else { far }
}

/// The `t` with `P[T > t] = tail`.
///
/// Range: `tail` in \[0, 1\] (the ends give plus and minus infinity), `degrees > 0`, else NaN.
/// Relative error below 1e-11 for tails from 1e-100 to 1/2; above 1/2 the mirror image of
/// `1 - tail`. Source: bisection on [`student_upper_tail`].
pub fn student_critical(tail: f64, degrees: f64) -> f64 {
    if !(0.0..=1.0).contains(&tail) || degrees.is_nan() || degrees <= 0.0 {
        return f64::NAN;
    }
    if tail > 0.5 {
        return -student_critical(1.0 - tail, degrees);
    }
    if tail == 0.5 || tail == 0.0 {
        return if tail == 0.0 { f64::INFINITY } else { 0.0 };
    }
    let mut high = 1.0;
    while student_upper_tail(high, degrees) > tail {
        high *= 2.0;
        if high == f64::INFINITY {
            return high;
        }
    }
    crossing(0.0, high, |t| student_upper_tail(t, degrees) > tail)
}

/// The normal deviate with the tail of `t`, up to terms of order `1/degrees^4`.
fn hill_deviate(t: f64, degrees: f64) -> f64 {
    if degrees == f64::INFINITY || t.is_infinite() {
        return t;
    }
    let almost = degrees - 0.5;
    let z = (almost * libm::log1p(t * t / degrees)).sqrt();
    (z + (z * z + 3.0) * z / (48.0 * almost * almost)).copysign(t)
}

/// `P[T > sqrt(square)]`.
fn tail_beyond(square: f64, degrees: f64) -> f64 {
    if square == 0.0 {
        return 0.5;
    }
    let half = degrees / 2.0;
    let x = degrees / (degrees + square);
    // x^half (1-x)^(1/2) / B(half, 1/2), both logarithms without cancellation.
    let log_x = -libm::log1p(square / degrees);
    let log_complement = -libm::log1p(degrees / square);
    let log_front = half * log_x + 0.5 * log_complement + log_inverse_beta(half);
    if x < (half + 1.0) / (half + 2.5) {
        0.5 * libm::exp(log_front - libm::log(half)) / fraction(half, 0.5, x)
    } else {
        let y = square / (degrees + square);
        0.5 - libm::exp(log_front) / fraction(0.5, half, y)
    }
}

/// `-ln B(a, 1/2) = ln Gamma(a + 1/2) - ln Gamma(a) - ln(pi)/2`.
fn log_inverse_beta(a: f64) -> f64 {
    let log_ratio = if a < SERIES_FROM {
        libm::lgamma(a + 0.5) - libm::lgamma(a)
    } else {
        a * libm::log1p(0.5 / a) - 0.5 + 0.5 * libm::log(a) + stirling_error(a + 0.5) - stirling_error(a)
    };
    log_ratio - 0.5 * libm::log(std::f64::consts::PI)
}

/// `1 + d1/(1 + d2/(1 + ...))` of the incomplete beta function at `x` below about its mean.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let keep_off_zero = |v: f64| if v.abs() < 1e-300 { 1e-300 } else { v };
    let (mut value, mut upper, mut lower) = (1.0, 1.0, 0.0);
    for step in 1..=MOST_STEPS {
        let m = f64::from(step / 2);
        let term = if step % 2 == 0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        lower = 1.0 / keep_off_zero(1.0 + term * lower);
        upper = keep_off_zero(1.0 + term / upper);
        let factor = upper * lower;
        value *= factor;
        if (factor - 1.0).abs() < 1e-16 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_two_degrees_have_closed_forms() {
        for t in [0.0, 0.1, 1.0, 1.7, 1.8, 5.0, 1e6] {
            let cauchy = 0.5 - libm::atan(t) / std::f64::consts::PI;
            let two = 0.5 / ((2.0 + t * t) * (0.5 + 0.5 * t / (2.0 + t * t).sqrt()));
            if t < 10.0 {
                assert!((student_upper_tail(t, 1.0) / cauchy - 1.0).abs() < 1e-13, "t = {t}");
            }
            assert!((student_upper_tail(t, 2.0) / two - 1.0).abs() < 1e-13, "t = {t}");
        }
    }

    #[test]
    fn ends_and_illegal_input() {
        assert_eq!(student_upper_tail(f64::INFINITY, 3.0), 0.0);
        assert_eq!(student_upper_tail(f64::NEG_INFINITY, 3.0), 1.0);
        assert!(student_upper_tail(1.0, 0.0).is_nan() && student_upper_tail(f64::NAN, 3.0).is_nan());
        assert_eq!((student_critical(0.5, 4.0), student_critical(0.0, 4.0)), (0.0, f64::INFINITY));
        assert_eq!(student_critical(1.0, 4.0), f64::NEG_INFINITY);
        assert!(student_critical(1.5, 4.0).is_nan());
        assert_eq!(student_critical(0.975, 7.0), -student_critical(1.0 - 0.975, 7.0));
    }
}
