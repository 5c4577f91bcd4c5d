//! What a step minimises: a loss, and regularisers of the gates.

use super::loss::Loss;
use crate::sim::parameters::TrainingParameters;

/// What one step minimises: the mean of a [`Loss`] over the batch plus regularisers. The default is the theory's: the hinge
/// loss alone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Objective {
    /// The loss of a sample.
    pub loss: Loss,
    /// What is added to its mean.
    pub regularisers: Regularisers,
}

/// Coefficients of what is added to the mean loss ([`crate::sgd::general`] has the formulas).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Regularisers {
    /// λ: of the load-balance loss.
    pub load_balance: f64,
    /// κ: of the mean entropy of the gates.
    pub entropy: f64,
    /// Of the importance loss.
    pub importance: f64,
    /// Of the load loss.
    pub load: f64,
}

impl Regularisers {
    /// Whether nothing is added.
    pub(crate) fn are_none(&self) -> bool {
        *self == Self::default()
    }
}

impl From<&TrainingParameters> for Objective {
    fn from(training: &TrainingParameters) -> Self {
        let regularisers = Regularisers {
            load_balance: training.load_balance,
            entropy: training.entropy,
            importance: training.importance_loss,
            load: training.load_loss,
        };
        Self { loss: Loss::from(training.loss), regularisers }
    }
}
