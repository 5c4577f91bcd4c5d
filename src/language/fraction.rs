//! Exact fractions: counts, shares of counts and decimals as a file writes them.

use std::cmp::Ordering;

/// over/under in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fraction {
    over: i128,
    /// At least 1.
    under: i128,
}

impl Fraction {
    /// A whole number.
    pub(crate) fn whole(number: i128) -> Self {
        Self { over: number, under: 1 }
    }

    /// `over`/`under` in lowest terms; `None` if `under` is 0 or a sign does not fit.
    pub(crate) fn new(over: i128, under: i128) -> Option<Self> {
        if under == 1 {
            return Some(Self::whole(over));
        }
        if under == 0 {
            return None;
        }
        let divisor = i128::try_from(common_divisor(over.unsigned_abs(), under.unsigned_abs())).ok()?;
        let (over, under) = (over / divisor, under / divisor);
        if under > 0 {
            return Some(Self { over, under });
        }
        Some(Self { over: over.checked_neg()?, under: under.checked_neg()? })
    }

    /// The shortest decimal that reads back as this float, which is what a file said; `None` if it does not fit.
    pub(crate) fn of_decimal(number: f64) -> Option<Self> {
        if number.fract() == 0.0 && number.abs() < 1e15 {
            return Some(Self::whole(number as i128));
        }
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e')?;
        let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let mantissa: i128 = digits.replace('.', "").parse().ok()?;
        let exponent = exponent.parse::<i32>().ok()? - i32::try_from(decimals).ok()?;
        let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
        if exponent < 0 { Self::new(mantissa, power) } else { mantissa.checked_mul(power).map(Self::whole) }
    }

    pub(crate) fn negated(self) -> Option<Self> {
        Some(Self { over: self.over.checked_neg()?, under: self.under })
    }

    pub(crate) fn absolute(self) -> Option<Self> {
        Some(Self { over: self.over.checked_abs()?, under: self.under })
    }

    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        let (a, b) = self.crosswise(other)?;
        Self::new(a.checked_add(b)?, self.under.checked_mul(other.under)?)
    }

    pub(crate) fn minus(self, other: Self) -> Option<Self> {
        let (a, b) = self.crosswise(other)?;
        Self::new(a.checked_sub(b)?, self.under.checked_mul(other.under)?)
    }

    pub(crate) fn times(self, other: Self) -> Option<Self> {
        Self::new(self.over.checked_mul(other.over)?, self.under.checked_mul(other.under)?)
    }

    pub(crate) fn divided_by(self, other: Self) -> Option<Self> {
        Self::new(self.over.checked_mul(other.under)?, self.under.checked_mul(other.over)?)
    }

    /// The order of two fractions; `None` if it takes more than 128 bits to tell.
    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        let (a, b) = self.crosswise(other)?;
        Some(a.cmp(&b))
    }

    /// Both numerators over the product of the denominators.
    fn crosswise(self, other: Self) -> Option<(i128, i128)> {
        Some((self.over.checked_mul(other.under)?, other.over.checked_mul(self.under)?))
    }
}

fn common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}
