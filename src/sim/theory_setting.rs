//! Where a setting leaves the theory's, and what is lost there.
//!
//! The theory's setting is expert choice in one group, one feature a class, orthonormal patterns, irrelevant tokens that
//! say nothing of the class and are alike, fresh batches, and the hinge loss alone. [`DEPARTURES`] is the one list of the keys that leave it;
//! whoever asks whether lemmas, certificates, a closed form or an engine apply asks [`Parameters::lost`].

use super::parameters::{Gate, LabelLoss, Parameters, Property};
use super::value::shortest;
use Property::{Certificates, ExactLambda, PatternCoordinates, SpecialisedEngines, Theory, TokenNoise};

/// A key that leaves the theory's setting where it has a value.
struct Departure {
    key: &'static str,
    /// The value, if it is one that leaves the setting.
    value: fn(&Parameters) -> Option<String>,
    /// What is lost with that value.
    loses: fn(&Parameters) -> &'static [Property],
}

/// What is lost where patterns are not orthonormal.
const OF_ORTHONORMAL: &[Property] = &[Theory, Certificates, ExactLambda, PatternCoordinates];

/// Every key that leaves the setting, in the order in which it is named.
#[rustfmt::skip] // One key a line: a table.
static DEPARTURES: &[Departure] = &[
    Departure { key: "model.system", value: |p| Some(p.model.system.to_string()), loses: |p| p.model.system.traits().loses },
    Departure { key: "data.features", value: |p| above(p.data.features, 1), loses: |_| &[Theory, Certificates] },
    Departure { key: "data.spurious", value: |p| other_than_zero(p.data.spurious), loses: |_| &[Theory, Certificates, ExactLambda] },
    Departure { key: "data.coherence", value: |p| other_than_zero(p.data.coherence), loses: |_| OF_ORTHONORMAL },
    Departure { key: "data.likeness", value: |p| other_than_zero(p.data.likeness), loses: |_| OF_ORTHONORMAL },
    Departure { key: "data.images", value: |p| p.data.images.are_some().then(|| p.data.images.text().to_owned()), loses: |_| OF_ORTHONORMAL },
    Departure { key: "data.topics", value: |p| above(p.data.topics, 1), loses: |_| &[Theory, Certificates, ExactLambda] },
    Departure { key: "data.noise", value: |p| other_than_zero(p.data.noise), loses: |_| &[ExactLambda] },
    Departure { key: "model.routing", value: |p| Some(p.model.routing.to_string()), loses: |p| p.model.routing.traits().loses },
    Departure { key: "model.gate", value: |p| (p.model.gate != Gate::Ordinary).then(|| p.model.gate.to_string()), loses: |_| &[Property::Routers] },
    Departure { key: "model.groups", value: |p| above(p.model.groups, 1), loses: |_| &[Theory, Certificates, SpecialisedEngines, TokenNoise] },
    Departure { key: "training.training_set", value: |p| above(p.training.training_set, 0), loses: |_| &[Theory] },
    Departure { key: "training.load_balance", value: |p| other_than_zero(p.training.load_balance), loses: |_| &[Theory, SpecialisedEngines, TokenNoise] },
    Departure { key: "training.entropy", value: |p| other_than_zero(p.training.entropy), loses: |_| &[Theory, SpecialisedEngines, TokenNoise] },
    Departure { key: "pruning.finetune_entropy", value: |p| other_than_zero(p.pruning.finetune_entropy), loses: |_| &[Theory, SpecialisedEngines, TokenNoise] },
    Departure { key: "training.loss", value: |p| (p.training.loss != LabelLoss::Hinge).then(|| p.training.loss.to_string()), loses: |_| &[Theory] },
    Departure { key: "training.momentum", value: |p| other_than_zero(p.training.momentum), loses: |_| &[Theory, SpecialisedEngines, TokenNoise] },
    Departure { key: "training.importance_loss", value: |p| other_than_zero(p.training.importance_loss), loses: |_| &[Theory, SpecialisedEngines, TokenNoise] },
    Departure { key: "training.load_loss", value: |p| other_than_zero(p.training.load_loss), loses: |_| &[Theory, SpecialisedEngines, TokenNoise] },
];

fn above(value: usize, most: usize) -> Option<String> {
    (value > most).then(|| value.to_string())
}

fn other_than_zero(value: f64) -> Option<String> {
    (value != 0.0).then(|| shortest(value))
}

impl Parameters {
    /// The first key, with its value, by which the property is lost; `None` if it holds.
    pub fn lost(&self, property: Property) -> Option<(&'static str, String)> {
        let mut departures = DEPARTURES.iter().filter(|departure| (departure.loses)(self).contains(&property));
        departures.find_map(|departure| (departure.value)(self).map(|value| (departure.key, value)))
    }

    /// Whether the property holds.
    pub(crate) fn has(&self, property: Property) -> bool {
        self.lost(property).is_none()
    }

    /// Why no expert has a norm change Δ, if none has.
    pub fn delta_undefined(&self) -> Option<String> {
        let why = self.model.gate.without_router()?;
        Some(format!("undefined here because model.gate = {}: {why}", self.model.gate))
    }
}
