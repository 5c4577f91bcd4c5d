//! `simulate falsify`: a search for settings that break a claim within its assumptions.

use crate::args::FalsifyArguments;
use crate::failure::Failure;
use crate::interrupt::termination_flag;
use crate::output;
use crate::threads::Threads;
use moe_theory::falsify::{Evaluator, Found, Outcome, Region, report, search, shrink};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Runs of the file that replays a failure.
const REPLAY: u64 = 200;

/// Share of the budget that is kept for shrinking.
const SHRINKING: f64 = 0.4;

/// Searches, shrinks, writes. An interrupt ends the search, or the shrinking: what was found by then is written.
pub fn command(arguments: &FalsifyArguments) -> Result<(), Failure> {
    let (file, text) = match &arguments.within {
        None => ("the built-in region".to_owned(), String::new()),
        Some(path) => {
            let shown = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| Failure::Usage(format!("{shown}: {error}")))?;
            (shown, text)
        }
    };
    let region = Region::new(&arguments.claim, &file, &text).map_err(Failure::usage)?;
    let out_file = arguments.out.clone().unwrap_or_else(|| {
        let name: String = arguments.claim.chars().filter(char::is_ascii_alphanumeric).collect();
        format!("falsify-{name}.toml").into()
    });
    if out_file.exists() {
        return Err(Failure::Usage(format!("{}: exists already; nothing was written", out_file.display())));
    }
    let budget = seconds(&arguments.budget)?;
    let started = Instant::now();
    let mut evaluator = Evaluator::new(&region, arguments.seed);
    let threads = Threads::choose(None, u64::MAX)?;
    threads.fewer.iter().for_each(output::tell);
    threads.start()?;
    let interrupted = termination_flag()?;
    let is_over = |end: Duration| interrupted.load(Ordering::SeqCst) > 0 || started.elapsed() > end;
    let search_ends = budget.mul_f64(1.0 - SHRINKING);
    let outcome = search(&mut evaluator, &|| is_over(search_ends), &mut output::tell);
    let mut out = output::stdout();
    match &outcome.found {
        None => write!(out, "{}", report::nothing_found(&region, &outcome))?,
        Some(found) => {
            let small = shrink(&mut evaluator, found, &|| is_over(budget));
            write_failure(&mut out, (&evaluator, &region), &outcome, &small, &out_file)?;
        }
    }
    match interrupted.load(Ordering::SeqCst) {
        0 => Ok(()),
        status => {
            output::complete()?;
            output::tell("\nsimulate: interrupted: the search was shorter than its budget");
            std::process::exit(status);
        }
    }
}

/// Writes the simulation file of a failure, and says what fails.
fn write_failure(
    out: &mut impl Write,
    (evaluator, region): (&Evaluator, &Region),
    outcome: &Outcome,
    small: &Found,
    out_file: &Path,
) -> Result<(), Failure> {
    std::fs::write(out_file, region.text(&small.candidate, REPLAY))
        .map_err(|error| anyhow::anyhow!("{}: {error}", out_file.display()))?;
    let result = &small.result;
    if evaluator.is_on_slopes() {
        writeln!(out, "{} fails: its slope is {:.3} beyond the threshold.", region.claim, -result.margin)?;
    } else {
        let (holds, met, aside) = (result.holds, result.met, result.runs - result.met);
        writeln!(out, "{} fails: it holds in {holds} of {met} runs ({aside} set aside).", region.claim)?;
    }
    writeln!(out, "p = {:.1e} that it holds as claimed; {} candidates tried.\n", result.p_refuted, outcome.candidates)?;
    write!(out, "{}", report::table(&report::differences(region, &small.candidate)))?;
    writeln!(out, "\nsimulate run {} replays it.", out_file.display())?;
    Ok(())
}

/// `60s`, `5m` or a number of seconds.
fn seconds(text: &str) -> Result<Duration, Failure> {
    let (number, unit) = match text.strip_suffix('m') {
        Some(minutes) => (minutes, 60.0),
        None => (text.strip_suffix('s').unwrap_or(text), 1.0),
    };
    let legal = |number: &f64| number.is_finite() && *number > 0.0 && *number <= 1e6;
    match number.trim().parse::<f64>().ok().filter(legal) {
        Some(number) => Ok(Duration::from_secs_f64(number * unit)),
        None => Err(Failure::Usage(format!("--budget {text}: must be a time such as 60s or 5m"))),
    }
}
