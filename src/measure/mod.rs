//! What is measured of a trained model: norms, routing, roles, accuracy.

pub mod accuracy;
pub(crate) mod audit;
pub(crate) mod dominance;
pub(crate) mod drift;
pub(crate) mod extremes;
pub mod lambda;
pub mod learned;
pub mod norms;
pub mod proficiency;
pub(crate) mod roles;

pub use accuracy::{ErrorTally, Errors, FeatureErrors, errors_by_kept};
pub use audit::{Audit, ExpertAtStart};
pub use dominance::{Dominance, DominanceTally};
pub use drift::DriftAndNoise;
pub(crate) use extremes::Extremes;
pub use lambda::LambdaTable;
pub use norms::RouterChange;
pub use proficiency::Proficiency;
pub use roles::Role;
