//! The half-batch contrast V = Σ_t (η_r/B)(S_A − S_B′) of the pattern engine.
//!
//! A batch's gradients are sums that grow sample by sample. In the middle of the batch they are S_A, at its end
//! S = S_A + S_B′, so S_A − S_B′ = 2 S_A − S: two passes over the touched cells a batch, and no sum of its own.

use super::PatternEngine;

/// V, and whether it is one.
#[derive(Clone, Debug)]
pub(super) struct Contrast {
    /// V by cell (pattern · k + expert).
    sums: Vec<f64>,
    /// Whether every batch so far had two halves of equal size.
    halves: bool,
}

impl Contrast {
    /// V = 0 for `cells` cells.
    pub(super) fn new(cells: usize) -> Self {
        Self { sums: vec![0.0; cells], halves: true }
    }

    /// V, `[k, d]`; `None` after a batch of odd size.
    pub(super) fn by_expert(&self, experts: usize) -> Option<Vec<f64>> {
        let of_expert = |expert| self.sums.iter().skip(expert).step_by(experts).copied();
        self.halves.then(|| (0..experts).flat_map(of_expert).collect())
    }
}

impl PatternEngine {
    /// Adds 2 (η_r/B) S_A, when the first half of a batch of `samples` samples has been passed backward.
    pub(super) fn contrast_after_half(&mut self, samples: usize) {
        if let Some(contrast) = &mut self.contrast {
            contrast.halves &= samples.is_multiple_of(2);
        }
        self.contrast_add(2.0, samples);
    }

    /// Takes (η_r/B) S away, when the whole batch has been passed backward.
    pub(super) fn contrast_after_all(&mut self, samples: usize) {
        self.contrast_add(-1.0, samples);
    }

    /// Adds factor · (η_r/B) · the gradients summed so far. Cells that no active sample touched have none.
    fn contrast_add(&mut self, factor: f64, samples: usize) {
        let Some(contrast) = &mut self.contrast else { return };
        let k = self.shape.experts();
        let scale = factor * self.rates.router / samples as f64;
        for &pattern in &self.touched {
            let cells = pattern as usize * k..(pattern as usize + 1) * k;
            for (sum, gradient) in contrast.sums[cells.clone()].iter_mut().zip(&self.gradients[cells]) {
                *sum += scale * gradient.router;
            }
        }
    }
}
