//! The names to start with: a simulation, a model that is trained and pruned, runs and their verdicts.

pub use crate::claims::Analysis;
pub use crate::measure::{RouterChange, accuracy};
pub use crate::moe::{Model, Pretrained};
pub use crate::patterns::Sampler;
pub use crate::prune::Plan;
pub use crate::record::design::Design;
pub use crate::record::rows::{ExpertRow, PruningRow, RunBody};
pub use crate::run::run;
pub use crate::sgd::train::Schedule;
pub use crate::sgd::{DenseEngine, Engine, EngineChoice, PatternEngine, Rates, TheoryEngine, train};
pub use crate::sim::parameters::{Criterion, Parameters, PruningOrder};
pub use crate::sim::{ClaimId, Overrides, Point, Simulation, Verdict, run_seed, shipped};
