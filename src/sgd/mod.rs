//! Stochastic gradient descent: engines behind one loop, with observers and a stop reason.

pub(crate) mod dense;
pub(crate) mod engine;
pub(crate) mod engine_choice;
pub(crate) mod general;
pub(crate) mod loss;
pub(crate) mod objective;
pub(crate) mod pattern;
pub mod train;

pub use dense::DenseEngine;
pub use engine::{Competitors, Diverged, Engine, Rates, StepReport, TheoryEngine};
pub use engine_choice::EngineChoice;
pub use general::GeneralEngine;
pub use loss::Loss;
pub use objective::Objective;
pub use pattern::PatternEngine;
pub use train::{Observer, StopReason, train};
