//! `simulate check`: reads a simulation file and says what each of its claims will test; nothing is run.

use crate::failure::Failure;
use crate::load::{Loaded, load};
use crate::{output, shortage};
use moe_theory::claims::judge::{ClaimTests, slope_lines};
use moe_theory::record::ALPHA;
use moe_theory::record::Design;
use moe_theory::report::WIDTH;
use moe_theory::sim::{ClaimSpec, On, Point};
use std::io::Write;

/// Reads the file, or the shipped simulation, of this name.
pub fn command(name: &str) -> Result<(), Failure> {
    let loaded = load(name, &[], None)?;
    let Loaded { simulation, points, .. } = &loaded;
    let mut out = output::stdout();
    let runs: u64 = points.iter().map(|point| point.seeds).sum();
    writeln!(
        out,
        "{}: {}, {}, {}",
        simulation.name,
        counted(points.len(), "point"),
        counted(runs as usize, "run"),
        counted(simulation.claims.len(), "claim")
    )?;
    let tests = ClaimTests::new(simulation, points, Design::Fixed);
    for (claim, fewest) in simulation.claims.iter().zip(tests.fewest_runs()) {
        writeln!(out)?;
        for (place, sentence) in sentences(claim, points, fewest).iter().enumerate() {
            let indent = if place == 0 { "" } else { "  " };
            let options = textwrap::Options::new(WIDTH).initial_indent(indent).subsequent_indent("    ");
            writeln!(out, "{}", textwrap::fill(sentence, options))?;
        }
    }
    writeln!(out, "\n{} of hypotheses, together corrected by Holm at {ALPHA}.", counted(tests.pairs(), "pair"))?;
    shortage::warn(&loaded, Design::Fixed, &mut out)?;
    Ok(())
}

/// `1 point`, `2 points`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// What a claim will test, one sentence a line.
fn sentences(claim: &ClaimSpec, points: &[Point], fewest: u64) -> Vec<String> {
    let case = claim.case.as_ref().map(|case| format!(" (case {case})")).unwrap_or_default();
    let mut told = vec![format!("{}{case}: {}.", claim.id, claim.statement())];
    let own: Vec<&Point> = points.iter().filter(|point| claim.applies_to(point.case.as_deref())).collect();
    if !claim.holds_if().is_empty() {
        told.push(format!("holds in a run if {}", claim.holds_if()));
    }
    if let Some(threshold) = claim.threshold() {
        told.push(format!("threshold = {threshold}"));
    }
    if !claim.figure_words().is_empty() {
        told.push(format!("its figure: {}", claim.figure_words()));
    }
    if claim.judges_probabilities() {
        let level = claim.level;
        told.push(format!(
            "SUPPORTED at a point if the share of runs in which it holds is above {level} by the exact binomial test, \
             REFUTED if it is below; {}, at least {fewest} judged runs at each",
            counted(own.len(), "point")
        ));
    } else if claim.comparison().is_some() {
        told.push(format!("judged in pairs at {}, at least {fewest} runs at each", counted(own.len(), "point")));
    }
    for (part, line) in slope_lines(claim, points) {
        let threshold = claim.slope.map(|slope| format!(" ({slope})")).unwrap_or_default();
        told.push(format!("over {} points, {}{threshold}", line.len(), part.in_words()));
    }
    let assumptions: Vec<String> = claim.assumptions().iter().map(|assumed| assumed.name().to_owned()).collect();
    told.push(match (claim.on, assumptions.is_empty()) {
        (On::All, _) => "judged on every run".to_owned(),
        (On::Met, true) => "judged on every run: it assumes nothing".to_owned(),
        (On::Met, false) => format!("judged on the runs that meet {}", assumptions.join(", ")),
    });
    told
}
