//! Points with the same parameters have the same seeds, hence the same runs: to count them twice is to count runs twice.

use super::claim_spec::ClaimSpec;
use super::error::{Place, SimulationError};
use super::grid::Point;
use super::key::Kind;
use super::keys::find;
use super::simulation::Simulation;
use super::value::shortest;
use std::collections::HashMap;

impl Simulation {
    /// Refuses two points of one case with the same parameters, and two of different cases if one claim is judged at both.
    ///
    /// What counts are the values that settings resolve to at the points, however they are written.
    pub(crate) fn check_twins(&self, points: &[Point]) -> Result<(), SimulationError> {
        let mut seen: HashMap<Vec<String>, &Point> = HashMap::with_capacity(points.len());
        for point in points {
            // Points stand case by case, so that the last one seen is of the same case if any is.
            let Some(twin) = seen.insert(identity(point), point) else { continue };
            if twin.case == point.case {
                return Err(self.twins_of_a_case(twin, point));
            }
            let is_at_both = |claim: &&ClaimSpec| [twin, point].iter().all(|at| claim.applies_to(at.case.as_deref()));
            if let Some(claim) = self.claims.iter().find(is_at_both) {
                return Err(self.twins_of_a_claim(&claim.label(), twin, point));
            }
        }
        Ok(())
    }

    /// The error at the first axis on which the two stand apart.
    fn twins_of_a_case(&self, twin: &Point, point: &Point) -> SimulationError {
        let of_case = self.cases.iter().filter(|case| Some(&case.name) == point.case.as_ref());
        let mut axes =
            self.grid.iter().chain(of_case.flat_map(|case| &case.grid)).zip(twin.grid.iter().zip(&point.grid));
        let Some((axis, (first, second))) = axes.find(|(_, (first, second))| first.place != second.place) else {
            let problem = format!("points {} and {} are one", twin.index, point.index);
            return SimulationError::Conflict { place: Place::File(self.file.clone()), key: "grid".into(), problem };
        };
        let is_integer = matches!(axis.key().kind, Kind::Integer { .. });
        let rounding = if is_integer { "; integers are rounded" } else { "" };
        let legal = format!(
            "must differ from {} on the same axis: both are {}, so that points {} and {} have the same runs{rounding}",
            first.text,
            second.value.map_or_else(|| second.text.clone(), shortest),
            twin.index,
            point.index,
        );
        axis.values[second.place].origin.refuse(&self.file, second.path, second.text.clone(), legal)
    }

    fn twins_of_a_claim(&self, claim: &str, twin: &Point, point: &Point) -> SimulationError {
        let columns = point.swept.iter().filter(|(name, _)| name != "case");
        let values: Vec<String> = columns.map(|(name, value)| format!("{name} = {value}")).collect();
        let [first, second] = [twin, point].map(|point| point.case.as_deref().unwrap_or_default());
        let problem = format!(
            "point {} of case \"{first}\" and point {} of case \"{second}\" have the same parameters ({}), hence the same \
             runs: one claim must not be judged at both; give it a case",
            twin.index,
            point.index,
            values.join(", "),
        );
        SimulationError::Conflict { place: Place::File(self.file.clone()), key: claim.to_owned(), problem }
    }
}

/// What tells the parameters of a point from those of the others: the values of all keys that a case sets or that are
/// swept, from which the others follow. Of a list counts what it asks for.
fn identity(point: &Point) -> Vec<String> {
    let Point { parameters, swept, .. } = point;
    let experts = parameters.model.experts;
    let name_of = |path: &str| find(path).map(|key| key.name());
    let (kept, criteria) = (name_of("pruning.finetune_kept"), name_of("pruning.criteria"));
    let text = |(name, value): &(String, String)| match Some(name.as_str()) {
        name if name == kept => format!("{:?}", parameters.pruning.finetune_kept.numbers(experts)),
        name if name == criteria => format!("{:?}", parameters.pruning.criteria.of(experts)),
        _ => value.clone(),
    };
    // The case is a name, and no parameter.
    swept.iter().skip(usize::from(point.case.is_some())).map(text).collect()
}
