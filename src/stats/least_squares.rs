//! Slopes of means: least squares on all values, and of the logarithm of the group means.
//!
//! Both are contrasts of group means, with the variance of [`groups`](super::groups): the sum of
//! `c_g^2 s_g^2 / n_g`, each group's own unbiased variance. It equals the robust covariance HC2 of
//! the model with one mean a group (MacKinnon and White (1985), Journal of Econometrics
//! 29:305–325), and needs neither equal spread nor means on a line; HC3 and cluster formulas on
//! the residuals of the line would add the misfit of the line to the noise. The degrees are those
//! of Welch and Satterthwaite, `(sum of v_g)^2 / sum of (v_g^2 / (n_g - 1))` with
//! `v_g = c_g^2 s_g^2 / n_g` (Satterthwaite (1946), Biometrics Bulletin 2:110–114).

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
    let variances: Vec<f64> = groups.iter().map(Group::variance).collect();
    Some(contrast_slope(groups, &sizes, &means, &variances))
}

/// Why [`log_mean_slope`] has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogMeanError {
    /// Fewer than two different `x`, a group of fewer than two runs, or a value that is not finite.
    #[error("no slope without two different x, two runs a group and finite values")]
    Unusable,
    /// The mean of some group is not positive: the square that it estimates is too small to show.
    #[error("the mean of some group is not positive, so it has no logarithm")]
    NotPositive,
}

/// Slope of `ln(mean of the group)` on `x`, all groups of equal weight.
///
/// For values that estimate a square without bias and may be negative in one run. The variance of
/// a logarithm is `s_g^2 / (n_g mean_g^2)` (delta method); degrees as in the file's head. The
/// bias of the logarithm, about minus half that variance, cancels in the slope as far as it is the
/// same in all groups. Trust it where the standard error of each mean is below a third of
/// the mean. Relative error about 1e-13. Measured error rates are in `data/error_rates.csv`.
pub fn log_mean_slope(groups: &[Group]) -> Result<Slope, LogMeanError> {
    if !usable(groups, 2) {
        return Err(LogMeanError::Unusable);
    }
    let means: Vec<f64> = groups.iter().map(Group::mean).collect();
    if means.iter().any(|&mean| mean <= 0.0) {
        return Err(LogMeanError::NotPositive);
    }
    let logarithms: Vec<f64> = means.iter().map(|&mean| libm::log(mean)).collect();
    let variances: Vec<f64> = groups.iter().zip(&means).map(|(g, mean)| g.variance() / (mean * mean)).collect();
    Ok(contrast_slope(groups, &vec![1.0; groups.len()], &logarithms, &variances))
}

/// The line through `ys` with the variance of one run in each group.
fn contrast_slope(groups: &[Group], weights: &[f64], ys: &[f64], variances: &[f64]) -> Slope {
    let xs: Vec<f64> = groups.iter().map(|g| g.x).collect();
    let contrast = Contrast::new(&xs, weights);
    let (intercept, slope) = contrast.line(ys);
    let (mut variance, mut over_degrees) = (0.0, 0.0);
    for ((group, c), s2) in groups.iter().zip(&contrast.coefficients).zip(variances) {
        let runs = group.values.len() as f64;
        let part = c * c * s2 / runs;
        variance += part;
        over_degrees += part * part / (runs - 1.0);
    }
    let degrees = if over_degrees > 0.0 { variance * variance / over_degrees } else { total_degrees(groups) };
    Slope { slope, intercept, standard_error: variance.sqrt(), degrees }
}

/// `sum of (n_g - 1)`, where no group varies.
fn total_degrees(groups: &[Group]) -> f64 {
    groups.iter().map(|g| g.values.len() as f64 - 1.0).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(x: f64, values: &[f64]) -> Group {
        Group { x, values: values.to_vec() }
    }

    #[test]
    fn two_groups_are_welchs_test() {
        let fit = least_squares(&[group(0.0, &[1.0, 2.0, 3.0]), group(2.0, &[4.0, 8.0])]).expect("a slope");
        // Difference of means 4 over 2; variances 1/3 and 8/2, quartered; 4.333^2/(0.333^2/2 + 4^2/1).
        assert!((fit.slope - 2.0).abs() < 1e-15 && (fit.intercept - 2.0).abs() < 1e-15);
        assert!((fit.standard_error - (13.0 / 12.0_f64).sqrt()).abs() < 1e-15);
        assert!((fit.degrees - (169.0 / 9.0) / (1.0 / 18.0 + 16.0)).abs() < 1e-14);
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
        assert_eq!(log_mean_slope(&[good, group(1.0, &[3.0, -3.0])]), Err(LogMeanError::NotPositive));
    }

    #[test]
    fn equal_values_give_a_standard_error_of_exactly_zero() {
        let fit = least_squares(&[group(0.0, &[0.1; 5]), group(1.0, &[0.3; 7])]).expect("a slope");
        assert_eq!((fit.standard_error, fit.degrees), (0.0, 10.0));
        assert!((fit.slope - 0.2).abs() < 1e-15);
    }
}
