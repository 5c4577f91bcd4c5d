//! exp without branches, so that a loop over it becomes vector code, and with the same bits on every processor.

/// Above this exp overflows to +∞ here (true limit 709.78).
const LARGEST: f64 = 709.0;
/// Below this exp is 0 here (true limit −745.1, by way of subnormal numbers).
const SMALLEST: f64 = -708.0;
/// 1.5 · 2⁵²: added and taken away it rounds to an integer, whose bits are then the low ones of the sum.
const ROUNDING: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts; the first has zeros at the end, so that its product with an integer is exact.
const LN_2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];
/// 1/j! for j = 13 … 2: the Taylor polynomial of e^r to degree 13, whose remainder is below 5·10⁻¹⁸ for |r| ≤ ln(2)/2.
const INVERSE_FACTORIALS: [f64; 12] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    1.0 / 2.0,
];

/// e^x to within 2 units in the last place for −708 ≤ x ≤ 709; 0 below, +∞ above, not a number for not a number.
///
/// x = q ln 2 + r with integer q and |r| ≤ ln(2)/2; e^x = 2^q e^r (Cody and Waite, *Software Manual for the Elementary
/// Functions*, 1980).
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let shifted = x * std::f64::consts::LOG2_E + ROUNDING;
    let q = shifted - ROUNDING;
    let r = (x - q * LN_2[0]) - q * LN_2[1];
    let mut sum = INVERSE_FACTORIALS[0];
    for factor in &INVERSE_FACTORIALS[1..] {
        sum = sum * r + factor;
    }
    // e^r − 1 = r + r² · sum: the large terms last.
    let e_r = 1.0 + (r + r * r * sum);
    // The low 11 bits of `shifted` are q in two's complement; they go to where a number keeps its exponent.
    let scale = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52));
    let power = e_r * scale;
    let above = if x > LARGEST { f64::INFINITY } else { power };
    if x < SMALLEST { 0.0 } else { above }
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
