//! Phase maps: P[the claim holds] over one or two parameters, cell by cell, and where it flips.
//!
//! A map explores: its intervals are pointwise, and it is no part of the family of verdicts.

use super::observation::Observation;
use crate::record::{BoundaryRow, PhaseRow};
use crate::sim::{Assumed, ClaimSpec, GridValue, On, PhaseAxis, Point, Simulation};
use crate::stats::flip::{Direction, ScanPoint, crossing_bracket};
use crate::stats::interval::{Interval, clopper_pearson};

/// Error of the pointwise intervals.
const ALPHA: f64 = 0.05;

/// Collects the runs of all maps of a simulation.
#[derive(Clone, Debug)]
pub struct PhaseMaps<'a> {
    maps: Vec<ClaimMap<'a>>,
}

/// The map of one claim.
#[derive(Clone, Debug)]
struct ClaimMap<'a> {
    map: usize,
    case: &'a str,
    claim: &'a ClaimSpec,
    assumptions: Vec<Assumed>,
    x_key: &'static str,
    y_key: &'static str,
    /// By y, then by x.
    cells: Vec<Cell>,
}

#[derive(Clone, Debug)]
struct Cell {
    point: usize,
    x: Coordinate,
    y: Option<Coordinate>,
    /// The pruning ratio that is y, if y is one.
    ratio: Option<f64>,
    runs: u64,
    set_aside: u64,
    holds: u64,
}

/// A place on an axis, and the value there.
#[derive(Clone, Debug, PartialEq)]
struct Coordinate {
    place: usize,
    text: String,
    value: Option<f64>,
}

impl<'a> PhaseMaps<'a> {
    /// For every `[[phase]]` of the simulation.
    pub fn new(simulation: &'a Simulation, points: &'a [Point]) -> Self {
        let mut maps = Vec::new();
        for (number, phase) in simulation.phases.iter().enumerate() {
            for map in phase.maps(points) {
                for claim in &phase.claims {
                    let mut cells: Vec<Cell> =
                        map.points.iter().flat_map(|point| cells(point, map.x, map.y.as_ref())).collect();
                    cells.sort_by_key(|cell| (cell.y.as_ref().map(|y| y.place), cell.x.place));
                    maps.push(ClaimMap {
                        map: number + 1,
                        case: map.case.unwrap_or_default(),
                        claim,
                        assumptions: claim.assumptions(),
                        x_key: map.x,
                        y_key: match map.y {
                            None => "",
                            Some(PhaseAxis::Key(path)) => path,
                            Some(PhaseAxis::Ratio) => "ratio",
                        },
                        cells,
                    });
                }
            }
        }
        Self { maps }
    }

    /// Adds a run.
    pub fn add(&mut self, point: usize, observation: &Observation) {
        for map in &mut self.maps {
            let (claim, assumptions) = (map.claim, &map.assumptions);
            for cell in map.cells.iter_mut().filter(|cell| cell.point == point) {
                if claim.on == On::Met && !observation.missed(claim, assumptions).is_empty() {
                    cell.set_aside += 1;
                    continue;
                }
                let holds = match cell.ratio {
                    Some(ratio) => observation.survives_pruning_up_to(ratio),
                    None => observation.decision(claim).holds,
                };
                cell.runs += 1;
                cell.holds += u64::from(holds);
            }
        }
    }

    /// The rows of `phase.csv`.
    pub(crate) fn rows(&self) -> Vec<PhaseRow> {
        self.maps.iter().flat_map(|map| map.cells.iter().map(|cell| map.row(cell))).collect()
    }

    /// The rows of `boundary.csv`: one a row of a map, or one for a map of one parameter.
    pub fn boundaries(&self) -> Vec<BoundaryRow> {
        self.maps
            .iter()
            .flat_map(|map| map.cells.chunk_by(|a, b| a.y == b.y).filter_map(|cells| map.boundary(cells)))
            .collect()
    }
}

/// The cells of one point: one, or one for each number of experts kept.
fn cells(point: &Point, x: &str, y: Option<&PhaseAxis>) -> Vec<Cell> {
    let Some(x) = point.grid.iter().find(|value| value.path == x).map(Coordinate::of) else { return Vec::new() };
    let cell = |y: Option<Coordinate>, ratio: Option<f64>| Cell {
        point: point.index,
        x: x.clone(),
        y,
        ratio,
        runs: 0,
        set_aside: 0,
        holds: 0,
    };
    match y {
        None => vec![cell(None, None)],
        Some(PhaseAxis::Key(path)) => {
            let y = point.grid.iter().find(|value| value.path == *path).map(Coordinate::of);
            vec![cell(y, None)]
        }
        Some(PhaseAxis::Ratio) => {
            let experts = point.parameters.model.experts;
            let at = |pruned: usize| {
                // The same quotient as in pruning.csv.
                let ratio = pruned as f64 / experts as f64;
                cell(Some(Coordinate { place: pruned, text: ratio.to_string(), value: Some(ratio) }), Some(ratio))
            };
            (0..experts).map(at).collect()
        }
    }
}

impl Coordinate {
    fn of(value: &GridValue) -> Self {
        let text = value.value.map_or_else(|| value.text.clone(), |number| number.to_string());
        Self { place: value.place, text, value: value.value }
    }
}

impl Cell {
    fn interval(&self) -> Interval {
        clopper_pearson(self.holds, self.runs, ALPHA)
    }
}

impl ClaimMap<'_> {
    fn row(&self, cell: &Cell) -> PhaseRow {
        let (interval, level) = (cell.interval(), self.claim.level);
        let state = match interval {
            Interval { low, .. } if low > level => "holds",
            Interval { high, .. } if high < level => "fails",
            _ => "open",
        };
        PhaseRow {
            map: self.map,
            case: self.case.to_owned(),
            claim: self.claim.id.to_string(),
            threshold: self.claim.threshold(),
            x_key: self.x_key.to_owned(),
            x: cell.x.text.clone(),
            y_key: self.y_key.to_owned(),
            y: cell.y.as_ref().map(|y| y.text.clone()).unwrap_or_default(),
            point: cell.point,
            on: self.claim.on,
            runs: cell.runs,
            set_aside: cell.set_aside,
            holds: cell.holds,
            estimate: (cell.runs > 0).then(|| cell.holds as f64 / cell.runs as f64),
            ci_low: interval.low,
            ci_high: interval.high,
            level,
            state: state.to_owned(),
        }
    }

    /// Where the claim flips along x; `None` if x is no number.
    fn boundary(&self, cells: &[Cell]) -> Option<BoundaryRow> {
        let xs: Vec<f64> = cells.iter().map(|cell| cell.x.value).collect::<Option<_>>()?;
        let mut scan: Vec<ScanPoint> =
            xs.iter().zip(cells).map(|(&x, cell)| ScanPoint { x, holds: cell.holds, runs: cell.runs }).collect();
        // A point without judged runs says nothing.
        scan.retain(|point| point.runs > 0);
        scan.sort_by(|a, b| a.x.total_cmp(&b.x));
        let found = crossing_bracket(&scan, self.claim.level, spans_scales(&xs));
        let above = |point: &ScanPoint| point.holds as f64 / point.runs as f64 >= self.claim.level;
        let remark = match found.estimate {
            _ if !found.monotone => "not monotone",
            Some(_) => "",
            None if scan.iter().all(above) => "holds throughout",
            None if !scan.iter().any(above) => "fails throughout",
            None => "no flip",
        };
        let direction = match (found.estimate, found.direction) {
            (Some(_), Some(Direction::Increasing)) => "rising",
            (Some(_), Some(Direction::Decreasing)) => "falling",
            _ => "none",
        };
        Some(BoundaryRow {
            map: self.map,
            case: self.case.to_owned(),
            claim: self.claim.id.to_string(),
            x_key: self.x_key.to_owned(),
            y_key: self.y_key.to_owned(),
            y: cells[0].y.as_ref().map(|y| y.text.clone()).unwrap_or_default(),
            level: self.claim.level,
            direction: direction.to_owned(),
            flip: found.estimate,
            low: found.low,
            high: found.high,
            remark: remark.to_owned(),
        })
    }
}

/// Whether values are better read in their logarithm: all above 0, and the largest at least four times the smallest.
fn spans_scales(xs: &[f64]) -> bool {
    let low = xs.iter().copied().fold(f64::INFINITY, f64::min);
    let high = xs.iter().copied().fold(0.0, f64::max);
    low > 0.0 && high >= 4.0 * low
}
