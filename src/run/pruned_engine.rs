//! The engine of a pruned model.

use crate::moe::{Model, RoutingRule};
use crate::prune::quantise::quantised;
use crate::prune::removal::representatives;
use crate::prune::{Calibration, pruned_model};
use crate::sgd::plain::needs_plain_engine;
use crate::sgd::{Engine, EngineChoice, PlainEngine};
use crate::sim::parameters::{Parameters, Removal};

/// The engine of the model that keeps the experts `kept`, in ascending order, of `trained`; what becomes of the others
/// is the simulation's `pruning.removal`. Where the routers of pruned experts stay ([`Removal::ZeroSlot`] in token
/// choice, [`Removal::Novice`]) it has as many experts as before.
pub fn pruned_engine(
    choice: EngineChoice,
    trained: &Model,
    kept: &[usize],
    calibration: Option<&Calibration>,
    parameters: &Parameters,
    run_seed: u64,
) -> Box<dyn Engine> {
    let removal = match (needs_plain_engine(parameters), parameters.pruning.removal) {
        // With expert choice a silent expert changes nothing (identity I2), so it need not be carried along.
        (false, Removal::ZeroSlot) => Removal::Drop,
        (_, removal) => removal,
    };
    let model = || pruned_model(trained, kept, removal, calibration);
    let rule = || RoutingRule::new(&parameters.model, parameters.data.tokens);
    match removal {
        Removal::ZeroSlot => Box::new(PlainEngine::with_rule(trained, rule().pruned(kept, removal), parameters)),
        Removal::Novice => choice.build(&model(), parameters, run_seed),
        Removal::Quantise => {
            let pruning = &parameters.pruning;
            let others: Vec<usize> = (0..trained.experts()).filter(|expert| !kept.contains(expert)).collect();
            choice.build(&quantised(trained, &others, 1 << pruning.bits, pruning.range), parameters, run_seed)
        }
        _ if !needs_plain_engine(parameters) => choice.build(&model(), parameters, run_seed),
        // Merged experts stand where the first of their members stood.
        _ => {
            let places = representatives(trained, kept, removal, calibration);
            Box::new(PlainEngine::with_rule(&model(), rule().pruned(&places, Removal::Drop), parameters))
        }
    }
}
