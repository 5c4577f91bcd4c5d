//! Simulation file → checked simulation → grid of points → seeds.
//!
//! [`Simulation::parse`] reads a text with overrides against the table of [`keys`], [`Simulation::points`] gives the
//! checked [`Parameters`] of every point, [`run_seed`] the seed of each run. Nothing here touches disk or terminal.

mod axis;
pub mod claim_spec;
pub mod consistency;
mod error;
pub mod expression;
mod fields;
mod grid;
mod key_table;
pub mod keys;
mod overrides;
pub mod parameters;
mod resolve;
pub mod seed;
pub mod shipped;
mod simulation;
mod value;

pub use axis::Axis;
pub use claim_spec::{CLAIM_IDS, ClaimKey, ClaimSpec, On, RoleSource, ThresholdRule, Verdict, find_claim};
pub use error::{Place, SimulationError};
pub use grid::{MOST_POINTS, Point};
pub use keys::{KEYS, Key, Kind};
pub use overrides::Overrides;
pub use parameters::Parameters;
pub use seed::{canonical_text, resolved_keys, run_seed};
pub use shipped::{SHIPPED, Shipped, shipped};
pub use simulation::{Case, DEFAULT_SEEDS, Simulation};
pub use value::{Setting, Value};
