//! The decision rule on made-up runs whose truth is known.

use moe_theory::claims::Observation;
use moe_theory::claims::judge::{ClaimTests, conclusions, surprises};
use moe_theory::claims::phase::PhaseMaps;
use moe_theory::measure::{Audit, ExpertAtStart, Role};
use moe_theory::record::ClaimRow;
use moe_theory::record::design::Design;
use moe_theory::record::rows::{ExpertRow, PruningRow, RunBody};
use moe_theory::sim::Decision;
use moe_theory::sim::{Overrides, Parameters, Point, Simulation};
use std::sync::OnceLock;

/// A simulation that claims T0 on all runs at `points` points.
fn simulation(points: usize, claim: &str) -> (Simulation, Vec<Point>) {
    let batches: Vec<String> = (1..=points).map(|batch| batch.to_string()).collect();
    let text = format!(
        "name = \"rule\"\n[grid]\n\"training.batch\" = [{}]\n[[claim]]\nid = \"T0\"\n{claim}\n",
        batches.join(", ")
    );
    let simulation = Simulation::parse("rule.toml", &text, &Overrides::default()).expect("legal");
    let points = simulation.points().expect("legal");
    (simulation, points)
}

/// The default parameters: T0 asks for none of them.
fn parameters() -> Parameters {
    static DEFAULT: OnceLock<Parameters> = OnceLock::new();
    DEFAULT.get_or_init(|| simulation(1, "").1[0].parameters.clone()).clone()
}

/// A run in which T0 holds or not, and which meets every assumption or none.
fn add(tests: &mut ClaimTests, point: usize, run: u64, holds: bool, meets: bool) {
    let body = RunBody {
        meets_labels: meets,
        meets_balance: meets,
        meets_roles: meets,
        meets_travel: meets,
        meets_rate: meets,
        meets_growth: meets,
        ..RunBody::default()
    };
    let experts = [ExpertRow::default()];
    let pruning = [PruningRow { kept: 1, errors: Some(u64::from(!holds)), ..PruningRow::default() }];
    let parameters = parameters();
    tests.add(
        point,
        run,
        &Observation { parameters: &parameters, run: &body, experts: &experts, pruning: &pruning, trajectory: &[] },
    );
}

/// The rows after `runs` runs a point of which the first `failures[point]` fail.
fn judge(failures: &[u64], runs: u64) -> Vec<ClaimRow> {
    let (simulation, points) = simulation(failures.len(), "on = \"all\"");
    let mut tests = ClaimTests::new(&simulation, &points, Design::Fixed);
    for (point, &failures) in failures.iter().enumerate() {
        for run in 0..runs {
            add(&mut tests, point, run, run >= failures, true);
        }
    }
    tests.rows()
}

/// Twenty points of 200 runs, that is 40 hypotheses. Ten failures of 200 speak for neither side at the other points, so
/// that Holm's first step decides on the first: SUPPORTED allows 1 failure, REFUTED needs 21.
#[test]
fn two_hundred_runs_and_forty_hypotheses_draw_the_line_where_the_binomial_does() {
    let verdict_at = |failures: u64| {
        let mut all = [10; 20];
        all[0] = failures;
        judge(&all, 200)[0].verdict.to_string()
    };
    let verdicts: Vec<String> = [0, 1, 2, 20, 21, 200].into_iter().map(verdict_at).collect();
    assert_eq!(verdicts, ["SUPPORTED", "SUPPORTED", "INCONCLUSIVE", "INCONCLUSIVE", "REFUTED", "REFUTED"]);
}

#[test]
fn a_claim_of_several_points_is_supported_by_all_and_refuted_by_one() {
    let conclusion = |failures: &[u64]| {
        let rows = judge(failures, 300);
        assert_eq!(rows.len(), failures.len() + 1);
        conclusions(&rows)[0].verdict.name()
    };
    assert_eq!(conclusion(&[0, 0, 0]), "SUPPORTED");
    assert_eq!(conclusion(&[0, 0, 60]), "REFUTED");
    assert_eq!(conclusion(&[0, 15, 0]), "INCONCLUSIVE");
}

#[test]
fn too_few_runs_are_said_to_be_too_few() {
    let rows = judge(&[0], 60);
    assert_eq!(rows[0].verdict, Decision::TooFew);
    // 0.95^n ≤ 0.05/2 first holds at n = 72.
    assert_eq!(judge(&[0], 71)[0].verdict, Decision::TooFew);
    assert_eq!(judge(&[0], 72)[0].verdict, Decision::Supported);
}

#[test]
fn runs_that_miss_an_assumption_are_set_aside_and_counted() {
    let (simulation, points) = simulation(1, "on = \"met\"");
    let mut tests = ClaimTests::new(&simulation, &points, Design::Fixed);
    for run in 0..200 {
        // Every run that misses its assumptions fails: it must not count.
        add(&mut tests, 0, run, run % 2 == 0, run % 2 == 0);
    }
    let row = tests.rows().remove(0);
    assert_eq!((row.runs, row.set_aside, row.holds, row.verdict.name()), (100, 100, Some(100), "SUPPORTED"));
    assert_eq!(row.missed, "A-labels 100, A-balance 100, A-roles 100, A-travel 100, A-rate 100, A-growth 100");
}

#[test]
fn a_run_without_rows_of_pruned_models_does_not_hold() {
    let (simulation, points) = simulation(1, "on = \"all\"");
    let mut tests = ClaimTests::new(&simulation, &points, Design::Fixed);
    let (body, experts) = (RunBody::default(), [ExpertRow::default()]);
    for run in 0..50 {
        let parameters = &points[0].parameters;
        tests.add(0, run, &Observation { parameters, run: &body, experts: &experts, pruning: &[], trajectory: &[] });
    }
    let row = tests.rows().remove(0);
    assert_eq!((row.runs, row.holds, row.verdict.name()), (50, Some(0), "REFUTED"));
}

#[test]
fn an_unexpected_verdict_is_a_surprise_and_an_expected_one_is_not() {
    for (expected, surprising) in [("SUPPORTED", 0), ("REFUTED", 1)] {
        let (simulation, points) = simulation(2, &format!("on = \"all\"\nexpect = \"{expected}\""));
        let mut tests = ClaimTests::new(&simulation, &points, Design::Fixed);
        (0..2).for_each(|point| (0..300).for_each(|run| add(&mut tests, point, run, true, true)));
        assert_eq!(surprises(&tests.rows()).len(), surprising, "{expected}");
    }
}

/// Bounds are the decimals of the file: at the bound itself an assumption is met, however its sides are rounded.
#[test]
fn assumptions_are_met_at_exactly_their_bounds_and_not_beyond() {
    let audit = |set: &[&str]| {
        let set: Vec<String> = set.iter().map(ToString::to_string).collect();
        let overrides = Overrides { set: &set, seeds: None };
        let points = Simulation::parse("x.toml", "name = \"x\"", &overrides).and_then(|simulation| simulation.points());
        let expert = |role| ExpertAtStart { sign: 1.0, role, norm: 1.0, mean_activation: 0.0 };
        let roles = (0..100).map(|expert| if expert < 29 { Role::Misaligned } else { Role::Irrelevant });
        Audit::new(&points.expect("legal")[0].parameters, &roles.map(expert).collect::<Vec<_>>())
    };
    for (share, met) in [("0.45", true), ("0.55", true), ("0.5500001", false), ("0.4499999", false)] {
        assert_eq!(audit(&[&format!("data.class_share={share}")]).balance, met, "{share}");
    }
    for (bound, met) in [("0.29", true), ("0.2899999", false)] {
        assert_eq!(audit(&[&format!("assumptions.misaligned_max={bound}")]).aligned, met, "{bound}");
    }
    for (bound, met) in [("29", true), ("29.000001", false)] {
        let travel = audit(&[
            "training.router_rate=0.29",
            "training.iterations=100",
            &format!("assumptions.travel_min={bound}"),
        ]);
        assert_eq!(travel.travel, met, "{bound}");
    }
    for (bound, met) in [("0.58", true), ("0.5800001", false)] {
        let set = ["training.expert_rate=0.29", "training.iterations=100", "model.neurons=50"];
        assert_eq!(audit(&[&set[..], &[&format!("assumptions.growth_min={bound}")]].concat()).growth, met, "{bound}");
    }
    for (batch, met) in [("70", true), ("69", false)] {
        let set = ["data.patterns=1000", "assumptions.batch_per_pattern_min=0.07", &format!("training.batch={batch}")];
        assert_eq!(audit(&set).batch, met, "{batch}");
    }
}

/// 55 of 100 are a share of 0.55, which is the level.
#[test]
fn a_share_of_runs_at_the_level_itself_is_not_below_it() {
    let text = "name = \"x\"\n[grid]\n\"training.batch\" = [1]\n[[phase]]\nclaims = [{ id = \"T0\", level = 0.55 }]";
    let simulation = Simulation::parse("x.toml", text, &Overrides::default()).expect("legal");
    let points = simulation.points().expect("legal");
    for (holds, remark) in [(55, "holds throughout"), (54, "fails throughout")] {
        let mut atlas = PhaseMaps::new(&simulation, &points);
        for run in 0..100 {
            let (body, experts) = (RunBody::default(), [ExpertRow::default()]);
            let errors = Some(u64::from(run >= holds));
            let pruning = [PruningRow { kept: 1, errors, ..PruningRow::default() }];
            let parameters = &points[0].parameters;
            atlas
                .add(0, &Observation { parameters, run: &body, experts: &experts, pruning: &pruning, trajectory: &[] });
        }
        assert_eq!(atlas.boundaries()[0].remark, remark, "{holds} of 100");
    }
}
