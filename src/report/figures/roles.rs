//! Quantities of every expert, by role: a box of quantiles and a strip of points, or one against another.

use super::canvas::{Canvas, Look};
use super::figure::FigureError;
use super::scale::Scale;
use crate::report::drawn::DrawnExpert;
use crate::report::drawn::ROLES;
use crate::report::numbers::sorted_finite;
use crate::stats::quantile;

/// Points of a role that are drawn at most: evenly spaced ranks, the extremes among them.
const MAX_STRIP: usize = 400;

/// Δ by role.
pub(super) fn norm_change(title: &str, experts: &[&DrawnExpert]) -> Result<Option<String>, FigureError> {
    draw(title, "norm change Δ = ‖w(T)‖ − ‖w(0)‖", experts, |row| row.delta)
}

/// D by role.
pub(super) fn displacement(title: &str, experts: &[&DrawnExpert]) -> Result<Option<String>, FigureError> {
    draw(title, "displacement D = ‖w(T) − w(0)‖", experts, |row| row.displacement)
}

fn draw(
    title: &str,
    label: &str,
    experts: &[&DrawnExpert],
    quantity: impl Fn(&DrawnExpert) -> Option<f64>,
) -> Result<Option<String>, FigureError> {
    let all = sorted_finite(experts.iter().filter_map(|row| quantity(row)));
    if all.is_empty() {
        return Ok(None);
    }
    let groups: Vec<Vec<f64>> = ROLES
        .iter()
        .map(|(role, _)| sorted_finite(experts.iter().filter(|row| row.role == *role).filter_map(|row| quantity(row))))
        .collect();
    let mut x = Scale::linear(0.0, ROLES.len() as f64);
    x.ticks = ROLES
        .iter()
        .zip(&groups)
        .enumerate()
        .map(|(place, ((_, name), values))| (place as f64 + 0.5, format!("{name}\nn = {}", values.len())))
        .collect();
    let y = Scale::symmetric_log(&all);
    let linear = y.linear_within();
    let mut svg = String::new();
    let mut canvas = Canvas::new(&mut svg, title, ("role measured at t = 0", x), (label, y))?;
    for (place, values) in groups.iter().enumerate() {
        group(&canvas, place, values)?;
    }
    canvas.note("Each expert of each run.\n\nBox: quartiles, median.\nWhiskers: 5 % and 95 %.")?;
    if groups.iter().any(|values| values.len() > MAX_STRIP) {
        canvas.note(&format!("Points: {MAX_STRIP} ranks of n,\nthe extremes included."))?;
    } else {
        canvas.note("Points: all n.")?;
    }
    if let Some(linear) = linear {
        canvas.note(&format!("\nSymmetric-log axis,\nlinear within ±{linear}."))?;
    }
    canvas.finish()?;
    Ok(Some(svg))
}

/// Δ against D, an expert a point.
pub(super) fn scatter(title: &str, experts: &[&DrawnExpert]) -> Result<Option<String>, FigureError> {
    let measured = |row: &&&DrawnExpert| Some((row.displacement?, row.delta?));
    let finite = |(displacement, change): &(f64, f64)| displacement.is_finite() && change.is_finite();
    let of = |role| {
        let own = experts.iter().filter(|row| row.role == role);
        let mut own: Vec<(f64, f64)> = own.filter_map(|row| measured(&row)).filter(finite).collect();
        own.sort_by(|a, b| a.0.total_cmp(&b.0));
        own
    };
    let groups: Vec<Vec<(f64, f64)>> = ROLES.iter().map(|(role, _)| of(*role)).collect();
    let displacements = sorted_finite(groups.iter().flatten().map(|(displacement, _)| *displacement));
    let changes = sorted_finite(groups.iter().flatten().map(|(_, change)| *change));
    if displacements.is_empty() {
        return Ok(None);
    }
    let (x, y) = (Scale::symmetric_log(&displacements), Scale::symmetric_log(&changes));
    let linear = y.linear_within();
    let mut svg = String::new();
    let labels = ("displacement D = ‖w(T) − w(0)‖", "norm change Δ = ‖w(T)‖ − ‖w(0)‖");
    let mut canvas = Canvas::new(&mut svg, title, (labels.0, x), (labels.1, y))?;
    for (place, own) in groups.iter().enumerate().filter(|(_, own)| !own.is_empty()) {
        let shown = own.len().min(MAX_STRIP);
        for index in 0..shown {
            let rank = if shown > 1 { index * (own.len() - 1) / (shown - 1) } else { 0 };
            canvas.marker(own[rank].0, own[rank].1, Look(place), 3, false)?;
        }
        canvas.entry(&format!("{}\nn = {}", ROLES[place].1, own.len()), Look(place), false, Some(false))?;
    }
    if groups.iter().any(|own| own.len() > MAX_STRIP) {
        canvas.note(&format!("\nAt most {MAX_STRIP} ranks of D\na role, the extremes\nincluded."))?;
    }
    if let Some(linear) = linear {
        canvas.note(&format!("\nΔ: symmetric-log axis,\nlinear within ±{linear}."))?;
    }
    canvas.finish()?;
    Ok(Some(svg))
}

/// The box and the strip of one role.
fn group(canvas: &Canvas, place: usize, sorted: &[f64]) -> Result<(), FigureError> {
    let look = Look(place);
    let centre = place as f64 + 0.5;
    let levels = [0.05, 0.25, 0.5, 0.75, 0.95].map(|level| quantile(sorted, level));
    let [Some(low), Some(first), Some(middle), Some(third), Some(high)] = levels else {
        return Ok(());
    };
    let shown = sorted.len().min(MAX_STRIP);
    for index in 0..shown {
        let rank = if shown > 1 { index * (sorted.len() - 1) / (shown - 1) } else { 0 };
        // Multiples of the golden ratio spread the points evenly, without random numbers.
        let spread = (index as f64 * 0.618_033_988_749_895).fract();
        canvas.marker(centre - 0.05 + 0.4 * spread, sorted[rank], look, 2, false)?;
    }
    let (left, right) = (centre - 0.38, centre - 0.14);
    let stem = (left + right) / 2.0;
    canvas.thin(&[(stem, low), (stem, first)], look, 2)?;
    canvas.thin(&[(stem, third), (stem, high)], look, 2)?;
    for end in [low, high] {
        canvas.thin(&[(stem - 0.05, end), (stem + 0.05, end)], look, 2)?;
    }
    canvas.outline((left, first), (right, third), look)?;
    canvas.thin(&[(left, middle), (right, middle)], look, 4)
}
