//! `[pretrained]`: what fine-tuning starts from.

use super::domain::{integer, real, word};
use super::section::{BUILT, CONTROL, FOREIGN, MANY, MERGE, UPSTREAM, WORLD, section};
use crate::catalogue::names;
use crate::catalogue::starts::starts;
use crate::sim::words::words;

section! {
    /// The model that fine-tuning starts from.
    pub struct PretrainedParameters: "pretrained" {
        /// How the pre-trained model is made.
        kind: PretrainedKind = "constructed", word(), "", BUILT;
        /// Experts per class that specialise in that class's pattern with the right sign.
        relevant_per_class: usize = "2", integer(0, 2048), "R_c", BUILT;
        /// Experts, in all, that specialise in a class's pattern with the wrong sign.
        misaligned: usize = "0", integer(0, 4096), "W", BUILT;
        /// Probability that an irrelevant expert specialises in a given irrelevant pattern.
        specialisation: f64 = "0.5", real(0.0, 1.0), "φ", BUILT;
        /// A fixed number of irrelevant patterns that each irrelevant expert specialises in; 0: use specialisation.
        special_patterns: usize = "0", integer(0, 65_536), "", BUILT;
        /// Mean router coordinate on the special patterns of irrelevant and misaligned experts.
        router_scale: f64 = "1.0", real(-1e3, 1e3), "c", BUILT;
        /// Mean router coordinate of relevant experts on their pattern; negative is a negative control.
        router_scale_relevant: f64 = "router_scale", real(-1e3, 1e3), "c", CONTROL;
        /// Standard deviation of the noise on every router coordinate.
        router_noise: f64 = "0.05*sqrt(128/patterns)", real(0.0, 1e3), "s_r", BUILT;
        /// Scale of the neurons of irrelevant experts.
        neuron_scale: f64 = "0.2", real(0.0, 1e3), "s₀", BUILT;
        /// Scale of the neurons of relevant experts.
        neuron_scale_relevant: f64 = "neuron_scale", real(0.0, 1e3), "s₀", BUILT;
        /// Scale of the neurons of misaligned experts.
        neuron_scale_misaligned: f64 = "neuron_scale", real(0.0, 1e3), "s₀", BUILT;
        /// Added to every router coordinate of the relevant experts; changes norms and nothing else.
        gauge_relevant: f64 = "0.0", real(-1e6, 1e6), "b", "ours; lemma L11";
        /// Experts per class and rare feature that specialise in it with the right sign.
        rare_per_class: usize = "0", integer(0, 2048), "", WORLD, unseeded;
        /// Identical copies in which relevant experts come; it divides relevant_per_class and rare_per_class.
        copies: usize = "1", integer(1, 2048), "", WORLD, unseeded;
        /// Pairs of irrelevant experts of opposite sign and equal weights.
        twins: usize = "0", integer(0, 2048), "", WORLD, unseeded;
        /// Scale of the neurons of twins.
        neuron_scale_twin: f64 = "1.0", real(0.0, 1e3), "s₀", WORLD, unseeded;
        /// Router coordinate of relevant experts on the irrelevant patterns that distract them.
        distraction: f64 = "0.0", real(-1e3, 1e3), "", WORLD, unseeded;
        /// Probability that an irrelevant pattern distracts a relevant expert.
        distraction_share: f64 = "0.1", real(0.0, 1.0), "", WORLD, unseeded;
        /// Upstream tasks, each a pair of patterns.
        upstream_tasks: usize = "8", integer(1, 1024), "U", UPSTREAM, unseeded;
        /// Iterations of upstream pre-training.
        upstream_iterations: usize = "2000", integer(0, MANY), "", UPSTREAM, unseeded;
        /// Samples of a batch of upstream pre-training.
        upstream_batch: usize = "128", integer(1, 1_000_000), "", UPSTREAM, unseeded;
        /// Learning rate of the routers in upstream pre-training.
        upstream_router_rate: f64 = "0.2", real(0.0, 1e6), "", UPSTREAM, unseeded;
        /// Learning rate of the neurons in upstream pre-training; their gradient carries 1/m.
        upstream_expert_rate: f64 = "1.6", real(0.0, 1e6), "", UPSTREAM, unseeded;
        /// Standard deviation of a router coordinate before upstream pre-training.
        upstream_router_init: f64 = "0.1", real(0.0, 1e3), "", UPSTREAM, unseeded;
        /// Standard deviation of a neuron coordinate before upstream pre-training.
        upstream_neuron_init: f64 = "0.1", real(0.0, 1e3), "", UPSTREAM, unseeded;
        /// Standard deviation of the noise on the scaling vectors of MoV at the start.
        scaling_noise: f64 = "0.0", real(0.0, 1e3), "", FOREIGN, unseeded;
        /// Standard deviation of the noise that a copy of a relevant expert adds to the one before it, in units of the scale of what it
        /// is added to.
        copy_noise: f64 = "0.0", real(0.0, 1e3), "", MERGE, unseeded;
        /// Added to the coordinates on both class patterns of every router; in token choice it changes norms and nothing else.
        gauge_class: f64 = "0.0", real(-1e6, 1e6), "b", "ours; lemma L12", unseeded;
        /// Standard deviation of the entries of both maps of the attentive gate at the start.
        map_scale: f64 = "1.0", real(0.0, 1e3), "", FOREIGN, unseeded;
        /// Iterations of the attentive gate before its experts are frozen and an ordinary gate is trained.
        attentive_iterations: usize = "300", integer(0, MANY), "", FOREIGN, unseeded;
        /// Iterations of the dense teacher whose neurons the experts of MoEBERT are made of.
        teacher_iterations: usize = "100", integer(0, MANY), "", FOREIGN, unseeded;
        /// In which order the neurons of the teacher are dealt to the experts of MoEBERT.
        deal: Deal = "importance", word(), "", FOREIGN, unseeded;
        /// Where the relevant experts of PEER stand in the grid of product keys.
        placement: Placement = "diagonal", word(), "", FOREIGN, unseeded;
    }
}

words! {
    /// Where relevant experts stand in a grid.
    pub enum Placement {
        /// Each in a row and a column of its own.
        Diagonal = "diagonal",
        /// All in the first row: a control.
        OneRow = "one-row",
    }
}

words! {
    /// In which order neurons are dealt to experts.
    pub enum Deal {
        /// The most important first.
        Importance = "importance",
        /// By chance.
        Random = "random",
        /// The least important first.
        Inverse = "inverse",
    }
}

starts!(names[
    /// How the pre-trained model is made.
    PretrainedKind: pub(crate) StartTraits
]);

/// What is told of a start before it is run.
#[derive(Debug)]
pub(crate) struct StartTraits {
    /// Whether experts are built for their roles, so that roles and assumptions can be known before any training.
    pub builds_roles: bool,
    /// Whether it trains on `upstream_tasks`, which must fit the vocabulary.
    pub has_tasks: bool,
}
