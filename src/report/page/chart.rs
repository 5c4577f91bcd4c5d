//! What a figure of the page shows, as data: the page's script draws it and makes its table.

use crate::report::figures::Scale;
use serde::Serialize;

/// A figure with its views; the reader chooses one by its selects.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Chart {
    /// Name of its element in the page.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// The choices; the views are their combinations, the last changing fastest.
    pub selects: Vec<Select>,
    /// What is drawn for each combination.
    pub views: Vec<View>,
}

/// One choice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Select {
    /// What is chosen.
    pub name: String,
    /// The choices.
    pub options: Vec<String>,
}

/// One drawing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct View {
    /// The abscissa.
    pub x: Axis,
    /// The ordinate.
    pub y: Axis,
    /// Names of the table's columns.
    pub columns: Vec<String>,
    /// Series of points, with bands or intervals.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// Straight lines that are no data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Straight>,
    /// Single runs, drawn on demand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<SingleRun>,
    /// Cells of a map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heat: Option<Heat>,
}

/// An axis.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Axis {
    /// What stands beside it.
    pub label: String,
    /// `linear`, `log` or `symlog`.
    pub scale: &'static str,
    /// Its ends.
    pub domain: [f64; 2],
    /// Where a symmetric-logarithmic scale begins to bend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constant: Option<f64>,
    /// Places that are labelled; empty: the script chooses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ticks: Vec<f64>,
    /// Their labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}

/// A series.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Group {
    /// Its name in the legend.
    pub name: String,
    /// What stands below its name in the legend.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Colour, marker and dashes, by number.
    pub look: usize,
    /// Parts that are drawn: `b`and, `w`hisker, `l`ine, `p`oint, `o`pen point.
    pub parts: &'static str,
    /// Abscissae.
    pub x: Vec<f64>,
    /// Ordinates.
    pub y: Vec<f64>,
    /// Lower ends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub low: Vec<f64>,
    /// Upper ends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub high: Vec<f64>,
    /// Further columns of the table: name and a text for each point.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<Vec<String>>,
}

/// A line that is no data: a limit, a fit, a reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Straight {
    /// Its name in the legend.
    pub name: String,
    /// Colour and dashes, by number.
    pub look: usize,
    /// Abscissae of its ends; empty: from end to end.
    pub x: Vec<f64>,
    /// Ordinates of its ends; empty: from end to end.
    pub y: Vec<f64>,
}

/// The experts of one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct SingleRun {
    /// Which run.
    pub name: String,
    /// Abscissae of all its lines.
    pub x: Vec<f64>,
    /// The look of each line.
    pub looks: Vec<usize>,
    /// The ordinates of each line.
    pub lines: Vec<Vec<f64>>,
}

/// A map of cells; places count from 0, a cell is one wide.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Heat {
    /// Labels of columns and rows.
    pub xs: Vec<String>,
    /// Labels of rows, from below.
    pub ys: Vec<String>,
    /// The cells.
    pub cells: Vec<Cell>,
    /// Edges between cells on different sides of the level: x₁, y₁, x₂, y₂.
    pub edges: Vec<[f64; 4]>,
    /// Flips: place along x, row, ends of the bracket, and in words.
    pub flips: Vec<(f64, usize, f64, f64, String)>,
    /// The level.
    pub level: f64,
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Cell {
    /// Column.
    pub x: usize,
    /// Row, from below.
    pub y: usize,
    /// Share of runs in which the claim holds.
    pub share: f64,
    /// Its interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Runs in which the claim holds.
    pub holds: u64,
    /// Runs judged.
    pub runs: u64,
    /// `holds`, `fails` or `open`.
    pub state: String,
    /// Fill.
    pub fill: String,
    /// Colour of letters on it.
    pub ink: String,
    /// The letters.
    pub text: String,
}

impl Axis {
    /// A linear axis.
    pub(crate) fn linear(label: &str, low: f64, high: f64) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self { label: label.to_owned(), scale: "linear", domain: [short(low), short(high)], ..Self::default() }
    }

    /// A logarithmic axis with ticks at powers of ten, and between them if there are few.
    pub(crate) fn log(label: &str, low: f64, high: f64) -> Self {
        let decades = Scale::decades(libm::log10(low), libm::log10(high)).ticks;
        let (ticks, labels) = decades.into_iter().map(|(power, label)| (short(libm::pow(10.0, power)), label)).unzip();
        Self { scale: "log", ticks, labels, ..Self::linear(label, low, high) }
    }

    /// A symmetric-logarithmic axis over sorted values, or a logarithmic one if all are above 0.
    pub(crate) fn symmetric_log(label: &str, sorted: &[f64]) -> Self {
        let scale = Scale::symmetric_log(sorted);
        let (low, high) = scale.ends();
        let (ticks, labels) = scale.ticks.iter().cloned().unzip();
        match scale.threshold() {
            Some(constant) if low <= 0.0 => {
                Self { scale: "symlog", constant: Some(constant), ticks, labels, ..Self::linear(label, low, high) }
            }
            Some(_) => Self { scale: "log", ticks, labels, ..Self::linear(label, low, high) },
            None => Self::linear(label, low, high),
        }
    }
}

impl Chart {
    /// Whether it shows anything.
    pub(crate) fn is_empty(&self) -> bool {
        let shows = |view: &View| !view.groups.is_empty() || view.heat.is_some();
        !self.views.iter().any(shows)
    }
}

/// Five significant digits: more than a figure shows, and half the size.
pub(crate) fn short(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    format!("{value:.4e}").parse().unwrap_or(value)
}

/// Many at once.
pub(crate) fn shorts(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    values.into_iter().map(short).collect()
}
