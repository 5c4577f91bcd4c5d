//! What pruning has left of a model that goes on: its experts, and the rule by which it routes.

use super::calibration::calibrate;
use crate::moe::{Model, RoutingRule};
use crate::patterns::Sampler;
use crate::prune::Calibration;
use crate::sgd::EngineChoice;
use crate::sgd::plain::needs_plain_engine;
use crate::sgd::train;
use crate::sgd::train::Schedule;
use crate::sim::parameters::{Parameters, Removal};

/// A model some of whose experts may be gone. Where their routers stay ([`Removal::ZeroSlot`] in the plain engine) they
/// are still in the model, and its rule gives their tokens 0.
#[derive(Clone, Debug)]
pub(super) struct Left {
    model: Model,
    rule: RoutingRule,
    /// The numbers that experts which are left have in `model`, ascending.
    places: Vec<usize>,
}

impl Left {
    /// All of an unpruned model.
    pub(super) fn all(model: &Model, parameters: &Parameters) -> Self {
        let rule = RoutingRule::new(&parameters.model, parameters.data.tokens);
        Self { model: model.clone(), rule, places: (0..model.experts()).collect() }
    }

    pub(super) fn model(&self) -> &Model {
        &self.model
    }

    pub(super) fn rule(&self) -> &RoutingRule {
        &self.rule
    }

    /// The experts that are left, as a model.
    pub(super) fn experts(&self) -> Model {
        self.model.subset(&self.places)
    }

    /// What is left if of these experts those with the numbers `keep` stay, ascending.
    pub(super) fn keep(&self, keep: &[usize], parameters: &Parameters) -> Self {
        let kept: Vec<usize> = keep.iter().map(|&number| self.places[number]).collect();
        // Elsewhere a router without an expert changes nothing (identity I2).
        if needs_plain_engine(parameters) && parameters.pruning.removal == Removal::ZeroSlot {
            let rule = self.rule.pruned(&kept, Removal::ZeroSlot);
            return Self { model: self.model.clone(), rule, places: kept };
        }
        let rule = self.rule.pruned(&kept, Removal::Drop);
        Self { model: self.model.subset(&kept), rule, places: (0..kept.len()).collect() }
    }

    /// What the run's calibration set says of the experts that are left.
    pub(super) fn calibrate(&self, parameters: &Parameters, run_seed: u64) -> Calibration {
        calibrate(&self.model, &self.rule, parameters, run_seed).of(&self.places)
    }

    /// The model after further iterations on the batches of `sampler`; `None` if it diverged or underflowed.
    pub(super) fn trained(
        &self,
        sampler: &mut Sampler,
        iterations: usize,
        parameters: &Parameters,
        (choice, run_seed): (EngineChoice, u64),
    ) -> Option<Self> {
        if iterations == 0 {
            return Some(self.clone());
        }
        let mut engine = choice.build_with_rule(&self.model, &self.rule, parameters, run_seed);
        // Windows have their lengths whatever the loss is.
        let schedule = Schedule { iterations, zero_loss_window: 0, ..Schedule::training(parameters) };
        let (stop, _) = train(engine.as_mut(), sampler, schedule, &mut []);
        let is_one = stop.unless_unsound(engine.as_ref()).leaves_a_model();
        is_one.then(|| Self { model: engine.model(), ..self.clone() })
    }
}
