//! Trains the simplified mixture of experts of the theory from scratch, prunes it by router norm change, and judges
//! the theorems on thousands of seeded runs.
//!
//! The rooms, in the order in which the data walks through them:
//!
//! - [`sim`]: simulation file → checked simulation → grid of points → seeds
//! - [`patterns`]: the vocabulary and the sampler, (x, y) ~ D
//! - [`moe`]: routing, experts, the model, pre-trained models
//! - [`sgd`]: the two engines, one training loop, observers, stop reasons
//! - [`prune`]: criteria, and which experts stay
//! - [`measure`]: norms, proficiency, roles, accuracy
//! - [`certify`]: proofs and counterexamples of "no error"
//! - [`run`]: one run from seed to rows, and many runs in parallel
//! - [`simd`]: vector code for whatever the processor has
//! - [`stats`]: exact tests, intervals, corrections, sequential tests
//! - [`claims`]: claims and assumptions as data; rows → verdicts, exponents, terms, phase maps
//! - [`falsify`]: a search for settings that break a claim within its assumptions
//! - [`record`]: rows ↔ CSV, the manifest, the journal of finished runs
//! - [`report`]: verdicts and rows → text and figures

pub mod certify;
pub mod claims;
pub mod falsify;
pub mod measure;
pub mod moe;
pub mod patterns;
pub mod prune;
pub mod record;
pub mod report;
pub mod run;
pub mod sgd;
pub mod sim;
pub mod simd;
pub mod stats;
