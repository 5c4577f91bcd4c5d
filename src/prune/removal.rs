//! What becomes of pruned experts: what is left of the paper's model. Each way is a file here, and a row of the catalogue
//! of removals.
//!
//! A file has one constant, its `WAY`. Other systems have a way of their own for removals that only remove; the others are
//! made of an expert's neurons.

use super::statistics::Calibration;
use crate::catalogue::files;
use crate::catalogue::removals::removals;
use crate::moe::Model;
use crate::sim::parameters::{PruningParameters, Removal};

mod merging;

pub use novice::novice;

removals!(files[WAYS: Way = WAY]);

/// What a file says of its removal.
struct Way {
    /// What is left of a model if of its experts those with these numbers, ascending, are kept.
    remove: fn(&Model, &[usize], &Given) -> Remains,
    /// The activation that stands for a pruned expert where outputs add up.
    activation: fn(&Calibration, usize) -> f64,
}

/// What a removal may read beside the model and the numbers of the experts that are kept.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// Sums over the calibration set, if one was passed.
    pub calibration: Option<&'a Calibration>,
    /// Further keys.
    pub pruning: &'a PruningParameters,
}

/// What is left of a model.
#[derive(Clone, Debug)]
pub struct Remains {
    /// The model, with the experts whose routers are there.
    pub model: Model,
    /// For each of them the expert of the whole model in whose place it stands.
    pub stands_for: Vec<usize>,
    /// Which of them are left and not pruned, ascending.
    pub left: Vec<usize>,
}

impl Remains {
    /// A model of other experts than before, all of them left.
    fn smaller(model: Model, stands_for: Vec<usize>) -> Self {
        Self { left: (0..stands_for.len()).collect(), model, stands_for }
    }

    /// A model in which all routers stay, and of the experts those with the numbers `left`.
    fn with_all_routers(model: Model, left: Vec<usize>) -> Self {
        Self { stands_for: (0..model.experts()).collect(), model, left }
    }
}

impl Removal {
    /// What is left of `model` if of its experts those with the numbers `kept`, ascending, are kept.
    pub fn remove(self, model: &Model, kept: &[usize], given: &Given) -> Remains {
        (WAYS[self as usize].remove)(model, kept, given)
    }

    /// The activation, the same on every token, that stands for a pruned expert where outputs add up.
    pub(crate) fn activation(self, calibration: &Calibration, expert: usize) -> f64 {
        (WAYS[self as usize].activation)(calibration, expert)
    }
}

/// Of an expert for which nothing speaks.
fn nothing(_calibration: &Calibration, _expert: usize) -> f64 {
    0.0
}

/// Every neuron of the experts that are not kept becomes `level` everywhere.
fn levelled(model: &Model, kept: &[usize], level: impl Fn(usize) -> f64) -> Model {
    let mut levelled = model.clone();
    let size = model.neurons_per_expert * model.patterns;
    for (expert, neurons) in levelled.neurons.chunks_exact_mut(size).enumerate() {
        if kept.binary_search(&expert).is_err() {
            neurons.fill(level(expert));
        }
    }
    levelled
}
