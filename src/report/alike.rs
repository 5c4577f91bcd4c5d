//! Claims that came out alike are told together: a row of the page's tables, a line of the terminal's.

use crate::claims::judge::conclusions;
use crate::claims::verdict_changes::distance;
use crate::record::ClaimRow;
use crate::sim::Part;
use crate::sim::parameters::Criterion;

/// Claims of one case with the same words, constants, verdict and expectation.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Alike<'a> {
    /// The rows that state their verdicts, in file order.
    pub rows: Vec<&'a ClaimRow>,
    /// Their parts, in file order.
    pub parts: Vec<&'a ClaimRow>,
}

/// All claims, grouped, by case in the order in which cases first stand in the file.
pub(in crate::report) fn alike(claims: &[ClaimRow]) -> Vec<Alike<'_>> {
    let mut groups: Vec<Alike> = Vec::new();
    for row in conclusions(claims) {
        let parts = claims.iter().filter(|part| part.number == row.number && part.part != Part::All);
        match groups.iter_mut().find(|group| is_alike(group.first(), row)) {
            Some(group) => {
                group.rows.push(row);
                group.parts.extend(parts);
            }
            None => groups.push(Alike { rows: vec![row], parts: parts.collect() }),
        }
    }
    let place = |case: &str| claims.iter().position(|row| row.case == case);
    groups.sort_by_key(|group| place(&group.first().case));
    groups
}

/// Whether two claims belong to one group. What they compare with may differ.
fn is_alike(a: &ClaimRow, b: &ClaimRow) -> bool {
    let words = |row: &ClaimRow| (row.verdict, row.expected, row.on, row.roles);
    let constants = |row: &ClaimRow| [row.threshold, row.level].map(|value| value.map(f64::to_bits));
    (&a.case, &a.claim) == (&b.case, &b.claim) && words(a) == words(b) && constants(a) == constants(b)
}

impl<'a> Alike<'a> {
    /// The first of the claims.
    pub(crate) fn first(&self) -> &'a ClaimRow {
        self.rows[0]
    }

    /// The id, with how many claims there are if there are several.
    pub(crate) fn name(&self) -> String {
        match self.rows.len() {
            1 => self.first().claim.clone(),
            count => format!("{} ×{count}", self.first().claim),
        }
    }

    /// The part that is worst for the claims.
    pub(crate) fn worst(&self) -> &'a ClaimRow {
        worst(&self.parts).unwrap_or(self.first())
    }

    /// What each of the claims compares with, if they compare.
    pub(crate) fn against(&self) -> Vec<&'static str> {
        self.rows.iter().filter_map(|row| row.against).map(Criterion::name).collect()
    }
}

/// The part that is worst for a claim; the first of several.
pub(in crate::report) fn worst<'a>(parts: &[&'a ClaimRow]) -> Option<&'a ClaimRow> {
    let order = |part: &&ClaimRow| distance(part).unwrap_or(f64::NEG_INFINITY);
    parts.iter().copied().min_by(|a, b| order(a).total_cmp(&order(b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Decision;

    fn row(number: usize, case: &str, against: Criterion, verdict: Decision, holds: u64) -> ClaimRow {
        ClaimRow {
            number,
            case: case.into(),
            claim: "C1".into(),
            part: Part::Probability,
            against: Some(against),
            verdict,
            runs: 20,
            estimate: Some(holds as f64 / 20.0),
            level: Some(0.95),
            ..ClaimRow::default()
        }
    }

    #[test]
    fn equal_claims_are_one_group_and_others_are_not() {
        let rows = [
            row(1, "a", Criterion::Reap, Decision::Supported, 20),
            row(2, "b", Criterion::Reap, Decision::Supported, 20),
            row(3, "a", Criterion::Random, Decision::Supported, 19),
            row(4, "a", Criterion::Oracle, Decision::Refuted, 1),
        ];
        let groups = alike(&rows);
        let names: Vec<String> = groups.iter().map(Alike::name).collect();
        assert_eq!(names, ["C1 ×2", "C1", "C1"]);
        assert_eq!((groups[0].against(), groups[0].worst().number), (vec!["reap", "random"], 3));
        assert_eq!((groups[1].first().verdict, groups[2].first().case.as_str()), (Decision::Refuted, "b"));
    }
}
