//! Stochastic gradient descent: two engines behind one loop, with observers and a stop reason.

pub mod dense;
pub mod engine;
pub mod pattern;
pub mod train;

pub use dense::{DenseEngine, Gradients};
pub use engine::{Competitors, Diverged, Engine, Rates, StepReport};
pub use pattern::PatternEngine;
pub use train::{Observer, StopReason, train};
