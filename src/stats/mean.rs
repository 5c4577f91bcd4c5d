//! Whether a mean is zero.

use super::student::student_upper_tail;

/// Two-sided p-value of "the mean is 0" by Student's t, `2 P[T > |mean|/standard error]` with `n - 1` degrees of
/// freedom.
///
/// Exact for independent normal values, asymptotically right for others. Range: fewer than two values, or a value that
/// is not finite, give 1; equal values give 0, or 1 if they are 0. Error: that of [`student_upper_tail`]. Source:
/// Student (1908); `scipy.stats.ttest_1samp`.
pub(crate) fn p_value_mean_zero(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    if values.len() < 2 || values.iter().any(|value| !value.is_finite()) {
        return 1.0;
    }
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let error = (squares / (count - 1.0) / count).sqrt();
    if error == 0.0 {
        return if mean == 0.0 { 1.0 } else { 0.0 };
    }
    (2.0 * student_upper_tail(mean.abs() / error, count - 1.0)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_values_as_in_scipy() {
        // scipy.stats.ttest_1samp([1, 2, 3, 6], 0).pvalue
        assert!((p_value_mean_zero(&[1.0, 2.0, 3.0, 6.0]) - 0.069_136_869_264_428_72).abs() < 1e-12);
        assert_eq!(p_value_mean_zero(&[-1.0, 1.0]), 1.0);
        assert_eq!((p_value_mean_zero(&[2.0, 2.0]), p_value_mean_zero(&[0.0, 0.0])), (0.0, 1.0));
        assert_eq!((p_value_mean_zero(&[2.0]), p_value_mean_zero(&[2.0, f64::NAN])), (1.0, 1.0));
    }
}
