//! What a criterion is: what it needs, where it comes from, and its rule.

use super::plan::Plan;
use super::statistics::Statistics;
use crate::prune::Checkpoint;
use crate::sim::parameters::{PruningOrder, PruningParameters, Ranking};

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

/// How a criterion says which experts stay.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// By the score of each expert.
    Score {
        /// The score of one expert; `None` if something that it needs is missing.
        score: fn(usize, &Statistics) -> Option<f64>,
        /// Whether a large score means that an expert goes first.
        descending: bool,
    },
    /// By a set for every number kept.
    Set(fn(&Statistics, PruningOrder) -> Option<Plan>),
}

/// A criterion: what an expert, or a set of experts, is worth.
#[derive(Clone, Copy, Debug)]
pub struct Importance {
    pub(super) needs: &'static [Need],
    pub(super) source: Source,
    pub(super) rule: Rule,
}

impl Importance {
    /// What it has to be given.
    pub fn needs(&self) -> &'static [Need] {
        self.needs
    }

    /// Where it comes from.
    pub fn source(&self) -> Source {
        self.source
    }

    /// Whether a large score means that an expert goes first.
    pub fn is_descending(&self) -> bool {
        matches!(self.rule, Rule::Score { descending: true, .. })
    }

    /// The score of one expert; `None` if it is not defined: a set criterion, or a missing checkpoint or data.
    pub fn score(&self, expert: usize, statistics: &Statistics) -> Option<f64> {
        match self.rule {
            Rule::Score { score, .. } => score(expert, statistics),
            Rule::Set(_) => None,
        }
    }

    /// Which experts stay for every number kept; `None` if something that it needs is missing.
    pub fn plan(&self, statistics: &Statistics, order: PruningOrder) -> Option<Plan> {
        let (score, descending) = match self.rule {
            Rule::Set(choose) => return choose(statistics, order),
            Rule::Score { score, descending } => (score, descending),
        };
        let worth = |expert| score(expert, statistics).map(|score| if descending { -score } else { score });
        let worth: Option<Vec<f64>> = (0..statistics.after.experts()).map(worth).collect();
        Some(Plan::ranked(&worth?, order, &statistics.chance))
    }

    /// The same as a simulation asks for it: ranked among all experts, or within each group.
    pub(crate) fn plan_for(&self, statistics: &Statistics, pruning: &PruningParameters) -> Option<Plan> {
        let plan = self.plan(statistics, pruning.order)?;
        Some(match pruning.ranking {
            Ranking::Global => plan,
            Ranking::PerGroup => plan.group_by_group(&groups(statistics.after)),
        })
    }
}

/// The groups of experts that stand together, in the order of their first experts.
fn groups(checkpoint: &dyn Checkpoint) -> Vec<Vec<usize>> {
    let own = (0..checkpoint.experts()).map(|expert| (expert, checkpoint.peers(expert)));
    own.filter(|(expert, peers)| peers.first() == Some(expert)).map(|(_, peers)| peers).collect()
}
