//! The statistics that a run's criteria are computed from.

use crate::measure::RouterChange;
use crate::patterns::streams::{Purpose, Stream, stream};
use crate::patterns::{Batch, Sampler};
use crate::prune::statistics::changes_between;
use crate::prune::{Calibration, Statistics};
use crate::sgd::{Engine, Observer, StepReport};
use crate::sim::parameters::Criterion;
use crate::sim::parameters::{CalibrationData, Parameters};
use crate::stats::decimal::product;
use crate::systems::System;
use rand::RngExt;
use rand::seq::SliceRandom;

/// Samples that are passed forward together.
const BLOCK: usize = 256;

/// The criteria of a run: the one that claims are judged by, then the others.
pub fn criteria(parameters: &Parameters) -> Vec<Criterion> {
    let pruning = &parameters.pruning;
    let mut criteria = vec![pruning.criterion];
    criteria
        .extend(pruning.criteria.of(parameters.model.experts).into_iter().filter(|&other| other != pruning.criterion));
    criteria
}

/// Keeps the routers after the first iterations, for `router-norm-change-early`.
pub(super) struct EarlyRouters {
    iteration: usize,
    /// `[k, d]`; empty until the iteration is reached.
    pub(super) routers: Vec<f64>,
}

impl EarlyRouters {
    /// For a run with these parameters; nothing is kept if no criterion reads it.
    pub(super) fn new(parameters: &Parameters) -> Self {
        let wanted = criteria(parameters).contains(&Criterion::RouterNormChangeEarly);
        let iterations = parameters.training.iterations as f64;
        let iteration = if wanted { product(parameters.pruning.early, iterations).ceil() as usize } else { usize::MAX };
        Self { iteration, routers: Vec::new() }
    }
}

impl Observer for EarlyRouters {
    fn observe(&mut self, iteration: usize, engine: &mut dyn Engine, _report: Option<&StepReport>) {
        if iteration == self.iteration {
            self.routers = engine.routers();
        }
    }
}

/// The scores of the criterion `random`.
pub(super) fn chance(experts: usize, run_seed: u64) -> Vec<f64> {
    let mut places: Vec<f64> = (0..experts).map(|place| place as f64).collect();
    places.shuffle(&mut stream(run_seed, Purpose::Criterion));
    places
}

/// Statistics of a trained system. Routers of an early checkpoint are those of all experts, or empty if there is none; a run
/// that was shorter counts as over.
pub(super) fn gather<'a>(
    before: &'a dyn System,
    after: &'a dyn System,
    early: &[f64],
    chance: Vec<f64>,
    parameters: &Parameters,
    run_seed: u64,
) -> Statistics<'a> {
    let changes = changes_between(before, after);
    let early = match early {
        [] => changes.clone(),
        early => {
            let routers = early.chunks_exact(early.len() / before.experts()).enumerate();
            routers.map(|(expert, router)| RouterChange::between(before.router(expert), router)).collect()
        }
    };
    let is_read = criteria(parameters).iter().any(|criterion| criterion.needs_data());
    let needed = is_read || parameters.pruning.removal.traits().needs_data;
    Statistics {
        before,
        after,
        changes,
        early,
        chance,
        calibration: needed.then(|| calibrate(after, parameters, run_seed)),
    }
}

/// What the run's calibration set, the same samples at every call, says of the experts that are left.
pub(super) fn calibrate(system: &dyn System, parameters: &Parameters, run_seed: u64) -> Calibration {
    let data = &parameters.data;
    let share = match parameters.pruning.calibration {
        CalibrationData::Task => 0.0,
        CalibrationData::Mixture => 0.5,
        CalibrationData::Shifted => 1.0,
    };
    let mut sampler = Sampler::new(data, run_seed, Purpose::Calibration, Purpose::CalibrationNoise);
    let mut generator = stream(run_seed, Purpose::CalibrationShift);
    let routers = system.groups().iter().map(Vec::len).sum();
    let mut calibration = Calibration { chance: chance(routers, run_seed), ..Calibration::new(routers) };
    let mut batch = Batch::default();
    let mut remaining = parameters.pruning.calibration_samples;
    while remaining > 0 {
        let block = remaining.min(BLOCK);
        remaining -= block;
        sampler.fill(&mut batch, block);
        shift(&mut batch, &mut sampler, share, parameters, &mut generator);
        system.for_each_routed(&batch, &mut |sample| calibration.add_sample(&sample, system.groups()));
    }
    match system.places().len() == routers {
        true => calibration,
        false => calibration.of(system.places()),
    }
}

/// In a share of the samples an irrelevant pattern takes the class pattern's place: they are of no class, as samples of
/// other tasks are. Labels stay.
fn shift(batch: &mut Batch, sampler: &mut Sampler, share: f64, parameters: &Parameters, generator: &mut Stream) {
    let ordinary = sampler.ordinary();
    let n = batch.tokens_per_sample;
    for sample in 0..batch.samples() {
        if share == 0.0 || !generator.random_bool(share) {
            continue;
        }
        loop {
            let pattern = generator.random_range(ordinary.clone());
            // Where the sample holds every irrelevant pattern, one of them stands twice.
            if parameters.data.replacement || ordinary.len() < n || !batch.sample(sample).contains(&pattern) {
                sampler.put(batch, sample, pattern);
                break;
            }
        }
    }
}
