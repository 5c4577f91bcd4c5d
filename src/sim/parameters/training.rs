//! `[training]`: stochastic gradient descent.

use serde::{Deserialize, Serialize};

/// Stochastic gradient descent on the hinge loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingParameters {
    /// η_r: learning rate of the routers.
    pub router_rate: f64,
    /// η_e: learning rate of the neurons; their gradient carries 1/m.
    pub expert_rate: f64,
    /// B: samples of a batch.
    pub batch: usize,
    /// T: iterations.
    pub iterations: usize,
    /// Stop when the loss was exactly 0 for this many iterations in a row; 0: never.
    pub zero_loss_window: usize,
    /// Samples of a finite training set, shuffled anew for every epoch; 0: every batch is fresh.
    pub training_set: usize,
    /// Coefficient of the load-balance loss k Σ_s F_s P_s (token-choice routing).
    pub load_balance: f64,
    /// Coefficient of the mean entropy of the gates; negative: entropy is rewarded.
    pub entropy: f64,
}
