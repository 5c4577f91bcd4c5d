//! Routing, experts, the model, pre-trained models.

pub mod capacity;
pub mod model;
pub mod pretrained;
pub mod routed;
pub mod routing;
pub mod rule;

pub use model::Model;
pub use pretrained::{BuiltRole, Pretrained};
pub use routed::{Pair, Routed};
pub use rule::{RoutingRule, TokenBlocks};
