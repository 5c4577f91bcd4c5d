//! Changes of routers, and what they consist of, against d on logarithmic axes.

use super::canvas::{Canvas, Look};
use super::figure::{Figure, FigureError, MAX_POINTS};
use super::names::{file, of_case, unique};
use super::scale::{Scale, minus};
use super::series::{At, Series, Sweep, sweeps};
use crate::record::{ScalingRow, TermRow};
use crate::report::drawn::DrawnExpert;
use crate::report::drawn::SweptPoint;
use crate::report::numbers::sorted_finite;

/// Height of the frame: the legend has up to three lines a series.
const HEIGHT: i32 = 500;

/// Decades that are shown at most, the upper ones.
const MAX_DECADES: f64 = 9.0;

/// Least share of the axis between two labels of d.
const APART: f64 = 0.09;

/// The exponent that the theory names.
const THEORY: f64 = -0.5;

/// Letters of a line of a note.
const NOTE: usize = 27;

/// The look of the reference line.
const REFERENCE: Look = Look(6);

/// The figures of sweeps over d, one a line of points, for the first [`MAX_POINTS`]; a line without positive values is left out.
/// `part` says of which runs the experts are, if not of all.
///
/// # Errors
/// What the drawing library reports.
pub fn scaling_figures(
    scaling: &[ScalingRow],
    terms: &[TermRow],
    points: &[SweptPoint],
    experts: &[DrawnExpert],
    part: Option<&str>,
) -> Result<Vec<Figure>, FigureError> {
    let mut drawn: Vec<Figure> = Vec::new();
    for sweep in sweeps(scaling, terms, points, experts).into_iter().take(MAX_POINTS) {
        let Some(svg) = draw(&sweep, part)? else { continue };
        let number = if sweep.number > 0 { sweep.number.to_string() } else { String::new() };
        let name =
            unique(file(&["scaling", &sweep.case, &number]), |name| drawn.iter().any(|other| other.name == name));
        drawn.push(Figure { name, svg });
    }
    Ok(drawn)
}

/// The look of a series.
fn look(place: usize) -> Look {
    Look([0, 1, 3, 4, 5, 2][place % 6])
}

fn draw(sweep: &Sweep, part: Option<&str>) -> Result<Option<String>, FigureError> {
    let Some(y) = along_y(sweep) else { return Ok(None) };
    let title = format!("Changes of routers against d{}", of_case(&sweep.case));
    let title = if sweep.line.is_empty() { title } else { format!("{title}, {}", sweep.line) };
    let mut svg = String::new();
    let (low, high) = y;
    let (x, size) = (("number of patterns d", along_x(sweep)), ("size of the change", Scale::decades(low, high)));
    let canvas = Canvas::sized(&mut svg, (HEIGHT, 0), &title, x, size)?;
    let plot = Plot { canvas, low, high };
    plot.reference(sweep)?;
    for (place, series) in sweep.series.iter().enumerate() {
        plot.spread(series, place)?;
    }
    for (place, series) in sweep.series.iter().enumerate() {
        plot.series(series, place)?;
    }
    plot.explain(sweep, part)?;
    Ok(Some(svg))
}

/// The decimal logarithms between which sizes are shown; `None` if there are none above 0.
///
/// A root mean square that may well be 0 says little about its size: it does not stretch the axis downwards.
fn along_y(sweep: &Sweep) -> Option<(f64, f64)> {
    let points = || sweep.series.iter().flat_map(|series| series.points.iter().map(move |at| (series.median, at)));
    let sure = points().filter(|(median, at)| *median || at.low > 0.0);
    let mut sizes = sorted_finite(sure.flat_map(|(_, at)| [at.low, at.middle]).filter(|size| *size > 0.0));
    let highs = sorted_finite(points().map(|(_, at)| at.high));
    if sizes.is_empty() {
        sizes = sorted_finite(points().map(|(_, at)| at.middle));
    }
    let (low, high) = (libm::log10(*sizes.first()?), libm::log10(*highs.last()?));
    let low = low.max(high - MAX_DECADES);
    let pad = 0.04 * (high - low).max(1.0);
    Some((low - pad, high + pad))
}

/// The axis of d, labelled at its points.
fn along_x(sweep: &Sweep) -> Scale {
    let all = sorted_finite(sweep.series.iter().flat_map(|series| &series.points).map(|at| libm::log10(at.patterns)));
    let (first, last) = (all.first().copied().unwrap_or(0.0), all.last().copied().unwrap_or(1.0));
    let pad = 0.04 * (last - first).max(1.0);
    let mut scale = Scale::decades(first - pad, last + pad);
    scale.ticks.clear();
    for value in all {
        let free = scale.ticks.last().is_none_or(|(before, _)| scale.share(value) - scale.share(*before) >= APART);
        if free {
            scale.ticks.push((value, format!("{}", libm::round(libm::pow(10.0, value)))));
        }
    }
    scale
}

/// A figure in the making, with the decimal logarithms at the ends of its axis of sizes.
struct Plot<'a> {
    canvas: Canvas<'a>,
    low: f64,
    high: f64,
}

impl Plot<'_> {
    /// A dashed line with the theory's exponent, a little below the first series that is to fall with d.
    fn reference(&self, sweep: &Sweep) -> Result<(), FigureError> {
        let falling = sweep.series.iter().find(|series| series.name == "max |Δ|").or(sweep.series.last());
        let Some((first, last)) = falling.and_then(|series| series.points.first().zip(series.points.last())) else {
            return Ok(());
        };
        let height = libm::log10(0.6 * first.middle) - THEORY * libm::log10(first.patterns);
        self.straight(height, THEORY, (first.patterns, last.patterns), REFERENCE)
    }

    /// The part of a straight line within the frame: `height` is the decimal logarithm of its value at d = 1.
    fn straight(&self, height: f64, slope: f64, span: (f64, f64), look: Look) -> Result<(), FigureError> {
        let (mut from, mut to) = (libm::log10(span.0), libm::log10(span.1));
        if slope != 0.0 {
            let ends = [(self.low - height) / slope, (self.high - height) / slope];
            from = from.max(ends[0].min(ends[1]));
            to = to.min(ends[0].max(ends[1]));
        } else if !(self.low..=self.high).contains(&height) {
            return Ok(());
        }
        if from >= to {
            return Ok(());
        }
        self.canvas.line(&[from, to].map(|x| (x, height + slope * x)), look)
    }

    /// The band of a median, the bars of a root mean square; an end that is not above 0 lies at the end of the axis.
    fn spread(&self, series: &Series, place: usize) -> Result<(), FigureError> {
        let log = |value: f64| if value > 0.0 { libm::log10(value).max(self.low) } else { self.low };
        let shown = self.shown(series);
        let ends: Vec<_> = shown.map(|at| (self.x(at, series, place), log(at.low), log(at.high))).collect();
        if series.median && ends.len() > 1 {
            return self.canvas.band(&ends, look(place));
        }
        ends.iter().try_for_each(|(x, low, high)| self.canvas.thin(&[(*x, *low), (*x, *high)], look(place), 1))
    }

    /// The points of a series that lie on the axis.
    fn shown<'b>(&self, series: &'b Series) -> impl Iterator<Item = &'b At> {
        let low = self.low;
        series.points.iter().filter(move |at| libm::log10(at.middle) >= low)
    }

    /// Where a point stands; root mean squares stand a little apart, so that their bars do not hide one another.
    fn x(&self, at: &At, series: &Series, place: usize) -> f64 {
        let apart = if series.median { 0.0 } else { 0.012 * (place as f64 - 4.0) };
        libm::log10(at.patterns) + apart
    }

    /// Fit and points.
    fn series(&self, series: &Series, place: usize) -> Result<(), FigureError> {
        if let Some(fit) = &series.fit {
            self.straight(fit.intercept / std::f64::consts::LN_10, fit.slope, fit.span, look(place))?;
        }
        self.shown(series).try_for_each(|at| {
            let (x, y) = (self.x(at, series, place), libm::log10(at.middle));
            self.canvas.marker(x, y, look(place), 4, !series.median)
        })
    }

    /// The legend, and the end of the figure.
    fn explain(mut self, sweep: &Sweep, part: Option<&str>) -> Result<(), FigureError> {
        for (place, series) in sweep.series.iter().enumerate() {
            let name = if series.median { series.name.to_owned() } else { format!("r.m.s. {}", series.name) };
            let drawn = (!series.points.is_empty()).then_some(!series.median);
            let text = format!("{name}\n{}", slope(series));
            self.canvas.entry(&text, look(place), series.fit.is_some(), drawn)?;
        }
        self.canvas.entry("slope −1/2, to compare", REFERENCE, true, None)?;
        self.canvas.note("\n")?;
        if sweep.series.iter().any(|series| series.fit.is_some()) {
            self.canvas.note("Lines: fits, with slope and\n95 % interval.")?;
        }
        self.canvas.note("Bands: 2.5 % to 97.5 % of\nruns about their median.")?;
        if let Some(part) = part {
            self.canvas.note(&textwrap::fill(&format!("Bands and medians: {part}."), NOTE))?;
        }
        if sweep.series.iter().any(|series| !series.median) {
            self.canvas.note("r.m.s.: root mean square,\nbar: its 95 % interval.")?;
        }
        if sweep.series.iter().any(|series| series.skipped || self.shown(series).count() < series.points.len()) {
            self.canvas.note("Not shown: values that are\n0 or less, or off the axis.")?;
        }
        self.canvas.finish()
    }
}

/// The slope of a fit in words, or why there is none.
fn slope(series: &Series) -> String {
    let Some(fit) = &series.fit else {
        return match series.reason.as_str() {
            "" => "no slope".to_owned(),
            "zero" => "no slope: 0 or less".to_owned(),
            reason => format!("no slope: {reason}"),
        };
    };
    let tail = if fit.tail { "\nin the last two octaves" } else { "" };
    // Adding 0 after rounding takes the sign from a zero.
    let [slope, low, high] = [fit.slope, fit.low, fit.high].map(|value| libm::round(value * 100.0) / 100.0 + 0.0);
    minus(format!("{slope:.2} [{low:.2}, {high:.2}]{tail}"))
}
