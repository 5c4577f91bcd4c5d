//! The checked parameters of one grid point: the only form that can be trained.
//!
//! A value of [`Parameters`] made by [`crate::sim`] has every number inside its legal range and no two keys that
//! contradict each other. Field names are the last parts of the keys of a simulation file; each key's legal range,
//! default, symbol and source stand in [`crate::sim::keys`].

use serde::{Deserialize, Serialize};

mod criterion;
mod data;
mod measurements;
mod model;
mod pretrained;
mod pruning;
mod system;
mod training;

pub use criterion::Criterion;
pub use data::{Basis, DataParameters, Labels};
pub use measurements::{
    AssumptionParameters, CertificateParameters, EvaluationParameters, RecordParameters, RolesParameters,
};
pub use model::{Gates, ModelParameters, Priority, Routing, Signs};
pub use pretrained::{PretrainedKind, PretrainedParameters};
pub use pruning::{
    Afterwards, AllKept, CalibrationData, Criteria, Kept, PruningOrder, PruningParameters, PruningSchedule,
    QuantiserRange, Removal,
};
pub use system::{Property, SYSTEMS, System, SystemTraits};
pub use training::TrainingParameters;

/// Everything that one run depends on, but for its seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The distribution D of samples.
    pub data: DataParameters,
    /// The mixture of experts.
    pub model: ModelParameters,
    /// The model that fine-tuning starts from.
    pub pretrained: PretrainedParameters,
    /// Stochastic gradient descent.
    pub training: TrainingParameters,
    /// Which experts go, in which order, and what follows.
    pub pruning: PruningParameters,
    /// Thresholds of the measured roles.
    pub roles: RolesParameters,
    /// How many samples the measurements take.
    pub evaluation: EvaluationParameters,
    /// Proofs and counterexamples of "no error".
    pub certificate: CertificateParameters,
    /// What is recorded while training.
    pub record: RecordParameters,
    /// Thresholds of the assumption audit.
    pub assumptions: AssumptionParameters,
}

/// Operations of the pattern engine for a token and an expert, roughly.
const PATTERN_OPERATIONS: f64 = 20.0;

impl Parameters {
    /// Operations of a run, roughly: enough to tell long runs from short ones. A token and an expert cost a few in the
    /// pattern engine, and with token noise 2 d for the score and, if chosen, 2 m d for the neurons.
    pub fn work(&self) -> f64 {
        let Self { data, model, training, .. } = self;
        let samples = (training.batch * training.iterations + 4 * self.evaluation.samples) as f64;
        let neurons = (model.neurons * model.tokens_per_expert) as f64 / data.tokens as f64;
        let dense = 2.0 * data.patterns as f64 * (1.0 + neurons);
        let operations = if data.noise > 0.0 { dense } else { PATTERN_OPERATIONS };
        samples * (data.tokens * model.experts) as f64 * operations
    }
}
