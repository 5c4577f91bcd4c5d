//! The l-th largest score of a sample's tokens, for a vector of experts at a time.
//!
//! Groups of L tokens (L = 2, 4, 8 or 16, the smallest that is at least l) are sorted by a network of comparators, a
//! minimum and a maximum each, and merged into the best L so far: of two lists of L, one in descending and one in
//! ascending order, the L larger of each pair are the L largest of all and form a bitonic list (Batcher, *Sorting
//! networks and their applications*, 1968). For 16 tokens and l = 4 that takes 71 minima and maxima, where insertion
//! into a sorted list takes 116.

use pulp::Simd;

/// Puts the larger of each named pair of `$list` first.
macro_rules! compare {
    ($simd:ident, $list:ident, $($a:literal $b:literal),*) => {
        $(
            let (a, b) = ($list[$a], $list[$b]);
            $list[$a] = $simd.max_f64s(a, b);
            $list[$b] = $simd.min_f64s(a, b);
        )*
    };
}

/// A list length with networks of its own.
pub(super) trait Length<S: Simd>: AsMut<[S::f64s]> + AsRef<[S::f64s]> + Copy {
    /// L.
    const LENGTH: usize;
    /// L times the same.
    fn filled(value: S::f64s) -> Self;
    /// Sorts in descending order.
    fn sort(&mut self, simd: S);
    /// Sorts a bitonic list in descending order.
    fn sort_bitonic(&mut self, simd: S);
}

macro_rules! length {
    ($length:literal, $sort:tt, $bitonic:tt) => {
        impl<S: Simd> Length<S> for [S::f64s; $length] {
            const LENGTH: usize = $length;
            #[inline(always)]
            fn filled(value: S::f64s) -> Self {
                [value; $length]
            }
            #[inline(always)]
            fn sort(&mut self, simd: S) {
                length!(@network simd, self, $sort);
            }
            #[inline(always)]
            fn sort_bitonic(&mut self, simd: S) {
                length!(@network simd, self, $bitonic);
            }
        }
    };
    (@network $simd:ident, $list:ident, [$($a:literal $b:literal),*]) => { compare!($simd, $list, $($a $b),*) };
}

length!(2, [0 1], [0 1]);
length!(4, [0 1, 2 3, 0 2, 1 3, 1 2], [0 2, 1 3, 0 1, 2 3]);
length!(
    8,
    [0 1, 2 3, 4 5, 6 7, 0 2, 1 3, 4 6, 5 7, 1 2, 5 6, 0 4, 1 5, 2 6, 3 7, 2 4, 3 5, 1 2, 3 4, 5 6],
    [0 4, 1 5, 2 6, 3 7, 0 2, 1 3, 4 6, 5 7, 0 1, 2 3, 4 5, 6 7]
);
length!(
    16,
    [
        0 1, 2 3, 4 5, 6 7, 8 9, 10 11, 12 13, 14 15, 0 2, 1 3, 4 6, 5 7, 8 10, 9 11, 12 14, 13 15, 1 2, 5 6, 9 10,
        13 14, 0 4, 1 5, 2 6, 3 7, 8 12, 9 13, 10 14, 11 15, 2 4, 3 5, 10 12, 11 13, 1 2, 3 4, 5 6, 9 10, 11 12, 13 14,
        0 8, 1 9, 2 10, 3 11, 4 12, 5 13, 6 14, 7 15, 4 8, 5 9, 6 10, 7 11, 2 4, 3 5, 6 8, 7 9, 10 12, 11 13, 1 2, 3 4,
        5 6, 7 8, 9 10, 11 12, 13 14
    ],
    [
        0 8, 1 9, 2 10, 3 11, 4 12, 5 13, 6 14, 7 15, 0 4, 1 5, 2 6, 3 7, 8 12, 9 13, 10 14, 11 15, 0 2, 1 3, 4 6, 5 7,
        8 10, 9 11, 12 14, 13 15, 0 1, 2 3, 4 5, 6 7, 8 9, 10 11, 12 13, 14 15
    ]
);

/// The l-th largest of `scores`, 1 ≤ l ≤ their number, lane by lane. `lists` is scratch for lists longer than 16.
#[inline(always)]
pub(super) fn lth_largest<S: Simd>(
    simd: S,
    l: usize,
    scores: impl ExactSizeIterator<Item = S::f64s>,
    lists: &mut Vec<S::f64s>,
) -> S::f64s {
    match l {
        1 | 2 => by_networks::<S, [S::f64s; 2]>(simd, l, scores),
        3 | 4 => by_networks::<S, [S::f64s; 4]>(simd, l, scores),
        5..=8 => by_networks::<S, [S::f64s; 8]>(simd, l, scores),
        9..=16 => by_networks::<S, [S::f64s; 16]>(simd, l, scores),
        _ => by_insertion(simd, l, scores, lists),
    }
}

#[inline(always)]
fn by_networks<S: Simd, L: Length<S>>(
    simd: S,
    l: usize,
    mut scores: impl ExactSizeIterator<Item = S::f64s>,
) -> S::f64s {
    let lowest = simd.splat_f64s(f64::NEG_INFINITY);
    let mut best = next_group::<S, L>(lowest, &mut scores);
    best.sort(simd);
    while scores.len() > 0 {
        let mut group = next_group::<S, L>(lowest, &mut scores);
        group.sort(simd);
        for (best, &other) in best.as_mut().iter_mut().zip(group.as_ref().iter().rev()) {
            *best = simd.max_f64s(*best, other);
        }
        if scores.len() == 0 && l == L::LENGTH {
            return best.as_ref()[1..].iter().fold(best.as_ref()[0], |least, &other| simd.min_f64s(least, other));
        }
        best.sort_bitonic(simd);
    }
    best.as_ref()[l - 1]
}

/// The next L scores, −∞ where there are no more.
#[inline(always)]
fn next_group<S: Simd, L: Length<S>>(lowest: S::f64s, scores: &mut impl ExactSizeIterator<Item = S::f64s>) -> L {
    let mut group = L::filled(lowest);
    if scores.len() >= L::LENGTH {
        // The usual case without a test for every score.
        for place in group.as_mut() {
            *place = scores.next().unwrap_or(lowest);
        }
    } else {
        group.as_mut().iter_mut().zip(scores).for_each(|(place, score)| *place = score);
    }
    group
}

#[inline(always)]
fn by_insertion<S: Simd>(simd: S, l: usize, scores: impl Iterator<Item = S::f64s>, list: &mut Vec<S::f64s>) -> S::f64s {
    list.clear();
    list.resize(l, simd.splat_f64s(f64::NEG_INFINITY));
    for mut entering in scores {
        for place in list.iter_mut() {
            let kept = simd.max_f64s(*place, entering);
            entering = simd.min_f64s(*place, entering);
            *place = kept;
        }
    }
    list[l - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;
    use proptest::prelude::*;
    use pulp::WithSimd;

    struct Find<'a>(&'a [[f64; 8]], usize);

    impl WithSimd for Find<'_> {
        type Output = Vec<f64>;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
            let Find(scores, l) = self;
            let vectors = 8 / S::F64_LANES;
            let mut found = vec![0.0; 8];
            for vector in 0..vectors {
                let of_vector = scores.iter().map(|scores| S::as_simd_f64s(scores).0[vector]);
                S::as_mut_simd_f64s(&mut found).0[vector] = lth_largest(simd, l, of_vector, &mut Vec::new());
            }
            found
        }
    }

    /// By the zero–one principle a network that sorts all lists of zeros and ones sorts every list.
    #[test]
    fn the_networks_sort_all_zeros_and_ones() {
        for n in [2usize, 4, 8, 16] {
            for first in (0..1usize << n).step_by(8) {
                let scores: Vec<[f64; 8]> =
                    (0..n).map(|token| std::array::from_fn(|lane| ((first + lane) >> token & 1) as f64)).collect();
                for l in 1..=n {
                    let found = Level::best().run(Find(&scores, l));
                    for (lane, found) in found.into_iter().enumerate().take(1 << n) {
                        let ones = (first + lane).count_ones() as usize;
                        assert_eq!(found, f64::from(u8::from(ones >= l)), "{n} {l} {first}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_lth_largest_is_that_of_a_sort(
            (scores, l) in prop::collection::vec(prop::array::uniform8(-20i32..20), 1..60)
                .prop_flat_map(|scores| { let n = scores.len(); (Just(scores), 1..=n) }),
        ) {
            let scores: Vec<[f64; 8]> = scores.iter().map(|scores| scores.map(f64::from)).collect();
            for level in Level::available() {
                let found = level.run(Find(&scores, l));
                for lane in 0..8 {
                    let mut sorted: Vec<f64> = scores.iter().map(|scores| scores[lane]).collect();
                    sorted.sort_by(|a, b| b.total_cmp(a));
                    prop_assert_eq!(found[lane], sorted[l - 1], "{}", level.name());
                }
            }
        }
    }
}
