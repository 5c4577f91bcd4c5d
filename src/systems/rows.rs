//! Systems whose experts are rows of weights, some of which may be gone: what all of them answer alike.

use super::{Setting, System};
use crate::patterns::Batch;
use crate::prune::routed::RoutedSample;
use crate::prune::{Calibration, Checkpoint};
use crate::sgd::{Engine, Rates};
use crate::sim::parameters::Parameters;
use std::fmt::Debug;

/// A row of router weights and a row of expert weights for each *slot*: an expert that is left, or a pruned one whose router
/// stays.
#[derive(Clone, Debug)]
pub struct Rows {
    /// `[slots, any]`; empty where no expert has a router of its own.
    pub(super) routers: Vec<f64>,
    /// `[slots, any]`.
    pub(super) experts: Vec<f64>,
    /// Length of a row of an expert's weights.
    row_length: usize,
    /// The number that the expert of each slot had when none was gone, ascending.
    numbers: Vec<usize>,
    /// a_s of each slot; empty if experts have no sign.
    signs: Vec<f64>,
    /// The slots of each softmax.
    groups: Vec<Vec<usize>>,
    /// The slots whose experts are left, ascending.
    places: Vec<usize>,
}

impl Rows {
    /// Those of `slots` experts, all of them left, in one group.
    pub(super) fn new(routers: Vec<f64>, experts: Vec<f64>, slots: usize, row_length: usize) -> Self {
        let all: Vec<usize> = (0..slots).collect();
        Self {
            routers,
            experts,
            row_length,
            signs: Vec::new(),
            groups: vec![all.clone()],
            numbers: all.clone(),
            places: all,
        }
    }

    /// The same of experts with these signs, in one group.
    pub(super) fn with_signs(self, signs: Vec<f64>) -> Self {
        Self { signs, ..self }
    }

    /// The same, the experts of either sign in a group of their own.
    pub(super) fn grouped_by_sign(self) -> Self {
        let of = |sign: f64| (0..self.signs.len()).filter(|&slot| self.signs[slot] == sign).collect();
        Self { groups: vec![of(1.0), of(-1.0)], ..self }
    }

    /// The same, in these groups.
    pub(super) fn grouped(self, groups: Vec<Vec<usize>>) -> Self {
        Self { groups, ..self }
    }

    /// Experts whose routers are there.
    pub(super) fn slots(&self) -> usize {
        self.numbers.len()
    }

    /// The number that the expert of each slot had when none was gone, ascending.
    pub(super) fn numbers(&self) -> &[usize] {
        &self.numbers
    }

    /// a_s of each slot; empty if experts have no sign.
    pub(super) fn signs(&self) -> &[f64] {
        &self.signs
    }

    /// The slots of each softmax.
    pub(super) fn groups(&self) -> &[Vec<usize>] {
        &self.groups
    }

    pub(super) fn router(&self, slot: usize) -> &[f64] {
        of_slot(&self.routers, slot, self.slots())
    }

    pub(super) fn expert(&self, slot: usize) -> &[f64] {
        of_slot(&self.experts, slot, self.slots())
    }

    /// Whether the slot's expert is left, and not its router alone.
    pub(super) fn is_left(&self, slot: usize) -> bool {
        self.places.len() == self.slots() || self.places.binary_search(&slot).is_ok()
    }

    /// The same slots with other weights.
    pub(super) fn with_weights(&self, routers: Vec<f64>, experts: Vec<f64>) -> Self {
        Self { routers, experts, ..self.clone() }
    }

    /// What is left if of its experts those with the numbers `kept` among those that are left stay, ascending. The removal
    /// says whether the routers of the others stay; nothing is put in the place of their outputs.
    fn keep(&self, kept: &[usize], parameters: &Parameters) -> Self {
        let kept: Vec<usize> = kept.iter().map(|&number| self.places[number]).collect();
        if parameters.pruning.removal.traits().keeps_router {
            return Self { places: kept, ..self.clone() };
        }
        let rows = |of: &[f64]| kept.iter().flat_map(|&slot| of_slot(of, slot, self.slots()).to_vec()).collect();
        let group = |group: &Vec<usize>| (0..kept.len()).filter(|&slot| group.contains(&kept[slot])).collect();
        Self {
            routers: rows(&self.routers),
            experts: rows(&self.experts),
            row_length: self.row_length,
            numbers: kept.iter().map(|&slot| self.numbers[slot]).collect(),
            signs: kept.iter().filter_map(|&slot| self.signs.get(slot).copied()).collect(),
            groups: self.groups.iter().map(group).collect(),
            places: (0..kept.len()).collect(),
        }
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

/// A system whose experts are rows of weights: it is a checkpoint and a system by what is said here.
pub trait OnRows: Clone + Debug + 'static {
    /// Its experts.
    fn rows(&self) -> &Rows;

    /// The same system with these in their place.
    fn on(&self, rows: Rows) -> Self;

    /// Whether coordinate v of a router is its score of pattern v.
    fn reads_patterns(&self) -> bool;

    /// An engine that trains it.
    fn trained_by(&self, rates: Rates) -> Box<dyn Engine>;

    /// Calls `visit` with every sample of a batch.
    fn visit_routed(&self, batch: &Batch, visit: &mut dyn FnMut(RoutedSample));

    /// The same system with the weights that an engine of it has come to.
    fn of_engine(&self, engine: &dyn Engine) -> Self {
        self.with_weights(engine.routers(), engine.expert_weights())
    }

    /// The same system with these routers and expert weights, `[slots, any]` each.
    fn with_weights(&self, routers: Vec<f64>, experts: Vec<f64>) -> Self {
        self.on(self.rows().with_weights(routers, experts))
    }
}

impl<T: OnRows> Checkpoint for T {
    fn experts(&self) -> usize {
        self.rows().places.len()
    }

    fn router(&self, expert: usize) -> &[f64] {
        self.rows().router(self.rows().places[expert])
    }

    fn expert_weights(&self, expert: usize) -> &[f64] {
        self.rows().expert(self.rows().places[expert])
    }

    fn row_length(&self) -> usize {
        self.rows().row_length
    }

    fn sign(&self, expert: usize) -> Option<f64> {
        self.rows().signs.get(self.rows().places[expert]).copied()
    }

    fn peers(&self, expert: usize) -> Vec<usize> {
        let Rows { groups, places, .. } = self.rows();
        let own = groups.iter().filter(|group| group.contains(&places[expert]));
        own.flat_map(|group| group.iter().filter_map(|slot| places.binary_search(slot).ok())).collect()
    }

    fn is_in_pattern_coordinates(&self) -> bool {
        self.reads_patterns()
    }
}

impl<T: OnRows> System for T {
    fn engine(&self, setting: &Setting) -> Box<dyn Engine> {
        self.trained_by(Rates::from(&setting.parameters.training))
    }

    fn with_weights_of(&self, engine: &dyn Engine) -> Box<dyn System> {
        Box::new(self.of_engine(engine))
    }

    fn keep(&self, kept: &[usize], _calibration: Option<&Calibration>, parameters: &Parameters) -> Box<dyn System> {
        Box::new(self.on(self.rows().keep(kept, parameters)))
    }

    fn for_each_routed(&self, batch: &Batch, visit: &mut dyn FnMut(RoutedSample)) {
        self.visit_routed(batch, visit);
    }

    fn places(&self) -> &[usize] {
        &self.rows().places
    }

    fn groups(&self) -> &[Vec<usize>] {
        self.rows().groups()
    }

    fn boxed(&self) -> Box<dyn System> {
        Box::new(self.clone())
    }
}
