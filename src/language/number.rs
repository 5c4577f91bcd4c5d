//! Numbers: the float that is computed, and beside it, as long as it is one of counts and decimals, the exact fraction.
//!
//! A float stands for the shortest decimal that reads back as it. 1 − 0.99 is more than 0.01 in floats and equal to it in
//! decimals: comparisons are those of the exact numbers where both sides have one, so that `errors / samples <= 0.01` is
//! decided in whole numbers. What was measured, or went through a root or a logarithm, is a float alone.

use super::fraction::Fraction;
use std::cmp::Ordering;

/// A number that is there: its float is not NaN.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    float: f64,
    exact: Option<Fraction>,
}

impl Number {
    /// What was measured: a float alone; `None` if it is NaN.
    pub(crate) fn measured(float: f64) -> Option<Self> {
        (!float.is_nan()).then_some(Self { float, exact: None })
    }

    /// A decimal as a file writes it; `None` if it is NaN.
    pub(crate) fn decimal(float: f64) -> Option<Self> {
        (!float.is_nan()).then(|| Self { float, exact: Fraction::of_decimal(float) })
    }

    /// A whole number.
    pub(crate) fn whole(number: i64) -> Self {
        Self { float: number as f64, exact: Some(Fraction::whole(number.into())) }
    }

    /// A share of counts, of which `float` is what a table holds; the quotient itself may be rounded differently.
    pub(crate) fn share(float: f64, part: u64, whole: u64) -> Option<Self> {
        (!float.is_nan()).then(|| Self { float, exact: Fraction::new(part.into(), whole.into()) })
    }

    /// The float: what the same operations on floats give.
    pub(crate) fn float(self) -> f64 {
        self.float
    }

    /// The order of two numbers: of the exact ones if both are, of the floats otherwise.
    pub(super) fn compare(self, other: Self) -> Ordering {
        let exact = self.exact.zip(other.exact).and_then(|(own, other)| own.compare(other));
        // Neither is NaN.
        exact.or_else(|| self.float.partial_cmp(&other.float)).unwrap_or(Ordering::Equal)
    }

    pub(super) fn negated(self) -> Self {
        Self { float: -self.float, exact: self.exact.and_then(Fraction::negated) }
    }

    pub(super) fn absolute(self) -> Self {
        Self { float: self.float.abs(), exact: self.exact.and_then(Fraction::absolute) }
    }

    pub(super) fn plus(self, other: Self) -> Option<Self> {
        self.with(other, self.float + other.float, Fraction::plus)
    }

    pub(super) fn minus(self, other: Self) -> Option<Self> {
        self.with(other, self.float - other.float, Fraction::minus)
    }

    pub(super) fn times(self, other: Self) -> Option<Self> {
        self.with(other, self.float * other.float, Fraction::times)
    }

    pub(super) fn divided_by(self, other: Self) -> Option<Self> {
        self.with(other, self.float / other.float, Fraction::divided_by)
    }

    /// `None` if the float is undefined.
    fn with(self, other: Self, float: f64, exact: fn(Fraction, Fraction) -> Option<Fraction>) -> Option<Self> {
        let exact = || self.exact.zip(other.exact).and_then(|(own, other)| exact(own, other));
        (!float.is_nan()).then(|| Self { float, exact: exact() })
    }

    /// The smaller one; the first of two that are equal.
    pub(super) fn smaller(self, other: Self) -> Self {
        if other.compare(self) == Ordering::Less { other } else { self }
    }

    /// The larger one; the first of two that are equal.
    pub(super) fn larger(self, other: Self) -> Self {
        if other.compare(self) == Ordering::Greater { other } else { self }
    }
}
