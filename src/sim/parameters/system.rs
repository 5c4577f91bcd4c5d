//! The systems that a simulation may train, and what of the theory each leaves behind.

use super::Removal;
use super::property::Property;
use super::{Parameters, section};
use crate::catalogue::names;
use crate::catalogue::systems::systems;
use crate::sim::contradiction::Contradiction;
use crate::sim::keys::find;
use crate::sim::systems as checks;

/// What is lost with any mixture that is not of the theory's experts and routings.
const FOREIGN: &[Property] = &[
    Property::Theory,
    Property::Certificates,
    Property::ExactLambda,
    Property::SpecialisedEngines,
    Property::TokenNoise,
    Property::ReluExperts,
    Property::IndependentExperts,
];

/// The keys that every other system trains by.
const TRAINED_BY: &[&str] = &[
    "training.router_rate",
    "training.expert_rate",
    "training.batch",
    "training.iterations",
    "training.zero_loss_window",
    "training.training_set",
];

/// Two lists, one behind the other.
macro_rules! joined {
    ($type:ty: $first:expr, $last:expr) => {
        &{
            const FIRST: &[$type] = $first;
            const LAST: &[$type] = $last;
            let mut all = [FIRST[0]; FIRST.len() + LAST.len()];
            let mut place = 0;
            while place < all.len() {
                all[place] = if place < FIRST.len() { FIRST[place] } else { LAST[place - FIRST.len()] };
                place += 1;
            }
            all
        }
    };
}

/// [`FOREIGN`], and more.
macro_rules! foreign_and {
    ($($more:ident),+) => {
        joined!(Property: FOREIGN, &[$(Property::$more),+])
    };
}

/// Keys of a system, and [`TRAINED_BY`].
macro_rules! trained_with {
    ($($own:literal),+ $(,)?) => {
        joined!(&str: &[$($own),+], TRAINED_BY)
    };
}

systems!(names[
    /// A system.
    System: pub SystemTraits
]);

/// What is told of a system before it is run.
#[derive(Debug)]
pub struct SystemTraits {
    /// The keys of `model`, `pretrained` and `training` that it reads; every other must keep its default. Empty: all but those
    /// that only other systems read.
    pub keys: &'static [&'static str],
    /// What is lost with it of the theory's setting.
    pub loses: &'static [Property],
    /// What else it asks of its keys.
    pub(in crate::sim) check: fn(&Parameters) -> Result<(), Contradiction>,
}

impl SystemTraits {
    /// Whether it reads the key of this path.
    pub(crate) fn reads(&self, path: &str) -> bool {
        let is_foreign = || find(path).is_some_and(|key| key.source == section::FOREIGN);
        self.keys.contains(&path) || self.keys.is_empty() && !is_foreign()
    }

    /// What may become of its pruned experts. What is put in the place of an expert is made of its neurons.
    pub fn removals(&self) -> impl Iterator<Item = Removal> {
        let has_neurons = !self.loses.contains(&Property::ReluExperts);
        Removal::ALL.iter().copied().filter(move |removal| has_neurons || removal.traits().only_removes)
    }
}
