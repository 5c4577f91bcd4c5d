//! The activation range of each expert, known exactly only when it matters.

use super::table::Table;
use super::tables::{VALUES, value};
use pulp::Simd;

/// Fields of the bounds of an expert: no σ is above `HIGH` or below `LOW`; `HIGH_MET` and `LOW_MET` are 1 where some σ is
/// known to be there, else 0.
mod bound {
    pub(super) const HIGH: usize = 0;
    pub(super) const LOW: usize = 1;
    pub(super) const HIGH_MET: usize = 2;
    pub(super) const LOW_MET: usize = 3;
}

const BOUNDS: usize = 4;

/// The bounds of a block of experts.
#[derive(Clone, Copy)]
pub(super) struct Bounds<S: Simd>([S::f64s; BOUNDS]);

impl<S: Simd> Bounds<S> {
    /// σ of one pattern was `before` and is `after`.
    #[inline(always)]
    pub(super) fn note(&mut self, simd: S, before: S::f64s, after: S::f64s) {
        let bounds = &mut self.0;
        let (no, yes) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
        let (high, low) = (bounds[bound::HIGH], bounds[bound::LOW]);
        let left_high = simd.select_f64s(simd.equal_f64s(before, high), no, bounds[bound::HIGH_MET]);
        let left_low = simd.select_f64s(simd.equal_f64s(before, low), no, bounds[bound::LOW_MET]);
        let reaches = simd.greater_than_or_equal_f64s(after, high);
        bounds[bound::HIGH_MET] = simd.select_f64s(reaches, yes, left_high);
        bounds[bound::HIGH] = simd.select_f64s(reaches, after, high);
        let reaches = simd.less_than_or_equal_f64s(after, low);
        bounds[bound::LOW_MET] = simd.select_f64s(reaches, yes, left_low);
        bounds[bound::LOW] = simd.select_f64s(reaches, after, low);
    }
}

/// R_s = max_v σ_{s,v} − min_v σ_{s,v} by bounds that a scan tightens when they do not suffice.
#[derive(Clone, Debug)]
pub(super) struct Ranges {
    bounds: Table<BOUNDS>,
}

impl Ranges {
    /// Of the activations of `table`, which has `patterns` rows and vectors of `lanes` numbers.
    pub(super) fn new(table: &Table<VALUES>, patterns: usize, lanes: usize) -> Self {
        let mut ranges = Self { bounds: Table::new(1, table.places(), lanes) };
        (0..ranges.bounds.places()).for_each(|expert| ranges.scan(table, patterns, expert));
        ranges
    }

    fn scan(&mut self, table: &Table<VALUES>, patterns: usize, expert: usize) {
        let activations = || (0..patterns).map(|pattern| table.get(pattern, expert, value::ACTIVATION));
        self.bounds.set(0, expert, bound::HIGH, activations().fold(f64::NEG_INFINITY, f64::max));
        self.bounds.set(0, expert, bound::LOW, activations().fold(f64::INFINITY, f64::min));
        self.bounds.set(0, expert, bound::HIGH_MET, 1.0);
        self.bounds.set(0, expert, bound::LOW_MET, 1.0);
    }

    /// The bounds of a block of experts.
    #[inline(always)]
    pub(super) fn block<S: Simd>(&self, block: usize) -> Bounds<S> {
        Bounds(self.bounds.cells::<S>()[block])
    }

    /// Puts the bounds of a block back.
    #[inline(always)]
    pub(super) fn set_block<S: Simd>(&mut self, block: usize, bounds: Bounds<S>) {
        self.bounds.cells_mut::<S>()[block] = bounds.0;
    }

    /// R_s if it is above `floor`.
    pub(super) fn range_above(
        &mut self,
        table: &Table<VALUES>,
        patterns: usize,
        expert: usize,
        floor: f64,
    ) -> Option<f64> {
        let number = |ranges: &Self, field| ranges.bounds.get(0, expert, field);
        let range = |ranges: &Self| number(ranges, bound::HIGH) - number(ranges, bound::LOW);
        if range(self) <= floor {
            return None;
        }
        if number(self, bound::HIGH_MET) == 0.0 || number(self, bound::LOW_MET) == 0.0 {
            self.scan(table, patterns, expert);
        }
        Some(range(self)).filter(|&range| range > floor)
    }
}
