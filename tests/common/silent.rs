//! A model of which only the number of experts matters.

use moe_theory::moe::Model;

/// k experts of positive sign over one pattern, all of whose weights are 0.
pub fn silent(k: usize) -> Model {
    Model {
        patterns: 1,
        neurons_per_expert: 1,
        tokens_per_expert: 2,
        signs: vec![1.0; k],
        routers: vec![0.0; k],
        neurons: vec![0.0; k],
    }
}
