//! Top-l selection for eight experts at a time, on integer ranks.
//!
//! A token's key at an expert is its pattern's rank among the expert's scores (tied scores share a rank), shifted left,
//! with the reversed position in the low bits. Keys of one sample are all different, a larger key is a better token, and
//! a tie goes to the smallest position: the exact rule of the theory, by integer comparisons alone. Eight experts fill
//! one 128-bit vector of 16-bit keys, which every x86-64 machine has, so the plain loops below become vector code.

use crate::patterns::Pattern;

/// Experts that are selected for together.
pub const LANES: usize = 8;

/// An integer wide enough for rank and position.
trait Key: Copy + Ord + std::ops::BitOr<Output = Self> {
    const LOWEST: Self;
    fn pack(value: u32) -> Self;
    fn unpack(self) -> u32;
}

impl Key for i16 {
    const LOWEST: Self = i16::MIN;
    fn pack(value: u32) -> Self {
        value as i16
    }
    fn unpack(self) -> u32 {
        self as u32
    }
}

impl Key for i32 {
    const LOWEST: Self = i32::MIN;
    fn pack(value: u32) -> Self {
        value as i32
    }
    fn unpack(self) -> u32 {
        self as u32
    }
}

/// The keys of all experts and patterns, and the selection on them.
#[derive(Clone, Debug)]
pub struct Selector {
    experts: usize,
    patterns: usize,
    tokens_per_expert: usize,
    /// Low bits of a key: they hold the reversed position of a token.
    position_bits: u32,
    keys: Keys,
}

/// Keys by block of [`LANES`] experts and pattern, `[blocks, d]`.
#[derive(Clone, Debug)]
enum Keys {
    Narrow(Vec<[i16; LANES]>),
    Wide(Vec<[i32; LANES]>),
}

impl Selector {
    /// A selector with every rank 0. Uses 16-bit keys where d·n fits, 32-bit keys otherwise.
    pub fn new(experts: usize, patterns: usize, tokens: usize, tokens_per_expert: usize) -> Self {
        let position_bits = tokens.next_power_of_two().trailing_zeros();
        let rows = experts.div_ceil(LANES) * patterns;
        let keys = if patterns << position_bits <= 1 << 15 {
            Keys::Narrow(vec![[0; LANES]; rows])
        } else {
            Keys::Wide(vec![[0; LANES]; rows])
        };
        Self { experts, patterns, tokens_per_expert, position_bits, keys }
    }

    /// Sets the rank of a pattern at an expert; larger is better, tied scores share a rank.
    pub fn set_rank(&mut self, expert: usize, pattern: usize, rank: usize) {
        let row = expert / LANES * self.patterns + pattern;
        let key = (rank as u32) << self.position_bits;
        match &mut self.keys {
            Keys::Narrow(keys) => keys[row][expert % LANES] = i16::pack(key),
            Keys::Wide(keys) => keys[row][expert % LANES] = i32::pack(key),
        }
    }

    /// For every expert the cells (pattern · k + expert) of its l chosen tokens, best first, into `chosen`, `[k, l]`.
    pub fn select(&self, tokens: &[Pattern], chosen: &mut [u32]) {
        match &self.keys {
            Keys::Narrow(keys) => self.select_with(keys, tokens, chosen),
            Keys::Wide(keys) => self.select_with(keys, tokens, chosen),
        }
    }

    fn select_with<K: Key>(&self, keys: &[[K; LANES]], tokens: &[Pattern], chosen: &mut [u32]) {
        // The usual numbers of chosen tokens get code of their own, with all lists in registers.
        match self.tokens_per_expert {
            2 => self.select_fixed::<K, 2>(keys, tokens, chosen),
            3 => self.select_fixed::<K, 3>(keys, tokens, chosen),
            4 => self.select_fixed::<K, 4>(keys, tokens, chosen),
            6 => self.select_fixed::<K, 6>(keys, tokens, chosen),
            8 => self.select_fixed::<K, 8>(keys, tokens, chosen),
            _ => self.select_any(keys, tokens, chosen),
        }
    }

    fn select_fixed<K: Key, const L: usize>(&self, keys: &[[K; LANES]], tokens: &[Pattern], chosen: &mut [u32]) {
        for (block, rows) in keys.chunks_exact(self.patterns).enumerate() {
            let mut best = [[K::LOWEST; LANES]; L];
            self.scan(rows, tokens, &mut best);
            self.write(block, &best, tokens, chosen);
        }
    }

    fn select_any<K: Key>(&self, keys: &[[K; LANES]], tokens: &[Pattern], chosen: &mut [u32]) {
        let mut best = vec![[K::LOWEST; LANES]; self.tokens_per_expert];
        for (block, rows) in keys.chunks_exact(self.patterns).enumerate() {
            best.fill([K::LOWEST; LANES]);
            self.scan(rows, tokens, &mut best);
            self.write(block, &best, tokens, chosen);
        }
    }

    /// Inserts each token's keys into the sorted lists of a block's experts.
    #[inline(always)]
    fn scan<K: Key>(&self, rows: &[[K; LANES]], tokens: &[Pattern], best: &mut [[K; LANES]]) {
        let last = (1u32 << self.position_bits) - 1;
        for (position, &token) in tokens.iter().enumerate() {
            let reversed = K::pack(last - position as u32);
            let mut entering = rows[token as usize].map(|key| key | reversed);
            for list in best.iter_mut() {
                for lane in 0..LANES {
                    let (kept, moved) = (list[lane].max(entering[lane]), list[lane].min(entering[lane]));
                    list[lane] = kept;
                    entering[lane] = moved;
                }
            }
        }
    }

    /// Turns the winning keys into cells.
    #[inline(always)]
    fn write<K: Key>(&self, block: usize, best: &[[K; LANES]], tokens: &[Pattern], chosen: &mut [u32]) {
        let last = (1u32 << self.position_bits) - 1;
        let first = block * LANES;
        let experts = LANES.min(self.experts - first);
        let chosen = &mut chosen[first * best.len()..][..experts * best.len()];
        for (lane, cells) in chosen.chunks_exact_mut(best.len()).enumerate() {
            for (cell, keys) in cells.iter_mut().zip(best) {
                let position = last - (keys[lane].unpack() & last);
                *cell = tokens[position as usize] * self.experts as u32 + (first + lane) as u32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moe::routing::choose_tokens;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_selection_is_the_definition_s(
            (n, l) in (2usize..40).prop_flat_map(|n| (Just(n), 2..=n.min(12))),
            d in 2usize..900,
            experts in 1usize..20,
            levels in 1usize..900,
            seed in any::<u64>(),
        ) {
            use rand::{RngExt, SeedableRng};
            let mut generator = chacha20::ChaCha8Rng::seed_from_u64(seed);
            let ranks: Vec<Vec<usize>> =
                (0..experts).map(|_| (0..d).map(|_| generator.random_range(0..levels.min(d))).collect()).collect();
            let tokens: Vec<Pattern> = (0..n).map(|_| generator.random_range(0..d as u32)).collect();
            let mut selector = Selector::new(experts, d, n, l);
            for (expert, ranks) in ranks.iter().enumerate() {
                for (pattern, &rank) in ranks.iter().enumerate() {
                    selector.set_rank(expert, pattern, rank);
                }
            }
            let mut chosen = vec![0; experts * l];
            selector.select(&tokens, &mut chosen);
            let mut expected = Vec::new();
            for (expert, ranks) in ranks.iter().enumerate() {
                let scores: Vec<f64> = tokens.iter().map(|&token| ranks[token as usize] as f64).collect();
                choose_tokens(&scores, l, &mut expected);
                for (h, &position) in expected.iter().enumerate() {
                    prop_assert_eq!(chosen[expert * l + h] as usize, tokens[position] as usize * experts + expert);
                }
            }
        }
    }
}
