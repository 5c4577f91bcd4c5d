//! Trains the simplified mixture of experts of the theory from scratch, prunes it by router norm change, and judges
//! the theorems on thousands of seeded runs.
//!
//! The rooms, in the order in which the data walks through them:
//!
//! - [`sim`]: simulation file → checked simulation → grid of points → seeds
//! - [`patterns`]: the vocabulary and the sampler, (x, y) ~ D
//! - [`moe`]: routing, experts, the model, pre-trained models
//! - [`sgd`]: the two engines, one training loop, observers, stop reasons

pub mod moe;
pub mod patterns;
pub mod sgd;
pub mod sim;
