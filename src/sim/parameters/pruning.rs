//! `[pruning]`: which experts go, how and when.

use super::Criterion;
use serde::{Deserialize, Serialize};

/// Which experts go, in which order, and what follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PruningParameters {
    /// The criterion that claims are judged by.
    pub criterion: Criterion,
    /// Further criteria, on the same trained models.
    pub criteria: Criteria,
    /// Which end of the order is pruned first.
    pub order: PruningOrder,
    /// What becomes of a pruned expert.
    pub removal: Removal,
    /// b: bits of a neuron's weight where experts are quantised in place of removed.
    pub bits: u32,
    /// Which weights a quantiser's levels span.
    pub range: QuantiserRange,
    /// Whether the fewest bits that experts of each role need are looked for.
    pub fewest_bits: bool,
    /// When experts are pruned.
    pub schedule: PruningSchedule,
    /// Windows of the schedule `windowed`: experts go at the ends of all but the last.
    pub windows: usize,
    /// Iterations of training between two removals of the schedule `iterative`.
    pub step_iterations: usize,
    /// Which samples criteria are computed from.
    pub calibration: CalibrationData,
    /// How many.
    pub calibration_samples: usize,
    /// The share of T after which `router-norm-change-early` reads the routers.
    pub early: f64,
    /// What follows pruning.
    pub afterwards: Afterwards,
    /// T′: iterations of fine-tuning after pruning.
    pub finetune_iterations: usize,
    /// Numbers of experts kept at which the pruned model is fine-tuned.
    pub finetune_kept: Kept,
}

/// Criteria that are computed beside the one that claims are judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Criteria {
    /// The word `all`: every criterion that the model's size allows.
    All(AllKept),
    /// These criteria.
    Listed(Vec<Criterion>),
}

impl Criteria {
    /// The criteria for a model of `experts` experts, each once, in the order of [`Criterion::ALL`].
    pub fn of(&self, experts: usize) -> Vec<Criterion> {
        let asked = |criterion: &Criterion| match self {
            Criteria::All(_) => experts <= criterion.most_experts(),
            Criteria::Listed(listed) => listed.contains(criterion),
        };
        Criterion::ALL.iter().copied().filter(asked).collect()
    }
}

/// What becomes of a pruned expert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// The router stays; a token that it wins contributes 0 (the paper's way). With expert choice the same as `Drop`
    /// (identity I2).
    ZeroSlot,
    /// Expert and router go.
    Drop,
    /// The router stays; a token that it wins contributes a constant, the expert's mean activation.
    Novice,
    /// Router and neurons are averaged into the most similar kept expert of the same sign.
    MergeNearest,
    /// The experts of each sign are clustered by similarity; each cluster becomes one expert.
    MergeGroup,
    /// It stays, with its neurons rounded to few bits.
    Quantise,
}

impl Removal {
    /// Its name in simulation files.
    pub fn name(self) -> &'static str {
        match self {
            Removal::ZeroSlot => "zero-slot",
            Removal::Drop => "drop",
            Removal::Novice => "novice",
            Removal::MergeNearest => "merge-nearest",
            Removal::MergeGroup => "merge-group",
            Removal::Quantise => "quantise",
        }
    }

    /// Whether the kept experts are left as they are.
    pub fn leaves_kept_alone(self) -> bool {
        !matches!(self, Removal::MergeNearest | Removal::MergeGroup)
    }
}

/// Which weights the levels of a quantiser span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuantiserRange {
    /// The expert's own.
    Expert,
    /// Those of all experts.
    Layer,
}

/// When experts are pruned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PruningSchedule {
    /// All at once, after training.
    OneShot,
    /// After training, one after the other: after each the others are scored again.
    Iterative,
    /// During training, in equal shares at the ends of windows, by the scores of the window.
    Windowed,
    /// During training, all at once after half of it.
    HalfWay,
}

impl PruningSchedule {
    /// Its name in simulation files.
    pub fn name(self) -> &'static str {
        match self {
            PruningSchedule::OneShot => "one-shot",
            PruningSchedule::Iterative => "iterative",
            PruningSchedule::Windowed => "windowed",
            PruningSchedule::HalfWay => "half-way",
        }
    }
}

/// The samples that criteria are computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CalibrationData {
    /// The task's.
    Task,
    /// Half of the samples without a class pattern.
    Mixture,
    /// All samples without a class pattern.
    Shifted,
}

/// What follows pruning, at the numbers kept of `finetune_kept`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Afterwards {
    /// Nothing.
    Nothing,
    /// Further training on labels.
    FineTune,
    /// Further training to the outputs of the unpruned model by the squared loss, without labels.
    Distil,
}

/// Which end of the criterion's order is pruned first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PruningOrder {
    /// Smallest score first (the theorem's).
    SmallestFirst,
    /// Largest score first: a negative control.
    LargestFirst,
}

/// Numbers of experts kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Kept {
    /// The word `all`: every number from k to 1.
    All(AllKept),
    /// These numbers.
    Listed(Vec<usize>),
}

/// The word `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AllKept {
    /// Every number from k to 1.
    All,
}

impl Kept {
    /// The numbers kept, largest first, for a model of `experts` experts.
    pub fn numbers(&self, experts: usize) -> Vec<usize> {
        match self {
            Kept::All(_) => (1..=experts).rev().collect(),
            Kept::Listed(listed) => {
                let mut numbers = listed.clone();
                numbers.sort_unstable_by(|a, b| b.cmp(a));
                numbers.dedup();
                numbers
            }
        }
    }
}
