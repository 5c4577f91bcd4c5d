//! exp by additions and multiplications alone: without branches, and with the same bits on every processor.

use super::Lanes;
use pulp::Scalar;

/// Above this exp overflows to +∞ here (true limit 709.78).
const LARGEST: f64 = 709.0;
/// Below this exp is 0 here (true limit −745.1, by way of subnormal numbers).
const SMALLEST: f64 = -708.0;
/// 1.5 · 2⁵²: added and taken away it rounds to an integer, whose bits are then the low ones of the sum.
const ROUNDING: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts; the first has zeros at the end, so that its product with an integer is exact.
const LN_2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];
/// 1/j! for j = 2 … 13: the Taylor polynomial of e^r to degree 13, whose remainder is below 5·10⁻¹⁸ for |r| ≤ ln(2)/2.
const INVERSE_FACTORIALS: [f64; 12] = [
    1.0 / 2.0,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
    1.0 / 5_040.0,
    1.0 / 40_320.0,
    1.0 / 362_880.0,
    1.0 / 3_628_800.0,
    1.0 / 39_916_800.0,
    1.0 / 479_001_600.0,
    1.0 / 6_227_020_800.0,
];

/// e^x to within 2 units in the last place for −708 ≤ x ≤ 709; 0 below, +∞ above, not a number for not a number.
///
/// x = q ln 2 + r with integer q and |r| ≤ ln(2)/2; e^x = 2^q e^r (Cody and Waite, *Software Manual for the Elementary
/// Functions*, 1980).
#[inline]
pub fn exp(x: f64) -> f64 {
    exp_f64s(Scalar::new(), x)
}

/// [`exp`] of every lane.
#[inline(always)]
pub fn exp_f64s<S: Lanes>(simd: S, x: S::f64s) -> S::f64s {
    let number = |value| simd.splat_f64s(value);
    let shifted = simd.add_f64s(simd.mul_f64s(x, number(std::f64::consts::LOG2_E)), number(ROUNDING));
    let q = simd.sub_f64s(shifted, number(ROUNDING));
    let r = simd.sub_f64s(x, simd.mul_f64s(q, number(LN_2[0])));
    let r = simd.sub_f64s(r, simd.mul_f64s(q, number(LN_2[1])));
    let square = simd.mul_f64s(r, r);
    // Even and odd powers apart: two short chains in place of a long one.
    let [mut even, mut odd] = [number(INVERSE_FACTORIALS[10]), number(INVERSE_FACTORIALS[11])];
    for degree in (0..10).step_by(2).rev() {
        even = simd.add_f64s(simd.mul_f64s(even, square), number(INVERSE_FACTORIALS[degree]));
        odd = simd.add_f64s(simd.mul_f64s(odd, square), number(INVERSE_FACTORIALS[degree + 1]));
    }
    let sum = simd.add_f64s(even, simd.mul_f64s(r, odd));
    // e^r − 1 = r + r² · sum: the large terms last.
    let e_r = simd.add_f64s(number(1.0), simd.add_f64s(r, simd.mul_f64s(square, sum)));
    let power = simd.mul_f64s(e_r, simd.power_of_two(shifted));
    let power = simd.select_f64s(simd.greater_than_f64s(x, number(LARGEST)), number(f64::INFINITY), power);
    simd.select_f64s(simd.less_than_f64s(x, number(SMALLEST)), number(0.0), power)
}

#[cfg(test)]
mod tests {
    use super::exp;
    use proptest::prelude::*;

    #[test]
    fn the_ends_of_the_range() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-0.0), 1.0);
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
        assert_eq!(exp(f64::INFINITY), f64::INFINITY);
        assert_eq!(exp(-708.1), 0.0);
        assert_eq!(exp(709.1), f64::INFINITY);
        assert!(exp(f64::NAN).is_nan());
        assert!(exp(709.0).is_finite() && exp(-708.0) > 0.0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn exp_is_that_of_libm(x in prop_oneof![-708.0f64..709.0, -1.0f64..1.0, -1e-6f64..1e-6]) {
            let expected = libm::exp(x);
            let units = (exp(x).to_bits() as i64 - expected.to_bits() as i64).abs();
            prop_assert!(units <= 2, "exp({x}) = {} and not {expected}", exp(x));
        }
    }
}
