//! Records norms and proficiencies of all experts while a run trains.

use crate::measure::{RouterChange, proficiency};
use crate::moe::model::has_finite_norms;
use crate::patterns::Sampler;
use crate::record::TrajectoryRow;
use crate::sgd::{Engine, Observer, StepReport};
use crate::sim::parameters::Parameters;

/// The iterations at which a run of `iterations` steps is recorded: 0, the last, and every `record_every`-th; with 0
/// eight to a factor of ten.
pub fn recorded_iterations(iterations: usize, record_every: usize) -> Vec<usize> {
    let mut recorded = vec![0, iterations];
    if record_every == 0 {
        let spaced = (0..).map(|index| 10f64.powf(f64::from(index) / 8.0).round() as usize);
        recorded.extend(spaced.take_while(|&iteration| iteration < iterations));
    } else {
        recorded.extend((0..iterations).step_by(record_every));
    }
    recorded.sort_unstable();
    recorded.dedup();
    recorded
}

/// Observes a run at the recorded iterations.
pub(crate) struct TrajectoryObserver<'a> {
    parameters: &'a Parameters,
    run_seed: u64,
    point: usize,
    run: u64,
    recorded: Vec<usize>,
    routers_0: Vec<f64>,
    /// The rows so far.
    pub rows: Vec<TrajectoryRow>,
}

impl<'a> TrajectoryObserver<'a> {
    /// For one run.
    pub(crate) fn new(parameters: &'a Parameters, run_seed: u64, point: usize, run: u64) -> Self {
        let recorded = recorded_iterations(parameters.training.iterations, parameters.record.record_every);
        Self { parameters, run_seed, point, run, recorded, routers_0: Vec::new(), rows: Vec::new() }
    }
}

impl Observer for TrajectoryObserver<'_> {
    fn observe(&mut self, iteration: usize, engine: &mut dyn Engine, _report: Option<&StepReport>) {
        if self.recorded.binary_search(&iteration).is_err() {
            return;
        }
        let Parameters { data, model, roles, .. } = self.parameters;
        let routers = engine.routers();
        if iteration == 0 {
            self.routers_0.clone_from(&routers);
        }
        // A run that is about to diverge has norms that are no numbers; it ends in its row without them.
        if !has_finite_norms(&routers) {
            return;
        }
        let mut sampler = Sampler::proficiency(data, self.run_seed);
        let samples = roles.proficiency_samples;
        let by_feature =
            proficiency::estimate_features(engine, &mut sampler, samples, model.gate_places(), data.features);
        let proficiencies = proficiency::largest(&by_feature);
        let length = routers.len() / engine.experts();
        for (expert, proficiency) in proficiencies.into_iter().enumerate() {
            let own = |of: &[f64]| -> Vec<f64> { of.iter().skip(expert * length).take(length).copied().collect() };
            let change = (length > 0).then(|| RouterChange::between(&own(&self.routers_0), &own(&routers)));
            self.rows.push(TrajectoryRow {
                point: self.point,
                run: self.run,
                iteration,
                expert,
                norm: change.map(|change| change.norm),
                delta: change.map(|change| change.delta),
                displacement: change.map(|change| change.displacement),
                p1: proficiency.proficiency[0],
                p2: proficiency.proficiency[1],
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_iterations_hold_both_ends() {
        assert_eq!(recorded_iterations(10, 4), [0, 4, 8, 10]);
        assert_eq!(recorded_iterations(12, 0), [0, 1, 2, 3, 4, 6, 7, 10, 12]);
        assert_eq!(recorded_iterations(0, 0), [0]);
    }
}
