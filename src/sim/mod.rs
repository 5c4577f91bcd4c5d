//! Simulation file → checked simulation → grid of points → seeds.
//!
//! [`Simulation::parse`] reads a text with overrides against the table of `keys`, [`Simulation::points`] gives the
//! checked [`Parameters`] of every point, [`run_seed`] the seed of each run. Nothing here touches disk or terminal.

mod axis;
mod case;
pub(crate) mod claim_key;
mod claim_name;
mod claim_needs;
pub(crate) mod claim_spec;
mod claim_words;
pub mod consistency;
mod contradiction;
mod error;
pub(crate) mod expression;
mod extensions;
mod fields;
mod formula;
mod grid;
mod kept;
mod key;
pub(crate) mod keys;
mod line;
mod overrides;
mod own_claim;
mod own_claim_fields;
mod own_needs;
pub mod parameters;
mod phase_map;
mod phase_spec;
mod resolve;
pub(crate) mod seed;
mod setting;
pub mod shipped;
mod simulation;
mod systems;
mod theory_setting;
mod twins;
mod value;
pub(crate) mod words;

pub use case::Case;
pub use claim_key::{CLAIM_KEYS, ClaimId, ConstantRule};
pub(crate) use claim_key::{ClaimKey, ClaimNeed, find_claim};
pub use claim_name::ClaimName;
pub(crate) use claim_spec::CriterionComparison;
pub use claim_spec::{ClaimSpec, Constants};
pub use claim_words::{Decision, Feature, On, Part, RoleSource, Verdict};
pub use error::{Place, SimulationError};
pub(crate) use expression::keys_table;
pub use formula::Formula;
pub(crate) use grid::GridValue;
pub use grid::{MOST_POINTS, Point};
pub use key::{Key, Kind};
pub use keys::KEYS;
pub use line::lines;
pub use overrides::Overrides;
pub use own_claim::{Assumed, Missing, OwnAssumption, OwnClaim, OwnSlope};
pub(crate) use own_claim_fields::is_own_id;
pub use parameters::{Parameters, Property};
pub use phase_map::{PhaseAxis, PhaseMap};
pub(crate) use phase_spec::PhaseSpec;
pub use seed::{resolved_keys, run_seed};
pub use setting::Setting;
pub use shipped::{SHIPPED, Shipped, shipped};
pub use simulation::Simulation;
pub use value::Value;
