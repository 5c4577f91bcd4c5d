//! How often the decision rule gives a false verdict, on 10,000 made-up simulations of known truth.
//!
//! Each simulation claims T0 at five points and T2b over k: eleven pairs of hypotheses, of which five probabilities and a
//! slope are put on the boundary or beyond it; T2b's own probabilities are 1. `UPDATE_RATES=1 cargo test --release --test verdict_rates`
//! writes `data/verdict_rates.csv` again; without it the table is compared. Seeds are fixed: nothing here can fail by
//! chance.

use chacha20::ChaCha8Rng;
use moe_theory::claims::Observation;
use moe_theory::claims::judge::ClaimTests;
use moe_theory::record::design::Design;
use moe_theory::record::rows::{ExpertRow, PruningRow, RunBody};
use moe_theory::sim::Decision;
use moe_theory::sim::Part;
use moe_theory::sim::{Overrides, Point, Simulation};
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;
use std::fmt::Write;

const REPETITIONS: u64 = 10_000;
const RUNS: u64 = 200;
const EXPERTS: [usize; 5] = [8, 16, 32, 64, 128];
const DESIGNS: [(&str, Design); 2] = [("fixed", Design::Fixed), ("sequential", Design::Sequential { block: 25 })];

const TEXT: &str = r#"
name = "rates"
[pruning]
finetune_kept = [8, 7, 6, 5, 4, 3, 2]
[grid]
"model.experts" = [8, 16, 32, 64, 128]
[[claim]]
id = "T0"
on = "all"
[[claim]]
id = "T2b"
on = "all"
threshold = 3
"#;

/// A truth: with what probability a claim holds in a run, and how the smallest sufficient number kept grows.
struct Truth {
    name: &'static str,
    probability: f64,
    /// The slope on log₂ k; the threshold is 0.1.
    slope: f64,
    /// Whether SUPPORTED, and whether REFUTED, is a false verdict on a probability, and on the slope.
    false_verdicts: [[bool; 2]; 2],
}

const TRUTHS: [Truth; 3] = [
    Truth { name: "boundary", probability: 0.95, slope: 0.1, false_verdicts: [[true, true], [true, true]] },
    Truth { name: "claims false", probability: 0.93, slope: 0.12, false_verdicts: [[true, false], [true, false]] },
    Truth { name: "claims true", probability: 0.97, slope: 0.08, false_verdicts: [[false, true], [false, true]] },
];

/// One run: T0 holds or not, and the smallest number kept that suffices, at most 3, so that T2b holds in every run.
fn rows(t0: bool, sufficient: usize) -> Vec<PruningRow> {
    let row = |kept: usize, finetuned: bool, errors: u64| PruningRow {
        kept,
        finetuned,
        errors: Some(errors),
        ..PruningRow::default()
    };
    let tuned = (2..=8).map(|kept| row(kept, true, if kept >= sufficient { 0 } else { 1 }));
    let mut rows: Vec<PruningRow> = tuned.collect();
    rows.push(row(1, false, u64::from(!t0)));
    rows
}

/// The false verdicts on probabilities and on the slope of one made-up simulation: whether there is any.
fn judge(simulation: &Simulation, points: &[Point], truth: &Truth, design: Design, repetition: u64) -> [bool; 2] {
    let mut generator = ChaCha8Rng::seed_from_u64(repetition);
    let mut tests = ClaimTests::new(simulation, points, design);
    let (body, experts) = (RunBody::default(), [ExpertRow::default()]);
    for run in 0..RUNS {
        for (place, point) in points.iter().enumerate() {
            let t0 = generator.random_bool(truth.probability);
            // The smallest sufficient number is 2 or 3, on average 2 + slope · log₂(k/8), so that its slope is exact.
            let more = generator.random_bool(truth.slope * place as f64);
            let pruning = rows(t0, if more { 3 } else { 2 });
            let evidence = Observation {
                parameters: &point.parameters,
                run: &body,
                experts: &experts,
                pruning: &pruning,
                trajectory: &[],
            };
            tests.add(point.index, run, &evidence);
        }
    }
    let mut found = [false; 2];
    for row in tests.rows() {
        let place = match (row.claim.as_str(), row.part) {
            ("T0", Part::Probability) => 0,
            ("T2b", Part::Slope) => 1,
            _ => continue,
        };
        let [supported, refuted] = truth.false_verdicts[place];
        found[place] |=
            (row.verdict == Decision::Supported && supported) || (row.verdict == Decision::Refuted && refuted);
    }
    found
}

/// 99.9 % of binomial rates lie below this, if the true rate is `rate`: the Monte Carlo error of 10,000 repetitions.
fn most(rate: f64) -> f64 {
    rate + 3.1 * (rate * (1.0 - rate) / REPETITIONS as f64).sqrt()
}

#[test]
fn any_false_verdict_is_at_most_as_frequent_as_stated_and_the_table_of_rates_is_true() {
    let simulation = Simulation::parse("rates.toml", TEXT, &Overrides::default()).expect("legal");
    let points = simulation.points().expect("legal");
    assert_eq!(points.len(), EXPERTS.len());
    let mut table =
        "design,truth,runs,repetitions,false_probability,false_slope,any_false,monte_carlo_error\n".to_owned();
    for (name, design) in DESIGNS {
        for truth in &TRUTHS {
            let found: Vec<[bool; 2]> = (0..REPETITIONS)
                .into_par_iter()
                .map(|repetition| judge(&simulation, &points, truth, design, repetition))
                .collect();
            let rate = |wrong: &dyn Fn(&[bool; 2]) -> bool| {
                found.iter().filter(|found| wrong(found)).count() as f64 / REPETITIONS as f64
            };
            let any = rate(&|found| found[0] || found[1]);
            let error = (any * (1.0 - any) / REPETITIONS as f64).sqrt();
            let (probability, slope) = (rate(&|found| found[0]), rate(&|found| found[1]));
            let truth = truth.name;
            let _ =
                writeln!(table, "{name},{truth},{RUNS},{REPETITIONS},{probability:.4},{slope:.4},{any:.4},{error:.4}");
            assert!(any <= most(0.05), "{name}, {truth}: {any} of simulations have a false verdict");
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/verdict_rates.csv");
    if std::env::var_os("UPDATE_RATES").is_some() {
        std::fs::write(path, &table).expect("writable");
    }
    let kept = std::fs::read_to_string(path).expect("the table");
    assert_eq!(kept, table, "the rates have changed: UPDATE_RATES=1 writes them again");
}
