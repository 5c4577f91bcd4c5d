//! Median and quantiles, as NumPy computes them by default.

use super::binomial::lower_tail;

/// Quantile of type 7: with `h = (m - 1) q`, the value `v[floor h]` moved towards the next one by
/// the fraction of `h`.
///
/// Range: `sorted` ascending, `q` in \[0, 1\]; `None` for an empty slice or an illegal `q`; any
/// NaN (sorted to an end, as `f64::total_cmp` does) gives NaN. Error: a few roundings. Source:
/// Hyndman and Fan (1996), The American Statistician 50:361–365, definition 7; `numpy.quantile`.
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let (first, last) = (sorted.first()?, sorted.last()?);
    if !(0.0..=1.0).contains(&q) {
        return None;
    }
    if first.is_nan() || last.is_nan() {
        return Some(f64::NAN);
    }
    let position = (sorted.len() - 1) as f64 * q;
    let index = position as usize;
    let fraction = position - index as f64;
    let below = *sorted.get(index)?;
    if fraction == 0.0 {
        return Some(below);
    }
    let above = *sorted.get(index + 1)?;
    Some(if below == above {
        below
    } else if fraction < 0.5 {
        below + (above - below) * fraction
    } else {
        above - (above - below) * (1.0 - fraction)
    })
}

/// Median of values in any order: the middle one, or the mean of the two middle ones.
///
/// Range: any values; `None` for an empty slice, NaN if any value is NaN. Error: two roundings.
/// Source: [`quantile`] at 1/2 of a sorted copy; `numpy.median`.
pub fn median(values: &[f64]) -> Option<f64> {
    if values.iter().any(|v| v.is_nan()) {
        return Some(f64::NAN);
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}

/// Distribution-free interval of a median: the order statistics `r` and `n + 1 - r` with the largest `r` for which
/// `P[Bin(n, 1/2) < r] <= alpha/2`.
///
/// Covers the median with probability at least `1 - alpha` for independent values of one continuous distribution.
/// Range: `alpha` in (0, 1); `None` if there are too few values for any `r`, or a NaN among them. Error: none. Source:
/// Thompson (1936), Annals of Mathematical Statistics 7:122–128.
pub(crate) fn median_interval(values: &[f64], alpha: f64) -> Option<(f64, f64)> {
    if values.iter().any(|v| v.is_nan()) {
        return None;
    }
    let n = values.len();
    let rank = (1..=n.div_ceil(2)).take_while(|&r| lower_tail(r as u64 - 1, n as u64, 0.5) <= alpha / 2.0).last()?;
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some((sorted[rank - 1], sorted[n - rank]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cases_by_hand() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.0), Some(1.0));
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), Some(3.0));
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 1.0), Some(4.0));
    }

    #[test]
    fn illegal_input_is_none_and_nan_stays_nan() {
        assert_eq!(quantile(&[1.0], 1.5), None);
        assert_eq!(quantile(&[1.0], f64::NAN), None);
        assert!(median(&[1.0, f64::NAN, 0.0]).is_some_and(f64::is_nan));
        assert_eq!(quantile(&[1.0, f64::INFINITY], 0.0), Some(1.0));
    }
}
