//! The paper's simplified mixture of experts, with expert choice or token choice: a [`Model`], and the rule by which it routes.

use super::starts::pretrained;
use super::{Setting, StartingPoint, System, UpstreamDiverged};
use crate::moe::{Model, Pretrained, RoutingRule};
use crate::patterns::Batch;
use crate::prune::removal::{Given, Remains};
use crate::prune::routed::{RoutedSample, for_each_routed};
use crate::prune::{Calibration, Checkpoint};
use crate::sgd::Engine;
use crate::sim::Property;
use crate::sim::parameters::{Parameters, Removal};

/// A model some of whose experts may be gone. Where their routers stay they are still in the model, with neurons of 0 or a
/// constant.
#[derive(Clone, Debug)]
pub(crate) struct SimplifiedMoe {
    model: Model,
    rule: RoutingRule,
    /// The numbers that experts which are left have in `model`, ascending.
    places: Vec<usize>,
    /// Whether coordinates are scores of patterns: not of a dictionary or of pictures.
    reads_patterns: bool,
}

/// A constructed model, or one that was trained upstream.
pub(super) fn start(setting: &Setting) -> (StartingPoint, Option<UpstreamDiverged>) {
    let (pretrained, failed) = match pretrained(setting.parameters, setting.seed, setting.choice) {
        Ok(pretrained) => (pretrained, None),
        Err(failed) => ((*failed.untrained).clone(), Some(failed)),
    };
    let Pretrained { model, roles, features } = pretrained;
    let system = Box::new(SimplifiedMoe::new(model, setting.parameters));
    (StartingPoint { system, roles, features }, failed)
}

impl SimplifiedMoe {
    /// The unpruned model.
    pub(crate) fn new(model: Model, parameters: &Parameters) -> Self {
        let rule = RoutingRule::new(&parameters.model, parameters.data.tokens);
        let places = (0..model.experts()).collect();
        Self { model, rule, places, reads_patterns: parameters.has(Property::PatternCoordinates) }
    }
}

impl Checkpoint for SimplifiedMoe {
    fn experts(&self) -> usize {
        self.places.len()
    }

    fn router(&self, expert: usize) -> &[f64] {
        self.model.router(self.places[expert])
    }

    fn expert_weights(&self, expert: usize) -> &[f64] {
        self.model.expert_neurons(self.places[expert])
    }

    fn row_length(&self) -> usize {
        self.model.patterns
    }

    fn sign(&self, expert: usize) -> Option<f64> {
        Some(self.model.signs[self.places[expert]])
    }

    fn peers(&self, expert: usize) -> Vec<usize> {
        let groups = self.rule.groups().iter();
        let own = groups.filter(|group| group.contains(&self.places[expert]));
        let is_left = |place: &usize| self.places.binary_search(place).ok();
        own.flat_map(|group| group.iter().filter_map(is_left)).collect()
    }

    fn is_in_pattern_coordinates(&self) -> bool {
        self.reads_patterns
    }
}

impl System for SimplifiedMoe {
    fn engine(&self, setting: &Setting) -> Box<dyn Engine> {
        setting.choice.build_with_rule(&self.model, &self.rule, setting.parameters, setting.seed)
    }

    fn with_weights_of(&self, engine: &dyn Engine) -> Box<dyn System> {
        let model = Model { routers: engine.routers(), neurons: engine.expert_weights(), ..self.model.clone() };
        Box::new(Self { model, ..self.clone() })
    }

    fn keep(&self, kept: &[usize], calibration: Option<&Calibration>, parameters: &Parameters) -> Box<dyn System> {
        let kept: Vec<usize> = kept.iter().map(|&number| self.places[number]).collect();
        let removal = parameters.pruning.removal;
        // With expert choice a silent expert changes nothing (identity I2), so it need not be carried along.
        let is_silent = removal.traits().only_removes && removal.traits().keeps_router;
        let removal = if is_silent && parameters.has(Property::SpecialisedEngines) { Removal::Drop } else { removal };
        let Remains { model, stands_for, left } =
            removal.remove(&self.model, &kept, &Given { calibration, pruning: &parameters.pruning });
        Box::new(Self { model, rule: self.rule.subset(&stands_for), places: left, ..self.clone() })
    }

    fn for_each_routed(&self, batch: &Batch, visit: &mut dyn FnMut(RoutedSample)) {
        for_each_routed(&self.model, &self.rule, batch, visit);
    }

    fn choosing(&self, experts_per_token: usize) -> Option<Box<dyn System>> {
        Some(Box::new(Self { rule: self.rule.with_experts_per_token(experts_per_token), ..self.clone() }))
    }

    fn places(&self) -> &[usize] {
        &self.places
    }

    fn groups(&self) -> &[Vec<usize>] {
        self.rule.groups()
    }

    fn model(&self) -> Option<&Model> {
        Some(&self.model)
    }

    fn boxed(&self) -> Box<dyn System> {
        Box::new(self.clone())
    }
}
