//! What criteria cost: measured, so different at every call.

use super::calibration::{calibrate, chance};
use crate::prune::Statistics;
use crate::prune::statistics::changes_between;
use crate::sgd::EngineChoice;
use crate::sim::Parameters;
use crate::sim::parameters::Criterion;
use crate::systems::{self, Setting};
use std::collections::BTreeMap;
use std::time::Instant;

/// Repetitions, of which the fastest counts.
const ROUNDS: usize = 5;

/// Seconds of one pass over the calibration set (0 for criteria that need none) and of the criterion's own work after it,
/// for the untrained system of these parameters: a cost does not depend on training.
pub fn criterion_costs(parameters: &Parameters) -> BTreeMap<Criterion, [f64; 2]> {
    let start = systems::start(&Setting { parameters, seed: 0, choice: EngineChoice::Auto }).0;
    let model = start.system.as_ref();
    let changes = changes_between(model, model);
    let mut statistics = Statistics {
        before: model,
        after: model,
        early: changes.clone(),
        changes,
        chance: chance(model.experts(), 0),
        calibration: None,
    };
    let pass = fastest(|| statistics.calibration = Some(calibrate(model, parameters, 0)));
    let of = |criterion: &Criterion| {
        let needs_routers = criterion.name().starts_with("router");
        let own = fastest(|| {
            // The change of the routers is part of what these cost.
            if needs_routers {
                std::hint::black_box(changes_between(model, model));
            }
            std::hint::black_box(criterion.importance().plan_for(&statistics, &parameters.pruning));
        });
        (*criterion, [if criterion.needs_data() { pass } else { 0.0 }, own])
    };
    let experts = model.experts();
    Criterion::ALL.iter().filter(|criterion| experts <= criterion.most_experts()).map(of).collect()
}

fn fastest(mut work: impl FnMut()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(time).fold(f64::INFINITY, f64::min)
}
