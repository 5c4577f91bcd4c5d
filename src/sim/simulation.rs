//! A simulation file, read and checked.

use super::axis::Axis;
use super::case::{Case, check_disjoint, read_cases};
use super::claim_spec::{ClaimSpec, check_distinct};
use super::error::{Place, SimulationError};
use super::fields::{Fields, MOST_SEEDS, keys_of, parse_toml, read_name, seeds_legal, seeds_within, table_or_empty};
use super::keys::{KEYS, sections};
use super::overrides::{self, Overrides};
use super::own_claim::AssumedTexts;
use super::own_claim_fields::read_assumption;
use super::phase_spec::PhaseSpec;
use super::resolve::{Assigned, Origin};
use toml::Value;

/// A checked simulation: what to run, over which grid, and what is claimed of the result.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulation {
    /// Name of the simulation and of its result folder.
    pub name: String,
    /// What the simulation is for, in the author's words; may be empty.
    pub aims: String,
    /// Runs per grid point, but for the points of cases that have a number of their own ([`Point::seeds`]).
    ///
    /// [`Point::seeds`]: super::Point::seeds
    pub seeds: u64,
    /// The claims, in file order.
    pub claims: Vec<ClaimSpec>,
    /// The maps, in file order: no part of the verdicts.
    pub phases: Vec<PhaseSpec>,
    /// Named variants of the base settings, in file order; none: the base settings alone.
    pub cases: Vec<Case>,
    /// The keys that every case sweeps, in file order; a case may sweep more.
    pub(crate) grid: Vec<Axis>,
    /// The setting of every key where neither case nor grid sets it, in the order of the table.
    pub(crate) base: Vec<Assigned>,
    /// Name of the file, for messages.
    pub(crate) file: String,
}

/// Runs per grid point where the file says nothing.
pub(crate) const DEFAULT_SEEDS: u64 = 1000;

impl Simulation {
    /// Reads a simulation file's text, with overrides. `file` is the name that messages give it.
    ///
    /// Every grid point is resolved and checked, so that [`Simulation::points`] succeeds afterwards.
    pub fn parse(file: &str, text: &str, overrides: &Overrides) -> Result<Self, SimulationError> {
        let place = Place::File(file.into());
        let mut known = vec!["name", "aims", "seeds", "grid", "case", "claim", "assumption", "phase"];
        known.extend(sections());
        let mut fields = Fields::new(place.clone(), String::new(), parse_toml(file, text)?, &known)?;
        let name = read_name(&mut fields)?;
        let aims = fields.text("aims", "must be a string")?.unwrap_or_default();
        let seeds = read_seeds(&mut fields, overrides.seeds)?;
        let mut grid = read_grid(file, fields.take("grid"))?;
        let mut cases = read_cases(file, fields.array("case", "must be tables [[case]]")?)?;
        let assumptions = fields.array("assumption", "must be tables [[assumption]]")?;
        let claims = fields.array("claim", "must be tables [[claim]]")?;
        let phases = fields.array("phase", "must be tables [[phase]]")?;
        let mut base = read_base(file, keys_of(&place, "", fields.into_rest())?)?;
        overrides::apply(overrides.set, file, &mut base, &mut grid, &cases)?;
        check_disjoint(file, &grid, &cases)?;
        if overrides.seeds.is_some() {
            cases.iter_mut().for_each(|case| case.seeds = None);
        }
        let claims = read_claims(file, claims, &cases, assumptions)?;
        let phases = read_phases(file, phases, &cases, &claims)?;
        let simulation = Self { name, aims, seeds, claims, phases, cases, grid, base, file: file.into() };
        simulation.check_points()?;
        Ok(simulation)
    }
}

fn read_seeds(fields: &mut Fields, given: Option<u64>) -> Result<u64, SimulationError> {
    let in_file = seeds_within(fields)?.unwrap_or(DEFAULT_SEEDS);
    match given {
        Some(seeds) if !(1..=MOST_SEEDS).contains(&seeds) => {
            let (key, value) = ("seeds".into(), seeds.to_string());
            Err(SimulationError::Value { place: Place::Seeds, key, value, legal: seeds_legal(), hint: None })
        }
        given => Ok(given.unwrap_or(in_file)),
    }
}

/// The defaults, with what the file sets in their place.
fn read_base(file: &str, set: Vec<(usize, Value)>) -> Result<Vec<Assigned>, SimulationError> {
    let default = |key: &super::key::Key| {
        let refuse = |legal| Origin::File.refuse(file, key.path, key.default.into(), legal);
        Ok(Assigned { setting: key.default_setting().map_err(refuse)?, origin: Origin::File })
    };
    let mut base = KEYS.iter().map(default).collect::<Result<Vec<_>, SimulationError>>()?;
    for (key, value) in set {
        base[key] = Assigned::read(file, &KEYS[key], &value, Origin::File)?;
    }
    Ok(base)
}

fn read_grid(file: &str, value: Option<Value>) -> Result<Vec<Axis>, SimulationError> {
    let table = table_or_empty(file, "grid".into(), value)?;
    let keys = keys_of(&Place::File(file.into()), "grid", table)?;
    keys.into_iter().map(|(key, value)| Axis::read(file, key, value, Origin::Grid)).collect()
}

fn names(cases: &[Case]) -> Vec<&str> {
    cases.iter().map(|case| case.name.as_str()).collect()
}

fn read_claims(
    file: &str,
    values: Vec<Value>,
    cases: &[Case],
    assumptions: Vec<Value>,
) -> Result<Vec<ClaimSpec>, SimulationError> {
    let names = names(cases);
    let mut known: Vec<AssumedTexts> = Vec::new();
    for (index, value) in assumptions.into_iter().enumerate() {
        let assumption = read_assumption(file, index + 1, value)?;
        if known.iter().any(|other| other.id == assumption.id) {
            let (place, key) = (Place::File(file.into()), format!("assumption {}", index + 1));
            let problem = format!("{} stands twice", assumption.id);
            return Err(SimulationError::Conflict { place, key, problem });
        }
        known.push(assumption);
    }
    let read = |(index, value)| ClaimSpec::read(file, index + 1, value, &names, &known);
    let claims = values.into_iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    check_distinct(file, &claims)?;
    Ok(claims)
}

fn read_phases(
    file: &str,
    values: Vec<Value>,
    cases: &[Case],
    claims: &[ClaimSpec],
) -> Result<Vec<PhaseSpec>, SimulationError> {
    let names = names(cases);
    let read = |(index, value)| PhaseSpec::read(file, index + 1, value, &names, claims);
    values.into_iter().enumerate().map(read).collect()
}
