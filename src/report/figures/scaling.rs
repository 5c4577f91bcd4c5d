//! Changes of routers, and what they consist of, against d on logarithmic axes.

use super::canvas::{Canvas, Look};
use super::names::{file, of_case, unique};
use super::scale::{Scale, minus};
use super::series::{Series, Sweep, SweptPoint, sweeps};
use super::{Figure, FigureError, sorted_finite};
use crate::record::{ExpertRow, ScalingRow, TermRow};

/// Height of the frame: the legend has up to three lines a series.
const HEIGHT: i32 = 500;

/// Decades that are shown at most, the upper ones.
const MAX_DECADES: f64 = 9.0;

/// Least share of the axis between two labels of d.
const APART: f64 = 0.09;

/// The exponent that the theory names.
const THEORY: f64 = -0.5;

/// The look of the reference line.
const REFERENCE: Look = Look(2);

/// The figures of sweeps over d, one a line of points; a line without positive values is left out.
///
/// # Errors
/// What the drawing library reports.
pub fn scaling_figures(
    scaling: &[ScalingRow],
    terms: &[TermRow],
    points: &[SweptPoint],
    experts: &[ExpertRow],
) -> Result<Vec<Figure>, FigureError> {
    let mut drawn: Vec<Figure> = Vec::new();
    for sweep in sweeps(scaling, terms, points, experts) {
        let Some(svg) = draw(&sweep)? else { continue };
        let number = if sweep.number > 0 { sweep.number.to_string() } else { String::new() };
        let name =
            unique(file(&["scaling", &sweep.case, &number]), |name| drawn.iter().any(|other| other.name == name));
        drawn.push(Figure { name, svg });
    }
    Ok(drawn)
}

/// The look of a series; grey is the last, as the reference has it.
fn look(place: usize) -> Look {
    Look([0, 1, 3, 4, 5, 2][place % 6])
}

fn draw(sweep: &Sweep) -> Result<Option<String>, FigureError> {
    let points = || sweep.series.iter().flat_map(|series| &series.points);
    let middles = sorted_finite(points().flat_map(|at| [at.low, at.middle, at.high]).filter(|value| *value > 0.0));
    let (Some(least), Some(most)) = (middles.first(), middles.last()) else { return Ok(None) };
    let high = libm::log10(*most);
    let low = libm::log10(*least).max(high - MAX_DECADES);
    let pad = 0.04 * (high - low).max(1.0);
    let y = Scale::decades(low - pad, high + pad);
    let title = format!("Changes of routers against d{}", of_case(&sweep.case));
    let title = if sweep.line.is_empty() { title } else { format!("{title}, {}", sweep.line) };
    let mut svg = String::new();
    let mut canvas =
        Canvas::sized(&mut svg, (HEIGHT, 0), &title, ("number of patterns d", along_x(sweep)), ("size", y))?;
    reference(&canvas, sweep)?;
    for (place, series) in sweep.series.iter().enumerate() {
        spread(&canvas, series, look(place), low - pad)?;
    }
    for (place, series) in sweep.series.iter().enumerate() {
        line(&canvas, series, look(place))?;
    }
    explain(&mut canvas, sweep)?;
    canvas.finish()?;
    Ok(Some(svg))
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

/// A dashed line with the theory's exponent, a little below the first series that is to fall with d.
fn reference(canvas: &Canvas, sweep: &Sweep) -> Result<(), FigureError> {
    let falling = sweep.series.iter().find(|series| series.name == "max |Δ|").or(sweep.series.last());
    let Some((first, last)) = falling.and_then(|series| series.points.first().zip(series.points.last())) else {
        return Ok(());
    };
    let height = |patterns: f64| 0.6 * first.middle * libm::pow(patterns / first.patterns, THEORY);
    let at = |patterns: f64| (libm::log10(patterns), libm::log10(height(patterns)));
    canvas.line(&[at(first.patterns), at(last.patterns)], REFERENCE)
}

/// The band of a median, the bars of a root mean square; an end that is not above 0 lies at the `floor` of the axis.
fn spread(canvas: &Canvas, series: &Series, look: Look, floor: f64) -> Result<(), FigureError> {
    let log = |value: f64| if value > 0.0 { libm::log10(value) } else { floor };
    let ends: Vec<_> = series.points.iter().map(|at| (libm::log10(at.patterns), log(at.low), log(at.high))).collect();
    if series.median && ends.len() > 1 {
        return canvas.band(&ends, look);
    }
    ends.iter().try_for_each(|(x, low, high)| canvas.thin(&[(*x, *low), (*x, *high)], look, 1))
}

fn line(canvas: &Canvas, series: &Series, look: Look) -> Result<(), FigureError> {
    if let Some(fit) = &series.fit {
        let ends = [fit.span.0, fit.span.1];
        let height = |patterns: f64| (fit.intercept + fit.slope * libm::log(patterns)) / std::f64::consts::LN_10;
        canvas.line(&ends.map(|patterns| (libm::log10(patterns), height(patterns))), look)?;
    }
    series
        .points
        .iter()
        .try_for_each(|at| canvas.marker(libm::log10(at.patterns), libm::log10(at.middle), look, 4, !series.median))
}

fn explain(canvas: &mut Canvas, sweep: &Sweep) -> Result<(), FigureError> {
    for (place, series) in sweep.series.iter().enumerate() {
        let slope = match &series.fit {
            Some(fit) => {
                let interval = format!("{:.2} [{:.2}, {:.2}]", fit.slope, fit.low, fit.high);
                format!("{interval}{}", if fit.tail { "\nin the last two octaves" } else { "" })
            }
            None if series.reason.is_empty() => "no slope".to_owned(),
            None => format!("no slope: {}", series.reason),
        };
        let (name, size) = if series.median { ("", series.name) } else { ("r.m.s. ", series.name) };
        let drawn = (!series.points.is_empty()).then_some(!series.median);
        canvas.entry(&format!("{name}{size}\n{}", minus(slope)), look(place), series.fit.is_some(), drawn)?;
    }
    canvas.entry("slope −1/2, to compare", REFERENCE, true, None)?;
    canvas.note("\nLines: fits, with slope and\n95 % interval.")?;
    canvas.note("Filled: median of runs;\nband: 2.5 % to 97.5 %.")?;
    if sweep.series.iter().any(|series| !series.median) {
        canvas.note("Open: root mean square,\nwith 95 % interval.")?;
    }
    if sweep.series.iter().any(|series| series.skipped) {
        canvas.note("Values of 0 or less are\nnot shown.")?;
    }
    Ok(())
}
