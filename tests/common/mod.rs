//! What the integration tests share.

use moe_theory::sim::{Overrides, Point, Simulation};

/// The only point of the default simulation with these settings: `key=value`, separated by white space. Goes through
/// the simulation's own checks, so that tests run nothing but legal configurations.
pub fn point(settings: &str) -> Point {
    let set: Vec<String> = settings.split_whitespace().map(str::to_owned).collect();
    let overrides = Overrides { set: &set, seeds: None };
    let simulation = Simulation::parse("test.toml", "name = \"test\"", &overrides);
    let points = simulation.and_then(|simulation| simulation.points());
    let mut points = points.unwrap_or_else(|error| panic!("{settings}: {error}"));
    assert_eq!(points.len(), 1, "{settings}");
    points.remove(0)
}
