//! What is measured of a trained model: norms, routing, roles, accuracy.

pub mod accuracy;
pub mod audit;
pub mod dominance;
pub mod drift;
pub mod extremes;
pub mod lambda;
pub mod learned;
pub mod norms;
pub mod proficiency;
pub mod roles;

pub use accuracy::{ErrorTally, Errors, FeatureErrors, errors_by_kept};
pub use audit::{Audit, ExpertAtStart};
pub use dominance::{Dominance, DominanceTally};
pub use drift::DriftAndNoise;
pub use extremes::Extremes;
pub use lambda::LambdaTable;
pub use norms::RouterChange;
pub use proficiency::Proficiency;
pub use roles::Role;
