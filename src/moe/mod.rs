//! Routing, experts, the model, pre-trained models.

pub mod model;
pub mod pretrained;
pub mod routing;

pub use model::Model;
pub use pretrained::{BuiltRole, Pretrained};
