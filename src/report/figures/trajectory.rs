//! Δ^t and proficiency over the iterations, by role.

use super::canvas::{Canvas, Look};
use super::figure::FigureError;
use super::scale::Scale;
use crate::record::TrajectoryRow;
use crate::report::drawn::DrawnExpert;
use crate::report::drawn::ROLES;
use crate::report::numbers::sorted_finite;
use crate::stats::quantile;
use std::collections::{BTreeMap, BTreeSet};

/// A quantity of an expert at one iteration: its label, its value, and the ends of its axis if they are fixed.
type Quantity = (&'static str, fn(&TrajectoryRow, &DrawnExpert) -> f64, Option<(f64, f64)>);

/// Median and 5–95 % band of Δ^t over the experts of a role in all recorded runs.
pub(super) fn norm_change(
    title: &str,
    experts: &[&DrawnExpert],
    trajectory: &[&TrajectoryRow],
) -> Result<Option<String>, FigureError> {
    draw(title, ("norm change Δ(t) = ‖w(t)‖ − ‖w(0)‖", |row, _| row.delta, None), experts, trajectory)
}

/// The same of the proficiency for the class that an expert votes for.
pub(super) fn proficiency(
    title: &str,
    experts: &[&DrawnExpert],
    trajectory: &[&TrajectoryRow],
) -> Result<Option<String>, FigureError> {
    let own = |row: &TrajectoryRow, expert: &DrawnExpert| if expert.own_class() == 0 { row.p1 } else { row.p2 };
    draw(title, ("proficiency p(t) for the own class", own, Some((0.0, 1.0))), experts, trajectory)
}

fn draw(
    title: &str,
    (label, quantity, ends): Quantity,
    experts: &[&DrawnExpert],
    trajectory: &[&TrajectoryRow],
) -> Result<Option<String>, FigureError> {
    let recorded: BTreeSet<u64> = trajectory.iter().map(|row| row.run).collect();
    let experts: BTreeMap<(u64, usize), &DrawnExpert> =
        experts.iter().filter(|row| recorded.contains(&row.run)).map(|row| ((row.run, row.expert), *row)).collect();
    let bands: Vec<Vec<(f64, [f64; 3])>> = ROLES
        .iter()
        .map(|(role, _)| {
            let of_role = |row: &&TrajectoryRow| {
                let expert = experts.get(&(row.run, row.expert)).filter(|expert| expert.role == *role)?;
                Some((row.iteration, quantity(row, expert)))
            };
            band(trajectory.iter().filter_map(of_role))
        })
        .collect();
    let values = sorted_finite(bands.iter().flatten().flat_map(|(_, levels)| *levels));
    let (Some(low), Some(high)) = (values.first(), values.last()) else {
        return Ok(None);
    };
    let (low, high) = ends.unwrap_or((*low, *high));
    let pad = 0.05 * (high - low);
    let last = bands.iter().flatten().map(|(iteration, _)| *iteration).fold(0.0, f64::max);
    let (x, y) = (Scale::linear(0.0, last), Scale::linear(low - pad, high + pad));
    let mut svg = String::new();
    let mut canvas = Canvas::new(&mut svg, title, ("iteration t", x), (label, y))?;
    for (place, band) in bands.iter().enumerate().filter(|(_, band)| !band.is_empty()) {
        canvas.band(&band.iter().map(|(t, [low, _, high])| (*t, *low, *high)).collect::<Vec<_>>(), Look(place))?;
    }
    for (place, band) in bands.iter().enumerate().filter(|(_, band)| !band.is_empty()) {
        canvas.line(&band.iter().map(|(t, [_, middle, _])| (*t, *middle)).collect::<Vec<_>>(), Look(place))?;
        // Markers of different roles at different iterations, so that none hides another.
        let step = band.len().div_ceil(10).max(1);
        for (t, [_, middle, _]) in band.iter().skip(place % step).step_by(step) {
            canvas.marker(*t, *middle, Look(place), 4, false)?;
        }
        canvas.entry(ROLES[place].1, Look(place), true, Some(false))?;
    }
    let runs = if recorded.len() == 1 { "run" } else { "runs" };
    canvas.note(&format!(
        "\nMedian and 5–95 % band\nover the experts of\n{} recorded {runs};\nroles at t = 0.",
        recorded.len()
    ))?;
    canvas.finish()?;
    Ok(Some(svg))
}

/// By iteration: the 5 %, 50 % and 95 % quantiles.
fn band(rows: impl Iterator<Item = (usize, f64)>) -> Vec<(f64, [f64; 3])> {
    let mut by_iteration: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (iteration, value) in rows {
        by_iteration.entry(iteration).or_default().push(value);
    }
    let levels = |(iteration, values): (usize, Vec<f64>)| {
        let sorted = sorted_finite(values);
        Some((iteration as f64, [quantile(&sorted, 0.05)?, quantile(&sorted, 0.5)?, quantile(&sorted, 0.95)?]))
    };
    by_iteration.into_iter().filter_map(levels).collect()
}
