//! Which criteria prune the same trained models.

use super::criterion::Criterion;

/// Criteria that are computed beside the one that claims are judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Criteria {
    /// The word `all`: every criterion that the model's size allows.
    All,
    /// These criteria.
    Listed(Vec<Criterion>),
}

impl Criteria {
    /// The criteria for a model of `experts` experts, each once, in the order of [`Criterion::ALL`].
    pub fn of(&self, experts: usize) -> Vec<Criterion> {
        let asked = |criterion: &Criterion| match self {
            Criteria::All => experts <= criterion.most_experts(),
            Criteria::Listed(listed) => listed.contains(criterion),
        };
        Criterion::ALL.iter().copied().filter(asked).collect()
    }
}
