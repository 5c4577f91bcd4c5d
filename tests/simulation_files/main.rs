//! Simulation files, overrides and grids: what is accepted, and what is refused with which one line.

mod cases;
mod claims;
mod files;
mod grids;
mod keys;
mod overrides;
mod phases;
mod slopes;
mod twins;
mod worlds;

use moe_theory::sim::{Overrides, Point, Simulation, SimulationError};

const NAME: &str = "name = \"x\"\n";

fn read(text: &str, set: &[&str]) -> Result<Simulation, SimulationError> {
    let set: Vec<String> = set.iter().map(ToString::to_string).collect();
    Simulation::parse("sims/x.toml", text, &Overrides { set: &set, seeds: None })
}

/// The simulation of a file that has a name and this text.
fn accepted(text: &str, set: &[&str]) -> (Simulation, Vec<Point>) {
    let simulation = read(&format!("{NAME}{text}"), set).unwrap_or_else(|error| panic!("refused: {error}"));
    let points = simulation.points().unwrap_or_else(|error| panic!("points refused: {error}"));
    (simulation, points)
}

/// The message for a file that has a name and this text.
fn refused(text: &str, set: &[&str]) -> String {
    message(&format!("{NAME}{text}"), set)
}

fn message(text: &str, set: &[&str]) -> String {
    match read(text, set) {
        Ok(simulation) => panic!("accepted: {simulation:?}"),
        Err(error) => error.to_string(),
    }
}

fn swept(points: &[Point], column: &str) -> Vec<String> {
    let value = |point: &Point| point.swept.iter().find(|(name, _)| name == column).map(|(_, value)| value.clone());
    points.iter().filter_map(value).collect()
}

fn columns(point: &Point) -> Vec<&str> {
    point.swept.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn a_simulation_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Simulation>();
    shared::<SimulationError>();
}
