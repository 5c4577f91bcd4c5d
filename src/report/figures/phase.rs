//! The figures of phase maps.

use super::figure::{Figure, FigureError};
use super::map::{Map, maps};
use super::names::{file, unique};
use super::{curves, heat};
use crate::record::{BoundaryRow, PhaseRow};

/// The figures of phase maps: a heat map for each claim over two parameters, one figure of curves for all claims over
/// one parameter. A map without judged runs is left out.
///
/// # Errors
/// What the drawing library reports.
pub fn phase_figures(cells: &[PhaseRow], boundaries: &[BoundaryRow]) -> Result<Vec<Figure>, FigureError> {
    let maps = maps(cells, boundaries);
    let mut drawn: Vec<Figure> = Vec::new();
    let axes = |map: &Map| (map.first.map, map.first.case.clone(), map.first.y_key.clone(), map.first.x_key.clone());
    for maps in maps.chunk_by(|a, b| axes(a) == axes(b) && a.xs == b.xs) {
        let first = maps[0].first;
        let number = first.map.to_string();
        let figures = if first.y_key.is_empty() {
            vec![(file(&["phase", &number, &first.case]), curves::draw(maps)?)]
        } else {
            let name = |map: &Map| file(&["phase", &number, &map.first.claim, &first.case]);
            maps.iter().map(|map| Ok((name(map), heat::draw(map)?))).collect::<Result<_, FigureError>>()?
        };
        for (name, svg) in figures {
            let Some(svg) = svg else { continue };
            let name = unique(name, |name| drawn.iter().any(|figure| figure.name == name));
            drawn.push(Figure { name, svg });
        }
    }
    Ok(drawn)
}
