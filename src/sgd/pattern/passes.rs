//! What the engine does with a batch, each as one kernel.

use super::PatternEngine;
use super::backward::backward;
use super::forward::{LOOKED_UP, Lookup, forward};
use super::table::Table;
use super::update::update;
use crate::moe::Model;
use crate::patterns::Batch;
use crate::sgd::{Diverged, StepReport};
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// One SGD step; see [`crate::sgd::Engine::step`].
pub(super) struct Step<'a> {
    pub(super) engine: &'a mut PatternEngine,
    pub(super) batch: &'a Batch,
}

impl WithSimd for Step<'_> {
    type Output = Result<StepReport, Diverged>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Step { engine, batch } = self;
        let mut report = StepReport { loss: 0.0, active: 0 };
        let samples = batch.samples();
        if engine.contrast.is_none() {
            engine.pass(simd, batch, 0..samples, &mut report)?;
        } else {
            engine.pass(simd, batch, 0..samples / 2, &mut report)?;
            engine.contrast_after_half(samples);
            engine.pass(simd, batch, samples / 2..samples, &mut report)?;
            engine.contrast_after_all(samples);
        }
        report.loss /= samples as f64;
        if report.active > 0 {
            engine.counts.are_fresh = false;
            if !update(simd, engine, samples) {
                return Err(Diverged);
            }
        }
        Ok(report)
    }
}

/// f_s of every sample and expert; see [`crate::sgd::Engine::outputs`].
pub(super) struct Outputs<'a> {
    pub(super) engine: &'a mut PatternEngine,
    pub(super) batch: &'a Batch,
    pub(super) outputs: &'a mut Vec<f64>,
}

impl WithSimd for Outputs<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Outputs { engine, batch, outputs } = self;
        outputs.clear();
        for sample in 0..batch.samples() {
            engine.forward(simd, batch, sample);
            let signs = engine.shape.signs.iter().enumerate();
            outputs.extend(signs.map(|(expert, sign)| sign * engine.sample.means.get(0, expert, 0)));
        }
    }
}

/// The gates of the class tokens; see [`crate::sgd::Engine::class_token_gates`].
pub(super) struct Gates<'a> {
    pub(super) engine: &'a mut PatternEngine,
    pub(super) batch: &'a Batch,
    pub(super) gates: &'a mut Vec<f64>,
}

impl WithSimd for Gates<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Gates { engine, batch, gates } = self;
        let l = engine.shape.tokens_per_expert;
        gates.clear();
        for (sample, &position) in batch.class_positions.iter().enumerate() {
            engine.forward(simd, batch, sample);
            gates.extend((0..engine.shape.signs.len()).map(|expert| engine.sample.gate(position as usize, expert, l)));
        }
    }
}

fn lookup<'a>(table: &'a Table<LOOKED_UP>, signs: &'a [f64], shape: &Model) -> Lookup<'a> {
    Lookup { table, signs, tokens_per_expert: shape.tokens_per_expert }
}

impl PatternEngine {
    #[inline(always)]
    fn forward<S: Simd>(&mut self, simd: S, batch: &Batch, sample: usize) -> f64 {
        let lookup = lookup(&self.table, &self.signs, &self.shape);
        forward(simd, lookup, batch.sample(sample), &mut self.sample)
    }

    /// Passes some samples of a batch forward and those with a loss backward; adds their losses to `report`.
    #[inline(always)]
    fn pass<S: Simd>(
        &mut self,
        simd: S,
        batch: &Batch,
        samples: Range<usize>,
        report: &mut StepReport,
    ) -> Result<(), Diverged> {
        for sample in samples {
            let label = batch.labels[sample];
            let output = self.forward(simd, batch, sample);
            if !output.is_finite() {
                return Err(Diverged);
            }
            let slack = 1.0 - label * output;
            if slack > 0.0 {
                report.loss += slack;
                report.active += 1;
                let sample = (batch.sample(sample), label);
                let lookup = lookup(&self.table, &self.signs, &self.shape);
                backward(simd, lookup, &self.sample, sample, &mut self.gradients);
            }
        }
        Ok(())
    }
}
