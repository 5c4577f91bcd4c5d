//! `[training]`: stochastic gradient descent.

use super::domain::{integer, real};
use super::section::{MANY, ROUTING, TRAINING, WORLD, section};

section! {
    /// Stochastic gradient descent on the hinge loss.
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
    }
}
