//! What a drawing shows, as data: axes, series, limits, cells. Its table has a row for each mark, in their order.

use super::palette::Look;
use super::scale::Scale;
use crate::report::numbers::minus;

/// One drawing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::report) struct View {
    /// Name of its file in `figures/`, without ending.
    pub name: String,
    /// Which point, case or claim it is of; empty if there is only one.
    pub of: String,
    /// What is seen.
    pub title: String,
    /// The abscissa.
    pub x: Axis,
    /// The ordinate.
    pub y: Axis,
    /// Names of the table's columns.
    pub columns: Vec<String>,
    /// Series of points.
    pub groups: Vec<Group>,
    /// Quantiles of a category.
    pub boxes: Vec<Five>,
    /// Lines that are no data.
    pub lines: Vec<Line>,
    /// Single experts, drawn thin.
    pub threads: Vec<Thread>,
    /// Cells of a map.
    pub heat: Option<Heat>,
    /// What has to be known to read it, below the legend.
    pub notes: Vec<String>,
}

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Axis {
    /// What stands beside it.
    pub label: String,
    /// Its values.
    pub scale: Scale,
}

impl Axis {
    /// With this label.
    pub(crate) fn new(label: &str, scale: Scale) -> Self {
        Self { label: label.to_owned(), scale }
    }
}

impl Default for Axis {
    fn default() -> Self {
        Self::new("", Scale::linear(0.0, 1.0))
    }
}

/// How the points of a series are marked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::report) enum Marker {
    /// Filled.
    #[default]
    Filled,
    /// An outline.
    Open,
    /// Small and faint: one of many.
    Dot,
}

/// A series.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::report) struct Group {
    /// Its name in legend and table.
    pub name: String,
    /// What the legend says in place of its name; empty: the legend leaves it out.
    pub legend: Option<String>,
    /// What stands behind its name in the legend.
    pub note: String,
    /// Colour, marker and dashes.
    pub look: Look,
    /// How its points are marked.
    pub marker: Marker,
    /// Whether a line joins them.
    pub line: bool,
    /// Whether a band joins the ends of their intervals; else each has a bar.
    pub band: bool,
    /// Its points.
    pub points: Vec<At>,
}

/// A point of a series.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::report) struct At {
    /// Abscissa.
    pub x: f64,
    /// Ordinate.
    pub y: f64,
    /// Its interval.
    pub interval: Option<[f64; 2]>,
    /// A further cell of the table.
    pub text: Option<String>,
}

/// Quantiles of the values in a category: 5 %, 25 %, 50 %, 75 %, 95 %; and some of the values.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::report) struct Five {
    /// Its name in the table.
    pub name: String,
    /// Colour and marker.
    pub look: Look,
    /// Place of its middle on the abscissa.
    pub x: f64,
    /// The quantiles.
    pub levels: [f64; 5],
    /// Values that are drawn beside.
    pub strip: Vec<f64>,
}

/// A line that is no data: a limit, a fit, a reference.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::report) struct Line {
    /// Its name in the legend; empty: none.
    pub name: String,
    /// Colour and dashes.
    pub look: Look,
    /// Its corners.
    pub course: Course,
}

/// Where a line goes.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) enum Course {
    /// From end to end at this abscissa.
    Upright(f64),
    /// From end to end at this ordinate.
    Level(f64),
    /// Through these points.
    Through(Vec<(f64, f64)>),
}

impl Default for Course {
    fn default() -> Self {
        Self::Through(Vec::new())
    }
}

/// An expert of a single run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::report) struct Thread {
    /// Colour and dashes.
    pub look: Look,
    /// Its values.
    pub points: Vec<(f64, f64)>,
}

/// A map of cells; places count from 0, a cell is one wide.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::report) struct Heat {
    /// Labels of columns.
    pub xs: Vec<String>,
    /// Labels of rows, from below.
    pub ys: Vec<String>,
    /// The cells.
    pub cells: Vec<Cell>,
    /// Where the claim flips, by row from below.
    pub boundary: Vec<Flip>,
    /// Ends of the colours in words: of the darkest and of the lightest.
    pub ends: [String; 2],
    /// A colour that is named, between 0 and 1.
    pub level: Option<(f64, String)>,
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::report) struct Cell {
    /// Column and row.
    pub place: (usize, usize),
    /// Its colour, between 0 and 1.
    pub shade: f64,
    /// Its letters.
    pub text: String,
    /// Its row in the table.
    pub row: Vec<String>,
}

/// Where a claim flips in one row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::report) struct Flip {
    /// The row.
    pub row: usize,
    /// The estimate, along x.
    pub at: f64,
    /// The ends of its bracket, along x.
    pub bracket: [f64; 2],
}

impl View {
    /// Whether it shows nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.iter().all(|group| group.points.is_empty()) && self.boxes.is_empty() && self.heat.is_none()
    }

    /// A row for each mark: the points of the series, the boxes, the cells.
    pub(crate) fn table(&self) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        for group in &self.groups {
            for at in &group.points {
                let numbers = [at.x, at.y].into_iter().chain(at.interval.into_iter().flatten());
                let cells = std::iter::once(group.name.clone()).chain(numbers.map(number));
                rows.push(cells.chain(at.text.clone()).collect());
            }
        }
        for five in &self.boxes {
            rows.push(std::iter::once(five.name.clone()).chain(five.levels.map(number)).collect());
        }
        rows.extend(self.heat.iter().flat_map(|heat| &heat.cells).map(|cell| cell.row.clone()));
        rows
    }
}

/// Five significant digits: more than a drawing shows.
pub(in crate::report) fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    let short: f64 = format!("{value:.4e}").parse().unwrap_or(value);
    let text = if (1e-4..1e6).contains(&short.abs()) { short.to_string() } else { format!("{short:e}") };
    minus(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_table_have_five_digits() {
        let shown = [0.0, -0.000123456, 0.9999999, 123456.7, 1.5e-9, 64.0].map(number);
        assert_eq!(shown, ["0", "−0.00012346", "1", "123460", "1.5e−9", "64"]);
    }

    #[test]
    fn a_table_has_a_row_for_each_mark() {
        let points = vec![At { x: 1.0, y: 2.0, interval: Some([1.5, 2.5]), text: Some("here".into()) }];
        let group = Group { name: "a".into(), points, ..Group::default() };
        let five = Five { name: "b".into(), levels: [1.0, 2.0, 3.0, 4.0, 5.0], ..Five::default() };
        let view = View { groups: vec![group], boxes: vec![five], ..View::default() };
        assert_eq!(view.table(), [vec!["a", "1", "2", "1.5", "2.5", "here"], vec!["b", "1", "2", "3", "4", "5"]]);
        assert!(!view.is_empty() && View::default().is_empty());
    }
}
