//! Stochastic gradient descent: engines behind one loop, with observers and a stop reason.

pub mod dense;
pub mod engine;
pub mod engine_choice;
pub mod general;
pub mod loss;
pub mod objective;
pub mod pattern;
pub mod train;

pub use dense::{DenseEngine, Gradients};
pub use engine::{Competitors, Diverged, Engine, Rates, StepReport, TheoryEngine};
pub use engine_choice::EngineChoice;
pub use general::GeneralEngine;
pub use loss::Loss;
pub use objective::{Objective, Regularisers};
pub use pattern::PatternEngine;
pub use train::{Observer, StopReason, train};
