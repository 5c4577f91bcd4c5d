//! `[pruning]`: which experts go, how and when.

use super::domain::{criteria, flag, integer, kept, real, word};
use super::section::{CONTROL, CRITERIA, MANY, PRUNING, section};
use super::{Criteria, Criterion};
use crate::sim::kept::Kept;
use crate::sim::words::words;

section! {
    /// Which experts go, in which order, and what follows.
    pub struct PruningParameters: "pruning" {
        /// The criterion that claims are judged by.
        criterion: Criterion = "router-norm-change", word(), "", PRUNING;
        /// Further criteria that prune the same trained models; all: every one that the number of experts allows.
        criteria: Criteria = "[]", criteria(), "", CRITERIA;
        /// Which end of the order is pruned first.
        order: PruningOrder = "smallest-first", word(), "", CONTROL;
        /// What becomes of a pruned expert.
        removal: Removal = "zero-slot", word(), "", CRITERIA;
        /// Bits of a neuron's weight of the experts that removal = quantise rounds in place of removing them.
        bits: u32 = "4", integer(1, 16), "b", CRITERIA;
        /// Which weights the levels of a quantiser span: the expert's own, or those of all experts.
        range: QuantiserRange = "expert", word(), "", CRITERIA;
        /// Whether the fewest bits that the experts of each role need are looked for.
        fewest_bits: bool = "false", flag(), "", CRITERIA;
        /// When experts are pruned.
        schedule: PruningSchedule = "one-shot", word(), "", CRITERIA;
        /// Windows of training of the schedule windowed; experts go at the ends of all but the last.
        windows: usize = "4", integer(2, 1000), "", CRITERIA;
        /// Iterations of training between two removals of the schedule iterative.
        step_iterations: usize = "0", integer(0, MANY), "", CRITERIA;
        /// The samples that criteria are computed from: the task's, or half of them or all without a class pattern.
        calibration: CalibrationData = "task", word(), "", CRITERIA;
        /// How many samples criteria are computed from.
        calibration_samples: usize = "1000", integer(1, 10_000), "", CRITERIA;
        /// The share of T after which router-norm-change-early reads the routers.
        early: f64 = "0.1", real(0.0, 1.0), "", CRITERIA;
        /// What follows pruning at the numbers of finetune_kept: training on labels, or to the outputs of the
        /// unpruned model.
        afterwards: Afterwards = "fine-tune", word(), "", CRITERIA;
        /// Iterations of further fine-tuning after pruning.
        finetune_iterations: usize = "50", integer(0, MANY), "T′", PRUNING;
        /// Numbers of experts kept at which the pruned model is fine-tuned; all: every number.
        finetune_kept: Kept = "[]", kept(), "", PRUNING;
    }
}

words! {
    /// What becomes of a pruned expert.
    pub enum Removal {
        /// The router stays; a token that it wins contributes 0 (the paper's way). With expert choice the same as `Drop`
        /// (identity I2).
        ZeroSlot = "zero-slot",
        /// Expert and router go.
        Drop = "drop",
        /// The router stays; a token that it wins contributes a constant, the expert's mean activation.
        Novice = "novice",
        /// Router and neurons are averaged into the most similar kept expert of the same sign.
        MergeNearest = "merge-nearest",
        /// The experts of each sign are clustered by similarity; each cluster becomes one expert.
        MergeGroup = "merge-group",
        /// It stays, with its neurons rounded to few bits.
        Quantise = "quantise",
    }
}

impl Removal {
    /// Whether the kept experts are left as they are.
    pub(crate) fn leaves_kept_alone(self) -> bool {
        !matches!(self, Removal::MergeNearest | Removal::MergeGroup)
    }
}

words! {
    /// Which weights the levels of a quantiser span.
    pub enum QuantiserRange {
        /// The expert's own.
        Expert = "expert",
        /// Those of all experts.
        Layer = "layer",
    }
}

words! {
    /// When experts are pruned.
    pub enum PruningSchedule {
        /// All at once, after training.
        OneShot = "one-shot",
        /// After training, one after the other: after each the others are scored again.
        Iterative = "iterative",
        /// During training, in equal shares at the ends of windows, by the scores of the window.
        Windowed = "windowed",
        /// During training, all at once after half of it.
        HalfWay = "half-way",
    }
}

words! {
    /// The samples that criteria are computed from.
    pub enum CalibrationData {
        /// The task's.
        Task = "task",
        /// Half of the samples without a class pattern.
        Mixture = "mixture",
        /// All samples without a class pattern.
        Shifted = "shifted",
    }
}

words! {
    /// What follows pruning, at the numbers kept of `finetune_kept`.
    pub enum Afterwards {
        /// Nothing.
        Nothing = "nothing",
        /// Further training on labels.
        FineTune = "fine-tune",
        /// Further training to the outputs of the unpruned model by the squared loss, without labels.
        Distil = "distil",
    }
}

words! {
    /// Which end of the criterion's order is pruned first.
    pub enum PruningOrder {
        /// Smallest score first (the theorem's).
        SmallestFirst = "smallest-first",
        /// Largest score first: a negative control.
        LargestFirst = "largest-first",
    }
}
