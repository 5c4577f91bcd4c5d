//! Routing, experts, the model, pre-trained models.

pub(crate) mod capacity;
pub(crate) mod model;
pub(crate) mod pretrained;
pub(crate) mod routed;
pub mod routing;
pub(crate) mod rule;

pub use model::Model;
pub(crate) use pretrained::BuiltRole;
pub use pretrained::Pretrained;
pub(crate) use routed::Pair;
pub use routed::Routed;
pub use rule::RoutingRule;
pub(crate) use rule::TokenBlocks;
