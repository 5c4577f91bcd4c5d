//! A simulation by name or path, with its grid.

use crate::args::EngineArgument;
use crate::failure::Failure;
use moe_theory::sim::{Overrides, Point, Property, SHIPPED, Simulation, shipped};
use std::path::Path;

/// A simulation, its text, and its grid points.
pub struct Loaded {
    pub text: String,
    pub simulation: Simulation,
    pub points: Vec<Point>,
}

/// Reads a shipped simulation or a TOML file. A name that is both is the shipped one; `./name` is the file.
pub fn load(name: &str, set: &[String], seeds: Option<u64>) -> Result<Loaded, Failure> {
    let (file, text) = text(name)?;
    let overrides = Overrides { set, seeds };
    let simulation = Simulation::parse(&file, &text, &overrides).map_err(Failure::usage)?;
    let points = simulation.points().map_err(Failure::usage)?;
    Ok(Loaded { text, simulation, points })
}

fn text(name: &str) -> Result<(String, String), Failure> {
    if let Some(shipped) = shipped(name) {
        return Ok((shipped.file.to_owned(), shipped.text.to_owned()));
    }
    if !Path::new(name).is_file() && !name.contains(['/', '.']) {
        let names: Vec<&str> = SHIPPED.iter().map(|shipped| shipped.name).collect();
        return Err(Failure::Usage(format!(
            "{name}: neither a shipped simulation ({}) nor a file{}",
            names.join(", "),
            hint(name, &names)
        )));
    }
    let text = std::fs::read_to_string(name).map_err(|error| Failure::Usage(format!("{name}: {error}")))?;
    Ok((name.to_owned(), text))
}

/// `; the nearest is X` for the word that is nearest, if one is near.
pub fn hint(word: &str, known: &[&str]) -> String {
    let near = known.iter().map(|known| (strsim::jaro_winkler(word, known), known));
    match near.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((likeness, nearest)) if likeness > 0.7 => format!("; the nearest is {nearest}"),
        _ => String::new(),
    }
}

/// Refuses an engine where it does not apply.
pub fn check_engine(engine: EngineArgument, points: &[Point]) -> Result<(), Failure> {
    let Some(point) = points.iter().find(|point| !engine.choice().applies(&point.parameters)) else { return Ok(()) };
    Err(Failure::Usage(match point.parameters.lost(Property::SpecialisedEngines) {
        Some((key, value)) => format!(
            "--engine {}: {key} = {value} at point {} needs the general engine; use auto",
            engine.word(),
            point.index
        ),
        None => format!(
            "--engine pattern: data.noise = {} at point {}: the pattern engine needs data.noise = 0; use auto or dense",
            point.parameters.data.noise, point.index
        ),
    }))
}
