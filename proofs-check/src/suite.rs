//! Many runs of both engines, judged by all checks.

use crate::lemmas::{Check, LEMMAS, Lemma};
use crate::population::{Population, Study, real_engine};
use crate::{Configuration, EngineKind, Tally, Trajectory};
use moe_theory::moe::Model;
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

/// Trains `runs` configurations of the family `seed`, and as many tiny ones, with both engines and checks all lemmas.
///
/// # Errors
/// If a drawn configuration is not legal.
///
/// # Panics
/// If the system gives no threads.
pub fn check_runs(runs: u64, seed: u64) -> Result<Vec<Row>, SimulationError> {
    let mut rows: Vec<Row> = LEMMAS
        .into_iter()
        .flat_map(|lemma| EngineKind::BOTH.map(|engine| Row { lemma, engine, runs: 0, tally: Tally::default() }))
        .collect();
    let pool = rayon::ThreadPoolBuilder::new().build().expect("threads");
    let tasks: Vec<(u64, bool)> = (0..runs).flat_map(|run| [(run, false), (run, true)]).collect();
    run_all(
        &pool,
        &tasks,
        |_| 1.0,
        |&(run, tiny)| {
            let drawn = if tiny { Configuration::draw_tiny(seed, run) } else { Configuration::draw(seed, run) };
            drawn.map(|drawn| check_run(&drawn, &format!("{}run {run}", if tiny { "tiny " } else { "" })))
        },
        |found| {
            for (row, found) in rows.iter_mut().zip(found?) {
                if let Some(tally) = found {
                    row.runs += u64::from(tally.comparisons > 0 || !tally.chances.is_empty());
                    row.tally.merge(tally);
                }
            }
            Ok(())
        },
    )?;
    rows.iter_mut().for_each(|row| row.tally.settle());
    Ok(rows)
}

/// The tallies of one run: for each lemma those of both engines; `None` where the lemma does not apply.
fn check_run(configuration: &Configuration, name: &str) -> Vec<Option<Tally>> {
    let both = |initial| EngineKind::BOTH.map(|kind| Trajectory::of(configuration, &initial, kind));
    let plain = both(configuration.initial());
    let gauged = configuration.gauged().map(both);
    let populations = plain.each_ref().map(Population::of);
    let mut tallies = Vec::new();
    for lemma in LEMMAS {
        for (engine, kind) in EngineKind::BOTH.into_iter().enumerate() {
            let trajectory = &plain[engine];
            let make = |model: &Model, rates| real_engine(kind, model, rates);
            let mut tally = match lemma.check {
                Check::Run(check) => Some(check(trajectory)),
                Check::Study(check) => {
                    Some(check(&Study { trajectory, populations: &populations[engine], make: &make }))
                }
                Check::Gauge(check) => gauged
                    .as_ref()
                    .zip(configuration.gauge.as_ref())
                    .map(|(gauged, gauge)| check(trajectory, &gauged[engine], gauge)),
            };
            if let Some(tally) = &mut tally {
                if !trajectory.finished {
                    tally.holds(false, || "training did not reach its last iteration".into());
                }
                tally.first = tally.first.take().map(|first| format!("{name}: {first}"));
            }
            tallies.push(tally);
        }
    }
    tallies
}
