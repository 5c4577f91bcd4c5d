//! The score that orders the experts.

use crate::measure::RouterChange;
use crate::patterns::streams::{Purpose, stream};
use crate::sim::parameters::Criterion;
use rand::seq::SliceRandom;

/// The score of every expert under a criterion, `[k]`; `changes` are the routers' changes from t = 0 to T.
pub fn scores(criterion: Criterion, changes: &[RouterChange], run_seed: u64) -> Vec<f64> {
    match criterion {
        Criterion::RouterNormChange => changes.iter().map(|change| change.delta).collect(),
        Criterion::RouterDisplacement => changes.iter().map(|change| change.displacement).collect(),
        Criterion::Random => {
            let mut places: Vec<f64> = (0..changes.len()).map(|place| place as f64).collect();
            places.shuffle(&mut stream(run_seed, Purpose::Criterion));
            places
        }
    }
}

impl Criterion {
    /// The criterion's name in simulation files and CSVs.
    pub fn name(self) -> &'static str {
        match self {
            Criterion::RouterNormChange => "router-norm-change",
            Criterion::RouterDisplacement => "router-displacement",
            Criterion::Random => "random",
        }
    }
}
