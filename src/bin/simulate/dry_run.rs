//! `simulate run --dry-run`: what would be run, how long it takes, and how many runs the claims need.

use crate::args::RunArguments;
use crate::failure::Failure;
use crate::load::Loaded;
use crate::run::{design, warn_of_shortage};
use moe_theory::claims::Definition;
use moe_theory::claims::Evidence;
use moe_theory::claims::judge::{Jury, slope_lines};
use moe_theory::claims::slope_parts::{FEWEST_RUNS, Method, SlopePart};
use moe_theory::record::RunRecord;
use moe_theory::record::design::ALPHA;
use moe_theory::report::WIDTH;
use moe_theory::run::run;
use moe_theory::sim::consistency::state_bytes;
use moe_theory::sim::{ClaimSpec, Point, Verdict};
use moe_theory::stats::binomial::trials_for_power;
use moe_theory::stats::slope::{MEDIAN_FACTOR, runs_for_slope_power};
use rayon::prelude::*;
use std::io::Write;
use std::time::Instant;

/// At most this many points are probed; the time of the others is taken in proportion to their work.
const PROBES: usize = 8;

/// At most this many points are listed.
const LISTED: usize = 40;

/// The true probability at which the power of a claim's test is planned.
const PLANNED_PROBABILITY: f64 = 0.99;

/// The distance of the true slope from its threshold at which the power is planned.
const PLANNED_DISTANCE: f64 = 0.05;

/// The power that is planned for.
const PLANNED_POWER: f64 = 0.9;

/// Runs a point from which the spread of a figure is estimated, with seeds of their own.
const PILOT: u64 = 8;

/// Prints grid, runs, time, memory and seeds; writes nothing.
pub fn show(loaded: &Loaded, arguments: &RunArguments) -> Result<(), Failure> {
    let Loaded { simulation, points, .. } = loaded;
    let mut out = std::io::stdout();
    writeln!(out, "{}: {}", simulation.name, simulation.aims)?;
    let total: u64 = points.iter().map(|point| point.seeds).sum();
    writeln!(out, "points: {}, runs: {total}", points.len())?;
    for point in points.iter().take(LISTED) {
        let swept: Vec<String> = point.swept.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let swept = if swept.is_empty() { "as in the file".to_owned() } else { swept.join(", ") };
        let (first, rest) = (format!("  point {} x {}: ", point.index, point.seeds), "    ");
        let options = textwrap::Options::new(WIDTH).initial_indent(&first).subsequent_indent(rest);
        writeln!(out, "{}", textwrap::fill(&swept, options))?;
    }
    if points.len() > LISTED {
        writeln!(out, "  and {} more points", points.len() - LISTED)?;
    }
    let threads = rayon::current_num_threads();
    let seconds = probe(points, arguments) / threads as f64;
    let state = points.iter().map(|point| state_bytes(&point.parameters)).max().unwrap_or(0) as f64;
    writeln!(out, "time: about {seconds:.0} s on {threads} threads (from a measured probe)")?;
    writeln!(out, "memory: about {:.0} MB for the runs in flight", 30.0 + threads as f64 * state / 1e6)?;
    show_seeds(loaded, arguments, &mut out)?;
    Ok(())
}

/// Seconds that all runs take, from one run at the point of least work: a guess that costs almost nothing.
pub fn guess(points: &[Point], arguments: &RunArguments) -> f64 {
    let least = points.iter().min_by(|a, b| a.parameters.work().total_cmp(&b.parameters.work()));
    let work: f64 = points.iter().map(|point| point.seeds as f64 * point.parameters.work()).sum();
    let Some(point) = least else { return 0.0 };
    let start = Instant::now();
    run(point, 0, arguments.asked.seed, arguments.engine.choice());
    start.elapsed().as_secs_f64() * work / point.parameters.work() / rayon::current_num_threads() as f64
}

/// Seconds that all runs take on one thread, from one run at some of the points.
pub fn probe(points: &[Point], arguments: &RunArguments) -> f64 {
    let stride = points.len().div_ceil(PROBES).max(1);
    let (mut seconds, mut work) = (0.0, 0.0);
    for point in points.iter().step_by(stride) {
        let start = Instant::now();
        run(point, 0, arguments.asked.seed, arguments.engine.choice());
        seconds += start.elapsed().as_secs_f64();
        work += point.parameters.work();
    }
    seconds / work * points.iter().map(|point| point.seeds as f64 * point.parameters.work()).sum::<f64>()
}

fn show_seeds(loaded: &Loaded, arguments: &RunArguments, out: &mut impl Write) -> std::io::Result<()> {
    let Loaded { simulation, points, .. } = loaded;
    if simulation.claims.is_empty() {
        return Ok(());
    }
    let design = design(arguments);
    let jury = Jury::new(simulation, points, design);
    let (pairs, fewest) = (jury.pairs().max(1), jury.fewest_runs());
    let alpha = ALPHA / (2 * pairs) as f64;
    let pilot = pilot(loaded, arguments);
    warn_of_shortage(loaded, design, out)?;
    writeln!(out, "seeds a point that each claim needs ({pairs} pairs of tests, Holm at {ALPHA}):")?;
    for (claim, least) in simulation.claims.iter().zip(fewest) {
        let case = claim.case.as_deref().map(|case| format!(" ({case})")).unwrap_or_default();
        let own = points.iter().filter(|point| claim.applies_to(point.case.as_deref()));
        let seeds = own.map(|point| point.seeds).min().unwrap_or(0);
        let planned = trials_for_power(PLANNED_PROBABILITY, claim.level, alpha, PLANNED_POWER, 1_000_000)
            .map_or("more than 1000000".to_owned(), |runs| runs.to_string());
        let is_short = seeds < least && claim.expect != Some(Verdict::Refuted);
        let verdict = if is_short { "\n    TOO FEW: it can't come out SUPPORTED" } else { "" };
        if claim.comparison().is_some() {
            writeln!(out, "  {}{case}: at least {least}, if one criterion alone is better in each{verdict}", claim.id)?;
        } else if Definition::of(claim.id).judges_probabilities() {
            writeln!(
                out,
                "  {}{case}: at least {least} to reach SUPPORTED, {planned} for 90 % power at P = 0.99{verdict}",
                claim.id
            )?;
        } else {
            writeln!(out, "  {}{case}:", claim.id)?;
        }
        for (part, line) in slope_lines(claim, points) {
            show_slope(claim, part, &line, alpha, &pilot, out)?;
        }
    }
    Ok(())
}

/// A few runs of every point that a slope is over, with seeds of their own; none of the other points.
fn pilot(loaded: &Loaded, arguments: &RunArguments) -> Vec<Vec<RunRecord>> {
    let Loaded { simulation, points, .. } = loaded;
    let slopes: Vec<_> = simulation.claims.iter().flat_map(|claim| slope_lines(claim, points)).collect();
    let is_needed = |point: &Point| slopes.iter().any(|(_, line)| line.iter().any(|other| other.index == point.index));
    let runs = |point: &Point| if is_needed(point) { 0..PILOT } else { 0..0 };
    let compute = |point: &Point, index| run(point, index, !arguments.asked.seed, arguments.engine.choice());
    points.par_iter().map(|point| runs(point).into_par_iter().map(|index| compute(point, index)).collect()).collect()
}

/// The runs that a slope needs, by the spread that the pilot shows.
fn show_slope(
    claim: &ClaimSpec,
    part: SlopePart,
    line: &[&Point],
    alpha: f64,
    pilot: &[Vec<RunRecord>],
    out: &mut impl Write,
) -> std::io::Result<()> {
    let figure = |point: &Point, record: &RunRecord| {
        let (run, experts, pruning) = (&record.run.body, &record.experts, &record.pruning);
        part.figure.of(&Evidence { parameters: &point.parameters, run, experts, pruning }, claim.roles)
    };
    let spreads: Option<Vec<f64>> = line
        .iter()
        .map(|point| {
            let figures: Vec<_> = pilot[point.index].iter().map(|record| figure(point, record)).collect();
            spread(part.method, &figures)
        })
        .collect();
    let Some(spreads) = spreads.filter(|spreads| !spreads.is_empty()) else {
        return writeln!(out, "    {}: no spread from the pilot: a figure is missing, or not above 0", part.name);
    };
    let spread = (spreads.iter().map(|spread| spread * spread).sum::<f64>() / spreads.len() as f64).sqrt();
    let xs: Vec<f64> = line.iter().map(|point| part.along.abscissa(&point.parameters)).collect();
    let runs = runs_for_slope_power(&xs, spread, PLANNED_DISTANCE, alpha, PLANNED_POWER).max(FEWEST_RUNS as u64);
    writeln!(
        out,
        "    {}: {runs} for 90 % power at {PLANNED_DISTANCE} from its threshold (spread {spread:.2})",
        part.name
    )
}

/// The standard deviation of the figure on the scale of the slope, times the square root of the estimator's relative
/// variance.
fn spread(method: Method, figures: &[Option<f64>]) -> Option<f64> {
    let values: Vec<f64> = figures.iter().copied().collect::<Option<_>>()?;
    let deviation = |values: &[f64]| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        (mean, (squares / (values.len() - 1) as f64).sqrt())
    };
    match method {
        Method::MedianOfLog => {
            let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
            let (mean, deviation) = deviation(&logs);
            mean.is_finite().then_some(deviation * MEDIAN_FACTOR)
        }
        Method::RootMeanSquare => {
            let (mean, deviation) = deviation(&values);
            (mean > 0.0).then(|| 0.5 * deviation / mean)
        }
        Method::LeastSquares => Some(deviation(&values).1),
    }
}
