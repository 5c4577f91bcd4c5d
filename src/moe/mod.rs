//! Routing, experts, the model, pre-trained models.

pub mod capacity;
pub mod model;
pub mod pretrained;
pub mod routing;
pub mod rule;

pub use model::Model;
pub use pretrained::{BuiltRole, Pretrained};
pub use rule::{Pair, Routed, RoutingRule, TokenBlocks};
