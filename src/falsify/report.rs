//! What a search found, as text.

use super::{Candidate, Outcome, Region};
use crate::sim::resolved_keys;
use std::fmt::Write;

/// The keys of a candidate that differ from the default setting: path, default, value.
pub fn differences(region: &Region, candidate: &Candidate) -> Vec<(String, String, String)> {
    let keys = |text: &str| {
        let simulation = crate::sim::Simulation::parse("report", text, &crate::sim::Overrides::default()).ok()?;
        simulation.points().ok()?.first().map(|point| resolved_keys(&point.parameters))
    };
    let default = keys("name = \"default\"").unwrap_or_default();
    let found = keys(&region.text(candidate, 1)).unwrap_or_default();
    let pairs = default.into_iter().zip(found);
    pairs.filter(|(a, b)| a.1 != b.1).map(|((path, a), (_, b))| (path, a, b)).collect()
}

/// The differences as a table.
pub fn table(rows: &[(String, String, String)]) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{:<38}{:>18}{:>18}", "key", "default", "here");
    let _ = writeln!(text, "{}", "─".repeat(74));
    for (path, default, value) in rows {
        let _ = writeln!(text, "{path:<38}{:>18}{:>18}", short(default), short(value));
    }
    text
}

/// Four significant digits of a number with more; anything else as it is.
fn short(value: &str) -> String {
    match value.parse::<f64>() {
        Ok(number) if value.len() > 10 => format!("{number:.3e}"),
        _ => value.to_owned(),
    }
}

/// A search without a failure: what was tried, and what may have been missed.
pub fn nothing_found(region: &Region, outcome: &Outcome) -> String {
    let start = outcome.start;
    let mut text = String::new();
    let _ = writeln!(
        text,
        "No failure of {} in {} candidates ({} runs) over {} keys.",
        region.claim,
        outcome.candidates,
        outcome.runs,
        region.dimensions.len()
    );
    let _ = writeln!(
        text,
        "Of {} candidates of Latin hypercubes {} lie within the assumptions: a share of {:.3} of the box.",
        start.candidates,
        start.within,
        start.within as f64 / start.candidates.max(1) as f64
    );
    let _ = writeln!(
        text,
        "{} of them show a failing run: at most {:.3} of that part of the box does so (95 %).",
        start.failing,
        start.failure_bound()
    );
    let _ = writeln!(text, "{} candidates were suspected and not confirmed.", outcome.suspected);
    if let Some((candidate, result)) = &outcome.nearest {
        let _ = writeln!(
            text,
            "Nearest to failing (margin {:.3}, {} of {} hold):",
            result.margin, result.holds, result.met
        );
        text.push_str(&table(&differences(region, candidate)));
    }
    text
}
