//! Which engine trains a model.

use super::dense::DenseEngine;
use super::engine::{Rates, TheoryEngine};
use super::general::GeneralEngine;
use super::pattern::PatternEngine;
use crate::moe::{Model, RoutingRule};
use crate::patterns::Vocabulary;
use crate::sim::Property;
use crate::sim::parameters::Parameters;

/// Which engine trains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineChoice {
    /// The general engine where neither of the others applies; else the pattern engine where tokens are patterns, and the dense
    /// engine where they are noisy or not orthonormal.
    #[default]
    Auto,
    /// The pattern engine; tokens that are patterns, expert choice and no regulariser.
    Pattern,
    /// The dense reference engine; expert choice and no regulariser.
    Dense,
}

impl EngineChoice {
    /// Whether this choice can train with these parameters.
    pub fn applies(self, parameters: &Parameters) -> bool {
        match self {
            EngineChoice::Auto => true,
            EngineChoice::Pattern => {
                parameters.data.tokens_are_patterns() && parameters.has(Property::SpecialisedEngines)
            }
            EngineChoice::Dense => parameters.has(Property::SpecialisedEngines),
        }
    }

    /// An engine for a model that routes by `rule`, where rules other than that of the unpruned model are known.
    pub(crate) fn build_with_rule(
        self,
        model: &Model,
        rule: &RoutingRule,
        parameters: &Parameters,
        run_seed: u64,
    ) -> Box<dyn TheoryEngine> {
        match parameters.has(Property::SpecialisedEngines) {
            true => self.build(model, parameters, run_seed),
            false => Box::new(GeneralEngine::with_rule(model, rule.clone(), parameters)),
        }
    }

    /// An engine for `model`, unpruned, on the run's vocabulary. The pattern and the general engine are only built
    /// where tokens are patterns.
    pub fn build(self, model: &Model, parameters: &Parameters, run_seed: u64) -> Box<dyn TheoryEngine> {
        let Parameters { data, training, .. } = parameters;
        let rates = Rates::from(training);
        if !parameters.has(Property::SpecialisedEngines) {
            Box::new(GeneralEngine::new(model, parameters))
        } else if self == EngineChoice::Dense || !data.tokens_are_patterns() {
            let vocabulary = Vocabulary::new(data.patterns, data.basis, run_seed);
            Box::new(DenseEngine::new(model, vocabulary, rates))
        } else {
            Box::new(PatternEngine::new(model, rates))
        }
    }
}
