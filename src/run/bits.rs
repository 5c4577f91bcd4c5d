//! How few bits the experts of a role need.

use super::ends::Start;
use crate::measure::Role;
use crate::measure::accuracy::{Errors, FeatureErrors, feature_errors};
use crate::moe::Model;
use crate::patterns::Sampler;
use crate::prune::quantise::{fewest_bits, quantised};
use crate::sgd::EngineChoice;
use crate::sim::parameters::Parameters;
use crate::stats::decimal::product;

/// The most bits that are tried.
const MOST_BITS: u32 = 12;
/// How much an accuracy may fall.
const TOLERANCE: f64 = 0.01;

/// The fewest bits at which the experts of a role may be quantised, all others left as they are, such that the accuracies
/// on common and on rare features each fall by at most 0.01. `None` without such an expert, or if 12 bits are too few.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct FewestBits {
    /// Relevant experts of the common feature (measured role and feature).
    pub(super) common: Option<f64>,
    /// Relevant experts of rare features.
    pub(super) rare: Option<f64>,
    /// Irrelevant experts.
    pub(super) irrelevant: Option<f64>,
}

impl FewestBits {
    /// Measured on the evaluation samples.
    pub(super) fn measure(
        start: &Start,
        trained: &Model,
        parameters: &Parameters,
        choice: EngineChoice,
        seed: u64,
    ) -> Self {
        let errors = |model: &Model| {
            let mut engine = choice.build(model, parameters, seed);
            let mut sampler = Sampler::evaluation(&parameters.data, seed);
            feature_errors(engine.as_mut(), &mut sampler, parameters.evaluation.samples)
        };
        let unquantised = errors(trained);
        let of_role = |wanted: &dyn Fn(Role, Option<usize>) -> bool| {
            let is_wanted = |&expert: &usize| wanted(start.roles[expert], start.features[expert]);
            let experts: Vec<usize> = (0..trained.experts()).filter(is_wanted).collect();
            let is_enough =
                |levels| is_kept(unquantised, errors(&quantised(trained, &experts, levels, parameters.pruning.range)));
            if experts.is_empty() { None } else { fewest_bits(MOST_BITS, is_enough) }
        };
        Self {
            common: of_role(&|role, feature| role == Role::Relevant && feature == Some(0)),
            rare: of_role(&|role, feature| role == Role::Relevant && feature.is_some_and(|feature| feature > 0)),
            irrelevant: of_role(&|role, _| role == Role::Irrelevant),
        }
    }
}

/// Whether both accuracies fall by at most the tolerance.
fn is_kept(before: FeatureErrors, after: FeatureErrors) -> bool {
    let pairs = [(before.common(), after.common()), (before.rare, after.rare)];
    let within = |(before, after): &(Errors, Errors)| {
        after.errors.saturating_sub(before.errors) as f64 <= product(TOLERANCE, before.samples as f64)
    };
    pairs.iter().all(within)
}
