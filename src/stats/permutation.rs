//! The permutation test of a group's mean.

use chacha20::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

/// Up to so many groups are all looked at; of more, [`DRAWS`] are drawn.
const MOST_ENUMERATED: usize = 20_000;

/// Groups drawn where there are too many.
const DRAWS: usize = 9_999;

/// P[the sum over a group of as many, drawn by chance, is at least that of this group]: the p-value of "the group's values
/// are larger" against "which values are in the group is chance" (Fisher 1935; Phipson and Smyth 2010 for the draws, among
/// which the group itself is counted). Exact where there are at most 20,000 groups. `None` if the group is empty or all.
///
/// Sums within 10⁻¹² of the values' scale count as equal, which only makes the p-value larger.
pub fn p_value_group_larger(values: &[f64], in_group: &[bool], seed: u64) -> Option<f64> {
    let size = in_group.iter().filter(|&&is_in| is_in).count();
    if size == 0 || size >= values.len() || values.len() != in_group.len() {
        return None;
    }
    let observed: f64 = values.iter().zip(in_group).filter(|(_, is_in)| **is_in).map(|(value, _)| value).sum();
    let scale: f64 = values.iter().map(|value| value.abs()).sum();
    let is_as_large = |sum: f64| sum >= observed - 1e-12 * scale;
    if count_groups(values.len(), size).is_some() {
        let (mut large, mut all) = (0u32, 0u32);
        each_group(values.len(), size, |group| {
            all += 1;
            large += u32::from(is_as_large(group.iter().map(|&member| values[member]).sum()));
        });
        return Some(f64::from(large) / f64::from(all));
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut shuffled = values.to_vec();
    let large = (0..DRAWS).filter(|_| is_as_large(drawn_sum(&mut shuffled, size, &mut random))).count();
    Some((large + 1) as f64 / (DRAWS + 1) as f64)
}

fn drawn_sum(values: &mut [f64], size: usize, random: &mut impl Rng) -> f64 {
    values.partial_shuffle(random, size).0.iter().sum()
}

/// Groups of this size, if they are few enough to look at.
fn count_groups(values: usize, size: usize) -> Option<usize> {
    (0..size.min(values - size)).try_fold(1usize, |count, chosen| {
        let count = count.checked_mul(values - chosen)? / (chosen + 1);
        (count <= MOST_ENUMERATED).then_some(count)
    })
}

/// Calls a function with every group, in lexicographic order.
fn each_group(values: usize, size: usize, mut look: impl FnMut(&[usize])) {
    let mut group: Vec<usize> = (0..size).collect();
    loop {
        look(&group);
        let last = |place: usize| values - size + place;
        let Some(place) = (0..size).rev().find(|&place| group[place] < last(place)) else { return };
        group[place] += 1;
        for next in place + 1..size {
            group[next] = group[next - 1] + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_value_by_hand() {
        // Of the 10 groups of two, only this one has a sum of 9 or more.
        let group = [false, false, false, true, true];
        assert_eq!(p_value_group_larger(&[1.0, 2.0, 3.0, 4.0, 5.0], &group, 0), Some(0.1));
        assert_eq!(p_value_group_larger(&[1.0; 5], &group, 0), Some(1.0));
        assert_eq!(p_value_group_larger(&[1.0; 5], &[false; 5], 0), None);
        assert_eq!(p_value_group_larger(&[1.0; 5], &[true; 5], 0), None);
    }

    #[test]
    fn draws_agree_with_enumeration() {
        // 24 choose 6 = 134,596 groups are drawn, 18 choose 3 = 816 are enumerated.
        let values: Vec<f64> = (0..24).map(|value| f64::from(value * 7 % 24)).collect();
        let group: Vec<bool> = (0..24).map(|value| value < 6).collect();
        let drawn = p_value_group_larger(&values, &group, 1).expect("a group");
        let mut large = 0;
        each_group(24, 6, |members| {
            let sum: f64 = members.iter().map(|&member| values[member]).sum();
            large += u32::from(sum >= values[..6].iter().sum::<f64>());
        });
        let exact = f64::from(large) / 134_596.0;
        // Six standard deviations of the draw.
        assert!((drawn - exact).abs() < 6.0 * (exact * (1.0 - exact) / 9_999.0).sqrt(), "{drawn} {exact}");
        assert!(count_groups(18, 3) == Some(816) && count_groups(24, 6).is_none());
    }
}
