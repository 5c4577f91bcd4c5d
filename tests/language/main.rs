//! Claims, figures, slopes and assumptions that a simulation file makes itself.

mod evaluation;
mod refusals;
mod verdicts;

use moe_theory::sim::{Overrides, Point, Simulation, SimulationError};

/// A simulation of these lines and its points.
fn simulation(lines: &str) -> Result<(Simulation, Vec<Point>), SimulationError> {
    let text = format!("name = \"own\"\n{lines}");
    let simulation = Simulation::parse("own.toml", &text, &Overrides::default())?;
    let points = simulation.points()?;
    Ok((simulation, points))
}

#[test]
fn every_example_is_read_and_makes_a_claim_of_its_own() {
    let mut seen = 0;
    for entry in std::fs::read_dir("examples/claims").expect("the examples") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a file");
        let simulation = Simulation::parse("example", &text, &Overrides::default());
        let simulation = simulation.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(simulation.claims.iter().all(|claim| claim.definition().is_none()), "{}", path.display());
        seen += 1;
    }
    assert_eq!(seen, 5);
}
