//! `[pruning]`: which experts go, how and when.

use super::domain::{criteria, flag, integer, kept, real, word};
use super::section::{CONTROL, CRITERIA, MANY, MERGE, PRUNING, SEER, STACK, WINDOWED, section};
use super::{Criteria, Criterion};
use crate::catalogue::names;
use crate::catalogue::removals::removals;
use crate::catalogue::schedules::schedules;
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
        /// Where the order is made: among all experts, or within each group of experts, of which the same number goes.
        ranking: Ranking = "global", word(), "", STACK;
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
        /// The least share of the summed scores, in units of the even one, of an expert that the schedules eager, staged and
        /// two-pass keep at the end of a window.
        share_min: f64 = "0.5", real(0.0, 1.0), "β", WINDOWED;
        /// Experts that each token chooses at the end of what follows pruning, in token-choice routing; 0: as before.
        final_experts_per_token: usize = "0", integer(0, 4096), "", SEER;
        /// The share of further fine-tuning over which the choices of a token fall, one by one, to final_experts_per_token;
        /// 0: they do at once.
        anneal: f64 = "0.0", real(0.0, 1.0), "", SEER;
        /// The coefficient of the mean entropy of the gates in what follows pruning.
        finetune_entropy: f64 = "entropy", real(-1e6, 1e6), "κ", SEER;
        /// How the members of a group count that merge-group makes one expert of.
        merge_weights: MergeWeights = "mass", word(), "α", MERGE;
        /// Whether a merged expert speaks for one member or for all.
        merge_scale: MergeScale = "one", word(), "", MERGE;
        /// Whether routers are merged, or that of the member of most gate mass stays.
        merge_routers: bool = "true", flag(), "", MERGE;
        /// Which experts merge-group puts into one group.
        merge_partition: MergePartition = "similar", word(), "", MERGE;
    }
}

removals!(names[
    /// What becomes of a pruned expert.
    Removal: pub(crate) RemovalTraits
]);

/// What is told of a removal before it is run.
#[derive(Debug)]
pub(crate) struct RemovalTraits {
    /// Whether tokens still go where pruned experts were.
    pub keeps_router: bool,
    /// Whether kept experts stay as they are and nothing speaks for the others, so that training may go on with what is
    /// left and certificates of it mean something.
    pub only_removes: bool,
    /// Whether one expert may be made of several, which must stand in one group.
    pub merges: bool,
    /// Whether it reads a calibration set.
    pub needs_data: bool,
    /// When the pruned model's output is the sum of what the kept experts say in the whole one, and of a constant for
    /// each of the others.
    pub adds_up: AddsUp,
}

/// When outputs of kept experts add up to that of the pruned model.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AddsUp {
    /// In every system.
    Always,
    /// Where what an expert says does not depend on which others there are ([`super::Property::IndependentExperts`]).
    IfIndependent,
    /// Nowhere.
    Never,
}

impl AddsUp {
    /// Whether they do in a system whose experts are independent or not.
    pub(crate) fn holds(self, are_independent: bool) -> bool {
        match self {
            AddsUp::Always => true,
            AddsUp::IfIndependent => are_independent,
            AddsUp::Never => false,
        }
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

schedules!(names[
    /// When experts are pruned.
    PruningSchedule: pub(crate) ScheduleTraits
]);

/// What is told of a schedule before it is run.
#[derive(Debug)]
pub(crate) struct ScheduleTraits {
    /// When the model trains.
    pub training: Training,
    /// Whether what is left of a model is scored again, with what routing makes of it.
    pub scores_again: bool,
}

/// When a model that is pruned trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Training {
    /// Before all pruning.
    Over,
    /// Before all pruning, and for `step_iterations` after each removal.
    Between,
    /// Beside pruning: a model is trained for each number of `finetune_kept`.
    Beside,
}

impl PruningParameters {
    /// Whether a model trains with fewer experts before pruning is over.
    pub(crate) fn trains_with_fewer(&self) -> bool {
        match self.schedule.traits().training {
            Training::Over => false,
            Training::Between => self.step_iterations > 0,
            Training::Beside => true,
        }
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
    /// How the members of a group count whose weights are averaged.
    pub enum MergeWeights {
        /// By their gate mass over the calibration set.
        Mass = "mass",
        /// All alike.
        Uniform = "uniform",
        /// The one of most gate mass alone.
        Largest = "largest",
    }
}

words! {
    /// For how many a merged expert speaks.
    pub enum MergeScale {
        /// For one: its neurons are the average.
        One = "one",
        /// For all g members: its neurons are g times the average, since outputs of experts add up.
        All = "all",
    }
}

words! {
    /// Which experts of a sign are put into one group.
    pub enum MergePartition {
        /// The most similar ones.
        Similar = "similar",
        /// The least similar ones: a negative control.
        Different = "different",
        /// Any: a negative control.
        Random = "random",
    }
}

words! {
    /// Where experts are ranked.
    pub enum Ranking {
        /// Among all experts.
        Global = "global",
        /// Within their group, or layer: each group's k-th expert is kept before any group's next one.
        PerGroup = "per-group",
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
