//! The engine of a pruned model.

use crate::moe::Model;
use crate::prune::Calibration;
use crate::sgd::{Engine, EngineChoice};
use crate::sim::parameters::Parameters;
use crate::systems::{Setting, SimplifiedMoe, System};

/// The engine of the model that keeps the experts `kept`, in ascending order, of `trained`; what becomes of the others
/// is the simulation's `pruning.removal`. Where the routers of pruned experts stay
/// ([`ZeroSlot`](crate::sim::parameters::Removal::ZeroSlot) in token choice,
/// [`Novice`](crate::sim::parameters::Removal::Novice)) it has as many experts as before.
pub fn pruned_engine(
    choice: EngineChoice,
    trained: &Model,
    kept: &[usize],
    calibration: Option<&Calibration>,
    parameters: &Parameters,
    run_seed: u64,
) -> Box<dyn Engine> {
    let pruned = SimplifiedMoe::new(trained.clone(), parameters).keep(kept, calibration, parameters);
    pruned.engine(&Setting { parameters, seed: run_seed, choice })
}
