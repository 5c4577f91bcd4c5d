//! What measurements read of the dense engine between its steps.

use super::DenseEngine;
use super::experts::rectified_sum_of_parts;
use crate::patterns::Class;
use crate::sgd::Competitors;
use crate::simd::panels::Panels;
use crate::simd::{Kernel, Lanes};

/// Numbers that are read expert by expert, made for all experts at the first reading after a step.
#[derive(Clone, Debug, Default)]
pub(super) struct Readings {
    pub(super) are_fresh: bool,
    /// u in pattern coordinates, `[k, d]`.
    routers: Vec<f64>,
    /// R_s = max_v σ_{s,v} − min_v σ_{s,v}, `[k]`.
    ranges: Vec<f64>,
}

impl DenseEngine {
    /// How many irrelevant patterns beat or tie the pattern of `class`.
    pub(super) fn read_competitors(&mut self, expert: usize, class: Class) -> Competitors {
        self.read();
        let d = self.vocabulary.patterns();
        let router = &self.readings.routers[expert * d..][..d];
        let own = router[class.pattern()];
        let irrelevant = &router[Class::BOTH.len()..];
        Competitors {
            above: irrelevant.iter().filter(|&&score| score > own).count(),
            tied: irrelevant.iter().filter(|&&score| score == own).count(),
        }
    }

    /// R_s of an expert.
    pub(super) fn read_range(&mut self, expert: usize) -> f64 {
        self.read();
        self.readings.ranges[expert]
    }

    fn read(&mut self) {
        if self.readings.are_fresh {
            return;
        }
        let d = self.vocabulary.patterns();
        self.readings.routers = self.by_pattern(&self.routers);
        self.readings.ranges.clear();
        for weights in &self.neurons {
            let range = match self.vocabulary.matrix() {
                None => self.level.run(Range { weights, patterns: d }),
                Some(_) => {
                    let turned = Panels::from_columns(&self.by_pattern(weights), d);
                    self.level.run(Range { weights: &turned, patterns: d })
                }
            };
            self.readings.ranges.push(range);
        }
        self.readings.are_fresh = true;
    }

    /// Columns in ambient coordinates → the same in pattern coordinates, one after the other.
    pub(super) fn by_pattern(&self, columns: &Panels) -> Vec<f64> {
        self.vocabulary.rows_to_patterns(&columns.to_columns(self.vocabulary.patterns()))
    }
}

/// max σ − min σ over the first `patterns` rows of `[d, m]`, σ the mean of the row's rectified numbers.
struct Range<'a> {
    weights: &'a Panels,
    patterns: usize,
}

impl Kernel for Range<'_> {
    type Output = f64;
    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) -> f64 {
        let Self { weights, patterns } = self;
        let share = 1.0 / weights.columns() as f64;
        let (mut largest, mut smallest) = (f64::NEG_INFINITY, f64::INFINITY);
        for pattern in 0..patterns {
            let activation = share * rectified_sum_of_parts(simd, weights.row(pattern));
            largest = largest.max(activation);
            smallest = smallest.min(activation);
        }
        largest - smallest
    }
}
