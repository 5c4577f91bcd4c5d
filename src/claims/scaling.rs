//! Exponents and constants: how figures of a run scale with d, beside what the theory says.

use super::judge::{describe_line, last_octaves};
use super::observation::Observation;
use super::run_figure::RunFigure;
use super::slope_parts::{Along, Method, NoSlope, estimate, logarithms};
use crate::record::ScalingRow;
use crate::sim::{Point, RoleSource, Simulation, lines};
use crate::stats::{Group, least_squares, median, median_interval};

/// The figures, each with the exponent of d that the theory names.
const FIGURES: [(RunFigure, Option<f64>); 12] = [
    (RunFigure::MinRelevantChange, Some(0.0)),
    (RunFigure::MaxChange, Some(-0.5)),
    (RunFigure::MaxChangeTimesNorm, Some(-0.5)),
    (RunFigure::MaxCentredChange, Some(-0.5)),
    (RunFigure::MaxDisplacement, Some(-0.5)),
    (RunFigure::MaxClassDisplacement, None),
    (RunFigure::MeanInitialNorm, Some(0.5)),
    (RunFigure::MaxRange, Some(0.0)),
    (RunFigure::MaxLambda, None),
    (RunFigure::DriftSquared, Some(-0.5)),
    (RunFigure::LeakageSquared, None),
    (RunFigure::NoiseSquared, Some(-0.5)),
];

/// An exponent within this of the theory's counts as equal to it.
pub(crate) const MARGIN: f64 = 0.05;

/// Error of the pointwise intervals.
const ALPHA: f64 = 0.05;

/// Collects the figures of all runs on lines over d. Runs are not set aside; roles are those that the case's claims take.
#[derive(Clone, Debug)]
pub(crate) struct Scaling<'a> {
    lines: Vec<Line<'a>>,
}

#[derive(Clone, Debug)]
struct Line<'a> {
    roles: RoleSource,
    points: Vec<&'a Point>,
    described: String,
    /// For each figure: one group a point.
    groups: Vec<Vec<Group>>,
}

impl<'a> Scaling<'a> {
    /// For the lines over d of at least three of these points.
    pub(crate) fn new(simulation: &Simulation, points: &'a [Point]) -> Self {
        let all: Vec<&Point> = points.iter().collect();
        let along = Along::Patterns;
        let found: Vec<_> = lines(&all, along.path()).into_iter().filter(|line| line.len() >= 3).collect();
        let several = |line: &[&Point]| found.iter().filter(|other| other[0].case == line[0].case).count() > 1;
        let lines = found
            .iter()
            .map(|line| {
                let empty: Vec<Group> = line
                    .iter()
                    .map(|point| Group { x: along.abscissa(&point.parameters), values: Vec::new() })
                    .collect();
                Line {
                    roles: roles_of(simulation, line[0].case.as_deref()),
                    described: if several(line) { describe_line(line, along.path()) } else { String::new() },
                    groups: vec![empty; FIGURES.len()],
                    points: line.clone(),
                }
            })
            .collect();
        Self { lines }
    }

    /// Adds a run.
    pub(crate) fn add(&mut self, point: usize, observation: &Observation) {
        for line in &mut self.lines {
            let Some(place) = line.points.iter().position(|other| other.index == point) else { continue };
            for ((figure, _), groups) in FIGURES.iter().zip(&mut line.groups) {
                groups[place].values.extend(figure.of(observation, line.roles));
            }
        }
    }

    /// The rows of `scaling.csv`; a figure that no run has is left out.
    pub(crate) fn rows(&self) -> Vec<ScalingRow> {
        let mut rows = Vec::new();
        for line in &self.lines {
            for (&(figure, theory), groups) in FIGURES.iter().zip(&line.groups) {
                if groups.iter().all(|group| group.values.is_empty()) {
                    continue;
                }
                let tail = groups.len() - last_octaves(&line.points).len();
                for (span, groups) in [("all", groups.as_slice()), ("last-two-octaves", &groups[tail..])] {
                    rows.extend(methods(figure).iter().map(|&method| line.row(figure, theory, span, method, groups)));
                }
            }
        }
        rows
    }
}

/// The roles that experts are taken to have at the points of a case: those of the first claim that is judged there,
/// measured ones without a claim.
pub(super) fn roles_of(simulation: &Simulation, case: Option<&str>) -> RoleSource {
    let mut own = simulation.claims.iter().filter(|claim| claim.applies_to(case));
    own.next().map_or(RoleSource::Measured, |claim| claim.roles)
}

fn methods(figure: RunFigure) -> &'static [Method] {
    match figure {
        RunFigure::DriftSquared | RunFigure::LeakageSquared | RunFigure::NoiseSquared => &[Method::RootMeanSquare],
        _ => &[Method::MedianOfLog, Method::LeastSquares],
    }
}

impl Line<'_> {
    fn row(&self, figure: RunFigure, theory: Option<f64>, span: &str, method: Method, groups: &[Group]) -> ScalingRow {
        let slope = match method {
            Method::LeastSquares => logarithms(groups).and_then(|logs| least_squares(&logs).ok_or(NoSlope::TooFew)),
            _ => estimate(method, groups),
        };
        let mut row = ScalingRow {
            case: self.points[0].case.clone().unwrap_or_default(),
            line: self.described.clone(),
            roles: self.roles,
            figure: figure.name().to_owned(),
            span: span.to_owned(),
            method: match method {
                Method::MedianOfLog | Method::Median => "median",
                Method::LeastSquares => "least-squares",
                Method::RootMeanSquare => "root-mean-square",
            }
            .to_owned(),
            points: groups.len(),
            runs: groups.iter().map(|group| group.values.len()).sum(),
            theory,
            ..ScalingRow::default()
        };
        match slope {
            Ok(slope) => {
                let bounds = slope.interval(ALPHA);
                row.slope = Some(slope.slope);
                row.standard_error = Some(slope.standard_error);
                (row.ci_low, row.ci_high) = (Some(bounds.low), Some(bounds.high));
                row.p_equivalent = theory.map(|theory| slope.p_value_equivalent(theory, MARGIN));
            }
            Err(NoSlope::Zero) => row.reason = "zero".to_owned(),
            Err(NoSlope::TooFew) => row.reason = "too few".to_owned(),
        }
        if let (Some(theory), Method::MedianOfLog, Some(last)) = (theory, method, groups.last()) {
            let scale = libm::exp(-theory * last.x);
            row.constant = median(&last.values).map(|median| median * scale);
            let interval = median_interval(&last.values, ALPHA);
            row.constant_low = interval.map(|(low, _)| low * scale);
            row.constant_high = interval.map(|(_, high)| high * scale);
        }
        row
    }
}
