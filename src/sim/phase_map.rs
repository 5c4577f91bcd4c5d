//! Which points a map shows, along which axes.

use super::error::{Place, SimulationError};
use super::grid::Point;
use super::phase_spec::{PhaseSpec, RATIO, label};
use crate::similarity::nearest_word;

/// The map of one case.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseMap<'a> {
    /// The case, if the simulation has cases.
    pub case: Option<&'a str>,
    /// Path of the first axis.
    pub x: &'static str,
    /// The second axis, if there is one.
    pub y: Option<PhaseAxis>,
    /// The case's points, in their order.
    pub points: Vec<&'a Point>,
}

/// The second axis of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhaseAxis {
    /// The key with this path.
    Key(&'static str),
    /// The pruning ratio ρ, from 0 to 1 − 1/k.
    Ratio,
}

impl PhaseAxis {
    /// The axis as a file names it.
    pub fn name(self) -> &'static str {
        match self {
            PhaseAxis::Key(path) => path,
            PhaseAxis::Ratio => RATIO,
        }
    }
}

impl PhaseSpec {
    /// The maps of the table among the points of its simulation: one for each case that it applies to, in file order;
    /// one if there are no cases.
    pub fn maps<'a>(&self, points: &'a [Point]) -> Vec<PhaseMap<'a>> {
        // Points stand case by case.
        let by_case = points.chunk_by(|a, b| a.case == b.case);
        let mapped = by_case.filter(|points| self.applies_to(points[0].case.as_deref()));
        mapped
            .filter_map(|points| {
                let axes: Vec<&'static str> = points[0].grid.iter().map(|value| value.path).collect();
                // The reader of the file refused axes that make no map.
                let (x, y) = self.axes(&axes).ok()?;
                Some(PhaseMap { case: points[0].case.as_deref(), x, y, points: points.iter().collect() })
            })
            .collect()
    }

    /// Refuses table `number` (from 1) if the axes of a case's points make no map.
    pub(crate) fn check(
        &self,
        file: &str,
        number: usize,
        case: Option<&str>,
        axes: &[&'static str],
    ) -> Result<(), SimulationError> {
        let Err(problem) = self.axes(axes) else { return Ok(()) };
        let place = Place::File(file.into());
        let within = case.map(|case| format!("case \"{case}\"")).unwrap_or_default();
        Err(match problem {
            Problem::NotSwept { axis, path, swept } => SimulationError::Value {
                place,
                key: format!("{}: {axis}", label(number)),
                value: format!("\"{path}\""),
                legal: format!("must be a key that is swept at the map's points: {}", swept.join(", ")),
                hint: None,
            }
            .or_hint(|| {
                let near = nearest_word(&path, swept.iter().copied()).map(|near| format!("the nearest is {near}"));
                let parts: Vec<String> = near.into_iter().chain(case.map(|_| format!("in {within}"))).collect();
                (!parts.is_empty()).then(|| parts.join(", "))
            }),
            Problem::Sentence(text) => {
                let text = if within.is_empty() { text } else { format!("{text}, in {within}") };
                SimulationError::Conflict { place, key: label(number), problem: text }
            }
        })
    }

    /// The axes of the map where these paths are swept.
    fn axes(&self, swept: &[&'static str]) -> Result<(&'static str, Option<PhaseAxis>), Problem> {
        let find = |axis: &'static str, path: &str| {
            let not_swept = || Problem::NotSwept { axis, path: path.into(), swept: swept.to_vec() };
            swept.iter().copied().find(|other| *other == path).ok_or_else(not_swept)
        };
        if swept.is_empty() {
            return Err(Problem::Sentence("needs a key that is swept at its points".into()));
        }
        let given_x = self.x.as_deref().map(|path| find("x", path)).transpose()?;
        let given_y = match self.y.as_deref() {
            None => None,
            Some(RATIO) => Some(PhaseAxis::Ratio),
            Some(path) => Some(PhaseAxis::Key(find("y", path)?)),
        };
        let mut rest = swept.iter().copied().filter(|path| given_y.is_none_or(|y| y.name() != *path));
        let first = rest.find(|path| given_x.is_none_or(|x| x == *path));
        let Some(x) = first else {
            let path = given_y.map(PhaseAxis::name).unwrap_or_default();
            return Err(Problem::Sentence(format!("y = {path} leaves no swept key for x")));
        };
        let is_left = |y: Option<PhaseAxis>| move |path: &&str| *path != x && y.is_none_or(|y| y.name() != *path);
        let y = given_y.or_else(|| swept.iter().copied().find(is_left(None)).map(PhaseAxis::Key));
        match (swept.iter().copied().find(is_left(y)), y) {
            (Some(left), Some(y)) => {
                let text = format!("{left} is swept too, beside x = {x} and y = {}: a map has two axes", y.name());
                Err(Problem::Sentence(text))
            }
            _ => Ok((x, y)),
        }
    }
}

/// Why axes make no map.
enum Problem {
    /// The key given for an axis is not among the swept ones.
    NotSwept { axis: &'static str, path: String, swept: Vec<&'static str> },
    /// Anything else, in words.
    Sentence(String),
}
