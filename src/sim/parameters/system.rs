//! The systems that a simulation may train, and what of the theory each leaves behind.

use super::Removal;
use super::property::Property;
use crate::catalogue::names;
use crate::catalogue::systems::systems;

systems!(names[
    /// A system.
    System: pub SystemTraits
]);

/// What is told of a system before it is run.
#[derive(Debug)]
pub struct SystemTraits {
    /// The keys of `model`, `pretrained` and `training` that it reads; every other must keep its default. Empty: all.
    pub keys: &'static [&'static str],
    /// What is lost with it of the theory's setting.
    pub loses: &'static [Property],
}

impl SystemTraits {
    /// Whether it reads the key of this path.
    pub(crate) fn reads(&self, path: &str) -> bool {
        self.keys.is_empty() || self.keys.contains(&path)
    }

    /// What may become of its pruned experts. What is put in the place of an expert is made of its neurons.
    pub fn removals(&self) -> impl Iterator<Item = Removal> {
        let has_neurons = !self.loses.contains(&Property::ReluExperts);
        Removal::ALL.iter().copied().filter(move |removal| has_neurons || removal.traits().only_removes)
    }
}
