//! Criteria, the pruning order, and fine-tuning of the pruned model.

pub mod criterion;
pub mod order;

pub use criterion::scores;
pub use order::keep_first;
