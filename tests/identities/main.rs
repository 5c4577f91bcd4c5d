//! Identities of pruning criteria, each in the mode in which it is exact. Numbers as in docs/theory/identities.md.

#[path = "../common/mod.rs"]
mod common;
mod formulas;
mod gradients;
mod merging;
mod outputs;
mod routers;
mod routing;
#[path = "../common/silent.rs"]
mod silent;
mod world;
