//! Criteria, and which experts a pruned model keeps.
//!
//! | file | concept |
//! |---|---|
//! | `importance` | what a criterion is: what it needs, where it comes from, its rule |
//! | `checkpoint` | the weights that criteria read |
//! | [`routed`] | one sample in a model: tokens at experts, gates, activations |
//! | [`statistics`] | what the criteria share: checkpoints, and one pass over a calibration set |
//! | `scores` | the definitions of all criteria, and the scores of those that score expert by expert |
//! | [`sets`] | the rules of those that choose a set for every number kept |
//! | `plan` | which experts stay when r are kept, and what is left to chance |
//! | [`quantise`] | neurons of few bits |
//! | [`removal`] | what becomes of the others: the pruned model |
//! | `curve` | errors at every number kept, in one pass |

pub(crate) mod checkpoint;
pub(crate) mod curve;
pub(crate) mod importance;
pub(crate) mod plan;
pub mod quantise;
pub mod removal;
pub mod routed;
pub(crate) mod scores;
pub mod sets;
pub mod statistics;

pub(crate) use checkpoint::Checkpoint;
pub use curve::Curve;

pub use plan::Plan;
pub use statistics::{Calibration, Statistics};
