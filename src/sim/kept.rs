//! Numbers of experts kept.

/// Numbers of experts kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The word `all`: every number from k to 1.
    All,
    /// These numbers.
    Listed(Vec<usize>),
}

impl Kept {
    /// The numbers kept, largest first, for a model of `experts` experts.
    pub fn numbers(&self, experts: usize) -> Vec<usize> {
        match self {
            Kept::All => (1..=experts).rev().collect(),
            Kept::Listed(listed) => {
                let mut numbers = listed.clone();
                numbers.sort_unstable_by(|a, b| b.cmp(a));
                numbers.dedup();
                numbers
            }
        }
    }
}
