//! The lemmas behind the simulator: each with its statement, its proof and an executable check.
//!
//! A check is a pure function of a recorded [`Trajectory`]: the model before the first step and after every step, the
//! batches, and what the engine and the measurements reported on the way. It never asks the engine what it did, so that
//! it would see an engine that does something else. Lemmas about expectations or about pruned models also read fresh
//! inputs and run the engine on other models ([`population::Study`]).
//!
//! Where an expectation is sampled, a violation is told only if the whole confidence set lies beyond the bound, each
//! comparison erring with probability 1e-9 at most: thousands of comparisons raise no false alarm.
//!
//! - [`configuration`]: random legal configurations
//! - [`trajectory`]: training, recorded
//! - [`law`]: the law of the inputs, and all inputs of tiny configurations
//! - [`reading`]: the model straight from its definition, a third implementation beside the engines
//! - [`population`]: expectations over fresh inputs at recorded models
//! - [`concentration`]: how far sums and means of bounded vectors stray
//! - [`tolerance`]: how much rounding each check allows, and why
//! - [`tally`]: comparisons, violations, largest slack used
//! - [`lemmas`]: one file for each lemma
//! - [`suite`]: many runs of both engines, judged by all checks

pub mod concentration;
pub mod configuration;
pub mod law;
pub mod lemmas;
pub mod population;
pub mod reading;
pub mod suite;
pub mod tally;
pub mod tolerance;
pub mod trajectory;

pub use configuration::Configuration;
pub use lemmas::{LEMMAS, Lemma};
pub use population::{Population, Study};
pub use tally::Tally;
pub use trajectory::{EngineKind, Trajectory};
