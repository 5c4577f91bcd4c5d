//! Lines of points: what a claim about growth along one key is judged on.

use super::grid::Point;
use std::collections::BTreeMap;

/// The lines along the key with path `axis`: groups of points of one case that differ only in the place on this axis,
/// each in the order of the axis, in the order of their first points.
///
/// Points without the axis stand on no line, and one point alone makes none.
pub fn lines<'a>(points: &[&'a Point], axis: &str) -> Vec<Vec<&'a Point>> {
    let mut lines: Vec<Vec<(usize, &'a Point)>> = Vec::new();
    let mut numbers = BTreeMap::new();
    for point in points {
        let Some(on_axis) = point.grid.iter().find(|value| value.path == axis) else { continue };
        let others = point.grid.iter().filter(|value| value.path != axis).map(|value| (value.path, value.place));
        let rest = (point.case.as_deref(), others.collect::<Vec<_>>());
        let number = *numbers.entry(rest).or_insert(lines.len());
        if number == lines.len() {
            lines.push(Vec::new());
        }
        lines[number].push((on_axis.place, point));
    }
    lines.retain(|line| line.len() > 1);
    lines.iter_mut().for_each(|line| line.sort_by_key(|(place, _)| *place));
    lines.into_iter().map(|line| line.into_iter().map(|(_, point)| point).collect()).collect()
}
