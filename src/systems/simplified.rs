//! The paper's simplified mixture of experts, with expert choice or token choice: a [`Model`], and the rule by which it routes.

use super::upstream::pretrained;
use super::{Setting, StartingPoint, System, UpstreamDiverged};
use crate::moe::{Model, Pretrained, RoutingRule};
use crate::patterns::Batch;
use crate::prune::quantise::quantised;
use crate::prune::removal::representatives;
use crate::prune::routed::{RoutedSample, for_each_routed};
use crate::prune::{Calibration, Checkpoint, pruned_model};
use crate::sgd::Engine;
use crate::sim::Property;
use crate::sim::parameters::{Parameters, Removal};

/// A model some of whose experts may be gone. Where their routers stay ([`Removal::ZeroSlot`] in the general engine) they
/// are still in the model, and its rule gives their tokens 0.
#[derive(Clone, Debug)]
pub(crate) struct SimplifiedMoe {
    model: Model,
    rule: RoutingRule,
    /// The numbers that experts which are left have in `model`, ascending.
    places: Vec<usize>,
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
        Self { model, rule, places }
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

    fn is_in_pattern_coordinates(&self) -> bool {
        true
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
        let Self { model, rule, places } = self;
        let kept: Vec<usize> = kept.iter().map(|&number| places[number]).collect();
        let pruning = &parameters.pruning;
        let removal = match (parameters.has(Property::SpecialisedEngines), pruning.removal) {
            // With expert choice a silent expert changes nothing (identity I2), so it need not be carried along.
            (true, Removal::ZeroSlot) => Removal::Drop,
            (_, removal) => removal,
        };
        Box::new(match removal {
            Removal::ZeroSlot => {
                Self { model: model.clone(), rule: rule.pruned(&kept, Removal::ZeroSlot), places: kept }
            }
            Removal::Novice => {
                let model = pruned_model(model, &kept, removal, calibration);
                Self { model, rule: rule.clone(), places: kept }
            }
            Removal::Quantise => {
                let others: Vec<usize> = (0..model.experts()).filter(|expert| !kept.contains(expert)).collect();
                let model = quantised(model, &others, 1 << pruning.bits, pruning.range);
                Self { model, ..self.clone() }
            }
            // Merged experts stand where the first of their members stood.
            Removal::Drop | Removal::MergeNearest | Removal::MergeGroup => {
                let stand_for = representatives(model, &kept, removal, calibration);
                Self {
                    model: pruned_model(model, &kept, removal, calibration),
                    rule: rule.pruned(&stand_for, Removal::Drop),
                    places: (0..stand_for.len()).collect(),
                }
            }
        })
    }

    fn for_each_routed(&self, batch: &Batch, visit: &mut dyn FnMut(RoutedSample)) {
        for_each_routed(&self.model, &self.rule, batch, visit);
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
