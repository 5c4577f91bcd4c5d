//! Δ^t over the iterations, by role.

use super::canvas::{Canvas, Look};
use super::scale::Scale;
use super::{FigureError, ROLES, sorted_finite};
use crate::measure::Role;
use crate::record::{ExpertRow, TrajectoryRow};
use crate::stats::quantile;
use std::collections::{BTreeMap, BTreeSet};

/// Median and 5–95 % band of Δ^t over the experts of a role in all recorded runs.
pub(super) fn draw(
    title: &str,
    experts: &[&ExpertRow],
    trajectory: &[&TrajectoryRow],
) -> Result<Option<String>, FigureError> {
    let recorded: BTreeSet<u64> = trajectory.iter().map(|row| row.run).collect();
    let roles: BTreeMap<(u64, usize), Role> =
        experts.iter().filter(|row| recorded.contains(&row.run)).map(|row| ((row.run, row.expert), row.role)).collect();
    let bands: Vec<Vec<(f64, [f64; 3])>> = ROLES
        .iter()
        .map(|(role, _)| {
            let of_role = |row: &&&TrajectoryRow| roles.get(&(row.run, row.expert)) == Some(role);
            band(trajectory.iter().filter(of_role).copied())
        })
        .collect();
    let values = sorted_finite(bands.iter().flatten().flat_map(|(_, levels)| *levels));
    let (Some(low), Some(high)) = (values.first(), values.last()) else {
        return Ok(None);
    };
    let pad = 0.05 * (high - low);
    let last = bands.iter().flatten().map(|(iteration, _)| *iteration).fold(0.0, f64::max);
    let (x, y) = (Scale::linear(0.0, last), Scale::linear(low - pad, high + pad));
    let mut svg = String::new();
    let mut canvas = Canvas::new(&mut svg, title, ("iteration t", x), ("norm change Δ(t) = ‖w(t)‖ − ‖w(0)‖", y))?;
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
fn band<'a>(rows: impl Iterator<Item = &'a TrajectoryRow>) -> Vec<(f64, [f64; 3])> {
    let mut by_iteration: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for row in rows {
        by_iteration.entry(row.iteration).or_default().push(row.delta);
    }
    let levels = |(iteration, values): (usize, Vec<f64>)| {
        let sorted = sorted_finite(values);
        Some((iteration as f64, [quantile(&sorted, 0.05)?, quantile(&sorted, 0.5)?, quantile(&sorted, 0.95)?]))
    };
    by_iteration.into_iter().filter_map(levels).collect()
}
