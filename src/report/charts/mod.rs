//! Rows of a result folder → what its figures show: views, which `drawing` lays out for the page and for files alike.
//!
//! | file | concept |
//! |---|---|
//! | `points` | the rows of each grid point |
//! | `experts` | Δ and D by role, one against the other, over the iterations; proficiency |
//! | `pruned` | accuracy, certificates and margins against the pruning ratio |
//! | `series`, `scaling` | quantities over d with their fits |
//! | `map`, `phase` | phase maps with their flips |
//! | `criteria` | criterion × case |
//! | `names` | axis labels, numbers, file names |
//!
//! Bands and quantiles are computed here, from the numbers of the CSV files.

mod criteria;
mod experts;
pub(in crate::report) mod map;
pub(in crate::report) mod names;
mod phase;
pub(in crate::report) mod points;
pub(in crate::report) mod pruned;
mod scaling;
mod series;
#[cfg(test)]
mod tests;

use super::drawing::{draw, view::View};
use super::results::Results;
use points::Point;

/// A figure: drawings of one kind, side by side.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Chart {
    /// Name of its element in the page.
    pub id: &'static str,
    /// What its drawings have in common.
    pub heading: &'static str,
    /// How to read them.
    pub caption: &'static str,
    /// Its drawings; those without data are left out.
    pub views: Vec<View>,
}

/// The figures of a folder that have data, in the order of the page.
pub(in crate::report) fn charts(results: &Results) -> Vec<Chart> {
    let points = points::points(results);
    let each = |view: fn(&Point) -> Option<View>| points.iter().filter_map(view).collect::<Vec<_>>();
    let several = |views: fn(&Point) -> Vec<View>| points.iter().flat_map(views).collect::<Vec<_>>();
    let [heat, curves] = phase::views(results);
    let mut charts = vec![
        Chart {
            id: "phase",
            heading: "Where claims stop holding: maps of two parameters",
            caption: "Percentage of runs in which the claim holds, with the one line at which it flips.",
            views: heat,
        },
        Chart {
            id: "curves",
            heading: "Where claims stop holding: one parameter",
            caption: "Share of runs in which each claim holds.",
            views: curves,
        },
        Chart {
            id: "criteria",
            heading: "Criteria: what each loses",
            caption: "Bright: nothing is lost. The best criterion stands on top. AUC, knee, regret and ties are in the table.",
            views: criteria::matrix(results).into_iter().collect(),
        },
        Chart {
            id: "scaling",
            heading: "Scaling with d",
            caption: "Straight lines: fits of scaling.csv, with slope and pointwise 95 % interval in the legend. All drawings have the same axis of sizes.",
            views: scaling::views(results),
        },
        Chart {
            id: "pruning",
            heading: "Accuracy against the pruning ratio",
            caption: "γ is the share of irrelevant experts: the theory says that so many can be pruned without further training. No model survives beyond 1 − 2/k (L8).",
            views: each(pruned::accuracy),
        },
        Chart {
            id: "certificates",
            heading: "Certificates against the pruning ratio",
            caption: "Share of models proved to make no error on any input, refuted by an input, or left open. Only ratios up to the share of irrelevant experts are tried.",
            views: each(pruned::certificates),
        },
        Chart {
            id: "norm-change",
            heading: "Norm change Δ by role",
            caption: "Each expert of each run, by the role measured at t = 0.",
            views: each(experts::norm_change),
        },
        Chart {
            id: "trajectory",
            heading: "Routers during training",
            caption: "By the role measured at t = 0.",
            views: several(experts::norms),
        },
        Chart {
            id: "delta-displacement",
            heading: "Norm change against displacement, an expert a point",
            caption: "Experts at evenly spaced ranks of D, the extremes included. A gauge moves Δ but not D (L11); a rotation moves D but not Δ.",
            views: each(experts::change_against_displacement),
        },
        Chart {
            id: "displacement",
            heading: "Displacement D by role",
            caption: "Each expert of each run, by the role measured at t = 0.",
            views: each(experts::displacement),
        },
        Chart {
            id: "proficiency",
            heading: "Proficiency during training",
            caption: "Probability that the expert takes the class's pattern with a gate of at least 1/l, if the sample has it.",
            views: several(experts::proficiency),
        },
        Chart {
            id: "margins",
            heading: "Proven margins against the pruning ratio",
            caption: "A certificate stops at the first positive bound, so this is no estimate of the margin.",
            views: each(pruned::margins),
        },
    ];
    charts.iter_mut().for_each(|chart| chart.views.retain(|view| !view.is_empty()));
    charts.retain(|chart| !chart.views.is_empty());
    charts
}

/// A drawn figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// File name without ending: `norm-change`, or `norm-change-point-3` if there are several grid points.
    pub name: String,
    /// The figure as SVG, the same that the page holds.
    pub svg: String,
}

/// Every drawing of the page, in its order.
pub fn figures(results: &Results) -> Vec<Figure> {
    let views = charts(results).into_iter().flat_map(|chart| chart.views);
    views.map(|view| Figure { svg: draw(&view), name: view.name }).collect()
}
