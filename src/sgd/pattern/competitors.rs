//! How many irrelevant patterns beat or tie the patterns of the classes, for every expert.

use super::table::Table;
use super::tables::{VALUES, value};
use crate::patterns::Class;
use crate::sgd::Competitors;
use crate::simd::{Kernel, Lanes};

/// Counts of an expert: how many above and how many tied, for each class.
const COUNTS: usize = 4;

/// The counts of every expert, taken again when they are asked for after a score has moved.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    numbers: Table<COUNTS>,
    /// Whether no score has moved since they were taken.
    pub(super) are_fresh: bool,
}

impl Counts {
    /// None taken yet, for `experts` experts.
    pub(super) fn new(experts: usize, lanes: usize) -> Self {
        Self { numbers: Table::new(1, experts, lanes), are_fresh: false }
    }

    /// The counts of one expert, as they were last taken.
    pub(super) fn get(&self, expert: usize, class: Class) -> Competitors {
        let number = |field| self.numbers.get(0, expert, 2 * class.pattern() + field) as usize;
        Competitors { above: number(0), tied: number(1) }
    }
}

/// Takes the counts of all experts: one pass over the scores of all patterns.
pub(super) struct Take<'a> {
    pub(super) counts: &'a mut Counts,
    pub(super) table: &'a Table<VALUES>,
}

impl Kernel for Take<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let blocks = self.table.blocks();
        let (zero, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
        for block in 0..blocks {
            let mut scores = self.table.cells::<S>()[block..].iter().step_by(blocks).map(|cell| cell[value::SCORE]);
            let own = Class::BOTH.map(|_| scores.next().unwrap_or(zero));
            let mut counts = [zero; COUNTS];
            for score in scores {
                for (own, counts) in own.iter().zip(counts.chunks_exact_mut(2)) {
                    let above = simd.greater_than_f64s(score, *own);
                    counts[0] = simd.add_f64s(counts[0], simd.select_f64s(above, one, zero));
                    let tied = simd.equal_f64s(score, *own);
                    counts[1] = simd.add_f64s(counts[1], simd.select_f64s(tied, one, zero));
                }
            }
            self.counts.numbers.cells_mut::<S>()[block] = counts;
        }
        self.counts.are_fresh = true;
    }
}
