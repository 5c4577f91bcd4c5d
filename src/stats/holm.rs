//! Holm's step-down adjustment: many tests at once, family-wise error at most alpha.

/// Holm-adjusted p-values, in the order of the input.
///
/// With the raw values sorted `p(1) <= ... <= p(m)`, the adjusted value of rank `i` is
/// `max over j <= i of min(1, (m - j + 1) p(j))`; rejecting all adjusted values at most `alpha`
/// keeps the probability of any false rejection at most `alpha` under every dependence.
///
/// Range: values in \[0, 1\]; values outside are clamped into it and NaN counts as 1. Error: one
/// rounding. Source: Holm (1979), Scandinavian Journal of Statistics 6:65–70.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let raw: Vec<f64> = p_values.iter().map(|&p| legal(p)).collect();
    let mut order: Vec<usize> = (0..raw.len()).collect();
    order.sort_by(|&i, &j| raw[i].total_cmp(&raw[j]));
    let mut adjusted = vec![1.0; raw.len()];
    let mut running = 0.0_f64;
    for (rank, &index) in order.iter().enumerate() {
        let remaining = (raw.len() - rank) as f64;
        running = running.max(remaining * raw[index]).min(1.0);
        adjusted[index] = running;
    }
    adjusted
}

/// The value itself in \[0, 1\], the nearer end outside, 1 for NaN.
fn legal(p: f64) -> f64 {
    if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_by_hand() {
        // Sorted 0.01, 0.02, 0.03, 0.5: times 4, 3, 2, 1 gives 0.04, 0.06, 0.06, 0.5.
        let adjusted = holm(&[0.5, 0.03, 0.01, 0.02]);
        for (got, expected) in adjusted.iter().zip([0.5, 0.06, 0.04, 0.06]) {
            assert!((got - expected).abs() < 1e-15, "{adjusted:?}");
        }
    }

    #[test]
    fn nan_counts_as_one_and_enlarges_the_family() {
        let adjusted = holm(&[0.01, f64::NAN]);
        assert_eq!(adjusted, vec![0.02, 1.0]);
        assert_eq!(holm(&[]), Vec::<f64>::new());
        assert_eq!(holm(&[-0.5, 3.0]), vec![0.0, 1.0]);
    }
}
