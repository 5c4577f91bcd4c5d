//! Many runs of both engines, judged by all checks.

use crate::lemmas::{Check, LEMMAS, Lemma};
use crate::{Configuration, EngineKind, Tally, Trajectory};
use moe_theory::run::run_all;
use moe_theory::sim::SimulationError;

/// What one lemma's check found over all runs of one engine.
#[derive(Clone, Debug)]
pub struct Row {
    /// The lemma.
    pub lemma: Lemma,
    /// The engine.
    pub engine: EngineKind,
    /// Runs that the check read.
    pub runs: u64,
    /// What it counted.
    pub tally: Tally,
}

impl Row {
    /// Whether the lemma was compared, and held.
    pub fn holds(&self) -> bool {
        self.tally.violations == 0 && self.tally.comparisons > 0
    }

    /// The verdict in a word.
    pub fn verdict(&self) -> &'static str {
        match (self.tally.violations, self.tally.comparisons) {
            (0, 0) => "not tested",
            (0, _) => "holds",
            _ => "VIOLATED",
        }
    }
}

/// Trains `runs` configurations of the family `seed` with both engines and checks all lemmas.
///
/// # Errors
/// If a drawn configuration is not legal.
pub fn check_runs(runs: u64, seed: u64) -> Result<Vec<Row>, SimulationError> {
    let mut rows: Vec<Row> = LEMMAS
        .into_iter()
        .flat_map(|lemma| EngineKind::BOTH.map(|engine| Row { lemma, engine, runs: 0, tally: Tally::default() }))
        .collect();
    let tasks: Vec<u64> = (0..runs).collect();
    run_all(
        &tasks,
        |&run| Configuration::draw(seed, run).map(|drawn| check_run(&drawn, run)),
        |found| {
            for (row, found) in rows.iter_mut().zip(found?) {
                if let Some(tally) = found {
                    row.runs += 1;
                    row.tally.merge(tally);
                }
            }
            Ok(())
        },
    )?;
    Ok(rows)
}

/// The tallies of one run: for each lemma those of both engines; `None` where the lemma does not apply.
fn check_run(configuration: &Configuration, run: u64) -> Vec<Option<Tally>> {
    let plain = EngineKind::BOTH.map(|kind| Trajectory::of(configuration, &configuration.initial(), kind));
    let gauged = configuration
        .gauged()
        .map(|initial| EngineKind::BOTH.map(|kind| Trajectory::of(configuration, &initial, kind)));
    let mut tallies = Vec::new();
    for lemma in LEMMAS {
        for engine in 0..EngineKind::BOTH.len() {
            let mut tally = match lemma.check {
                Check::Run(check) => Some(check(&plain[engine])),
                Check::Gauge(check) => gauged
                    .as_ref()
                    .zip(configuration.gauge.as_ref())
                    .map(|(gauged, gauge)| check(&plain[engine], &gauged[engine], gauge)),
            };
            if let Some(tally) = &mut tally {
                if !plain[engine].finished {
                    tally.holds(false, || "training did not reach its last iteration".into());
                }
                tally.first = tally.first.take().map(|first| format!("run {run}: {first}"));
            }
            tallies.push(tally);
        }
    }
    tallies
}
