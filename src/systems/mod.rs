//! Systems: what kind of mixture of experts is trained, pruned and measured.
//!
//! A system is a row of the catalogue of systems, which simulation files are checked against, and the file here that the row
//! names: one struct that is a [`System`], one that is an [`Engine`] unless [`crate::sgd`] has it, and a function `start`.
//! [`starts`] has the ways in which the first of them, the paper's, comes to its pre-trained model.

use crate::catalogue::files;
use crate::catalogue::systems::systems;
use crate::moe::{BuiltRole, Model};
use crate::patterns::Batch;
use crate::prune::routed::RoutedSample;
use crate::prune::{Calibration, Checkpoint};
use crate::sgd::{Engine, EngineChoice};
use crate::sim::parameters::Parameters;

pub mod gate_losses;
mod rows;
pub mod starts;
pub mod tokenwise;

pub use rows::OnRows;
pub(crate) use simplified::SimplifiedMoe;
pub(crate) use starts::UpstreamDiverged;

systems!(files[pub START: fn(&Setting) -> (StartingPoint, Option<UpstreamDiverged>) = start]);

/// What a run trains with.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// Its parameters.
    pub parameters: &'a Parameters,
    /// The run's seed.
    pub seed: u64,
    /// The engine that was asked for.
    pub choice: EngineChoice,
}

/// A mixture of experts at one moment, some of whose experts may have been pruned. As a `Checkpoint` it shows those that
/// are left.
pub trait System: Checkpoint {
    /// An engine that trains it, or passes samples through it.
    fn engine(&self, setting: &Setting) -> Box<dyn Engine>;

    /// The same system with the weights that an engine of it has come to.
    fn with_weights_of(&self, engine: &dyn Engine) -> Box<dyn System>;

    /// What is left if of its experts those with the numbers `kept` stay, ascending; what becomes of the others is the
    /// simulation's `pruning.removal`.
    fn keep(&self, kept: &[usize], calibration: Option<&Calibration>, parameters: &Parameters) -> Box<dyn System>;

    /// Calls `visit` with every sample of a batch, over all experts whose routers are there, also those of pruned experts.
    fn for_each_routed(&self, batch: &Batch, visit: &mut dyn FnMut(RoutedSample));

    /// The same system, each of whose tokens chooses this many experts; `None` if it knows no other number.
    fn choosing(&self, _experts_per_token: usize) -> Option<Box<dyn System>> {
        None
    }

    /// The numbers, among all routers that are there, of the experts that are left, ascending.
    fn places(&self) -> &[usize];

    /// The routers of each group: a token's softmax is over one group.
    fn groups(&self) -> &[Vec<usize>];

    /// The paper's model, if it is one.
    fn model(&self) -> Option<&Model> {
        None
    }

    /// A copy.
    fn boxed(&self) -> Box<dyn System>;
}

/// Where fine-tuning starts.
#[derive(Debug)]
pub(crate) struct StartingPoint {
    /// The system at t = 0.
    pub system: Box<dyn System>,
    /// Built roles, `[k]`; empty if the system has no roles.
    pub roles: Vec<BuiltRole>,
    /// The feature that each relevant or misaligned expert was built for, `[k]`.
    pub features: Vec<Option<usize>>,
}

/// Where fine-tuning of a run starts, and what went wrong on the way there, if anything did: then it is where pre-training
/// itself started.
pub(crate) fn start(setting: &Setting) -> (StartingPoint, Option<UpstreamDiverged>) {
    START[setting.parameters.model.system as usize](setting)
}
