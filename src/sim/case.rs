//! Cases: named variants of the base settings, each with a grid and a number of runs of its own if it says so.

use super::axis::Axis;
use super::error::{Place, SimulationError};
use super::fields::{Fields, keys_of, read_name, seeds_within, table_or_empty};
use super::keys::KEYS;
use super::resolve::{Assigned, Origin};
use toml::Value;

/// A named variant of the base settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The case's name.
    pub name: String,
    /// Runs per point of the case; `None`: the simulation's. Never there if the command line gives a number of runs.
    pub seeds: Option<u64>,
    /// The keys that this case alone sweeps, after those of the file's grid, in file order.
    pub(crate) grid: Vec<Axis>,
    /// Index of each key with its setting, in file order.
    pub(crate) set: Vec<(usize, Assigned)>,
}

impl Case {
    /// Whether the case gives this key one value.
    fn fixes(&self, key: usize) -> bool {
        self.set.iter().any(|(other, _)| *other == key)
    }

    /// Whether the case gives this key one value or several.
    pub(crate) fn sets(&self, key: usize) -> bool {
        self.fixes(key) || self.grid.iter().any(|axis| axis.key == key)
    }
}

/// Reads every `[[case]]`, in file order.
pub(crate) fn read_cases(file: &str, values: Vec<Value>) -> Result<Vec<Case>, SimulationError> {
    let mut cases: Vec<Case> = Vec::new();
    for (index, value) in values.into_iter().enumerate() {
        let case = read_case(file, index + 1, value)?;
        if cases.iter().any(|other| other.name == case.name) {
            let problem = format!("the name \"{}\" stands twice", case.name);
            return Err(conflict(file, format!("case {}", index + 1), problem));
        }
        cases.push(case);
    }
    Ok(cases)
}

fn read_case(file: &str, number: usize, value: Value) -> Result<Case, SimulationError> {
    const KNOWN: &[&str] = &["name", "set", "grid", "seeds"];
    let place = Place::File(file.into());
    let mut fields = Fields::of_value(place.clone(), format!("case {number}"), value, KNOWN)?;
    let name = read_name(&mut fields)?;
    let what = format!("case \"{name}\"");
    fields.rename(what.clone());
    let seeds = seeds_within(&mut fields)?;
    let table = table_or_empty(file, format!("{what}: set"), fields.take("set"))?;
    let read = |(key, value): (usize, Value)| {
        Assigned::read(file, &KEYS[key], &value, Origin::Case(name.clone())).map(|assigned| (key, assigned))
    };
    let set = keys_of(&place, &what, table)?.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let what = format!("{what}: grid");
    let table = table_or_empty(file, what.clone(), fields.take("grid"))?;
    let read = |(key, value)| Axis::read(file, key, value, Origin::CaseGrid(name.clone()));
    let grid = keys_of(&place, &what, table)?.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let case = Case { name, seeds, grid, set };
    if let Some(axis) = case.grid.iter().find(|axis| case.fixes(axis.key)) {
        let problem = format!("case \"{}\" both sets and sweeps it", case.name);
        return Err(conflict(file, axis.key().path.into(), problem));
    }
    Ok(case)
}

/// Refuses a key that both the file's grid and a case give values.
pub(crate) fn check_disjoint(file: &str, grid: &[Axis], cases: &[Case]) -> Result<(), SimulationError> {
    for axis in grid {
        if let Some(case) = cases.iter().find(|case| case.sets(axis.key)) {
            let problem = format!("is set by both [grid] and case \"{}\"", case.name);
            return Err(conflict(file, axis.key().path.into(), problem));
        }
    }
    Ok(())
}

fn conflict(file: &str, key: String, problem: String) -> SimulationError {
    SimulationError::Conflict { place: Place::File(file.into()), key, problem }
}
