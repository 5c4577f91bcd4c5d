//! The table of systems: one row for each point of a result, what holds there and what its scores tell of roles.

use super::criteria::{CriterionTally, RunRows};
use super::numbers::{minus, significant};
use crate::claims::Observation;
use crate::claims::run_figure::RunFigure;
use crate::record::rows::RunBody;
use crate::record::{ClaimRow, ExpertRow, PruningRow};
use crate::sim::parameters::{Criterion, Parameters, Property};
use crate::sim::{ClaimId, ClaimName, ClaimSpec, Point, RoleSource, Simulation};
use crate::stats::median;
use std::fmt::Write;

/// The claims that are counted, whether the file judges them or not, in the order of their columns.
const COUNTED: [ClaimId; 3] = [ClaimId::T0, ClaimId::T1c, ClaimId::T2a];

/// What the runs of one point say of the system, collected run by run.
#[derive(Clone, Debug)]
pub struct SystemTally<'a> {
    simulation: &'a Simulation,
    point: &'a Point,
    /// The roles of experts where no claim of the file says otherwise: built ones, measured ones where none are built.
    roles: RoleSource,
    /// Runs so far.
    pub runs: u64,
    /// Runs in which each of [`COUNTED`] holds; `None` of a claim that the point cannot be asked.
    counted: [Option<(ClaimSpec, u64)>; 3],
    /// The smallest Δ of a relevant expert, of each run that has one.
    smallest: Vec<f64>,
    criteria: CriterionTally,
}

/// What a result says of the system at one point.
#[derive(Clone, Debug, PartialEq)]
pub struct SystemSummary {
    /// The simulation, and the point in it.
    title: String,
    /// In how many runs T0, T1c and T2a hold, with the verdict where the file judges it.
    held: [Option<String>; 3],
    /// T1a: the median over runs of the smallest Δ of a relevant expert, with the verdict.
    smallest: Option<String>,
    /// The mean area under the curve of Δ, of D and of the system's own score.
    areas: [Option<f64>; 3],
    /// What the system's own score is; `None` if the file has none.
    own: Option<Criterion>,
    /// Why no expert has a role, where none has.
    no_roles: Option<String>,
    /// Why no expert has a Δ, where none has a router of its own.
    no_change: Option<String>,
}

impl<'a> SystemTally<'a> {
    /// Of a point of a simulation.
    pub fn new(simulation: &'a Simulation, point: &'a Point) -> Self {
        let is_built = point.parameters.pretrained.kind.traits().builds_roles;
        let roles = if is_built { RoleSource::Built } else { RoleSource::Measured };
        let counted = COUNTED.map(|id| {
            let asked = simulation
                .claims
                .iter()
                .find(|claim| claim.id == ClaimName::Known(id) && claim.applies_to(point.case.as_deref()));
            let claim = asked.cloned().unwrap_or_else(|| ClaimSpec::without_constant(id, roles));
            claim.can_be_judged_at(point).then_some((claim, 0))
        });
        Self { simulation, point, roles, runs: 0, counted, smallest: Vec::new(), criteria: CriterionTally::default() }
    }

    /// Adds a run: its row of `runs.csv`, and its rows of `experts.csv` and `pruning.csv`.
    pub fn add(&mut self, run: &RunBody, experts: &[ExpertRow], pruning: &[PruningRow]) {
        self.runs += 1;
        self.criteria.add(&RunRows { experts, pruning });
        let run = Observation { parameters: &self.point.parameters, run, experts, pruning, trajectory: &[] };
        self.smallest.extend(RunFigure::MinRelevantChange.of(&run, self.roles));
        for (claim, held) in self.counted.iter_mut().flatten() {
            *held += u64::from(run.decision(claim).holds);
        }
    }

    /// What they say; `claims` are the point's.
    pub fn summary(&self, claims: &[&ClaimRow]) -> SystemSummary {
        let parameters = &self.point.parameters;
        let own = own_score(parameters);
        let areas = [Some(Criterion::RouterNormChange), Some(Criterion::RouterDisplacement), own];
        let with_verdict = |id: ClaimId, words: String| match claims.iter().find(|row| row.claim == id.to_string()) {
            Some(row) => format!("{words}: {}", row.verdict),
            None => words,
        };
        let held = |counted: &Option<(ClaimSpec, u64)>, id| {
            counted.as_ref().map(|(_, held)| with_verdict(id, format!("{held} of {}", self.runs)))
        };
        SystemSummary {
            title: format!("{}, {}", self.simulation.name, title(self.point)),
            held: std::array::from_fn(|place| held(&self.counted[place], COUNTED[place])),
            smallest: median(&self.smallest).map(|median| with_verdict(ClaimId::T1a, minus(&significant(median)))),
            areas: areas.map(|criterion| criterion.and_then(|criterion| self.criteria.area(criterion))),
            own,
            no_roles: parameters.lost(Property::Roles).map(|(key, value)| format!("{key} = {value} has no roles")),
            no_change: parameters.delta_undefined(),
        }
    }
}

/// The point in words: its case, and its place on the axes of a grid.
fn title(point: &Point) -> String {
    let axes = point.grid.iter().map(|value| format!("{} = {}", value.path, value.text));
    let words: Vec<String> = point.case.iter().cloned().chain(axes).collect();
    if words.is_empty() { "its one point".to_owned() } else { words.join(", ") }
}

/// The file's criterion, or its first other one, that reads more than routers: the names of scores of
/// routers alone begin with `router-`.
fn own_score(parameters: &Parameters) -> Option<Criterion> {
    let pruning = &parameters.pruning;
    let others = pruning.criteria.of(parameters.model.experts);
    let is_own = |of: &Criterion| *of != Criterion::Random && !of.name().starts_with("router-");
    std::iter::once(pruning.criterion).chain(others).find(is_own)
}

/// The reasons why cells have no number, each once, in the order of their first use.
#[derive(Debug, Default)]
struct Reasons(Vec<String>);

impl Reasons {
    /// The value, or a mark of the first reason why there is none.
    fn cell<const N: usize>(&mut self, value: Option<String>, why: [&Option<String>; N]) -> String {
        let Some(why) = why.into_iter().flatten().next().filter(|_| value.is_none()) else {
            return value.unwrap_or_else(|| "–".to_owned());
        };
        let place = self.0.iter().position(|reason| reason == why).unwrap_or_else(|| {
            self.0.push(why.clone());
            self.0.len() - 1
        });
        format!("undefined ({})", place + 1)
    }
}

/// The rows as Markdown, and below them why some cells have no number.
pub fn table(rows: &[SystemSummary]) -> String {
    let mut text = String::from(
        "| system | T0 | T1a: min Δ | T1c | T2a | AUC of Δ | AUC of D | AUC of its own score |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let mut reasons = Reasons::default();
    for row in rows {
        let of_change = [&row.no_change, &row.no_roles];
        let area = |place: usize| row.areas[place].map(|area| format!("{area:.3}"));
        let [t0, t1c, t2a] = row.held.clone();
        let mut cells = vec![row.title.replace('|', "\\|"), reasons.cell(t0, [])];
        cells.extend([row.smallest.clone(), t1c].map(|value| reasons.cell(value, of_change)));
        cells.push(reasons.cell(t2a, [&row.no_roles]));
        cells.extend([area(0), area(1)].map(|value| reasons.cell(value, of_change)));
        cells.push(match row.own {
            Some(criterion) => format!("{} (`{}`)", reasons.cell(area(2), [&row.no_roles]), criterion.name()),
            None => "–".to_owned(),
        });
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    for (place, reason) in reasons.0.iter().enumerate() {
        let _ = write!(text, "\n({}) {reason}.\n", place + 1);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> SystemSummary {
        SystemSummary {
            title: "system-a, soft".into(),
            held: [Some("9 of 9: SUPPORTED".into()), Some("2 of 9".into()), None],
            smallest: Some("0.25".into()),
            areas: [Some(0.5), Some(1.0), Some(0.25)],
            own: Some(Criterion::Mass),
            no_roles: None,
            no_change: None,
        }
    }

    #[test]
    fn a_row_tells_counts_areas_and_whose_score_is_its_own() {
        let text = table(&[row()]);
        assert!(
            text.ends_with(
                "| system-a, soft | 9 of 9: SUPPORTED | 0.25 | 2 of 9 | – | 0.500 | 1.000 | 0.250 (`mass`) |\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn what_cannot_be_is_said_once_in_words_and_is_no_zero() {
        let hashed = SystemSummary {
            held: [Some("9 of 9".into()), None, None],
            smallest: None,
            areas: [None, None, Some(0.75)],
            no_change: Some("undefined here because of a table".into()),
            ..row()
        };
        let without =
            SystemSummary { areas: [None; 3], no_roles: Some("no roles".into()), no_change: None, ..hashed.clone() };
        let text = table(&[hashed, without]);
        let wanted = "\
            | system-a, soft | 9 of 9 | undefined (1) | undefined (1) | – | undefined (1) | undefined (1) | 0.750 (`mass`) |\n\
            | system-a, soft | 9 of 9 | undefined (2) | undefined (2) | undefined (2) | undefined (2) | undefined (2) | \
            undefined (2) (`mass`) |\n\n(1) undefined here because of a table.\n\n(2) no roles.\n";
        assert!(text.ends_with(wanted), "{text}");
    }
}
