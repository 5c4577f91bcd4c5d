//! Values of runs, grouped by the point `x` of a ladder at which they were measured.
//!
//! A run gives one value and its own seed gave the run, so values are independent within a group
//! and between groups. A slope that is linear in the group means, `sum of c_g mean_g`, therefore
//! has the variance `sum of c_g^2 s_g^2 / n_g`, whatever the shape or spread of each group and
//! whether or not the means lie on a line. That is also, with `n_g` for `n_g - 1` in `s_g^2`, what
//! the bootstrap that resamples runs within their group tends to.

/// The values of all clusters (runs, seeds) at one `x`.
///
/// `x` is in our use the logarithm of a dimension or of a number of experts; one value a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The point, any unit.
    pub x: f64,
    /// One value a run, in any order and unit.
    pub values: Vec<f64>,
}

impl Group {
    /// Mean of the values, computed from differences to the first, so that equal values give
    /// exactly that value. NaN without values. Error: a few roundings.
    pub(crate) fn mean(&self) -> f64 {
        let Some(&first) = self.values.first() else { return f64::NAN };
        first + self.values.iter().map(|v| v - first).sum::<f64>() / self.values.len() as f64
    }

    /// Unbiased variance, `sum of (v - mean)^2 / (n - 1)`; exactly 0 for equal values, NaN for
    /// fewer than two. Error: a few roundings (two passes).
    pub(crate) fn variance(&self) -> f64 {
        if self.values.len() < 2 {
            return f64::NAN;
        }
        let mean = self.mean();
        self.values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (self.values.len() - 1) as f64
    }
}

/// Whether every group has at least `least` values, all numbers are finite, and there are two
/// different `x`.
pub(super) fn usable(groups: &[Group], least: usize) -> bool {
    let finite = |g: &Group| g.x.is_finite() && g.values.iter().all(|v| v.is_finite());
    groups.iter().all(|g| g.values.len() >= least && finite(g)) && groups.iter().any(|g| g.x != groups[0].x)
}

/// The line of least squares through one number a group.
pub(super) struct Contrast {
    /// `c_g = w_g (x_g - centre) / sum of w (x - centre)^2`; the slope is `sum of c_g y_g`.
    pub coefficients: Vec<f64>,
    /// Weighted mean of the `x`.
    pub centre: f64,
    /// `w_g / sum of w`.
    pub shares: Vec<f64>,
}

impl Contrast {
    /// The contrast of positive weights `w`; `x` not all equal.
    pub(crate) fn new(xs: &[f64], weights: &[f64]) -> Contrast {
        let total: f64 = weights.iter().sum();
        let shares: Vec<f64> = weights.iter().map(|w| w / total).collect();
        let centre: f64 = xs.iter().zip(&shares).map(|(x, share)| x * share).sum();
        let spread: f64 = xs.iter().zip(&shares).map(|(x, share)| share * (x - centre) * (x - centre)).sum();
        let coefficients = xs.iter().zip(&shares).map(|(x, share)| share * (x - centre) / spread).collect();
        Contrast { coefficients, centre, shares }
    }

    /// Intercept at `x = 0` and slope through the numbers `ys`.
    pub(crate) fn line(&self, ys: &[f64]) -> (f64, f64) {
        // The coefficients sum to zero: differences to the first number keep the last digits.
        let slope: f64 = self.coefficients.iter().zip(ys).map(|(c, y)| c * (y - ys[0])).sum();
        let level: f64 = self.shares.iter().zip(ys).map(|(share, y)| share * (y - ys[0])).sum();
        (ys[0] + level - slope * self.centre, slope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_by_hand() {
        let group = Group { x: 0.0, values: vec![1.0, 2.0, 6.0] };
        assert_eq!((group.mean(), group.variance()), (3.0, 7.0));
        let equal = Group { x: 0.0, values: vec![0.1; 7] };
        assert_eq!((equal.mean(), equal.variance()), (0.1, 0.0));
        assert!(Group { x: 0.0, values: vec![1.0] }.variance().is_nan());
    }

    #[test]
    fn the_contrast_recovers_a_line_at_any_weights() {
        let (xs, weights) = ([1.0, 2.0, 4.0], [1.0, 5.0, 2.0]);
        let (intercept, slope) = Contrast::new(&xs, &weights).line(&xs.map(|x| 3.0 - 2.0 * x));
        assert!((intercept - 3.0).abs() < 1e-14 && (slope + 2.0).abs() < 1e-14);
    }
}
