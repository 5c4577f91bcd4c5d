//! What the experts of a real checkpoint are ranked by: each criterion is one row of one table.

use super::scores::ExpertScore;
use serde::Serialize;

/// What a criterion asks of two checkpoints.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// A router that changed: one that did not gives it no order.
    Change,
    /// The router after fine-tuning.
    Router,
    /// All weights of the experts, which are nearly all of a checkpoint.
    Experts,
    /// No score.
    Nothing,
}

/// Makes the criteria from their table; a row is its meaning, its word on the command line, what it needs and the score,
/// which is `None` where something that it needs is not known.
macro_rules! row_criteria {
    ($($(#[doc = $meaning:literal])+ $variant:ident = $word:literal, $needs:ident, $score:expr;)+) => {
        /// What experts are ranked by. Experts of small score go first.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        pub enum RowCriterion {
            $($(#[doc = $meaning])+ #[serde(rename = $word)] $variant,)+
        }

        impl RowCriterion {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word on the command line; those that simulations know too have the same there.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// What it is, in words.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($meaning),+).trim_ascii(),)+ }
            }

            fn needs(self) -> Needs {
                match self { $(Self::$variant => Needs::$needs,)+ }
            }

            /// The score of an expert; `None` where something that it needs is not known, and for the random order.
            pub(crate) fn of(self, score: &ExpertScore) -> Option<f64> {
                let of: fn(&ExpertScore) -> Option<f64> = match self { $(Self::$variant => $score,)+ };
                of(score)
            }
        }
    };
}

row_criteria! {
    /// Δ, the paper's: the change of the router's norm, signed
    RouterNormChange = "router-norm-change", Change, |score| Some(score.delta);
    /// |Δ|
    RouterNormChangeAbs = "router-norm-change-abs", Change, |score| Some(score.delta.abs());
    /// −Δ: the largest goes first
    RouterNormChangeReversed = "router-norm-change-reversed", Change, |score| Some(-score.delta);
    /// Δ after the mean over experts is removed from the rows
    RouterNormChangeLessMean = "router-norm-change-between", Change, |score| Some(score.delta_less_mean);
    /// Δ of the rows times γ, the weight of the layer before
    RouterNormChangeFolded = "router-norm-change-folded", Change, |score| score.delta_folded;
    /// D: the length of the router's change
    RouterDisplacement = "router-displacement", Change, |score| Some(score.displacement);
    /// The router's norm after fine-tuning
    RouterNorm = "router-norm", Router, |score| Some(score.norm);
    /// The length of the change of the expert's weights; reads them all
    ExpertChange = "expert-change", Experts, |score| Some(score.weights?.expert_change);
    /// The mean over neurons of the length of their change; reads all weights
    NeuronChange = "neuron-change", Experts, |score| score.weights?.neuron_change;
    /// The norm of the expert's weights; reads them all
    NeuronMagnitude = "neuron-magnitude", Experts, |score| Some(score.weights?.expert_magnitude);
    /// The largest norm of a neuron; reads all weights
    MaxNeuronNorm = "max-neuron-norm", Experts, |score| score.weights?.max_neuron_norm;
    /// The largest variance within a neuron; reads all weights
    MaxVar = "max-var", Experts, |score| score.weights?.max_var;
    /// Mean |weight| over root mean square: the largest goes first; reads all weights
    Aimer = "aimer", Experts, |score| Some(-score.weights?.aimer);
    /// A seeded random order
    Random = "random", Nothing, |_| None;
}

impl RowCriterion {
    /// Whether it needs the weights of the experts, which are nearly all of a checkpoint.
    pub(crate) fn needs_experts(self) -> bool {
        self.needs() == Needs::Experts
    }

    /// Whether a router that did not change leaves it without an order.
    pub(crate) fn needs_change(self) -> bool {
        self.needs() == Needs::Change
    }
}
