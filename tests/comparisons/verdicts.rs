//! What comparisons decide.

use moe_theory::claims::Observation;
use moe_theory::claims::judge::{ClaimTests, conclusions};
use moe_theory::measure::Role;
use moe_theory::measure::accuracy::Errors;
use moe_theory::patterns::streams::{Purpose, stream};
use moe_theory::record::design::Design;
use moe_theory::record::rows::RunBody;
use moe_theory::record::{ExpertRow, PruningRow};
use moe_theory::sim::parameters::Criterion;
use moe_theory::sim::{Overrides, Simulation};
use rand::RngExt;

/// The verdict on a claim against `random` over made-up runs, in which the other is better or worse at one ratio.
fn verdict(id: &str, runs: impl Iterator<Item = (bool, bool)>) -> String {
    let text = format!(
        "name = \"x\"\n[pruning]\ncriteria = [\"random\"]\n[[claim]]\nid = \"{id}\"\nagainst = \"random\"\non = \"all\""
    );
    let simulation = Simulation::parse("x.toml", &text, &Overrides::default()).expect("legal");
    let points = simulation.points().expect("legal");
    let mut tests = ClaimTests::new(&simulation, &points, Design::Fixed);
    let expert = |role| ExpertRow { role, ..ExpertRow::default() };
    let experts: Vec<ExpertRow> = [Role::Irrelevant; 3].into_iter().map(expert).collect();
    for (number, (worse, better)) in runs.enumerate() {
        let row = |criterion, kept: usize, accuracy: f64| PruningRow {
            criterion,
            kept,
            accuracy: Some(accuracy),
            errors: Some((1000.0 * (1.0 - accuracy)).round() as u64),
            samples: Some(1000),
            ..PruningRow::default()
        };
        let [first, second] = [worse, better].map(|gap| if gap { 0.5 } else { 0.0 });
        // Within the margin they differ in every run.
        let pruning = [
            row(Criterion::RouterNormChange, 3, 1.0),
            row(Criterion::RouterNormChange, 2, 0.995 - first),
            row(Criterion::RouterNormChange, 1, 0.95),
            row(Criterion::Random, 3, 1.0),
            row(Criterion::Random, 2, 1.0),
            row(Criterion::Random, 1, 0.945 - second),
        ];
        let body = RunBody::default();
        let parameters = &points[0].parameters;
        tests.add(
            0,
            number as u64,
            &Observation { parameters, run: &body, experts: &experts, pruning: &pruning, trajectory: &[] },
        );
    }
    let rows = tests.rows();
    conclusions(&rows)[0].verdict.to_string()
}

#[test]
fn a_comparison_is_decided_by_the_runs_that_differ() {
    let of = |id: &str, worse: u64, better: u64, both: u64| {
        verdict(
            id,
            (0..200u64).map(|run| {
                let both = run < both;
                let (w, b) = (run >= 200 - worse, (100..100 + better).contains(&run) && run < 200 - worse);
                (w || both, b || both)
            }),
        )
    };
    // Never different: as accurate, not more accurate.
    assert_eq!((of("C1", 0, 0, 0), of("C2", 0, 0, 0)), ("SUPPORTED".into(), "REFUTED".into()));
    assert_eq!((of("C1", 0, 20, 0), of("C2", 0, 20, 0)), ("SUPPORTED".into(), "SUPPORTED".into()));
    assert_eq!((of("C1", 20, 0, 0), of("C2", 20, 0, 0)), ("REFUTED".into(), "REFUTED".into()));
    // As often the one as the other, and runs in which both are better somewhere, decide nothing.
    assert_eq!((of("C1", 40, 40, 0), of("C2", 40, 40, 0)), ("INCONCLUSIVE".into(), "INCONCLUSIVE".into()));
    assert_eq!((of("C1", 0, 0, 60), of("C2", 0, 0, 60)), ("INCONCLUSIVE".into(), "INCONCLUSIVE".into()));
    assert_eq!((of("C1", 20, 0, 100), of("C2", 20, 0, 100)), ("REFUTED".into(), "REFUTED".into()));
    assert_eq!((of("C1", 0, 20, 60), of("C2", 0, 20, 60)), ("SUPPORTED".into(), "SUPPORTED".into()));
}

/// What one run says of C1 (margin ¼), with two of four experts irrelevant, no difference of the whole model and these at 3,
/// 2 and 1 kept.
fn comparison(differences: [f64; 3], ratio: &str) -> (bool, bool, Option<f64>) {
    let text = format!(
        "name = \"x\"\n[pruning]\ncriteria = [\"random\"]\n[[claim]]\nid = \"C1\"\nagainst = \"random\"\nmargin = 0.25\n{ratio}"
    );
    let simulation = Simulation::parse("x.toml", &text, &Overrides::default()).expect("legal");
    let points = simulation.points().expect("legal");
    let roles = [Role::Relevant, Role::Relevant, Role::Irrelevant, Role::Irrelevant];
    let experts: Vec<ExpertRow> = roles.map(|role| ExpertRow { role, ..ExpertRow::default() }).into();
    let rows = |criterion, of: [f64; 4]| {
        (1..=4).rev().zip(of).map(move |(kept, accuracy)| PruningRow {
            criterion,
            kept,
            ratio: (4 - kept) as f64 / 4.0,
            accuracy: Some(accuracy),
            errors: Some((1000.0 * (1.0 - accuracy)).round() as u64),
            samples: Some(1000),
            ..PruningRow::default()
        })
    };
    let [first, second, third] = differences.map(|difference| 0.5 + difference);
    let pruning: Vec<PruningRow> = rows(Criterion::RouterNormChange, [0.5, first, second, third])
        .chain(rows(Criterion::Random, [0.5; 4]))
        .collect();
    let body = RunBody::default();
    let evidence = Observation {
        parameters: &points[0].parameters,
        run: &body,
        experts: &experts,
        pruning: &pruning,
        trajectory: &[],
    };
    let claim = &simulation.claims[0];
    let seen = evidence.comparison(claim);
    (seen.worse, seen.better, seen.difference)
}

/// ρ = γ counts, what lies beyond does not; a difference of the margin itself is none.
#[test]
fn a_comparison_ends_at_gamma_and_begins_above_the_margin() {
    assert_eq!(comparison([0.0, -0.5, 0.0], ""), (true, false, Some(-0.5)));
    assert_eq!(comparison([0.0, 0.5, 0.0], ""), (false, true, Some(0.0)));
    assert_eq!(comparison([0.0, 0.0, -0.5], ""), (false, false, Some(0.0)));
    assert_eq!(comparison([0.0, 0.0, -0.5], "ratio = 0.75"), (true, false, Some(-0.5)));
    assert_eq!(comparison([0.0, -0.5, 0.0], "ratio = 0.25"), (false, false, Some(0.0)));
    assert_eq!(comparison([0.25, -0.25, 0.0], ""), (false, false, Some(-0.25)));
    assert_eq!(comparison([0.375, -0.375, 0.0], ""), (true, true, Some(-0.375)));
}

/// What one run says of C1 with this margin, on samples of this feature, if one of four experts is pruned and the file's
/// criterion makes the first number of errors and the other the second.
fn of_errors(errors: [u64; 2], samples: u64, margin: &str, feature: &str) -> (bool, bool) {
    let feature = if feature.is_empty() { String::new() } else { format!("feature = \"{feature}\"") };
    let text = format!(
        "name = \"x\"\n[data]\nfeatures = 2\nrare_share = 0.1\n[pruning]\ncriteria = [\"random\"]\n[[claim]]\nid = \"C1\"\n\
         against = \"random\"\non = \"all\"\nratio = 0.25\nmargin = {margin}\n{feature}"
    );
    let simulation = Simulation::parse("x.toml", &text, &Overrides::default()).expect("legal");
    let points = simulation.points().expect("legal");
    let experts: Vec<ExpertRow> = (0..4).map(|_| ExpertRow::default()).collect();
    let row = |criterion, errors: u64| {
        let accuracy = Errors { errors, samples }.accuracy();
        // The samples of a feature are some of three times as many.
        let (all, of) = if feature.is_empty() { (errors, samples) } else { (errors + 7, 3 * samples) };
        PruningRow {
            criterion,
            kept: 3,
            ratio: 0.25,
            accuracy: Some(Errors { errors: all, samples: of }.accuracy()),
            errors: Some(all),
            samples: Some(of),
            accuracy_common: Some(accuracy),
            accuracy_rare: Some(accuracy),
            ..PruningRow::default()
        }
    };
    let pruning = [row(Criterion::RouterNormChange, errors[0]), row(Criterion::Random, errors[1])];
    let body = RunBody::default();
    let evidence = Observation {
        parameters: &points[0].parameters,
        run: &body,
        experts: &experts,
        pruning: &pruning,
        trajectory: &[],
    };
    let claim = &simulation.claims[0];
    let seen = evidence.comparison(claim);
    (seen.worse, seen.better)
}

/// A margin is the decimal that the file says: so many errors of so many samples are not more than it, one more are.
#[test]
fn a_difference_of_exactly_the_margin_is_no_difference_at_any_number_of_errors() {
    for feature in ["", "common", "rare"] {
        for (margin, errors, samples) in [("0.01", 20, 2000), ("0.01", 3, 300), ("0.07", 70, 1000), ("0.3", 27, 90)] {
            for fewer in [0, 1, 19, samples / 3, samples / 2, samples - errors - 1] {
                let more = fewer + errors;
                for (first, second, found) in [
                    (more, fewer, (false, false)),
                    (fewer, more, (false, false)),
                    (more + 1, fewer, (true, false)),
                    (fewer, more + 1, (false, true)),
                ] {
                    let seen = of_errors([first, second], samples, margin, feature);
                    assert_eq!(seen, found, "{first} and {second} of {samples}, margin {margin}, {feature}");
                }
            }
        }
    }
}

#[test]
fn too_few_runs_are_said_and_missing_rows_count_against() {
    assert_eq!(verdict("C1", (0..4).map(|_| (true, false))), "INCONCLUSIVE (too few)");
    assert_eq!(verdict("C1", (0..20).map(|_| (true, false))), "REFUTED");
}

/// At the edge of each hypothesis a false verdict comes in at most one simulation of twenty. 400 simulations: 20 expected
/// at most, 40 or more of them with probability below 1e-4.
#[test]
fn false_verdicts_of_comparisons_are_rare() {
    let mut generator = stream(11, Purpose::Evaluation);
    let mut wrong = |id: &str, worse: f64, better: f64, verdict_wrong: &str| {
        let mut count = 0;
        for _ in 0..400 {
            let runs: Vec<(bool, bool)> = (0..120)
                .map(|_| {
                    let draw: f64 = generator.random();
                    (draw < worse, draw >= worse && draw < worse + better)
                })
                .collect();
            count += usize::from(verdict(id, runs.into_iter()) == verdict_wrong);
        }
        count
    };
    assert!(wrong("C1", 0.2, 0.2, "REFUTED") < 40);
    assert!(wrong("C1", 0.05, 0.0, "SUPPORTED") < 40);
    assert!(wrong("C1", 0.45, 0.4, "SUPPORTED") < 40);
    assert!(wrong("C2", 0.2, 0.2, "SUPPORTED") < 40);
    assert!(wrong("C2", 0.0, 0.05, "REFUTED") < 40);
}
