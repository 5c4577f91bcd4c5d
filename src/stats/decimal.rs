//! Decimals as they are written, and shares of counts, compared without rounding.
//!
//! A float stands for the shortest decimal that reads back as it, which is what a file says. The float nearest to a
//! quotient of two counts and the float nearest to a decimal compare as the exact numbers do: rounding turns no order
//! round, and equal numbers have one float. A difference or a product of floats is rounded again, and does not: 1 − 0.99
//! is more than 0.01, and 0.9·0.1 more than 0.09. The functions here round once.

/// mantissa·10^exponent.
#[derive(Clone, Copy)]
struct Decimal {
    mantissa: i128,
    exponent: i32,
}

impl Decimal {
    /// The shortest decimal of a finite number: at most 17 digits.
    fn of(number: f64) -> Option<Self> {
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e')?;
        let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let mantissa = digits.replace('.', "").parse().ok()?;
        Some(Self { mantissa, exponent: exponent.parse::<i32>().ok()? - i32::try_from(decimals).ok()? })
    }

    /// The mantissa at a lower exponent; `None` if it overflows.
    fn at(self, exponent: i32) -> Option<i128> {
        let power = 10_i128.checked_pow(u32::try_from(self.exponent - exponent).ok()?)?;
        self.mantissa.checked_mul(power)
    }

    fn nearest(self) -> Option<f64> {
        format!("{}e{}", self.mantissa, self.exponent).parse().ok()
    }
}

/// The float nearest to the product of two decimals. What is not finite is multiplied as floats are.
pub(crate) fn product(a: f64, b: f64) -> f64 {
    let exact = || {
        let (a, b) = (Decimal::of(a)?, Decimal::of(b)?);
        Decimal { mantissa: a.mantissa.checked_mul(b.mantissa)?, exponent: a.exponent + b.exponent }.nearest()
    };
    exact().unwrap_or(a * b)
}

/// The float nearest to the difference of two decimals. What is not finite, or more than 20 orders of magnitude apart, is
/// subtracted as floats are.
pub(crate) fn difference(a: f64, b: f64) -> f64 {
    let exact = || {
        let (a, b) = (Decimal::of(a)?, Decimal::of(b)?);
        let exponent = a.exponent.min(b.exponent);
        Decimal { mantissa: a.at(exponent)?.checked_sub(b.at(exponent)?)?, exponent }.nearest()
    };
    exact().unwrap_or(a - b)
}

/// A share of counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// How many of them.
    pub part: u64,
    /// All of them, at least 1.
    pub whole: u64,
}

impl Share {
    /// The share of at most `most` things that was rounded to `share`, in lowest terms; `None` if there is none.
    ///
    /// It is the first convergent of the continued fraction of `share` within four roundings. Up to `most` = 3·10⁷ the share
    /// that was rounded is such a convergent (Legendre), and every one before it is further away.
    pub(crate) fn nearest(share: f64, most: u64) -> Option<Self> {
        if !(0.0..=1.0).contains(&share) {
            return None;
        }
        let (mut over, mut under) = ((share * ONE as f64) as u128, ONE);
        let (mut before, mut now) = ([0, 1], [1, 0]);
        while under > 0 {
            let term = over / under;
            (before, now) = (now, [0, 1].map(|place| term * now[place] + before[place]));
            let [part, whole] = now;
            if whole > u128::from(most) {
                return None;
            }
            if (part as f64 / whole as f64 - share).abs() <= 2.0 * f64::EPSILON {
                return Some(Self { part: u64::try_from(part).ok()?, whole: u64::try_from(whole).ok()? });
            }
            (over, under) = (under, over % under);
        }
        None
    }
}

/// Shares of 10⁷ and fewer have all their bits before this one.
const ONE: u128 = 1 << 80;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn products_and_differences_are_those_of_the_decimals() {
        assert_eq!((product(0.9, 0.1), 0.9 * 0.1), (0.09, 0.09000000000000001));
        assert_eq!((product(0.29, 100.0), 0.29 * 100.0), (29.0, 28.999999999999996));
        assert_eq!((difference(0.55, 0.5), 0.55 - 0.5), (0.05, 0.050000000000000044));
        assert_eq!((difference(1.0, 0.8), difference(0.45, 0.5)), (0.2, -0.05));
        assert_eq!((product(1e-300, 1e-300), product(-2.5, 4e22), difference(1e300, 0.1)), (0.0, -1e23, 1e300));
        assert_eq!(product(f64::INFINITY, 2.0), f64::INFINITY);
        assert!(difference(f64::NAN, 1.0).is_nan());
    }

    #[test]
    fn shares_are_found_again() {
        let share = |part, whole| Share { part, whole };
        assert_eq!(Share::nearest(1.0 - 20.0 / 2000.0, 2000), Some(share(99, 100)));
        assert_eq!((Share::nearest(0.0, 5), Share::nearest(1.0, 5)), (Some(share(0, 1)), Some(share(1, 1))));
        assert_eq!(
            (Share::nearest(1.0 / 7.0, 6), Share::nearest(1.5, 9), Share::nearest(f64::NAN, 9)),
            (None, None, None)
        );
    }

    proptest! {
        #[test]
        fn a_share_of_correct_samples_is_found_again(whole in 1u64..10_000_000, place in 0.0f64..=1.0, more in 0u64..9) {
            let errors = (place * whole as f64) as u64;
            let accuracy = 1.0 - errors as f64 / whole as f64;
            let found = Share::nearest(accuracy, whole + more).expect("near");
            prop_assert_eq!(u128::from(found.part) * u128::from(whole), u128::from(whole - errors) * u128::from(found.whole));
        }
    }
}
