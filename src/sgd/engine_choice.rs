//! Which engine trains a model.

use super::dense::DenseEngine;
use super::engine::{Engine, Rates};
use super::pattern::PatternEngine;
use super::plain::{PlainEngine, needs_plain_engine};
use crate::moe::{Model, RoutingRule};
use crate::patterns::Vocabulary;
use crate::sim::parameters::Parameters;

/// Which engine trains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineChoice {
    /// The plain engine where neither of the others applies; else the pattern engine without token noise, and the dense
    /// engine with it.
    #[default]
    Auto,
    /// The pattern engine; noise-free data, expert choice and no regulariser.
    Pattern,
    /// The dense reference engine; expert choice and no regulariser.
    Dense,
}

impl EngineChoice {
    /// Whether this choice can train with these parameters.
    pub fn applies(self, parameters: &Parameters) -> bool {
        match self {
            EngineChoice::Auto => true,
            EngineChoice::Pattern => parameters.data.noise == 0.0 && !needs_plain_engine(parameters),
            EngineChoice::Dense => !needs_plain_engine(parameters),
        }
    }

    /// An engine for a model that routes by `rule`, where rules other than that of the unpruned model are known.
    pub fn build_with_rule(
        self,
        model: &Model,
        rule: &RoutingRule,
        parameters: &Parameters,
        run_seed: u64,
    ) -> Box<dyn Engine> {
        match needs_plain_engine(parameters) {
            true => Box::new(PlainEngine::with_rule(model, rule.clone(), parameters)),
            false => self.build(model, parameters, run_seed),
        }
    }

    /// An engine for `model`, unpruned, on the run's vocabulary. The pattern and the plain engine are only built for
    /// noise-free data.
    pub fn build(self, model: &Model, parameters: &Parameters, run_seed: u64) -> Box<dyn Engine> {
        let Parameters { data, training, .. } = parameters;
        let rates = Rates::from(training);
        if needs_plain_engine(parameters) {
            Box::new(PlainEngine::new(model, parameters))
        } else if self == EngineChoice::Dense || data.noise > 0.0 {
            let vocabulary = Vocabulary::new(data.patterns, data.basis, run_seed);
            Box::new(DenseEngine::new(model, vocabulary, rates))
        } else {
            Box::new(PatternEngine::new(model, rates))
        }
    }
}
