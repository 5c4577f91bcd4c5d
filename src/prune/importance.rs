//! The trait of all criteria, and what they need.

use super::plan::Plan;
use super::statistics::Statistics;
use crate::sim::parameters::Criterion;
use crate::sim::parameters::PruningOrder;

/// What a criterion has to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The model before training.
    CheckpointBefore,
    /// The model that is pruned.
    CheckpointAfter,
    /// A checkpoint of the first few iterations.
    CheckpointEarly,
    /// A calibration set.
    Data,
    /// Its labels.
    Labels,
}

impl Need {
    /// The need in words.
    pub fn word(self) -> &'static str {
        match self {
            Need::CheckpointBefore => "checkpoint before training",
            Need::CheckpointAfter => "trained checkpoint",
            Need::CheckpointEarly => "early checkpoint",
            Need::Data => "data",
            Need::Labels => "labels",
        }
    }
}

/// How a criterion's definition is known. `P`: the authors' text or code was read; `S`: abstract or secondary notes only;
/// `R`: our reconstruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// P, S or R.
    pub tag: char,
    /// Where it is from.
    pub text: &'static str,
}

/// A criterion: what an expert, or a set of experts, is worth.
pub trait Importance: Sync {
    /// Which criterion it is.
    fn criterion(&self) -> Criterion;

    /// Its formula, in the notation of METHODOLOGY.
    fn formula(&self) -> &'static str;

    /// What it has to be given.
    fn needs(&self) -> &'static [Need];

    /// Where it comes from.
    fn source(&self) -> Source;

    /// Whether a large score means that an expert goes first.
    fn is_descending(&self) -> bool {
        false
    }

    /// The score of one expert; `None` if it is not defined: a set criterion, or a missing checkpoint or data.
    fn score(&self, expert: usize, statistics: &Statistics) -> Option<f64>;

    /// Which experts stay for every number kept; `None` if something that it needs is missing.
    fn plan(&self, statistics: &Statistics, order: PruningOrder) -> Option<Plan> {
        let worth = |expert| {
            let score = self.score(expert, statistics);
            score.map(|score| if self.is_descending() { -score } else { score })
        };
        let worth: Option<Vec<f64>> = (0..statistics.after.experts()).map(worth).collect();
        Some(Plan::ranked(&worth?, order, &statistics.chance))
    }
}
