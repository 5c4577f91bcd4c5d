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

/// Names that a hint gives at most.
const HINTS: usize = 10;

/// `; the nearest is X` for the name that is nearest, if one is near; several that begin with the word, or are equally
/// near, are all given.
pub fn hint(word: &str, known: &[&str]) -> String {
    const SHORTEST: usize = 3;
    let likeness = |known: &str| strsim::jaro_winkler(word, known);
    let largest = known.iter().map(|known| likeness(known)).fold(0.0, f64::max);
    let begins = |known: &str| word.chars().count() >= SHORTEST && known.starts_with(word);
    let mut near: Vec<&str> = known.iter().copied().filter(|known| begins(known)).collect();
    if near.is_empty() && largest > 0.7 {
        near = known.iter().copied().filter(|known| likeness(known) == largest).collect();
    }
    near.sort_unstable();
    near.dedup();
    near.truncate(HINTS);
    match near.as_slice() {
        [] => String::new(),
        [one] => format!("; the nearest is {one}"),
        [first @ .., last] => format!("; the nearest are {} and {last}", first.join(", ")),
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
        None if point.parameters.data.noise == 0.0 => {
            format!("--engine pattern: the patterns of point {} are not orthonormal; use auto or dense", point.index)
        }
        None => format!(
            "--engine pattern: data.noise = {} at point {}: the pattern engine needs data.noise = 0; use auto or dense",
            point.parameters.data.noise, point.index
        ),
    }))
}
