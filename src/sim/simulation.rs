//! A simulation file, read and checked.

use super::axis::Axis;
use super::claim_spec::{ClaimSpec, check_distinct};
use super::consistency;
use super::error::{Place, SimulationError, shown};
use super::fields::{Fields, keys_of, parse_toml};
use super::keys::{KEYS, sections};
use super::overrides::{self, Overrides};
use super::resolve::{Assigned, Origin};
use super::value::{Setting, whole};
use toml::{Table, Value};

/// A checked simulation: what to run, over which grid, and what is claimed of the result.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulation {
    /// Name of the simulation and of its result folder.
    pub name: String,
    /// What the simulation is for, in the author's words; may be empty.
    pub aims: String,
    /// Runs per grid point.
    pub seeds: u64,
    /// The claims, in file order.
    pub claims: Vec<ClaimSpec>,
    /// Named variants of the base settings, in file order; none: the base settings alone.
    pub cases: Vec<Case>,
    /// The swept keys, in file order.
    pub grid: Vec<Axis>,
    /// The setting of every key where neither case nor grid sets it, in the order of the table.
    pub(crate) base: Vec<Assigned>,
    /// Name of the file, for messages.
    pub(crate) file: String,
}

/// A named variant of the base settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The case's name.
    pub name: String,
    /// Index of each key with its setting, in file order.
    pub(crate) set: Vec<(usize, Assigned)>,
}

impl Case {
    /// The keys that the case sets, with their settings.
    pub fn settings(&self) -> impl Iterator<Item = (&'static str, &Setting)> {
        self.set.iter().map(|(key, assigned)| (KEYS[*key].path, &assigned.setting))
    }

    pub(crate) fn sets(&self, key: usize) -> bool {
        self.set.iter().any(|(other, _)| *other == key)
    }
}

/// Runs per grid point where the file says nothing.
pub const DEFAULT_SEEDS: u64 = 1000;
const MOST_SEEDS: u64 = 1_000_000_000;
const NAME_LEGAL: &str = "must be 1 to 64 of A-Z a-z 0-9 . _ - and not start with a dot";

impl Simulation {
    /// Reads a simulation file's text, with overrides. `file` is the name that messages give it.
    ///
    /// Every grid point is resolved and checked, so that [`Simulation::points`] succeeds afterwards.
    pub fn parse(file: &str, text: &str, overrides: &Overrides) -> Result<Self, SimulationError> {
        let place = Place::File(file.into());
        let mut known = vec!["name", "aims", "seeds", "grid", "case", "claim"];
        known.extend(sections());
        let mut fields = Fields::new(place.clone(), String::new(), parse_toml(file, text)?, &known)?;
        let name = read_name(&mut fields)?;
        let aims = fields.text("aims", "must be a string")?.unwrap_or_default();
        let seeds = read_seeds(&mut fields, overrides.seeds)?;
        let mut grid = read_grid(file, fields.take("grid"))?;
        let cases = read_cases(file, fields.array("case", "must be tables [[case]]")?)?;
        let claims = fields.array("claim", "must be tables [[claim]]")?;
        let mut base = read_base(file, keys_of(&place, "", fields.into_rest())?)?;
        overrides::apply(overrides.set, file, &mut base, &mut grid, &cases)?;
        check_disjoint(file, &grid, &cases)?;
        let claims = read_claims(file, claims, &cases)?;
        let simulation = Self { name, aims, seeds, claims, cases, grid, base, file: file.into() };
        simulation.check_points()?;
        Ok(simulation)
    }

    /// Checks what each claim needs of the points that it is judged at.
    fn check_points(&self) -> Result<(), SimulationError> {
        let kept: Vec<(&ClaimSpec, f64)> = self
            .claims
            .iter()
            .filter(|claim| claim.id == "T2b")
            .filter_map(|claim| claim.threshold.map(|threshold| (claim, threshold)))
            .collect();
        self.for_each_point(|point| {
            for (claim, sufficient) in &kept {
                if claim.applies_to(point.case.as_deref()) {
                    consistency::check_t2b(*sufficient, &point.parameters)?;
                }
            }
            Ok(())
        })
    }
}

/// Whether a name can be a folder's: see [`NAME_LEGAL`].
fn is_name(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=64).contains(&name.len()) && !name.starts_with('.') && name.chars().all(legal)
}

fn read_name(fields: &mut Fields) -> Result<String, SimulationError> {
    match fields.text("name", NAME_LEGAL)? {
        None => Err(fields.missing("name", NAME_LEGAL.into())),
        Some(name) if is_name(&name) => Ok(name),
        Some(name) => Err(fields.refuse("name", &Value::String(name), NAME_LEGAL.into())),
    }
}

fn read_seeds(fields: &mut Fields, given: Option<u64>) -> Result<u64, SimulationError> {
    let legal = || format!("must be an integer from 1 to {MOST_SEEDS}");
    let in_file = match fields.take("seeds") {
        None => DEFAULT_SEEDS,
        Some(value) => match whole(&value) {
            Some(seeds) if (1..=MOST_SEEDS).contains(&seeds) => seeds,
            _ => return Err(fields.refuse("seeds", &value, legal())),
        },
    };
    match given {
        Some(seeds) if !(1..=MOST_SEEDS).contains(&seeds) => {
            let (key, value) = ("seeds".into(), seeds.to_string());
            Err(SimulationError::Value { place: Place::Seeds, key, value, legal: legal(), hint: None })
        }
        given => Ok(given.unwrap_or(in_file)),
    }
}

/// The defaults, with what the file sets in their place.
fn read_base(file: &str, set: Vec<(usize, Value)>) -> Result<Vec<Assigned>, SimulationError> {
    let default = |key: &super::keys::Key| {
        let refuse = |legal| Origin::File.refuse(file, key.path, key.default.into(), legal);
        Ok(Assigned { setting: key.default_setting().map_err(refuse)?, origin: Origin::File })
    };
    let mut base = KEYS.iter().map(default).collect::<Result<Vec<_>, SimulationError>>()?;
    for (key, value) in set {
        base[key] = Assigned::read(file, &KEYS[key], &value, Origin::File)?;
    }
    Ok(base)
}

/// A part of the file that must be a table; empty if it is not there.
fn table_or_empty(file: &str, key: String, value: Option<Value>) -> Result<Table, SimulationError> {
    match value {
        None => Ok(Table::new()),
        Some(Value::Table(table)) => Ok(table),
        Some(other) => {
            let (place, value) = (Place::File(file.into()), shown(&other));
            Err(SimulationError::Value { place, key, value, legal: "must be a table".into(), hint: None })
        }
    }
}

fn read_grid(file: &str, value: Option<Value>) -> Result<Vec<Axis>, SimulationError> {
    let table = table_or_empty(file, "grid".into(), value)?;
    let keys = keys_of(&Place::File(file.into()), "grid", table)?;
    keys.into_iter().map(|(key, value)| Axis::read(file, key, value, Origin::Grid)).collect()
}

fn read_cases(file: &str, values: Vec<Value>) -> Result<Vec<Case>, SimulationError> {
    let mut cases: Vec<Case> = Vec::new();
    for (index, value) in values.into_iter().enumerate() {
        let case = read_case(file, index + 1, value)?;
        if cases.iter().any(|other| other.name == case.name) {
            let (place, key) = (Place::File(file.into()), format!("case {}", index + 1));
            let problem = format!("the name \"{}\" stands twice", case.name);
            return Err(SimulationError::Conflict { place, key, problem });
        }
        cases.push(case);
    }
    Ok(cases)
}

fn read_case(file: &str, number: usize, value: Value) -> Result<Case, SimulationError> {
    let place = Place::File(file.into());
    let mut fields = Fields::of_value(place.clone(), format!("case {number}"), value, &["name", "set"])?;
    let name = read_name(&mut fields)?;
    let what = format!("case \"{name}\"");
    let table = table_or_empty(file, format!("{what}: set"), fields.take("set"))?;
    let read = |(key, value): (usize, Value)| {
        Assigned::read(file, &KEYS[key], &value, Origin::Case(name.clone())).map(|assigned| (key, assigned))
    };
    let set = keys_of(&place, &what, table)?.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(Case { name, set })
}

/// Refuses a key that both the grid and a case set.
fn check_disjoint(file: &str, grid: &[Axis], cases: &[Case]) -> Result<(), SimulationError> {
    for axis in grid {
        if let Some(case) = cases.iter().find(|case| case.sets(axis.key)) {
            let key = axis.key().path.into();
            let problem = format!("is set by both [grid] and case \"{}\"", case.name);
            return Err(SimulationError::Conflict { place: Place::File(file.into()), key, problem });
        }
    }
    Ok(())
}

fn read_claims(file: &str, values: Vec<Value>, cases: &[Case]) -> Result<Vec<ClaimSpec>, SimulationError> {
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    let read = |(index, value)| ClaimSpec::read(file, index + 1, value, &names);
    let claims = values.into_iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    check_distinct(file, &claims)?;
    Ok(claims)
}
