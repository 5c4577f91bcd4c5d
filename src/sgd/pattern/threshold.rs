//! The l-th largest key of a sample's tokens, for a vector of experts at a time.
//!
//! Groups of L tokens (L = 2, 4, 8 or 16, the smallest that is at least l) are sorted by a network of comparators, a
//! minimum and a maximum each, and merged into the best L so far: of two lists of L, one in descending and one in
//! ascending order, the L larger of each pair are the L largest of all and form a bitonic list (Batcher, *Sorting
//! networks and their applications*, 1968). For 16 tokens and l = 4 that takes 71 minima and maxima, where insertion
//! into a sorted list takes 116.

use crate::simd::Lanes;

/// The l-th largest key and how many of the l largest are above it, lane by lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Threshold<K> {
    /// The l-th largest key.
    pub(super) key: K,
    /// How many keys are above it: l − 1, or fewer where keys tie on it.
    pub(super) above: K,
}

/// Puts the larger of each named pair of `$list` first.
macro_rules! compare {
    ($simd:ident, $list:ident, $($a:literal $b:literal),*) => {
        $(
            let (a, b) = ($list[$a], $list[$b]);
            $list[$a] = $simd.max_keys(a, b);
            $list[$b] = $simd.min_keys(a, b);
        )*
    };
}

/// A list length with networks of its own.
pub(super) trait Length<S: Lanes>: AsMut<[S::Keys]> + AsRef<[S::Keys]> + Copy {
    /// L.
    const LENGTH: usize;
    /// L times the same.
    fn filled(value: S::Keys) -> Self;
    /// Sorts in descending order.
    fn sort(&mut self, simd: S);
    /// Sorts a bitonic list in descending order.
    fn sort_bitonic(&mut self, simd: S);
}

macro_rules! length {
    ($length:literal, $sort:tt, $bitonic:tt) => {
        impl<S: Lanes> Length<S> for [S::Keys; $length] {
            const LENGTH: usize = $length;
            #[inline(always)]
            fn filled(value: S::Keys) -> Self {
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

/// The l-th largest of `keys`, 1 ≤ l ≤ their number, lane by lane. `list` is scratch for lists longer than 16.
#[inline(always)]
pub(super) fn lth_largest<S: Lanes>(
    simd: S,
    l: usize,
    keys: impl ExactSizeIterator<Item = S::Keys>,
    list: &mut Vec<S::Keys>,
) -> Threshold<S::Keys> {
    match l {
        1 | 2 => by_networks::<S, [S::Keys; 2]>(simd, l, keys),
        3 | 4 => by_networks::<S, [S::Keys; 4]>(simd, l, keys),
        5..=8 => by_networks::<S, [S::Keys; 8]>(simd, l, keys),
        9..=16 => by_networks::<S, [S::Keys; 16]>(simd, l, keys),
        _ => by_insertion(simd, l, keys, list),
    }
}

#[inline(always)]
fn by_networks<S: Lanes, L: Length<S>>(
    simd: S,
    l: usize,
    mut keys: impl ExactSizeIterator<Item = S::Keys>,
) -> Threshold<S::Keys> {
    let lowest = simd.splat_keys(f32::NEG_INFINITY);
    let mut best = next_group::<S, L>(lowest, &mut keys);
    best.sort(simd);
    while keys.len() > 0 {
        let mut group = next_group::<S, L>(lowest, &mut keys);
        group.sort(simd);
        for (best, &other) in best.as_mut().iter_mut().zip(group.as_ref().iter().rev()) {
            *best = simd.max_keys(*best, other);
        }
        if keys.len() == 0 && l == L::LENGTH {
            let best = best.as_ref();
            let smallest = best[1..].iter().fold(best[0], |least, &other| simd.min_keys(least, other));
            return threshold(simd, best, smallest);
        }
        best.sort_bitonic(simd);
    }
    threshold(simd, &best.as_ref()[..l], best.as_ref()[l - 1])
}

/// Of the l largest keys and the smallest of these.
#[inline(always)]
fn threshold<S: Lanes>(simd: S, largest: &[S::Keys], key: S::Keys) -> Threshold<S::Keys> {
    let none = simd.splat_keys(0.0);
    let above = largest.iter().fold(none, |count, &other| simd.count_chosen(count, simd.above(other, key)));
    Threshold { key, above }
}

/// The next L keys, −∞ where there are no more.
#[inline(always)]
fn next_group<S: Lanes, L: Length<S>>(lowest: S::Keys, keys: &mut impl ExactSizeIterator<Item = S::Keys>) -> L {
    let mut group = L::filled(lowest);
    if keys.len() >= L::LENGTH {
        // The usual case without a test for every key.
        for place in group.as_mut() {
            *place = keys.next().unwrap_or(lowest);
        }
    } else {
        group.as_mut().iter_mut().zip(keys).for_each(|(place, key)| *place = key);
    }
    group
}

#[inline(always)]
fn by_insertion<S: Lanes>(
    simd: S,
    l: usize,
    keys: impl Iterator<Item = S::Keys>,
    list: &mut Vec<S::Keys>,
) -> Threshold<S::Keys> {
    list.clear();
    list.resize(l, simd.splat_keys(f32::NEG_INFINITY));
    for mut entering in keys {
        for place in list.iter_mut() {
            let kept = simd.max_keys(*place, entering);
            entering = simd.min_keys(*place, entering);
            *place = kept;
        }
    }
    threshold(simd, list, list[l - 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Kernel, Level};
    use proptest::prelude::*;

    /// Keys of 16 experts.
    struct Find<'a>(&'a [[f32; 16]], usize);

    impl Kernel for Find<'_> {
        type Output = Vec<(f32, f32)>;
        #[inline(always)]
        fn run<S: Lanes>(self, simd: S) -> Vec<(f32, f32)> {
            let Find(keys, l) = self;
            let lanes = |vector: S::Keys| (0..2 * S::F64_LANES).map(move |lane| key::<S>(vector, lane));
            let mut found = Vec::new();
            for vector in 0..8 / S::F64_LANES {
                let of_vector = keys.iter().map(|keys| S::as_keys(keys)[vector]);
                let Threshold { key, above } = lth_largest(simd, l, of_vector, &mut Vec::new());
                found.extend(lanes(key).zip(lanes(above)));
            }
            found
        }
    }

    /// One lane of a vector of keys.
    fn key<S: Lanes>(vector: S::Keys, lane: usize) -> f32 {
        let mut numbers = [0.0; 16];
        S::as_mut_keys(&mut numbers)[0] = vector;
        numbers[lane]
    }

    /// By the zero–one principle a network that sorts all lists of zeros and ones sorts every list.
    #[test]
    fn the_networks_sort_all_zeros_and_ones() {
        for n in [2usize, 4, 8, 16] {
            for first in (0..1usize << n).step_by(16) {
                let keys: Vec<[f32; 16]> =
                    (0..n).map(|token| std::array::from_fn(|lane| ((first + lane) >> token & 1) as f32)).collect();
                for l in 1..=n {
                    let found = Level::best().run(Find(&keys, l));
                    for (lane, found) in found.into_iter().enumerate().take(1 << n) {
                        let ones = (first + lane).count_ones() as usize;
                        let (key, above) = if ones >= l { (1.0, 0.0) } else { (0.0, ones as f32) };
                        assert_eq!(found, (key, above), "{n} {l} {first}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_lth_largest_is_that_of_a_sort(
            (keys, l) in prop::collection::vec(prop::array::uniform16(-20i16..20), 1..60)
                .prop_flat_map(|keys| { let n = keys.len(); (Just(keys), 1..=n) }),
        ) {
            let keys: Vec<[f32; 16]> = keys.iter().map(|keys| keys.map(f32::from)).collect();
            for level in Level::available() {
                let found = level.run(Find(&keys, l));
                for (lane, &(key, above)) in found.iter().enumerate() {
                    let mut sorted: Vec<f32> = keys.iter().map(|keys| keys[lane]).collect();
                    sorted.sort_by(|a, b| b.total_cmp(a));
                    prop_assert_eq!(key, sorted[l - 1], "{}", level.name());
                    let expected = sorted.iter().filter(|&&other| other > key).count();
                    prop_assert_eq!(above, expected as f32, "{}", level.name());
                }
            }
        }
    }
}
