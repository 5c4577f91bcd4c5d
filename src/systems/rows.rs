//! The weights of a system of which some experts may be gone.

use crate::sim::parameters::Parameters;

/// A row of router weights and a row of expert weights for each *slot*: an expert that is left, or a pruned one whose router
/// stays.
#[derive(Clone, Debug)]
pub struct Rows {
    /// `[slots, any]`.
    pub(super) routers: Vec<f64>,
    /// `[slots, any]`.
    pub(super) experts: Vec<f64>,
    slots: usize,
    /// The slots whose experts are left, ascending.
    places: Vec<usize>,
}

impl Rows {
    /// Those of `slots` experts, all of them left.
    pub(super) fn new(routers: Vec<f64>, experts: Vec<f64>, slots: usize) -> Self {
        Self { routers, experts, slots, places: (0..slots).collect() }
    }

    /// Experts whose routers are there.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// The slots whose experts are left, ascending.
    pub(super) fn places(&self) -> &[usize] {
        &self.places
    }

    pub(super) fn router(&self, slot: usize) -> &[f64] {
        of_slot(&self.routers, slot, self.slots)
    }

    pub(super) fn expert(&self, slot: usize) -> &[f64] {
        of_slot(&self.experts, slot, self.slots)
    }

    /// Whether the slot's expert is left, and not its router alone.
    pub(super) fn is_left(&self, slot: usize) -> bool {
        self.places.len() == self.slots || self.places.binary_search(&slot).is_ok()
    }

    /// The same slots with other weights.
    pub(super) fn with_weights(&self, routers: Vec<f64>, experts: Vec<f64>) -> Self {
        Self { routers, experts, ..self.clone() }
    }

    /// What is left if of its experts those with the numbers `kept` stay, ascending, and the slots that it is made of. The
    /// removal says whether the routers of the others stay; nothing is put in the place of their outputs.
    pub(super) fn keep(&self, kept: &[usize], parameters: &Parameters) -> (Self, Vec<usize>) {
        let kept: Vec<usize> = kept.iter().map(|&number| self.places[number]).collect();
        if parameters.pruning.removal.traits().keeps_router {
            return (Self { places: kept, ..self.clone() }, (0..self.slots).collect());
        }
        let rows = |of: &[f64]| kept.iter().flat_map(|&slot| of_slot(of, slot, self.slots).to_vec()).collect();
        (Self::new(rows(&self.routers), rows(&self.experts), kept.len()), kept)
    }

    /// Whether every weight is a finite number.
    pub(super) fn are_finite(&self) -> bool {
        self.routers.iter().chain(&self.experts).all(|weight| weight.is_finite())
    }
}

fn of_slot(weights: &[f64], slot: usize, slots: usize) -> &[f64] {
    let length = weights.len() / slots;
    &weights[slot * length..][..length]
}
