//! Slopes of means: least squares on all values, and of the logarithm of the group means.
//!
//! Both are contrasts of one number a group, `sum of c_g y_g`, with the variance of
//! `groups`: the sum of `c_g^2 v_g`, `v_g` the jackknife variance of the group's
//! number, which for a mean is `s_g^2 / n_g`. For means that equals the robust covariance HC2 of
//! the model with one mean a group (MacKinnon and White (1985), Journal of Econometrics
//! 29:305–325), and needs neither equal spread nor means on a line; HC3 and cluster formulas on
//! the residuals of the line would add the misfit of the line to the noise.
//!
//! The degrees are the smallest `n_g - 1`: the lower bound of those of Welch and Satterthwaite
//! (Satterthwaite (1946), Biometrics Bulletin 2:110–114), which are those of normal values. Skewed
//! values, squares above all, have fewer: with 20 chi-square values a group a test of 1 % at
//! Satterthwaite's degrees rejected in 1.5 %.

use super::groups::{Contrast, Group, usable};
use super::slope::Slope;

/// Ordinary least squares of all values on `x`: a group weighs as its number of runs.
///
/// Standard error and degrees: the file's head; measured error rates are in
/// `data/error_rates.csv`. `None` with fewer than two different `x`, a group of fewer than two
/// runs (it shows no spread), or a value that is not finite. If the means do not lie on a line, the
/// slope is that of the line nearest to them at these `x`. Relative error about 1e-13.
pub fn least_squares(groups: &[Group]) -> Option<Slope> {
    if !usable(groups, 2) {
        return None;
    }
    let sizes: Vec<f64> = groups.iter().map(|g| g.values.len() as f64).collect();
    let means: Vec<f64> = groups.iter().map(Group::mean).collect();
    let variances: Vec<f64> = groups.iter().zip(&sizes).map(|(g, n)| g.variance() / n).collect();
    Some(contrast_slope(groups, &sizes, &means, &variances))
}

/// Why [`log_mean_slope`] has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogMeanError {
    /// Fewer than two different `x`, a group of fewer than two runs, or a value that is not finite.
    #[error("no slope without two different x, two runs a group and finite values")]
    Unusable,
    /// The mean of some group, or its mean without one of the runs, is not positive: the square that it estimates is
    /// too small to show.
    #[error("the mean of some group is not positive, so it has no logarithm")]
    NotPositive,
}

/// Slope of `ln(mean of the group)` on `x`, all groups of equal weight.
///
/// For values that estimate a square without bias and may be negative in one run. The variance of
/// a logarithm is its jackknife variance, `(n-1)/n sum of (l_i - mean l)^2` with `l_i` the
/// logarithm of the mean without run `i`; to first order `s^2 / (n mean^2)`, the delta method,
/// which falls short by a tenth at 20 chi-square values. The bias of the logarithm, about minus
/// half its variance, cancels in the slope as far as it is the same in all groups. Trust it where
/// the standard error of each mean is below a third of the mean. Relative error about 1e-13.
/// Measured error rates are in `data/error_rates.csv`. Source: Tukey (1958); that the jackknife
/// variance is on average too large rather than too small: Efron and Stein (1981), Annals of
/// Statistics 9:586–596.
pub fn log_mean_slope(groups: &[Group]) -> Result<Slope, LogMeanError> {
    if !usable(groups, 2) {
        return Err(LogMeanError::Unusable);
    }
    let logarithms: Option<Vec<(f64, f64)>> = groups.iter().map(log_of_mean).collect();
    let (ys, variances): (Vec<f64>, Vec<f64>) = logarithms.ok_or(LogMeanError::NotPositive)?.into_iter().unzip();
    Ok(contrast_slope(groups, &vec![1.0; groups.len()], &ys, &variances))
}

/// Logarithm of the mean and its jackknife variance; `None` if the mean, or the mean without some run, is not positive.
fn log_of_mean(group: &Group) -> Option<(f64, f64)> {
    let (runs, mean) = (group.values.len() as f64, group.mean());
    // The mean without a run is mean (1 + change): logarithms of the changes are all that vary.
    let change = |v: &f64| (mean - v) / ((runs - 1.0) * mean);
    if mean <= 0.0 || group.values.iter().any(|v| change(v) <= -1.0) {
        return None;
    }
    let changes = Group { x: group.x, values: group.values.iter().map(|v| libm::log1p(change(v))).collect() };
    Some((libm::log(mean), (runs - 1.0) * (runs - 1.0) / runs * changes.variance()))
}

/// The line through `ys`, whose variances are `variances`.
fn contrast_slope(groups: &[Group], weights: &[f64], ys: &[f64], variances: &[f64]) -> Slope {
    let xs: Vec<f64> = groups.iter().map(|g| g.x).collect();
    let contrast = Contrast::new(&xs, weights);
    let (intercept, slope) = contrast.line(ys);
    let variance: f64 = contrast.coefficients.iter().zip(variances).map(|(c, v)| c * c * v).sum();
    Slope { slope, intercept, standard_error: variance.sqrt(), degrees: least_degrees(groups) }
}

/// The smallest `n_g - 1`.
pub(super) fn least_degrees(groups: &[Group]) -> f64 {
    groups.iter().map(|g| g.values.len()).min().unwrap_or(0) as f64 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(x: f64, values: &[f64]) -> Group {
        Group { x, values: values.to_vec() }
    }

    #[test]
    fn two_groups_are_welchs_statistic() {
        let fit = least_squares(&[group(0.0, &[1.0, 2.0, 3.0]), group(2.0, &[4.0, 8.0])]).expect("a slope");
        // Difference of means 4 over 2; variances of the means 1/3 and 8/2, quartered; two runs have one degree.
        assert!((fit.slope - 2.0).abs() < 1e-15 && (fit.intercept - 2.0).abs() < 1e-15);
        assert!((fit.standard_error - (13.0 / 12.0_f64).sqrt()).abs() < 1e-15);
        assert_eq!(fit.degrees, 1.0);
    }

    #[test]
    fn what_gives_no_slope() {
        let good = group(0.0, &[1.0, 2.0]);
        assert_eq!(least_squares(&[]), None);
        assert_eq!(least_squares(std::slice::from_ref(&good)), None);
        assert_eq!(least_squares(&[good.clone(), group(0.0, &[3.0, 4.0])]), None);
        assert_eq!(least_squares(&[good.clone(), group(1.0, &[])]), None);
        assert_eq!(least_squares(&[good.clone(), group(1.0, &[3.0])]), None);
        assert_eq!(least_squares(&[good.clone(), group(1.0, &[3.0, f64::INFINITY])]), None);
        assert_eq!(log_mean_slope(std::slice::from_ref(&good)), Err(LogMeanError::Unusable));
        assert_eq!(log_mean_slope(&[good.clone(), group(1.0, &[3.0, -3.0])]), Err(LogMeanError::NotPositive));
        // Positive, but not without the last run.
        assert_eq!(log_mean_slope(&[good, group(1.0, &[-1.0, -1.0, 9.0])]), Err(LogMeanError::NotPositive));
    }

    #[test]
    fn equal_values_give_a_standard_error_of_exactly_zero() {
        let fit = least_squares(&[group(0.0, &[0.1; 5]), group(1.0, &[0.3; 7])]).expect("a slope");
        assert_eq!((fit.standard_error, fit.degrees), (0.0, 4.0));
        assert!((fit.slope - 0.2).abs() < 1e-15);
    }
}
