//! Rows → what is followed over d on one line of points: per-point figures of all runs, and their fits.

use crate::measure::Role;
use crate::record::{ScalingRow, TermRow};
use crate::report::drawn::{DrawnExpert, SweptPoint};
use crate::report::numbers::sorted_finite;
use crate::stats::{median, quantile};
use std::collections::BTreeMap;

/// One quantity over d.
pub(in crate::report) struct Series {
    /// As in `scaling.csv`.
    pub name: &'static str,
    /// Whether its points are medians over runs; else root mean squares.
    pub median: bool,
    /// In ascending order of d; only values above 0.
    pub points: Vec<At>,
    /// Whether values that are not above 0 were left out.
    pub skipped: bool,
    /// The fitted line.
    pub fit: Option<Fit>,
    /// Why there is none, as `scaling.csv` says.
    pub reason: String,
}

/// A quantity at one d.
#[derive(Clone, Copy)]
pub(in crate::report) struct At {
    /// d.
    pub patterns: f64,
    /// Median over runs, or root mean square.
    pub middle: f64,
    /// Lower end of the band or of the interval; may be 0 or less.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// A straight line on logarithms.
pub(in crate::report) struct Fit {
    pub slope: f64,
    pub low: f64,
    pub high: f64,
    /// Whether it is over the last two octaves only.
    pub tail: bool,
    /// The logarithm of the line's value at d = 1.
    pub intercept: f64,
    /// The d at which the line begins and ends.
    pub span: (f64, f64),
}

/// One line of points over d.
pub(in crate::report) struct Sweep {
    /// The case; empty if there is none.
    pub case: String,
    /// What tells the line from others of the case; empty if there is only one.
    pub line: String,
    /// Its number within the case, from 1; 0 if there is only one.
    pub number: usize,
    /// The medians, then the root mean squares.
    pub series: Vec<Series>,
}

/// The lines of points that `scaling.csv` speaks of.
pub(in crate::report) fn sweeps(
    scaling: &[ScalingRow],
    terms: &[TermRow],
    points: &[SweptPoint],
    experts: &[DrawnExpert],
) -> Vec<Sweep> {
    let mut names: Vec<(&str, &str)> = Vec::new();
    for row in scaling {
        if !names.contains(&(&row.case, &row.line)) {
            names.push((&row.case, &row.line));
        }
    }
    let by_point = experts_by_point(experts);
    let sweep = |&(case, line): &(&str, &str)| {
        let of_case: Vec<&str> = names.iter().filter(|(other, _)| *other == case).map(|(_, line)| *line).collect();
        let place = of_case.iter().position(|other| *other == line)?;
        let rows: Vec<&ScalingRow> =
            scaling.iter().filter(|row| (row.case.as_str(), row.line.as_str()) == (case, line)).collect();
        let length = rows.iter().find(|row| row.span == "all")?.points;
        let points = line_points(points, case, length, of_case.len(), place)?;
        let mut series = medians(&points, &by_point);
        series.extend(root_mean_squares(&points, terms));
        series.retain(|series| !series.points.is_empty() || series.skipped);
        series.iter_mut().for_each(|series| series.set_fit(&rows));
        let number = if of_case.len() > 1 { place + 1 } else { 0 };
        Some(Sweep { case: case.to_owned(), line: line.to_owned(), number, series })
    };
    names.iter().filter_map(sweep).collect()
}

/// The points (number, d) of one of the lines of a case, in ascending order of d.
///
/// A case is a product of axes with the last one fastest: d changes after each run of as many points as the axes behind
/// it have, and lines are in the order of their first points.
fn line_points(
    points: &[SweptPoint],
    case: &str,
    length: usize,
    lines: usize,
    place: usize,
) -> Option<Vec<(usize, usize)>> {
    let of_case: BTreeMap<usize, usize> = points
        .iter()
        .filter(|point| point.case == case)
        .map(|point| Some((point.point, point.patterns?)))
        .collect::<Option<_>>()?;
    let all: Vec<(usize, usize)> = of_case.into_iter().collect();
    let stride = all.iter().take_while(|(_, patterns)| *patterns == all[0].1).count();
    if length == 0 || stride == 0 || all.len() != length * lines || !lines.is_multiple_of(stride) {
        return None;
    }
    let begin = place / stride * stride * length + place % stride;
    let mut line: Vec<(usize, usize)> = all.into_iter().skip(begin).step_by(stride).take(length).collect();
    line.sort_by_key(|(_, patterns)| *patterns);
    line.windows(2).all(|pair| pair[0].1 < pair[1].1).then_some(line)
}

/// For each point, the experts of each run.
type ByPoint<'a> = BTreeMap<usize, BTreeMap<u64, Vec<&'a DrawnExpert>>>;

fn experts_by_point(experts: &[DrawnExpert]) -> ByPoint<'_> {
    let mut points = ByPoint::new();
    for row in experts {
        points.entry(row.point).or_default().entry(row.run).or_default().push(row);
    }
    points
}

fn medians(points: &[(usize, usize)], experts: &ByPoint) -> Vec<Series> {
    type Extreme = (&'static str, Role, fn(&DrawnExpert) -> Option<f64>, fn(f64, f64) -> f64);
    let extremes: [Extreme; 3] = [
        ("min relevant Δ", Role::Relevant, |row| row.delta, f64::min),
        ("max |Δ|", Role::Irrelevant, |row| row.delta.map(f64::abs), f64::max),
        ("max D", Role::Irrelevant, |row| row.displacement, f64::max),
    ];
    let series = |(name, role, measure, pick): Extreme| {
        let of_run = |run: &Vec<&DrawnExpert>| {
            let values: Option<Vec<f64>> = run.iter().filter(|row| row.role == role).map(|row| measure(row)).collect();
            values?.into_iter().reduce(pick)
        };
        let at = |&(point, patterns): &(usize, usize)| {
            let sorted = sorted_finite(experts.get(&point)?.values().filter_map(of_run));
            let [low, middle, high] = [0.025, 0.5, 0.975].map(|level| quantile(&sorted, level));
            Some(At { patterns: patterns as f64, middle: middle?, low: low?, high: high? })
        };
        Series::new(name, true, points.iter().filter_map(at))
    };
    extremes.map(series).into_iter().collect()
}

/// The normal distribution's critical value of pointwise 95 % intervals.
const CRITICAL: f64 = 1.96;

fn root_mean_squares(points: &[(usize, usize)], terms: &[TermRow]) -> Vec<Series> {
    type Term = (&'static str, fn(&TermRow) -> (f64, f64));
    let squares: [Term; 3] = [
        ("drift", |row| (row.drift_squared, row.drift_error)),
        ("leakage", |row| (row.leakage_squared, row.leakage_error)),
        ("noise", |row| (row.noise_squared, row.noise_error)),
    ];
    let series = |(name, square): Term| {
        let at = |&(point, patterns): &(usize, usize)| {
            let (mean, error) = square(terms.iter().find(|row| row.point == point)?);
            let [low, middle, high] =
                [mean - CRITICAL * error, mean, mean + CRITICAL * error].map(|square| square.max(0.0).sqrt());
            Some(At { patterns: patterns as f64, middle, low, high })
        };
        Series::new(name, false, points.iter().filter_map(at))
    };
    squares.map(series).into_iter().collect()
}

impl Series {
    fn new(name: &'static str, median: bool, points: impl Iterator<Item = At>) -> Self {
        let (points, others): (Vec<At>, Vec<At>) =
            points.partition(|at| at.middle.is_normal() && at.middle > 0.0 && at.high.is_finite());
        Self { name, median, points, skipped: !others.is_empty(), fit: None, reason: String::new() }
    }

    /// Takes the slope from the rows of `scaling.csv`. These name no height: the line goes through the median of the
    /// points' distances from a line of this slope.
    fn set_fit(&mut self, rows: &[&ScalingRow]) {
        let own = |span: &str| {
            let method = |row: &ScalingRow| row.method == "median" || row.method == "root-mean-square";
            rows.iter().find(|row| row.figure == self.name && row.span == span && method(row)).copied()
        };
        let fit = |row: Option<&ScalingRow>| row.and_then(|row| Some((row.slope?, row.ci_low?, row.ci_high?)));
        let (all, tail) = (own("all"), own("last-two-octaves"));
        self.reason = all.map(|row| row.reason.clone()).unwrap_or_default();
        let Some(((slope, low, high), tail)) =
            fit(all).map(|fit| (fit, false)).or_else(|| fit(tail).map(|fit| (fit, true)))
        else {
            return;
        };
        let last = self.points.last().map_or(0.0, |at| at.patterns);
        let spanned: Vec<&At> = self.points.iter().filter(|at| !tail || 4.0 * at.patterns >= last).collect();
        let heights: Vec<f64> =
            spanned.iter().map(|at| libm::log(at.middle) - slope * libm::log(at.patterns)).collect();
        let Some(intercept) = median(&heights) else { return };
        let span = (spanned.first().map_or(last, |at| at.patterns), last);
        self.fit = Some(Fit { slope, low, high, tail, intercept, span });
    }
}
