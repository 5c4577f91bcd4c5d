//! The half-batch contrast V = Σ_t (η_r/B)(S_A − S_B′) of the pattern engine.
//!
//! A batch's gradients are sums that grow sample by sample. In the middle of the batch they are S_A, at its end
//! S = S_A + S_B′, so S_A − S_B′ = 2 S_A − S: two passes over the touched cells a batch, and no sum of its own.

use super::PatternEngine;
use super::backward::gradient;
use super::table::Table;

/// V, and whether it is one.
#[derive(Clone, Debug)]
pub(super) struct Contrast {
    sums: Table<1>,
    /// Whether every batch so far had two halves of equal size.
    halves: bool,
}

impl Contrast {
    /// V = 0.
    pub(super) fn new(patterns: usize, experts: usize, lanes: usize) -> Self {
        Self { sums: Table::new(patterns, experts, lanes), halves: true }
    }

    /// V, `[k, d]`; `None` after a batch of odd size.
    pub(super) fn by_expert(&self, experts: usize) -> Option<Vec<f64>> {
        self.halves.then(|| self.sums.by_expert(experts, 0))
    }
}

impl PatternEngine {
    /// Adds 2 (η_r/B) S_A, when the first half of a batch of `samples` samples has been passed backward.
    #[inline(always)]
    pub(super) fn contrast_after_half(&mut self, samples: usize) {
        if let Some(contrast) = &mut self.contrast {
            contrast.halves &= samples.is_multiple_of(2);
        }
        self.contrast_add(2.0, samples);
    }

    /// Takes (η_r/B) S away, when the whole batch has been passed backward.
    #[inline(always)]
    pub(super) fn contrast_after_all(&mut self, samples: usize) {
        self.contrast_add(-1.0, samples);
    }

    /// Adds factor · (η_r/B) · the gradients summed so far. Cells that no active sample touched have none.
    #[inline(always)]
    fn contrast_add(&mut self, factor: f64, samples: usize) {
        let Some(contrast) = &mut self.contrast else { return };
        let scale = factor * self.rates.router / samples as f64;
        for &pattern in self.gradients.touched() {
            let blocks = contrast.sums.blocks();
            for cell in pattern as usize * blocks..(pattern as usize + 1) * blocks {
                let pulls = self.gradients.sums.field(cell, gradient::ROUTER);
                let sums = contrast.sums.field_mut(cell, 0);
                sums.iter_mut().zip(pulls).for_each(|(sum, pull)| *sum += scale * pull);
            }
        }
    }
}
