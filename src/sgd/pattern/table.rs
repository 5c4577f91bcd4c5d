//! Numbers of every (pattern, expert), laid out so that one token's numbers of several experts are one vector.

use aligned_vec::{AVec, ConstAlign};
use pulp::Simd;

/// Numbers that start on a cache line, so that no vector of them lies on two.
type Aligned = AVec<f64, ConstAlign<64>>;

/// Places for experts come in groups of so many at least, whatever the processor's vectors are.
pub(super) const GROUP: usize = 8;

/// `FIELDS` numbers of each (row, expert), `[rows, blocks, FIELDS, lanes]`: a row is a pattern or whatever the owner
/// says, a block the experts of one vector, a group two blocks. Experts past k fill the last group.
#[derive(Clone, Debug)]
pub(super) struct Table<const FIELDS: usize> {
    lanes: usize,
    blocks: usize,
    numbers: Aligned,
}

impl<const FIELDS: usize> Table<FIELDS> {
    /// Zeros for `experts` experts in vectors of `lanes` numbers.
    pub(super) fn new(rows: usize, experts: usize, lanes: usize) -> Self {
        let places = experts.next_multiple_of(GROUP.max(2 * lanes));
        let numbers = AVec::from_iter(64, std::iter::repeat_n(0.0, rows * places * FIELDS));
        Self { lanes, blocks: places / lanes, numbers }
    }

    /// Blocks of a row.
    #[inline(always)]
    pub(super) fn blocks(&self) -> usize {
        self.blocks
    }

    /// Groups of a row.
    #[inline(always)]
    pub(super) fn groups(&self) -> usize {
        self.blocks / 2
    }

    /// Experts with a place, those past k among them.
    pub(super) fn places(&self) -> usize {
        self.blocks * self.lanes
    }

    fn at(&self, row: usize, expert: usize, field: usize) -> usize {
        ((row * self.blocks + expert / self.lanes) * FIELDS + field) * self.lanes + expert % self.lanes
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

    /// One field of all rows and the first `experts` experts, `[experts, rows]`.
    pub(super) fn by_expert(&self, experts: usize, field: usize) -> Vec<f64> {
        let rows = self.numbers.len() / (self.places() * FIELDS);
        (0..experts).flat_map(|expert| (0..rows).map(move |row| self.get(row, expert, field))).collect()
    }

    /// One field of a cell, a block of a row.
    #[inline(always)]
    pub(super) fn field(&self, cell: usize, field: usize) -> &[f64] {
        &self.numbers[(cell * FIELDS + field) * self.lanes..][..self.lanes]
    }

    /// As [`Table::field`].
    #[inline(always)]
    pub(super) fn field_mut(&mut self, cell: usize, field: usize) -> &mut [f64] {
        &mut self.numbers[(cell * FIELDS + field) * self.lanes..][..self.lanes]
    }

    /// The cells as vectors: entry row · blocks + block has the fields of that block. `S` has to have the table's lanes.
    #[inline(always)]
    pub(super) fn cells<S: Simd>(&self) -> &[[S::f64s; FIELDS]] {
        debug_assert_eq!(self.lanes, S::F64_LANES);
        S::as_simd_f64s(&self.numbers).0.as_chunks().0
    }

    /// The cells by two: entry row · groups + group has both blocks of that group.
    #[inline(always)]
    pub(super) fn grouped<S: Simd>(&self) -> &[[[S::f64s; FIELDS]; 2]] {
        self.cells::<S>().as_chunks().0
    }

    /// As [`Table::grouped`].
    #[inline(always)]
    pub(super) fn grouped_mut<S: Simd>(&mut self) -> &mut [[[S::f64s; FIELDS]; 2]] {
        self.cells_mut::<S>().as_chunks_mut().0
    }

    /// As [`Table::cells`].
    #[inline(always)]
    pub(super) fn cells_mut<S: Simd>(&mut self) -> &mut [[S::f64s; FIELDS]] {
        debug_assert_eq!(self.lanes, S::F64_LANES);
        S::as_mut_simd_f64s(&mut self.numbers).0.as_chunks_mut().0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_place_of_its_own() {
        for lanes in [1, 4, 8] {
            let mut table = Table::<3>::new(5, 11, lanes);
            assert_eq!((table.places(), table.blocks(), table.groups()), (16, 16 / lanes, 8 / lanes));
            let value = |row: usize, expert: usize, field: usize| (row * 100 + expert * 5 + field) as f64;
            let all =
                || (0..5).flat_map(|row| (0..16).flat_map(move |expert| (0..3).map(move |field| (row, expert, field))));
            all().for_each(|(row, expert, field)| table.set(row, expert, field, value(row, expert, field)));
            all().for_each(|(row, expert, field)| assert_eq!(table.get(row, expert, field), value(row, expert, field)));
            assert_eq!(table.by_expert(11, 1)[7 * 5 + 3], value(3, 7, 1));
            let cell = 2 * table.blocks() + 9 / lanes;
            assert_eq!(table.field_mut(cell, 2)[9 % lanes], value(2, 9, 2));
            assert_eq!(table.numbers.as_ptr() as usize % 64, 0);
        }
    }
}
