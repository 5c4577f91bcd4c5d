//! Stochastic gradient descent: three engines behind one loop, with observers and a stop reason.

pub mod dense;
pub mod engine;
pub mod engine_choice;
pub mod loss;
pub mod pattern;
pub mod plain;
pub mod train;

pub use dense::{DenseEngine, Gradients};
pub use engine::{Competitors, Diverged, Engine, Rates, StepReport};
pub use engine_choice::EngineChoice;
pub use loss::Loss;
pub use pattern::PatternEngine;
pub use plain::PlainEngine;
pub use train::{Observer, StopReason, train};
