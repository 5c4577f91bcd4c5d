//! The table of systems: one row for each point of a result, what is claimed of it and what its scores tell of roles.

use super::criteria::CriterionTally;
use crate::record::ClaimRow;
use crate::sim::parameters::{Criterion, Parameters, Property};
use crate::sim::{ClaimId, Point};
use std::fmt::Write;

/// The claims of the table, in the order of its columns.
const CLAIMS: [ClaimId; 4] = [ClaimId::T0, ClaimId::T1a, ClaimId::T1c, ClaimId::T2a];

/// What a result says of the system at one point.
#[derive(Clone, Debug, PartialEq)]
pub struct SystemSummary {
    /// The simulation, and the point in it.
    pub name: String,
    /// The verdicts of T0, T1a, T1c and T2a at the point; `None` where the file does not judge one.
    pub verdicts: [Option<String>; 4],
    /// The mean area under the curve of Δ, of D and of the system's own score.
    pub areas: [Option<f64>; 3],
    /// What the system's own score is: that of the file's criterion, or of its first other one if that is Δ; `None` if
    /// there is no other.
    pub own: Option<Criterion>,
    /// Why areas are not there where they cannot be.
    pub undefined: Option<String>,
    /// Why those of Δ and D are not, where no expert has a router of its own.
    pub no_change: Option<String>,
}

impl SystemSummary {
    /// Of a point of the simulation called `name`; `claims` are the point's.
    pub fn new(name: &str, point: &Point, claims: &[&ClaimRow], tally: &CriterionTally) -> Self {
        let own = own_score(&point.parameters);
        let verdict =
            |id: &ClaimId| claims.iter().find(|row| row.claim == id.to_string()).map(|row| row.verdict.to_string());
        let areas = [Some(Criterion::RouterNormChange), Some(Criterion::RouterDisplacement), own];
        Self {
            name: format!("{name}, {}", title(point)),
            verdicts: CLAIMS.each_ref().map(verdict),
            areas: areas.map(|criterion| criterion.and_then(|criterion| tally.area(criterion))),
            own,
            undefined: point
                .parameters
                .lost(Property::Roles)
                .map(|(key, value)| format!("undefined: {key} = {value} has no roles")),
            no_change: point.parameters.delta_undefined(),
        }
    }
}

/// The point in words: its case, and what is swept if anything is.
fn title(point: &Point) -> String {
    let is_swept = !point.grid.is_empty();
    let swept = point.swept.iter().filter(|(key, _)| is_swept && key != "case");
    let words: Vec<String> =
        point.case.iter().cloned().chain(swept.map(|(key, value)| format!("{key} = {value}"))).collect();
    if words.is_empty() { "its one point".to_owned() } else { words.join(", ") }
}

fn own_score(parameters: &Parameters) -> Option<Criterion> {
    const PAPER: [Criterion; 3] = [Criterion::RouterNormChange, Criterion::RouterDisplacement, Criterion::Random];
    let pruning = &parameters.pruning;
    let others = pruning.criteria.of(parameters.model.experts);
    std::iter::once(pruning.criterion).chain(others).find(|criterion| !PAPER.contains(criterion))
}

/// The rows as Markdown.
pub fn table(rows: &[SystemSummary]) -> String {
    let mut text = String::from(
        "| system | T0 | T1a | T1c | T2a | AUC of Δ | AUC of D | AUC of its own score |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let area = |place: usize| {
            let why = row.no_change.as_ref().filter(|_| place < 2).or(row.undefined.as_ref());
            match (row.areas[place], why) {
                (Some(area), _) => format!("{area:.3}"),
                (None, Some(why)) => why.clone(),
                (None, None) => "–".to_owned(),
            }
        };
        let own = match row.own {
            Some(criterion) => format!("{} (`{}`)", area(2), criterion.name()),
            None => "–".to_owned(),
        };
        let verdicts = row.verdicts.each_ref().map(|verdict| verdict.as_deref().unwrap_or("–")).join(" | ");
        let name = row.name.replace('|', "\\|");
        let _ = writeln!(text, "| {name} | {verdicts} | {} | {} | {own} |", area(0), area(1));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> SystemSummary {
        SystemSummary {
            name: "system-a, soft".into(),
            verdicts: [Some("SUPPORTED".into()), None, Some("REFUTED".into()), None],
            areas: [Some(0.5), Some(1.0), Some(0.25)],
            own: Some(Criterion::Mass),
            undefined: None,
            no_change: None,
        }
    }

    #[test]
    fn a_row_tells_verdicts_areas_and_whose_score_is_its_own() {
        let text = table(&[row()]);
        assert!(
            text.ends_with("| system-a, soft | SUPPORTED | – | REFUTED | – | 0.500 | 1.000 | 0.250 (`mass`) |\n"),
            "{text}"
        );
    }

    #[test]
    fn what_cannot_be_is_said_in_words_and_is_no_zero() {
        let undefined = Some("undefined: no roles".into());
        let text = table(&[SystemSummary { areas: [None; 3], undefined, own: None, ..row() }]);
        assert!(text.ends_with("| undefined: no roles | undefined: no roles | – |\n"), "{text}");
    }
}
