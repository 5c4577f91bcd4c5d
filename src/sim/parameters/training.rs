//! `[training]`: stochastic gradient descent.

use super::domain::{integer, real, word};
use super::section::{FOREIGN, MANY, ROUTING, TRAINING, VMOE, WORLD, section};
use crate::sim::words::words;

section! {
    /// Stochastic gradient descent.
    pub struct TrainingParameters: "training" {
        /// Learning rate of the routers.
        router_rate: f64 = "0.2", real(0.0, 1e6), "η_r", TRAINING;
        /// Learning rate of the neurons; their gradient carries 1/m.
        expert_rate: f64 = "1.6", real(0.0, 1e6), "η_e", TRAINING;
        /// Samples of a batch.
        batch: usize = "128", integer(1, 1_000_000), "B", TRAINING;
        /// Iterations of fine-tuning.
        iterations: usize = "300", integer(0, MANY), "T", TRAINING;
        /// Stop when the loss was exactly 0 for this many iterations in a row; 0: never.
        zero_loss_window: usize = "0", integer(0, MANY), "", TRAINING;
        /// Samples of a finite training set, shuffled anew for every epoch; 0: every batch is fresh.
        training_set: usize = "0", integer(0, MANY), "", WORLD, unseeded;
        /// Coefficient of the load-balance loss of token-choice routing.
        load_balance: f64 = "0.0", real(0.0, 1e6), "", ROUTING, unseeded;
        /// Coefficient of the mean entropy of the gates in the loss; negative: entropy is rewarded.
        entropy: f64 = "0.0", real(-1e6, 1e6), "", ROUTING, unseeded;
        /// The loss of a sample.
        loss: LabelLoss = "hinge", word(), "ℓ", VMOE, unseeded;
        /// The share of a step's velocity that is left for the next one; the first step of further fine-tuning has none.
        momentum: f64 = "0.0", real(0.0, 0.999), "μ", VMOE, unseeded;
        /// Whose loss is minimised where groups of experts are members of an ensemble.
        member_loss: MemberLoss = "mean", word(), "", VMOE, unseeded;
        /// Coefficient of the importance loss of token-choice routing: the squared coefficient of variation of the
        /// experts' summed soft gates.
        importance_loss: f64 = "0.0", real(0.0, 1e6), "", VMOE, unseeded;
        /// Coefficient of the load loss of token-choice routing: the squared coefficient of variation of the
        /// experts' chances to be chosen if the router's noise, of standard deviation 1/k, were drawn again.
        load_loss: f64 = "0.0", real(0.0, 1e6), "", VMOE, unseeded;
        /// Coefficient of the sample-similarity loss of the attentive gate: samples that are far apart should go to
        /// different experts. Negative: to the same.
        similarity_loss: f64 = "0.0", real(-1e6, 1e6), "β", FOREIGN, unseeded;
        /// How far two samples are from one another in the sample-similarity loss.
        distance: Distance = "class-token", word(), "D", FOREIGN, unseeded;
        /// Coefficient of the squared distance from what the teacher of MoEBERT says of a token.
        distillation: f64 = "5.0", real(0.0, 1e6), "λ", FOREIGN, unseeded;
    }
}

words! {
    /// The loss of a sample with the label y and the output f.
    pub enum LabelLoss {
        /// max(0, 1 − y f) (the theory's).
        Hinge = "hinge",
        /// ln(1 + exp(−y f)), which never reaches 0: cross-entropy of two classes.
        Logistic = "logistic",
    }
}

words! {
    /// How far two samples are from one another, at most 1.
    pub enum Distance {
        /// 1 between samples of different class tokens, else 0.
        ClassToken = "class-token",
        /// The Euclidean distance of their bags of patterns, over the largest in the batch.
        Bag = "bag",
        /// That of the class tokens of two other samples of the batch: a control.
        Shuffled = "shuffled",
    }
}

words! {
    /// Whose loss is minimised where M groups of experts are averaged.
    pub enum MemberLoss {
        /// That of the mean of the groups' outputs.
        Mean = "mean",
        /// Each group's own: the sum of ℓ(y, f_m) over the groups, of which only the prediction is averaged (E³).
        Own = "own",
    }
}
