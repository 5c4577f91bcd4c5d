//! Simulation file → checked simulation → grid of points → seeds.

pub mod parameters;

pub use parameters::Parameters;
