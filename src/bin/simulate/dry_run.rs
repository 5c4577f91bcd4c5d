//! `simulate run --dry-run`: what would be run, how long it takes, and how many runs the claims need.

use crate::args::RunArguments;
use crate::failure::Failure;
use crate::load::Loaded;
use crate::output;
use crate::threads::Threads;
use crate::{probe, shortage, terminal};
use moe_theory::claims::Observation;
use moe_theory::claims::judge::{ClaimTests, slope_lines};
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

/// Seconds that the probe may take, about.
const PROBE_SECONDS: f64 = 6.0;

/// Seconds that the pilot may take, about.
const PILOT_SECONDS: f64 = 120.0;

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
pub fn show(loaded: &Loaded, arguments: &RunArguments, threads: &Threads) -> Result<(), Failure> {
    let Loaded { simulation, points, .. } = loaded;
    let mut out = output::stdout();
    writeln!(out, "{}", textwrap::fill(&format!("{}: {}", simulation.name, simulation.aims), WIDTH))?;
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
    let (number, word) = (threads.number, if threads.number == 1 { "thread" } else { "threads" });
    let each = seconds_for_work(points, arguments);
    let time = terminal::time(each * probe::work(points) / number as f64);
    let state = points.iter().map(|point| state_bytes(&point.parameters)).max().unwrap_or(0) as f64;
    writeln!(out, "time: {time} on {number} {word} (from runs of at most about {PROBE_SECONDS} s)")?;
    threads.fewer.iter().try_for_each(|line| writeln!(out, "({line})"))?;
    writeln!(out, "memory: about {:.0} MB for the runs in flight", 30.0 + number as f64 * state / 1e6)?;
    show_seeds(loaded, arguments, each / number as f64, &mut out)?;
    Ok(())
}

/// Seconds on one thread for a unit of work, from a measured probe.
pub fn seconds_for_work(points: &[Point], arguments: &RunArguments) -> f64 {
    probe::seconds_for_work(points, arguments.engine, arguments.asked.seed, PROBE_SECONDS)
}

fn show_seeds(loaded: &Loaded, arguments: &RunArguments, each: f64, out: &mut impl Write) -> std::io::Result<()> {
    let Loaded { simulation, points, .. } = loaded;
    if simulation.claims.is_empty() {
        return Ok(());
    }
    let design = arguments.design();
    let tests = ClaimTests::new(simulation, points, design);
    let (pairs, fewest) = (tests.pairs().max(1), tests.fewest_runs());
    let alpha = ALPHA / (2 * pairs) as f64;
    let needed = pilot_points(loaded);
    let work: f64 = needed.iter().map(|point| PILOT as f64 * point.parameters.work()).sum();
    let (seconds, pilot) = match work * each {
        seconds if seconds <= PILOT_SECONDS => (seconds, pilot(points, &needed, arguments)),
        seconds => (seconds, vec![Vec::new(); points.len()]),
    };
    shortage::warn(loaded, design, out)?;
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
        } else if claim.judges_probabilities() {
            writeln!(
                out,
                "  {}{case}: at least {least} to reach SUPPORTED, {planned} for 90 % power at P = 0.99{verdict}",
                claim.id
            )?;
        } else {
            writeln!(out, "  {}{case}:", claim.id)?;
        }
        for (part, line) in slope_lines(claim, points) {
            if seconds <= PILOT_SECONDS {
                show_slope(claim, part, &line, alpha, &pilot, out)?;
            } else {
                let time = terminal::time(seconds);
                writeln!(out, "    {}: not planned, {PILOT} runs a point for its spread would take {time}", part.name)?;
            }
        }
    }
    Ok(())
}

/// The points that a slope is over.
fn pilot_points(loaded: &Loaded) -> Vec<&Point> {
    let Loaded { simulation, points, .. } = loaded;
    let slopes: Vec<_> = simulation.claims.iter().flat_map(|claim| slope_lines(claim, points)).collect();
    let is_needed = |point: &Point| slopes.iter().any(|(_, line)| line.iter().any(|other| other.index == point.index));
    points.iter().filter(|point| is_needed(point)).collect()
}

/// A few runs of every needed point, with seeds of their own; none of the others.
fn pilot(points: &[Point], needed: &[&Point], arguments: &RunArguments) -> Vec<Vec<RunRecord>> {
    let compute = |point: &Point, index| run(point, index, !arguments.asked.seed, arguments.engine.choice());
    let runs = |point: &&Point| (0..PILOT).into_par_iter().map(|index| compute(point, index)).collect();
    let records: Vec<Vec<RunRecord>> = needed.par_iter().map(runs).collect();
    let mut pilot = vec![Vec::new(); points.len()];
    needed.iter().zip(records).for_each(|(point, records)| pilot[point.index] = records);
    pilot
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
        let trajectory = &record.trajectory;
        part.value(&Observation { parameters: &point.parameters, run, experts, pruning, trajectory }, claim)
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
        Method::Median => {
            let (mean, deviation) = deviation(&values);
            mean.is_finite().then_some(deviation * MEDIAN_FACTOR)
        }
    }
}
