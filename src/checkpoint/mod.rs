//! Checkpoints of real models: what they are, their experts ranked by what fine-tuning did to the routers, and pruned.
//!
//! Weights are read by position and only where they are needed: headers and routers to rank, and a few MiB at a time to
//! prune. Names of tensors come from a table of families (`data/families.toml`).
//!
//! | file | concept |
//! |---|---|
//! | `pread`, `header`, `index`, `config` | one file by position; the header of a safetensors file; the index of shards; `config.json` |
//! | `formats` | which formats are read: safetensors, flax, V-MoE, npz; how others are exported |
//! | `files` | all files of a checkpoint, checked against each other |
//! | `pattern`, `family` | patterns of names; the table of families |
//! | `site`, `layout` | one router and its experts; all of a checkpoint, checked against its configuration |
//! | `summary` | what `inspect` says |
//! | `dtype`, `rows`, `adapter` | numbers of each type and their rounding; rows of routers; LoRA |
//! | `experts`, `neurons` | experts' weights, read; their sums, neuron by neuron |
//! | `scores`, `audit`, `rank` | scores of experts; whether the theorem's premise shows; both for a pair of checkpoints |
//! | `words`, `page` | the ranking in sentences, rows and figures |
//! | `keep`, `plan`, `renumber` | who stays; everything decided and refused; new names |
//! | `write` | the pruned checkpoint, streamed |

mod adapter;
mod audit;
mod config;
mod criterion;
mod dtype;
mod error;
mod experts;
mod family;
mod files;
mod formats;
mod header;
mod index;
mod keep;
mod layout;
mod neurons;
mod page;
mod pattern;
mod plan;
mod pread;
mod rank;
mod renumber;
mod rows;
mod scores;
mod site;
mod summary;
mod words;
mod write;

pub use audit::{Gap, SiteAudit};
pub use criterion::RowCriterion;
pub use error::CheckpointError;
pub use family::{Effect, Families};
pub use files::CheckpointFiles;
pub use formats::Format;
pub use keep::{Chosen, Keep, Order, PerLayer, TieBreak};
pub use layout::{FamilyChoice, Groups};
pub use neurons::WeightScores;
pub use plan::{PrunePlan, PruneRequest, Semantics};
pub use rank::{Ranking, SiteRanking};
pub use scores::ExpertScore;
pub use site::SiteKey;
pub use summary::{LayerSummary, Summary};
pub use words::RankRow;
pub use write::{Provenance, PruneReport};
