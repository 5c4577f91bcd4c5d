//! How often patterns occur in the inputs of a node of the search.

use super::table::ModelTable;

/// How often each irrelevant pattern must and may occur in the inputs of a node of the search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrences {
    /// At least so often, `[d − 2]`.
    pub least: Vec<u32>,
    /// At most so often, `[d − 2]`.
    pub most: Vec<u32>,
}

impl Occurrences {
    /// Of all inputs.
    pub fn all(table: &ModelTable) -> Self {
        Self { least: vec![0; table.irrelevant], most: vec![table.capacity(); table.irrelevant] }
    }
}
