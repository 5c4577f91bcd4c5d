//! Arguments that replace what the simulation file says: `--set key=value`, `--seeds N`.

use super::axis::Axis;
use super::case::Case;
use super::error::{Place, SimulationError, one_line};
use super::fields::unknown_path;
use super::key::Kind;
use super::keys::{KEYS, index_of_path};
use super::resolve::{Assigned, Origin};
use super::setting::read_bare;

/// What the command line says in place of the file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Overrides<'a> {
    /// Each `key=value` of `--set`.
    pub set: &'a [String],
    /// `--seeds`: runs per grid point.
    pub seeds: Option<u64>,
}

/// Applies `--set` arguments to the base settings and the grid.
///
/// A list or range for a key whose values are no lists becomes a grid entry, in the place of the key's old entry if
/// there is one; any other value replaces the base value and removes the grid entry.
pub(crate) fn apply(
    set: &[String],
    file: &str,
    base: &mut [Assigned],
    grid: &mut Vec<Axis>,
    cases: &[Case],
) -> Result<(), SimulationError> {
    let mut seen = Vec::new();
    for argument in set {
        let (key, value) = split(argument)?;
        let path = KEYS[key].path;
        if seen.contains(&key) {
            return Err(conflict(path, "is given twice".into()));
        }
        seen.push(key);
        if let Some(case) = cases.iter().find(|case| case.sets(key)) {
            return Err(conflict(path, format!("case \"{}\" sets this key itself", case.name)));
        }
        let old = grid.iter().position(|axis| axis.key == key);
        if sweeps(KEYS[key].kind, &value) {
            let axis = Axis::read(file, key, value, Origin::Set)?;
            match old {
                Some(old) => grid[old] = axis,
                None => grid.push(axis),
            }
        } else {
            base[key] = Assigned::read(file, &KEYS[key], &value, Origin::Set)?;
            if let Some(old) = old {
                grid.remove(old);
            }
        }
    }
    Ok(())
}

fn sweeps(kind: Kind, value: &toml::Value) -> bool {
    match value {
        toml::Value::Array(_) => !kind.takes_lists(),
        toml::Value::Table(_) => kind.is_numeric(),
        _ => false,
    }
}

fn split(argument: &str) -> Result<(usize, toml::Value), SimulationError> {
    let Some((path, value)) = argument.split_once('=') else {
        return Err(conflict(&one_line(argument), "must be written key=value".into()));
    };
    let path = path.trim();
    let key = index_of_path(path).ok_or_else(|| unknown_path(&Place::Set, "", path))?;
    Ok((key, read_bare(value)))
}

fn conflict(key: &str, problem: String) -> SimulationError {
    SimulationError::Conflict { place: Place::Set, key: key.into(), problem }
}
