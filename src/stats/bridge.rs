//! How far a random order of equally many plus and minus ones strays from balance.

/// `P[max over j of |S_j| <= most]`, `S_j` the partial sums of a uniformly random order of `half` plus ones and `half`
/// minus ones (a discrete bridge: it starts and ends at 0).
///
/// Range: any; 1 for `half = 0` and for `most >= half`. Relative error about `half` roundings. Source: the walk itself,
/// step by step; its limit for large `half` is Kolmogorov's distribution of `most/sqrt(2 half)` (Kolmogorov 1933).
pub fn bridge_within(half: u64, most: u64) -> f64 {
    if most >= half {
        return 1.0;
    }
    let (half, most) = (half as usize, most as usize);
    // Entry s + most: the probability of standing at s and never having left the strip.
    let mut inside = vec![0.0; 2 * most + 1];
    inside[most] = 1.0;
    for step in 0..2 * half {
        let mut next = vec![0.0; inside.len()];
        for (place, probability) in inside.iter().enumerate().filter(|(_, probability)| **probability > 0.0) {
            // Plus ones drawn so far exceed the minus ones by s, and together they are `step`.
            let plus_left = half as f64 - (step as f64 + place as f64 - most as f64) / 2.0;
            let up = plus_left / (2 * half - step) as f64;
            if place + 1 < next.len() {
                next[place + 1] += probability * up;
            }
            if place > 0 {
                next[place - 1] += probability * (1.0 - up);
            }
        }
        inside = next;
    }
    inside[most]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By enumeration of all orders.
    fn counted(half: u32, most: i32) -> f64 {
        let (mut all, mut within) = (0, 0);
        for order in (0_u32..1 << (2 * half)).filter(|order| order.count_ones() == half) {
            let mut sum = 0;
            all += 1;
            within += u32::from((0..2 * half).all(|step| {
                sum += if order >> step & 1 == 1 { 1 } else { -1 };
                i32::abs(sum) <= most
            }));
        }
        f64::from(within) / f64::from(all)
    }

    #[test]
    fn it_is_the_share_of_all_orders() {
        for half in 0..=6 {
            for most in 0..=7 {
                let (found, expected) = (bridge_within(half, most), counted(half as u32, most as i32));
                assert!((found - expected).abs() < 1e-14, "{half} {most}: {found} {expected}");
            }
        }
    }

    #[test]
    fn many_steps_approach_kolmogorovs_distribution() {
        // 1 − 2 Σ (−1)^(j−1) exp(−2 j² x²) at x = 1 is 0.7300003283; the walk of 2·5000 steps must stay within 100.
        assert!((bridge_within(5000, 100) - 0.7300).abs() < 0.015);
    }
}
