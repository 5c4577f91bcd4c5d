//! The deterministic lemmas behind the simulator: each with its statement, its proof and an executable check.
//!
//! A check is a pure function of a recorded [`Trajectory`]: the model before the first step and after every step, the
//! batches, and what the engine and the measurements reported on the way. It never asks the engine what it did, so that
//! it would see an engine that does something else.
//!
//! - [`configuration`]: random legal configurations
//! - [`trajectory`]: training, recorded
//! - [`tolerance`]: how much rounding each check allows, and why
//! - [`tally`]: comparisons, violations, largest slack used
//! - [`lemmas`]: one file for each lemma
//! - [`suite`]: many runs of both engines, judged by all checks

pub mod configuration;
pub mod lemmas;
pub mod suite;
pub mod tally;
pub mod tolerance;
pub mod trajectory;

pub use configuration::Configuration;
pub use lemmas::{LEMMAS, Lemma};
pub use tally::Tally;
pub use trajectory::{EngineKind, Trajectory};
