//! The parts of claims that speak of a slope over a sweep.

use super::observation::Observation;
use super::run_figure::RunFigure;
use super::run_rows::KeyValues;
use crate::language::Number;
use crate::sim::Parameters;
use crate::sim::Part;
use crate::sim::{ClaimSpec, OwnSlope};
use crate::stats::{Group, LogMeanError, Slope, least_squares, log_mean_slope, quantile_slope};

/// How a slope is estimated from the figures of all runs of a line of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Median regression of the figure's logarithm (Koenker and Bassett 1978), standard error by the cluster bootstrap.
    MedianOfLog,
    /// Half the slope of the logarithm of the mean, for squares that single runs estimate without bias.
    RootMeanSquare,
    /// Least squares on the figure itself.
    LeastSquares,
    /// Median regression of the number itself, standard error by the cluster bootstrap.
    Median,
}

/// Which side of its threshold a slope is claimed to lie on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Above the threshold.
    Above,
    /// Below it.
    Below,
}

/// The parameter that varies along a line of points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Along<'a> {
    /// d; the abscissa is ln d.
    Patterns,
    /// k; the abscissa is log₂ k.
    Experts,
    /// What a claim of a file says.
    Own(&'a OwnSlope),
}

impl Along<'_> {
    /// The key.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Along::Patterns => "data.patterns",
            Along::Experts => "model.experts",
            Along::Own(slope) => slope.key,
        }
    }

    /// The abscissa of a point.
    pub fn abscissa(self, parameters: &Parameters) -> f64 {
        match self {
            Along::Patterns => libm::log(parameters.data.patterns as f64),
            Along::Experts => libm::log2(parameters.model.experts as f64),
            Along::Own(slope) => slope.on.program.number(&KeyValues::new(parameters)).map_or(f64::NAN, Number::float),
        }
    }
}

/// What a slope is of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum SlopeOf<'a> {
    /// A figure of the theory.
    Figure(RunFigure),
    /// What a claim of a file says.
    Own(&'a OwnSlope),
}

/// One slope that a claim speaks of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlopePart<'a> {
    /// The column `part`.
    pub name: Part,
    /// The number of a run.
    pub(crate) figure: SlopeOf<'a>,
    /// Over which parameter.
    pub along: Along<'a>,
    /// The estimator.
    pub method: Method,
    /// The side of the threshold.
    pub(crate) side: Side,
    /// Only the points of the last two octaves of the parameter.
    pub tail: bool,
}

impl<'a> SlopePart<'a> {
    /// The slope of a claim of a file.
    pub(super) fn own(slope: &'a OwnSlope) -> Self {
        let (name, side) =
            if slope.at_least { (Part::SlopeAtLeast, Side::Above) } else { (Part::SlopeAtMost, Side::Below) };
        Self { name, figure: SlopeOf::Own(slope), along: Along::Own(slope), method: Method::Median, side, tail: false }
    }

    /// The number of a run; `None` if the run has none.
    pub fn value(&self, run: &Observation, claim: &ClaimSpec) -> Option<f64> {
        match self.figure {
            SlopeOf::Figure(figure) => figure.of(run, claim.roles),
            SlopeOf::Own(slope) => run.number(&slope.of, claim),
        }
    }

    /// Median regression of the logarithm of a figure on log d: what most claims speak of.
    pub(super) const fn along_patterns(figure: RunFigure, side: Side) -> Self {
        let figure = SlopeOf::Figure(figure);
        Self { name: Part::Slope, figure, along: Along::Patterns, method: Method::MedianOfLog, side, tail: false }
    }

    /// The part in one line.
    pub fn in_words(self) -> String {
        let along = match self.along {
            Along::Patterns => "log d",
            Along::Experts => "log₂ k",
            Along::Own(slope) => slope.on.text(),
        };
        let figure = match self.figure {
            SlopeOf::Figure(figure) => figure.name(),
            SlopeOf::Own(slope) => slope.of.text(),
        };
        let of = match self.method {
            Method::Median => format!("median regression of {figure}"),
            Method::MedianOfLog => format!("median regression of log {}", figure),
            Method::RootMeanSquare => format!("log of the root mean square of {}", figure),
            Method::LeastSquares => format!("least squares of {}", figure),
        };
        let side = if self.side == Side::Above { "above" } else { "at most" };
        let span = if self.tail { ", last two octaves of d" } else { "" };
        format!("{of} on {along}{span}: the slope is {side} the threshold `slope`")
    }
}

/// Fewest runs a point for a slope: the coverage of the intervals is measured from here on (`data/error_rates.csv`).
pub const FEWEST_RUNS: usize = 20;

/// Resamples of the cluster bootstrap.
const RESAMPLES: u32 = 1000;

/// The bootstrap's seed: the same rows give the same verdict.
const BOOTSTRAP_SEED: u64 = 0;

/// Why there is no slope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSlope {
    /// Fewer than two points, or a point with fewer than [`FEWEST_RUNS`] runs.
    TooFew,
    /// A figure, or the mean of an unbiased square, is not above 0, so that its logarithm is not defined.
    Zero,
}

/// The slope of a figure over the abscissae of `groups`, which hold one figure a run.
///
/// # Errors
/// If there are too few runs, or a logarithm of what is not above 0 is needed.
pub(crate) fn estimate(method: Method, groups: &[Group]) -> Result<Slope, NoSlope> {
    if groups.len() < 2 || groups.iter().any(|group| group.values.len() < FEWEST_RUNS) {
        return Err(NoSlope::TooFew);
    }
    match method {
        Method::Median => {
            if groups.iter().flat_map(|group| &group.values).any(|value| !value.is_finite()) {
                return Err(NoSlope::Zero);
            }
            quantile_slope(groups, 0.5, RESAMPLES, BOOTSTRAP_SEED).ok_or(NoSlope::TooFew)
        }
        Method::MedianOfLog => {
            let logs = logarithms(groups)?;
            quantile_slope(&logs, 0.5, RESAMPLES, BOOTSTRAP_SEED).ok_or(NoSlope::TooFew)
        }
        Method::RootMeanSquare => match log_mean_slope(groups) {
            Ok(square) => Ok(Slope {
                slope: square.slope / 2.0,
                intercept: square.intercept / 2.0,
                standard_error: square.standard_error / 2.0,
                ..square
            }),
            Err(LogMeanError::NotPositive) => Err(NoSlope::Zero),
            Err(LogMeanError::Unusable) => Err(NoSlope::TooFew),
        },
        Method::LeastSquares => least_squares(groups).ok_or(NoSlope::TooFew),
    }
}

/// Natural logarithms of all values.
pub(super) fn logarithms(groups: &[Group]) -> Result<Vec<Group>, NoSlope> {
    if groups.iter().flat_map(|group| &group.values).any(|value| value.is_nan() || *value <= 0.0) {
        return Err(NoSlope::Zero);
    }
    let log =
        |group: &Group| Group { x: group.x, values: group.values.iter().map(|&value| libm::log(value)).collect() };
    Ok(groups.iter().map(log).collect())
}
