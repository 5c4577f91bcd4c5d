//! The checked parameters of one grid point: the only form that can be trained.
//!
//! A value of [`Parameters`] made by [`crate::sim`] has every number inside its legal range and no two keys that
//! contradict each other. Field names are the last parts of the keys of a simulation file; each key's legal range,
//! default, symbol and source stand in `crate::sim::keys`.

use super::key::Key;
use super::value::Value;

mod criteria;
mod criterion;
mod data;
mod domain;
mod measurements;
mod model;
mod pretrained;
mod property;
mod pruning;
mod section;
mod system;
mod training;

pub(crate) use super::kept::Kept;
pub use criteria::Criteria;
pub use criterion::Criterion;
pub use data::{Basis, DataParameters, Images, Labels};
pub(crate) use data::{GramSigns, Shipped};
pub use measurements::{
    AssumptionParameters, CertificateParameters, EvaluationParameters, RecordParameters, RolesParameters,
};
pub(crate) use model::Signs;
pub use model::{CapacityRounding, Gate, Gates, Merging, ModelParameters, Priority, Routing};
pub(crate) use pretrained::PretrainedParameters;
pub use pretrained::{Deal, Placement};
pub use property::Property;
pub use pruning::{
    Afterwards, CalibrationData, MergePartition, MergeScale, MergeWeights, PruningOrder, PruningParameters,
    PruningSchedule, QuantiserRange, Ranking, Removal,
};
pub(crate) use pruning::{RemovalTraits, Training};
pub use system::{System, SystemTraits};

pub(crate) use training::TrainingParameters;
pub use training::{Distance, LabelLoss, MemberLoss};

/// Declares the parameters, section by section.
macro_rules! sections {
    (
        $(#[doc = $doc:literal])+
        pub struct $name:ident {
            $($(#[doc = $section_doc:literal])+ $section:ident: $type:ty,)+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[doc = $section_doc])+ pub $section: $type,)+
        }

        /// The keys of every section.
        pub(super) const SECTIONS: &[&[Key]] = &[$(<$type>::KEYS,)+];

        impl $name {
            /// The parameters with these values of all keys, in the order of the table; `None` if one is not of its
            /// key's kind.
            pub(super) fn of_values<'a>(values: impl IntoIterator<Item = &'a Value>) -> Option<Self> {
                let mut values = values.into_iter();
                Some(Self { $($section: <$type>::of_values(&mut values)?,)+ })
            }

            /// The value of every key, in the order of the table.
            pub(crate) fn values(&self) -> Vec<Value> {
                let mut values = Vec::new();
                $(values.extend(self.$section.values());)+
                values
            }
        }
    };
}

sections! {
    /// Everything that one run depends on, but for its seed.
    pub struct Parameters {
        /// The distribution D of samples.
        data: DataParameters,
        /// The mixture of experts.
        model: ModelParameters,
        /// The model that fine-tuning starts from.
        pretrained: PretrainedParameters,
        /// Stochastic gradient descent.
        training: TrainingParameters,
        /// Which experts go, in which order, and what follows.
        pruning: PruningParameters,
        /// Thresholds of the measured roles.
        roles: RolesParameters,
        /// How many samples the measurements take.
        evaluation: EvaluationParameters,
        /// Proofs and counterexamples of "no error".
        certificate: CertificateParameters,
        /// What is recorded while training.
        record: RecordParameters,
        /// Thresholds of the assumption audit.
        assumptions: AssumptionParameters,
    }
}

/// Operations of the pattern engine for a token and an expert, roughly.
const PATTERN_OPERATIONS: f64 = 20.0;

impl Parameters {
    /// Operations of a run, roughly: enough to tell long runs from short ones. A token and an expert cost a few in the
    /// pattern engine, and where tokens are not patterns 2 d for the score and, if chosen, 2 m d for the neurons.
    pub fn work(&self) -> f64 {
        let Self { data, model, training, .. } = self;
        let samples = (training.batch * training.iterations + 4 * self.evaluation.samples) as f64;
        let neurons = (model.neurons * model.tokens_per_expert) as f64 / data.tokens as f64;
        let dense = 2.0 * data.patterns as f64 * (1.0 + neurons);
        let operations = if data.tokens_are_patterns() { PATTERN_OPERATIONS } else { dense };
        samples * (data.tokens * model.experts) as f64 * operations
    }
}
