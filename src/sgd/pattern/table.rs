//! Numbers of every (pattern, expert), laid out so that one token's numbers of eight experts are one vector.

use crate::patterns::Pattern;
use aligned_vec::{AVec, ConstAlign};
use pulp::Simd;

/// Experts of a block. The layout is this wide whatever the processor's vectors are.
pub(super) const LANES: usize = 8;

/// Numbers that start on a cache line, so that no vector of them lies on two.
type Aligned = AVec<f64, ConstAlign<64>>;

fn aligned(numbers: usize) -> Aligned {
    AVec::from_iter(64, std::iter::repeat_n(0.0, numbers))
}

/// `FIELDS` numbers of each (pattern, expert), `[d, blocks, FIELDS, 8]`. Experts past k fill the last block.
#[derive(Clone, Debug)]
pub(super) struct Table<const FIELDS: usize> {
    blocks: usize,
    numbers: Aligned,
}

impl<const FIELDS: usize> Table<FIELDS> {
    /// Zeros for `rows` patterns (or whatever a row stands for) and `experts` experts.
    pub(super) fn new(rows: usize, experts: usize) -> Self {
        let blocks = experts.div_ceil(LANES);
        Self { blocks, numbers: aligned(rows * blocks * FIELDS * LANES) }
    }

    /// Experts with a place, those past k among them.
    pub(super) fn places(&self) -> usize {
        self.blocks * LANES
    }

    fn at(&self, row: usize, expert: usize, field: usize) -> usize {
        ((row * self.blocks + expert / LANES) * FIELDS + field) * LANES + expert % LANES
    }

    /// One number.
    pub(super) fn get(&self, row: usize, expert: usize, field: usize) -> f64 {
        self.numbers[self.at(row, expert, field)]
    }

    /// Sets one number.
    pub(super) fn set(&mut self, row: usize, expert: usize, field: usize, value: f64) {
        let at = self.at(row, expert, field);
        self.numbers[at] = value;
    }

    /// One field of all patterns and the first `experts` experts, `[experts, d]`.
    pub(super) fn by_expert(&self, experts: usize, field: usize) -> Vec<f64> {
        let rows = self.numbers.len() / (self.blocks * FIELDS * LANES);
        (0..experts).flat_map(|expert| (0..rows).map(move |row| self.get(row, expert, field))).collect()
    }

    /// The numbers of one block of one row, field after field.
    #[inline(always)]
    pub(super) fn block_mut(&mut self, row: usize, block: usize) -> &mut [f64] {
        &mut self.numbers[(row * self.blocks + block) * FIELDS * LANES..][..FIELDS * LANES]
    }

    /// The numbers of one row.
    #[inline(always)]
    pub(super) fn row(&self, row: usize) -> &[f64] {
        let width = self.blocks * FIELDS * LANES;
        &self.numbers[row * width..][..width]
    }

    /// The table as vectors; see [`vectors_of_block`] for its order.
    #[inline(always)]
    pub(super) fn vectors<S: Simd>(&self) -> &[S::f64s] {
        S::as_simd_f64s(&self.numbers).0
    }

    /// The table as vectors.
    #[inline(always)]
    pub(super) fn vectors_mut<S: Simd>(&mut self) -> &mut [S::f64s] {
        S::as_mut_simd_f64s(&mut self.numbers).0
    }
}

/// Vectors to a block of eight experts: 1 of eight, 2 of four, or 8 of one number.
#[inline(always)]
pub(super) const fn vectors_of_block<S: Simd>() -> usize {
    LANES / S::F64_LANES
}

/// A sample's tokens as numbers of rows of a table.
#[inline(always)]
pub(super) fn rows(tokens: &[Pattern]) -> impl ExactSizeIterator<Item = usize> + Clone {
    tokens.iter().map(|&token| token as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_place_of_its_own() {
        let mut table = Table::<3>::new(5, 11);
        assert_eq!(table.places(), 16);
        let value = |row: usize, expert: usize, field: usize| (row * 100 + expert * 5 + field) as f64;
        for row in 0..5 {
            for expert in 0..16 {
                (0..3).for_each(|field| table.set(row, expert, field, value(row, expert, field)));
            }
        }
        for row in 0..5 {
            for expert in 0..16 {
                (0..3).for_each(|field| assert_eq!(table.get(row, expert, field), value(row, expert, field)));
            }
        }
        assert_eq!(table.by_expert(11, 1)[7 * 5 + 3], value(3, 7, 1));
        assert_eq!(table.block_mut(2, 1)[2 * LANES + 3], value(2, 11, 2));
        assert_eq!(table.row(4)[LANES], value(4, 0, 1));
        assert_eq!(table.numbers.as_ptr() as usize % 64, 0);
    }
}
