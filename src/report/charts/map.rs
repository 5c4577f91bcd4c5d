//! Rows of `phase.csv` and `boundary.csv` → the maps that they make, with cells on axes of categories.

use crate::record::{BoundaryRow, PhaseRow};
use crate::sim::On;

/// The map of one claim.
pub(in crate::report) struct Map<'a> {
    /// The row of its first cell: what all its cells share.
    pub first: &'a PhaseRow,
    /// The values along x: ascending if all are numbers, else in the order of the rows.
    pub xs: Vec<&'a str>,
    /// The same along y; one empty text for a map of one parameter.
    pub ys: Vec<&'a str>,
    /// Place along x and y, and the cell; only cells in which runs were judged.
    pub cells: Vec<(usize, usize, &'a PhaseRow)>,
    /// Place along y, and where the claim flips there.
    pub flips: Vec<(usize, &'a BoundaryRow)>,
}

/// The maps in the order of their first cells.
pub(in crate::report) fn maps<'a>(cells: &'a [PhaseRow], boundaries: &'a [BoundaryRow]) -> Vec<Map<'a>> {
    let mut groups: Vec<Vec<&PhaseRow>> = Vec::new();
    for cell in cells {
        // A cell that the map has already is one of the next map: a claim may stand in the file more than once.
        let lacks = |group: &Vec<&PhaseRow>| group.iter().all(|other| (&other.x, &other.y) != (&cell.x, &cell.y));
        match groups.last_mut().filter(|group| same_map(group[0], cell) && lacks(group)) {
            Some(group) => group.push(cell),
            None => groups.push(vec![cell]),
        }
    }
    let claim = |row: &PhaseRow| (row.map, row.case.clone(), row.claim.clone());
    let earlier =
        |place: usize| groups[..place].iter().filter(|other| claim(other[0]) == claim(groups[place][0])).count();
    groups.iter().enumerate().map(|(place, group)| map(group, boundaries, earlier(place))).collect()
}

fn same_map(a: &PhaseRow, b: &PhaseRow) -> bool {
    let key = |row: &PhaseRow| (row.map, row.on, row.threshold.map(f64::to_bits), row.level.to_bits());
    let words = |row: &PhaseRow| [&row.case, &row.claim, &row.x_key, &row.y_key].map(String::clone);
    key(a) == key(b) && words(a) == words(b)
}

/// The map of these cells, which come after those of `earlier` maps of the same name.
fn map<'a>(rows: &[&'a PhaseRow], boundaries: &'a [BoundaryRow], earlier: usize) -> Map<'a> {
    let first = rows[0];
    let (xs, ys) = (values(rows.iter().map(|row| row.x.as_str())), values(rows.iter().map(|row| row.y.as_str())));
    let place = |values: &[&str], text: &str| values.iter().position(|value| *value == text).unwrap_or_default();
    let judged = rows.iter().filter(|row| row.estimate.is_some_and(f64::is_finite));
    let cells = judged.map(|row| (place(&xs, &row.x), place(&ys, &row.y), *row)).collect();
    let own = |row: &&BoundaryRow| {
        (row.map, &row.case, &row.claim, &row.x_key) == (first.map, &first.case, &first.claim, &first.x_key)
    };
    let at = |y: &str| boundaries.iter().filter(own).filter(move |row| row.y == y).nth(earlier);
    let flips = ys.iter().enumerate().filter_map(|(place, y)| Some((place, at(y)?))).collect();
    Map { first, cells, flips, xs, ys }
}

fn values<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut values: Vec<&str> = Vec::new();
    for text in texts {
        if !values.contains(&text) {
            values.push(text);
        }
    }
    if let Some(mut pairs) = numbers(&values) {
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        values = pairs.into_iter().map(|(_, text)| text).collect();
    }
    values
}

/// The values with their numbers, if all are numbers.
fn numbers<'a>(values: &[&'a str]) -> Option<Vec<(f64, &'a str)>> {
    let number =
        |text: &&'a str| text.parse().ok().filter(|number: &f64| number.is_finite()).map(|number| (number, *text));
    values.iter().map(number).collect()
}

/// Whether values at equal steps are at their true distance: on a linear or a logarithmic scale. Words have no distance.
pub(in crate::report) fn are_even(values: &[&str]) -> bool {
    let even = |bend: fn(f64) -> f64| {
        let Some(numbers) = numbers(values) else { return true };
        let steps: Vec<f64> = numbers.windows(2).map(|pair| bend(pair[1].0) - bend(pair[0].0)).collect();
        steps.iter().all(|step| (step - steps[0]).abs() <= 0.02 * steps[0].abs())
    };
    even(|value| value) || even(libm::log)
}

impl Map<'_> {
    /// The cell at these places, if a run was judged there.
    pub(in crate::report) fn cell(&self, x: usize, y: usize) -> Option<&PhaseRow> {
        self.cells.iter().find(|(at_x, at_y, _)| (*at_x, *at_y) == (x, y)).map(|(_, _, cell)| *cell)
    }

    /// Where a value lies along x, in categories; as the flip itself, it is interpolated in the logarithm if all values
    /// are above 0 and the largest is at least four times the smallest.
    pub(crate) fn along_x(&self, value: f64) -> Option<f64> {
        let xs: Vec<f64> = numbers(&self.xs)?.into_iter().map(|(number, _)| number).collect();
        let (low, high) = (*xs.first()?, *xs.last()?);
        if !(low..=high).contains(&value) {
            return None;
        }
        let bend = |x: f64| if low > 0.0 && high >= 4.0 * low { libm::log(x) } else { x };
        let before = xs.iter().rposition(|x| *x <= value)?;
        let part =
            xs.get(before + 1).map_or(0.0, |next| (bend(value) - bend(xs[before])) / (bend(*next) - bend(xs[before])));
        Some(before as f64 + 0.5 + part)
    }

    /// The ends of a flip's bracket; an open end reaches the end of the axis.
    pub(crate) fn bracket(&self, flip: &BoundaryRow) -> (f64, f64) {
        let end = |end: Option<f64>| end.and_then(|end| self.along_x(end));
        (end(flip.low).unwrap_or(0.0), end(flip.high).unwrap_or(self.xs.len() as f64))
    }

    /// The claim, with its threshold between commas if it has one.
    pub(crate) fn claim(&self) -> String {
        let threshold = self.first.threshold.map(|threshold| format!(", threshold {threshold},")).unwrap_or_default();
        format!("{}{threshold}", self.first.claim)
    }

    /// How many runs a cell has, and which.
    pub(crate) fn runs(&self) -> String {
        let runs = || self.cells.iter().map(|(_, _, cell)| cell.runs);
        let (fewest, most) = (runs().min().unwrap_or(0), runs().max().unwrap_or(0));
        let count = if fewest == most { most.to_string() } else { format!("{fewest} to {most}") };
        match self.first.on {
            On::Met => format!("{count} runs a cell that\nmeet the assumptions"),
            On::All => format!("{count} runs a cell"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_true_on_a_linear_or_a_logarithmic_scale() {
        for even in [&["0.1", "0.2", "0.3"][..], &["8", "16", "32"], &["2", "6.32", "20"], &["a", "b", "c"], &["1"]] {
            assert!(are_even(even), "{even:?}");
        }
        for uneven in [&["0.05", "0.1", "0.15", "0.4"][..], &["0", "1", "10"]] {
            assert!(!are_even(uneven), "{uneven:?}");
        }
    }
}
