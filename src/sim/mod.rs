//! Simulation file → checked simulation → grid of points → seeds.
//!
//! [`Simulation::parse`] reads a text with overrides against the table of [`keys`], [`Simulation::points`] gives the
//! checked [`Parameters`] of every point, [`run_seed`] the seed of each run. Nothing here touches disk or terminal.

mod axis;
mod case;
pub mod claim_key;
mod claim_needs;
pub mod claim_spec;
mod claim_words;
pub mod consistency;
mod contradiction;
mod error;
pub mod expression;
mod fields;
mod grid;
mod kept;
mod key;
pub mod keys;
mod line;
mod overrides;
pub mod parameters;
mod phase_map;
mod phase_spec;
mod resolve;
pub mod seed;
mod setting;
pub mod shipped;
mod simulation;
mod systems;
mod theory_setting;
mod twins;
mod value;
pub(crate) mod words;
mod worlds;

pub use axis::Axis;
pub use case::Case;
pub use claim_key::{CLAIM_KEYS, ClaimId, ClaimKey, ClaimNeed, ConstantRule, find_claim};
pub use claim_spec::{ClaimSpec, Constants, CriterionComparison};
pub use claim_words::{Feature, On, RoleSource, Verdict};
pub use error::{Place, SimulationError};
pub(crate) use expression::keys_table;
pub use grid::{GridValue, MOST_POINTS, Point};
pub use key::{Key, Kind};
pub use keys::KEYS;
pub use line::lines;
pub use overrides::Overrides;
pub use parameters::{Parameters, Property};
pub use phase_map::{PhaseAxis, PhaseMap};
pub use phase_spec::PhaseSpec;
pub use seed::{canonical_text, resolved_keys, run_seed};
pub use setting::Setting;
pub use shipped::{SHIPPED, Shipped, shipped};
pub use simulation::{DEFAULT_SEEDS, Simulation};
pub use value::Value;
