//! Worlds outside the theory's setting: samples, routing with room and groups, pruning, and whole runs.

#[path = "../common/mod.rs"]
mod common;
mod routing;
mod runs;
mod samples;
mod setting;
mod upstream;
