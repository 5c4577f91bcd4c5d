//! What the engine does with a batch, each as one kernel.

use super::PatternEngine;
use super::backward::backward;
use super::forward::{Sample, forward, gates_at};
use super::tables::value;
use super::update::update;
use crate::patterns::Batch;
use crate::sgd::{Diverged, Loss, StepReport};
use crate::simd::{Kernel, Lanes};
use pulp::bytemuck::cast_slice;
use std::ops::Range;

/// One SGD step; see [`crate::sgd::Engine::step`].
pub(super) struct Step<'a> {
    pub(super) engine: &'a mut PatternEngine,
    pub(super) batch: &'a Batch,
    pub(super) loss: Loss,
}

impl Kernel for Step<'_> {
    type Output = Result<StepReport, Diverged>;

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) -> Self::Output {
        let Step { engine, batch, loss } = self;
        let mut report = StepReport::default();
        let samples = batch.samples();
        let room = &mut Sample::new(simd, &engine.tables, batch.tokens_per_sample);
        if engine.contrast.is_none() {
            engine.pass(simd, (batch, loss), 0..samples, room, &mut report)?;
        } else {
            engine.pass(simd, (batch, loss), 0..samples / 2, room, &mut report)?;
            engine.contrast_after_half(samples);
            engine.pass(simd, (batch, loss), samples / 2..samples, room, &mut report)?;
            engine.contrast_after_all(samples);
        }
        let report = report.over(samples);
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

impl Kernel for Outputs<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let Outputs { engine, batch, outputs } = self;
        outputs.clear();
        let mut room = Sample::new(simd, &engine.tables, batch.tokens_per_sample);
        for sample in 0..batch.samples() {
            engine.forward(simd, batch, sample, &mut room);
            outputs.extend(engine.shape.signs.iter().zip(room.means()).map(|(sign, mean)| sign * mean));
        }
    }
}

/// The gates of the class tokens; see [`crate::sgd::Engine::class_token_gates`].
pub(super) struct Gates<'a> {
    pub(super) engine: &'a mut PatternEngine,
    pub(super) batch: &'a Batch,
    pub(super) gates: &'a mut Vec<f64>,
}

impl Kernel for Gates<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let Gates { engine, batch, gates } = self;
        let experts = engine.shape.signs.len();
        gates.clear();
        let mut room = Sample::new(simd, &engine.tables, batch.tokens_per_sample);
        for (sample, &position) in batch.class_positions.iter().enumerate() {
            engine.forward(simd, batch, sample, &mut room);
            gates_at(simd, &engine.tables, batch.sample(sample), position as usize, &room, gates);
            gates.truncate((sample + 1) * experts);
        }
    }
}

/// ‖w_s‖ of every expert; see [`crate::sgd::Engine::router_norms`].
pub(super) struct Norms<'a> {
    pub(super) engine: &'a PatternEngine,
    pub(super) norms: &'a mut Vec<f64>,
}

impl Kernel for Norms<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let Norms { engine, norms } = self;
        let values = &engine.tables.values;
        norms.clear();
        for block in 0..values.blocks() {
            let scores = values.cells::<S>()[block..].iter().step_by(values.blocks()).map(|cell| cell[value::SCORE]);
            let square =
                scores.fold(simd.splat_f64s(0.0), |square, score| simd.add_f64s(square, simd.mul_f64s(score, score)));
            norms.extend_from_slice(cast_slice(&[simd.sqrt_f64s(square)]));
        }
        norms.truncate(engine.shape.signs.len());
    }
}

impl PatternEngine {
    #[inline(always)]
    fn forward<S: Lanes>(&mut self, simd: S, batch: &Batch, sample: usize, room: &mut Sample<S>) -> f64 {
        forward(simd, &self.tables, batch.sample(sample), &mut self.repeats, room)
    }

    /// Passes some samples of a batch forward and those with a loss backward; adds their losses to `report`.
    #[inline(always)]
    fn pass<S: Lanes>(
        &mut self,
        simd: S,
        (batch, loss): (&Batch, Loss),
        samples: Range<usize>,
        room: &mut Sample<S>,
        report: &mut StepReport,
    ) -> Result<(), Diverged> {
        for sample in samples {
            let output = self.forward(simd, batch, sample, room);
            let pull = report.add(loss, batch.labels[sample], output)?;
            if pull != 0.0 {
                backward(simd, &self.tables, room, (batch.sample(sample), pull), &mut self.gradients);
            }
        }
        Ok(())
    }
}
