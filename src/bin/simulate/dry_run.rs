//! `simulate run --dry-run`: what would be run, how long it takes, and how many runs the claims need.

use crate::args::RunArguments;
use crate::failure::Failure;
use crate::load::Loaded;
use moe_theory::claims::judge::{ALPHA, Design, Jury};
use moe_theory::report::text::WIDTH;
use moe_theory::run::run;
use moe_theory::sim::Point;
use moe_theory::sim::consistency::state_bytes;
use moe_theory::stats::binomial::{smallest_trials_to_support, trials_for_power};
use std::io::Write;
use std::time::Instant;

/// At most this many points are probed; the time of the others is taken in proportion to their work.
const PROBES: usize = 8;

/// The true probability at which the power of a claim's test is planned.
const PLANNED_PROBABILITY: f64 = 0.99;

/// The power that is planned for.
const PLANNED_POWER: f64 = 0.9;

/// Prints grid, runs, time, memory and seeds; writes nothing.
pub fn show(loaded: &Loaded, arguments: &RunArguments) -> Result<(), Failure> {
    let Loaded { simulation, points, .. } = loaded;
    let mut out = std::io::stdout();
    writeln!(out, "{}: {}", simulation.name, simulation.aims)?;
    writeln!(
        out,
        "points x runs: {} x {} = {}",
        points.len(),
        simulation.seeds,
        points.len() as u64 * simulation.seeds
    )?;
    for point in points {
        let swept: Vec<String> = point.swept.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let swept = if swept.is_empty() { "as in the file".to_owned() } else { swept.join(", ") };
        let (first, rest) = (format!("  point {}: ", point.index), "    ");
        let options = textwrap::Options::new(WIDTH).initial_indent(&first).subsequent_indent(rest);
        writeln!(out, "{}", textwrap::fill(&swept, options))?;
    }
    let threads = rayon::current_num_threads();
    let seconds = probe(points, arguments) * simulation.seeds as f64 / threads as f64;
    let state = points.iter().map(|point| state_bytes(&point.parameters)).max().unwrap_or(0) as f64;
    writeln!(out, "time: about {seconds:.0} s on {threads} threads (from a measured probe)")?;
    writeln!(out, "memory: about {:.0} MB for the runs in flight", 30.0 + threads as f64 * state / 1e6)?;
    show_seeds(loaded, &mut out)?;
    Ok(())
}

/// Seconds that one run of every point takes on one thread.
fn probe(points: &[Point], arguments: &RunArguments) -> f64 {
    let stride = points.len().div_ceil(PROBES).max(1);
    let (mut seconds, mut work) = (0.0, 0.0);
    for point in points.iter().step_by(stride) {
        let start = Instant::now();
        run(point, 0, arguments.seed, arguments.engine.choice());
        seconds += start.elapsed().as_secs_f64();
        work += token_work(point);
    }
    seconds / work * points.iter().map(token_work).sum::<f64>()
}

/// Tokens times experts that a run looks at.
fn token_work(point: &Point) -> f64 {
    let parameters = &point.parameters;
    let (data, training) = (&parameters.data, &parameters.training);
    let samples = (training.batch * training.iterations + 4 * parameters.evaluation.samples) as f64;
    samples * (data.tokens * parameters.model.experts) as f64
}

fn show_seeds(loaded: &Loaded, out: &mut impl Write) -> std::io::Result<()> {
    let Loaded { simulation, points, .. } = loaded;
    let pairs = Jury::new(simulation, points, Design::Fixed).pairs().max(1);
    let alpha = ALPHA / (2 * pairs) as f64;
    writeln!(out, "seeds that each claim needs ({pairs} claims x points, Holm at {ALPHA}):")?;
    for claim in &simulation.claims {
        let least = smallest_trials_to_support(claim.level, alpha);
        let planned = trials_for_power(PLANNED_PROBABILITY, claim.level, alpha, PLANNED_POWER, 1_000_000)
            .map_or("more than 1000000".to_owned(), |runs| runs.to_string());
        let case = claim.case.as_deref().map(|case| format!(" ({case})")).unwrap_or_default();
        let verdict = if simulation.seeds < least { "\n    TOO FEW: the verdict can't be SUPPORTED" } else { "" };
        writeln!(
            out,
            "  {}{case}: at least {least} to reach SUPPORTED, {planned} for 90 % power at P = 0.99{verdict}",
            claim.id
        )?;
    }
    Ok(())
}
