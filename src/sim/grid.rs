//! The points of a simulation: cases × grid, each with checked parameters.

use super::consistency::{self, Contradiction};
use super::error::{Place, SimulationError};
use super::keys::{KEYS, index_of_path};
use super::parameters::Parameters;
use super::resolve::{Assigned, resolve};
use super::simulation::{Case, Simulation};
use super::value::Value;
use serde::Deserialize;

/// One grid point.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Number of the point, from 0: cases in file order, then the grid with its last key fastest.
    pub index: usize,
    /// The case, if the simulation has cases.
    pub case: Option<String>,
    /// The columns that tell the points apart, the same at every point: `case` if there are cases, then the last parts
    /// of the keys that cases set and of the swept keys, each with the shortest text of its value.
    pub swept: Vec<(String, String)>,
    /// The checked parameters.
    pub parameters: Parameters,
}

/// Most points of one simulation.
pub const MOST_POINTS: usize = 100_000;

impl Simulation {
    /// Every point, resolved and checked.
    pub fn points(&self) -> Result<Vec<Point>, SimulationError> {
        let mut points = Vec::new();
        self.for_each_point(|point| {
            points.push(point);
            Ok(())
        })?;
        Ok(points)
    }

    /// Visits every point in order until one is refused, by its parameters or by `visit`.
    pub(crate) fn for_each_point(
        &self,
        mut visit: impl FnMut(Point) -> Result<(), Contradiction>,
    ) -> Result<(), SimulationError> {
        let count = self.count()?;
        let swept = self.swept_keys();
        for index in 0..count {
            let choice = self.choose(index);
            let refused = |error: SimulationError| error.or_hint(|| choice.describe());
            let point = self.point(index, &choice, &swept).map_err(refused)?;
            visit(point).map_err(|found| refused(self.blame(&choice, found)))?;
        }
        Ok(())
    }

    /// Number of points.
    fn count(&self) -> Result<usize, SimulationError> {
        let factors = self.grid.iter().map(|axis| axis.values.len() as u128);
        let cases = self.cases.len().max(1) as u128;
        let points = factors.fold(cases, u128::saturating_mul);
        match usize::try_from(points) {
            Ok(count) if count <= MOST_POINTS => Ok(count),
            _ => {
                let place = Place::File(self.file.clone());
                Err(SimulationError::TooManyPoints { place, points, most: MOST_POINTS })
            }
        }
    }

    /// Indices of the keys that cases set, then of the swept ones, in file order.
    fn swept_keys(&self) -> Vec<usize> {
        let in_cases = self.cases.iter().flat_map(|case| case.set.iter().map(|(key, _)| *key));
        let mut keys = Vec::new();
        for key in in_cases.chain(self.grid.iter().map(|axis| axis.key)) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// The case and the grid values of point number `index`.
    fn choose(&self, index: usize) -> Choice<'_> {
        let mut rest = index;
        let mut values = Vec::with_capacity(self.grid.len());
        for axis in self.grid.iter().rev() {
            values.push((axis.key, &axis.values[rest % axis.values.len()]));
            rest /= axis.values.len();
        }
        values.reverse();
        let case = self.cases.get(rest);
        let mut assigned: Vec<&Assigned> = self.base.iter().collect();
        let in_case = case.iter().flat_map(|case| case.set.iter().map(|(key, value)| (*key, value)));
        for (key, value) in in_case.chain(values.iter().copied()) {
            assigned[key] = value;
        }
        Choice { case, values, assigned }
    }

    fn point(&self, index: usize, choice: &Choice, swept: &[usize]) -> Result<Point, SimulationError> {
        let values = resolve(&self.file, &choice.assigned)?;
        let parameters = self.parameters(&values)?;
        consistency::check(&parameters).map_err(|found| self.blame(choice, found))?;
        let case = choice.case.map(|case| case.name.clone());
        let named = case.iter().map(|name| ("case".to_owned(), name.clone()));
        let columns = swept.iter().map(|key| (KEYS[*key].name().to_owned(), values[*key].text()));
        let swept = named.chain(columns).collect();
        Ok(Point { index, case, swept, parameters })
    }

    /// Parameters from the value of every key.
    fn parameters(&self, values: &[Value]) -> Result<Parameters, SimulationError> {
        let mut table = toml::Table::new();
        for (key, value) in KEYS.iter().zip(values) {
            let section = table.entry(key.section()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let toml::Value::Table(section) = section {
                section.insert(key.name().into(), value.to_toml());
            }
        }
        // Only a key table that does not fit the parameters can fail here; a test compares the two.
        Parameters::deserialize(table).map_err(|error| SimulationError::Conflict {
            place: Place::File(self.file.clone()),
            key: "parameters".into(),
            problem: super::error::one_line(error.message()),
        })
    }

    /// The error for a contradiction, at the place that set the key.
    fn blame(&self, choice: &Choice, found: Contradiction) -> SimulationError {
        let Contradiction { key, value, legal } = found;
        match index_of_path(key) {
            Some(index) => choice.assigned[index].origin.refuse(&self.file, key, value, legal),
            None => {
                let (place, key) = (Place::File(self.file.clone()), format!("claim T2b: {key}"));
                SimulationError::Value { place, key, value, legal, hint: None }
            }
        }
    }
}

/// What makes one point.
struct Choice<'a> {
    case: Option<&'a Case>,
    /// Index and value of each swept key.
    values: Vec<(usize, &'a Assigned)>,
    /// The setting of every key.
    assigned: Vec<&'a Assigned>,
}

impl Choice<'_> {
    /// The point as a message names it: `at case "x", patterns = 64`; nothing if there is one point.
    fn describe(&self) -> Option<String> {
        let case = self.case.iter().map(|case| format!("case \"{}\"", case.name));
        let swept = self.values.iter().map(|(key, value)| format!("{} = {}", KEYS[*key].name(), value.setting.text()));
        let parts: Vec<String> = case.chain(swept).collect();
        if parts.is_empty() { None } else { Some(format!("at {}", parts.join(", "))) }
    }
}
