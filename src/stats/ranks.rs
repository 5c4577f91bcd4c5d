//! Ranks: how well a score tells two groups apart, and how far two scores agree in order.

/// `P[a > b] + ½ P[a = b]` for a of `above` and b of `below`, drawn at random: the area under the ROC curve (Mann and
/// Whitney 1947). `None` if either is empty.
pub(crate) fn auc(above: &[f64], below: &[f64]) -> Option<f64> {
    let pairs = above.iter().flat_map(|a| below.iter().map(move |b| (a, b)));
    let wins: f64 = pairs.map(|(a, b)| if a > b { 1.0 } else { f64::from(u8::from(a == b)) / 2.0 }).sum();
    let count = (above.len() * below.len()) as f64;
    (count > 0.0).then(|| wins / count)
}

/// Ranks from 1, ties at their mean rank.
pub(crate) fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let smaller = values.iter().filter(|other| *other < value).count() as f64;
        let equal = values.iter().filter(|other| *other == value).count() as f64;
        smaller + (equal + 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

/// Spearman's rank correlation: the correlation of the ranks. `None` if one of them is constant, or not of equal length.
pub(crate) fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() as f64 + 1.0) / 2.0;
    let sum = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>();
    let scale = (sum(&a, &a) * sum(&b, &b)).sqrt();
    (a.len() == b.len() && scale > 0.0).then(|| sum(&a, &b) / scale)
}

/// Kendall's τ_b: pairs in the same order less pairs in opposite order, over √(pairs untied in a · pairs untied in b) (Kendall
/// 1945). `None` if one of them is constant, or not of equal length.
pub fn kendall(a: &[f64], b: &[f64]) -> Option<f64> {
    let order = |x: f64, y: f64| f64::from(i8::from(x > y) - i8::from(x < y));
    let (mut agreement, mut untied_a, mut untied_b) = (0.0, 0.0, 0.0);
    for (i, (&a_i, &b_i)) in a.iter().zip(b).enumerate() {
        for (&a_j, &b_j) in a.iter().zip(b).take(i) {
            let (in_a, in_b) = (order(a_i, a_j), order(b_i, b_j));
            agreement += in_a * in_b;
            untied_a += in_a * in_a;
            untied_b += in_b * in_b;
        }
    }
    let scale = (untied_a * untied_b).sqrt();
    (a.len() == b.len() && scale > 0.0).then(|| agreement / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_made_and_reference_values() {
        assert_eq!(auc(&[3.0, 2.0], &[1.0, 2.0]), Some(0.875));
        assert_eq!(auc(&[], &[1.0]), None);
        assert_eq!(ranks(&[0.5, -1.0, 0.5, 2.0]), [2.5, 1.0, 2.5, 4.0]);
        // scipy.stats.spearmanr([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]).statistic
        let rho = spearman(&[1.0, 2.0, 3.0, 4.0, 5.0], &[5.0, 6.0, 7.0, 8.0, 7.0]).unwrap_or(0.0);
        assert!((rho - 0.8207826816681233).abs() < 1e-15);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
        // scipy.stats.kendalltau([12, 2, 1, 12, 2], [1, 4, 7, 1, 0]).statistic
        let tau = kendall(&[12.0, 2.0, 1.0, 12.0, 2.0], &[1.0, 4.0, 7.0, 1.0, 0.0]).unwrap_or(0.0);
        assert!((tau - -0.47140452079103173).abs() < 1e-15);
        assert_eq!((kendall(&[1.0, 1.0], &[1.0, 2.0]), kendall(&[1.0], &[1.0, 2.0])), (None, None));
    }
}
