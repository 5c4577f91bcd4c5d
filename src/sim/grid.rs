//! The points of a simulation: for each case the product of the file's grid and its own, with checked parameters.

use super::axis::Axis;
use super::case::Case;
use super::consistency;
use super::contradiction::Contradiction;
use super::error::{Place, SimulationError};
use super::keys::{KEYS, index_of_path};
use super::parameters::Parameters;
use super::resolve::{Assigned, resolve};
use super::simulation::Simulation;

/// One grid point.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Number of the point, from 0: cases in file order, then the grid with its last key fastest.
    pub index: usize,
    /// The case, if the simulation has cases.
    pub case: Option<String>,
    /// Runs of the point: those of `--seeds`, else of its case, else of the file.
    pub seeds: u64,
    /// The columns that tell the points apart, the same at every point: `case` if there are cases, then the last parts
    /// of the keys that any case sets and of the keys that the file or any case sweeps, each with the shortest text of
    /// its value here.
    pub swept: Vec<(String, String)>,
    /// What made the point: its place on every axis of the file's grid, then on every axis of its case's grid.
    pub grid: Vec<GridValue>,
    /// The checked parameters.
    pub parameters: Parameters,
}

/// The place of a point on one axis.
#[derive(Clone, Debug, PartialEq)]
pub struct GridValue {
    /// Path of the swept key.
    pub path: &'static str,
    /// Index of the value on the axis, from 0.
    pub place: usize,
    /// The setting as the file could write it: `64`, `canonical`, or an expression in quotes, `"patterns/4"`.
    pub text: String,
    /// The number that the key has at this point; `None` if its values are no numbers.
    pub value: Option<f64>,
}

/// Most points of one simulation.
pub const MOST_POINTS: usize = 100_000;

/// The points of one case, or of a simulation without cases.
pub(crate) struct Block<'a> {
    case: Option<&'a Case>,
    /// The file's axes, then the case's.
    axes: Vec<&'a Axis>,
}

impl Block<'_> {
    /// Name of the case, if there is one.
    pub(crate) fn case(&self) -> Option<&str> {
        self.case.map(|case| case.name.as_str())
    }

    /// Paths of the swept keys.
    pub(crate) fn paths(&self) -> Vec<&'static str> {
        self.axes.iter().map(|axis| axis.key().path).collect()
    }

    /// Number of points. Saturates far above [`MOST_POINTS`].
    fn count(&self) -> u128 {
        self.axes.iter().map(|axis| axis.values.len() as u128).fold(1, u128::saturating_mul)
    }
}

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

    /// Visits every point in order until one is refused, by its parameters or by `visit`, which says for which claim.
    pub(crate) fn for_each_point(
        &self,
        mut visit: impl FnMut(Point) -> Result<(), (String, Contradiction)>,
    ) -> Result<(), SimulationError> {
        self.check_count()?;
        let swept = self.swept_keys();
        let mut index = 0;
        for block in self.blocks() {
            for within in 0..block.count() {
                let choice = self.choose(&block, within);
                let refused = |error: SimulationError| error.or_hint(|| choice.describe());
                let point = self.point(index, &choice, &swept).map_err(refused)?;
                visit(point).map_err(|(claim, found)| refused(self.blame(&choice, &claim, found)))?;
                index += 1;
            }
        }
        Ok(())
    }

    /// The cases in file order, each with its axes.
    pub(crate) fn blocks(&self) -> Vec<Block<'_>> {
        if self.cases.is_empty() {
            vec![self.block(None)]
        } else {
            self.cases.iter().map(|case| self.block(Some(case))).collect()
        }
    }

    fn block<'a>(&'a self, case: Option<&'a Case>) -> Block<'a> {
        let own = case.into_iter().flat_map(|case| &case.grid);
        Block { case, axes: self.grid.iter().chain(own).collect() }
    }

    fn check_count(&self) -> Result<(), SimulationError> {
        let points = self.blocks().iter().map(Block::count).fold(0, u128::saturating_add);
        if points <= MOST_POINTS as u128 {
            return Ok(());
        }
        Err(SimulationError::TooManyPoints { place: Place::File(self.file.clone()), points, most: MOST_POINTS })
    }

    /// Indices of the keys that cases set, then of the swept ones, in file order.
    fn swept_keys(&self) -> Vec<usize> {
        let in_cases = self.cases.iter().flat_map(|case| case.set.iter().map(|(key, _)| *key));
        let axes = self.grid.iter().chain(self.cases.iter().flat_map(|case| &case.grid));
        let mut keys = Vec::new();
        for key in in_cases.chain(axes.map(|axis| axis.key)) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// The settings of point number `within` of a block, the last axis fastest.
    fn choose<'a>(&'a self, block: &Block<'a>, within: u128) -> PointSettings<'a> {
        let mut rest = within;
        let mut values = Vec::with_capacity(block.axes.len());
        for axis in block.axes.iter().rev() {
            let length = axis.values.len() as u128;
            // A remainder of a length is a place in the list of that length.
            let place = (rest % length) as usize;
            values.push(AxisValue { key: axis.key, place, assigned: &axis.values[place] });
            rest /= length;
        }
        values.reverse();
        let case = block.case;
        let mut assigned: Vec<&Assigned> = self.base.iter().collect();
        for (key, value) in case.iter().flat_map(|case| &case.set) {
            assigned[*key] = value;
        }
        for chosen in &values {
            assigned[chosen.key] = chosen.assigned;
        }
        PointSettings { case, values, assigned }
    }

    fn point(&self, index: usize, choice: &PointSettings, swept: &[usize]) -> Result<Point, SimulationError> {
        let values = resolve(&self.file, &choice.assigned)?;
        // Every value is of its key's kind, so there are parameters of them.
        let parameters = Parameters::of_values(&values).ok_or_else(|| SimulationError::Conflict {
            place: Place::File(self.file.clone()),
            key: "parameters".into(),
            problem: "do not fit the keys".into(),
        })?;
        consistency::check(&parameters).map_err(|found| self.blame(choice, "", found))?;
        let case = choice.case.map(|case| case.name.clone());
        let named = case.iter().map(|name| ("case".to_owned(), name.clone()));
        let columns = swept.iter().map(|key| (KEYS[*key].name().to_owned(), values[*key].text()));
        let swept = named.chain(columns).collect();
        let place_on = |chosen: &AxisValue| GridValue {
            path: KEYS[chosen.key].path,
            place: chosen.place,
            text: chosen.assigned.setting.text(),
            value: values[chosen.key].number(),
        };
        let grid = choice.values.iter().map(place_on).collect();
        let seeds = choice.case.and_then(|case| case.seeds).unwrap_or(self.seeds);
        Ok(Point { index, case, seeds, swept, grid, parameters })
    }

    /// The error for a contradiction, at the place that set the key.
    /// If the key is the constant of a claim, `claim` names it.
    fn blame(&self, choice: &PointSettings, claim: &str, found: Contradiction) -> SimulationError {
        let Contradiction { key, value, legal } = found;
        match index_of_path(key) {
            Some(index) => choice.assigned[index].origin.refuse(&self.file, key, value, legal),
            None => {
                let (place, key) = (Place::File(self.file.clone()), format!("{claim}: {key}"));
                SimulationError::Value { place, key, value, legal, hint: None }
            }
        }
    }
}

/// What makes one point.
struct PointSettings<'a> {
    case: Option<&'a Case>,
    /// The value on each axis.
    values: Vec<AxisValue<'a>>,
    /// The setting of every key.
    assigned: Vec<&'a Assigned>,
}

/// A value on an axis.
struct AxisValue<'a> {
    key: usize,
    place: usize,
    assigned: &'a Assigned,
}

impl PointSettings<'_> {
    /// The point as a message names it: `at case "x", patterns = 64`; nothing if there is one point.
    fn describe(&self) -> Option<String> {
        let case = self.case.iter().map(|case| format!("case \"{}\"", case.name));
        let text = |chosen: &AxisValue| format!("{} = {}", KEYS[chosen.key].name(), chosen.assigned.setting.text());
        let parts: Vec<String> = case.chain(self.values.iter().map(text)).collect();
        if parts.is_empty() { None } else { Some(format!("at {}", parts.join(", "))) }
    }
}
