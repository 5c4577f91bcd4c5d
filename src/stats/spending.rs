//! A p-value that may be looked at any number of times: each look spends a share of the error.
//!
//! Look `j` gets the share `w_j = 6/(pi^2 j^2)`, and the shares sum to 1. If the p-value of every
//! single look is valid, `P[p_j <= a w_j] <= a w_j`, so the probability that it ever happens is at
//! most `a` (union bound), whatever the dependence of the looks and the rule of stopping.
//!
//! Sources: alpha spending, Lan and DeMets (1983), Biometrika 70:659–663, here as Bonferroni's
//! inequality over infinitely many looks. It is conservative: looks are strongly correlated.

/// Share of look `look` (1, 2, ...) of the error: `6/(pi^2 look^2)`; 0 for look 0.
///
/// Error: a few roundings.
pub(crate) fn spending_weight(look: u64) -> f64 {
    if look == 0 {
        return 0.0;
    }
    let j = look as f64;
    6.0 / (std::f64::consts::PI * std::f64::consts::PI * j * j)
}

/// `min(1, p / w_look)`, the p-value of look `look` after its share.
///
/// Range: `p` in \[0, 1\] and `look >= 1`; values above are clamped, and NaN, negative values and
/// look 0 give 1, which rejects nothing. Error and source: the file's head.
pub fn spent(p: f64, look: u64) -> f64 {
    if look == 0 || p.is_nan() || p < 0.0 { 1.0 } else { (p / spending_weight(look)).min(1.0) }
}

/// One hypothesis, looked at again and again; its p-value is valid at every look and never rises.
///
/// Source: the file's head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpendingTest {
    looks: u64,
    smallest: f64,
}

impl Default for SpendingTest {
    fn default() -> Self {
        SpendingTest::new()
    }
}

impl SpendingTest {
    /// A test before any look, with p-value 1.
    pub fn new() -> Self {
        SpendingTest { looks: 0, smallest: 1.0 }
    }

    /// Takes the p-value of the next look, computed from all data so far.
    ///
    /// Only a look at new data may be counted, and every look at which one could have stopped
    /// must be counted.
    pub fn look(&mut self, p: f64) {
        self.looks += 1;
        self.smallest = self.smallest.min(spent(p, self.looks));
    }

    /// Looks taken so far.
    pub(crate) fn looks(&self) -> u64 {
        self.looks
    }

    /// `min over looks j of min(1, p_j / w_j)`.
    pub fn p_value(&self) -> f64 {
        self.smallest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_sum_to_one() {
        let last = 100_000;
        let sum: f64 = (1..=last).rev().map(spending_weight).sum();
        // What is left beyond the last share is 6/pi^2 times a number between 1/(last+1) and 1/last.
        let rest = 6.0 / (std::f64::consts::PI * std::f64::consts::PI * (last as f64 + 0.5));
        assert!((sum + rest - 1.0).abs() < 1e-13, "{sum}");
    }

    #[test]
    fn the_p_value_is_the_smallest_spent_one_and_never_rises() {
        let mut test = SpendingTest::new();
        assert_eq!((test.p_value(), test.looks()), (1.0, 0));
        test.look(0.01);
        let first = test.p_value();
        assert_eq!(first, spent(0.01, 1));
        test.look(0.9);
        assert_eq!(test.p_value(), first);
        test.look(0.0);
        assert_eq!((test.p_value(), test.looks()), (0.0, 3));
    }

    #[test]
    fn illegal_values_reject_nothing() {
        assert_eq!((spent(f64::NAN, 1), spent(-0.1, 1), spent(0.0, 0), spent(2.0, 1)), (1.0, 1.0, 1.0, 1.0));
    }
}
