//! Claims of a file are judged as those of the theory are.

use crate::simulation;
use moe_theory::claims::judge::ClaimTests;
use moe_theory::claims::{Analysis, Observation};
use moe_theory::measure::Role;
use moe_theory::record::Design;
use moe_theory::record::rows::{ClaimRow, ExpertRow, RunBody};
use moe_theory::sim::{ClaimSpec, Decision, Part};
use rand::{Rng, SeedableRng};

/// One relevant and one irrelevant expert; no Δ if the run diverged.
fn experts(change: Option<f64>) -> Vec<ExpertRow> {
    let expert = |role, delta| ExpertRow { role, built_role: role, delta, norm_0: Some(1.0), ..ExpertRow::default() };
    vec![expert(Role::Relevant, change), expert(Role::Irrelevant, change.map(|_| 0.001))]
}

/// The rows of the claims of a file over these changes at each point.
fn judge(lines: &str, changes: &dyn Fn(usize, u64) -> Option<f64>, runs: u64) -> Vec<ClaimRow> {
    let (simulation, points) = simulation(lines).expect("legal");
    let mut tests = ClaimTests::new(&simulation, &points, Design::Fixed);
    let body = RunBody { meets_roles: true, ..RunBody::default() };
    for point in &points {
        for run in 0..runs {
            let experts = experts(changes(point.index, run));
            let parameters = &point.parameters;
            let observation = Observation { parameters, run: &body, experts: &experts, pruning: &[], trajectory: &[] };
            tests.add(point.index, run, &observation);
        }
    }
    tests.rows()
}

const OWN: &str = "[[claim]]\nid = \"own\"\nholds = \"min(delta where relevant) >= threshold\"\nthreshold = 0.1\nfigure = \"min(delta where relevant)\"\nassumes = [\"A-roles\"]\n";

#[test]
fn a_claim_of_the_theory_and_the_same_claim_of_a_file_have_one_verdict() {
    let theory = "[[claim]]\nid = \"T1a\"\nthreshold = 0.1\non = \"all\"\n";
    let changes = |_: usize, run: u64| Some(if run.is_multiple_of(40) { 0.05 } else { 0.2 + run as f64 / 1000.0 });
    let rows = judge(&format!("{theory}{OWN}on = \"all\"\n"), &changes, 300);
    let [theory, own] = rows.as_slice() else { panic!("{rows:?}") };
    let same = ClaimRow { claim: "T1a".into(), number: 1, ..own.clone() };
    assert_eq!(&same, theory);
}

#[test]
fn a_run_without_a_value_fails_unless_the_file_sets_it_aside() {
    let changes = |_: usize, run: u64| (!run.is_multiple_of(4)).then_some(0.5);
    let row = |missing: &str| judge(&format!("{OWN}{missing}"), &changes, 200).remove(0);
    let failing = row("");
    assert_eq!(
        (failing.runs, failing.set_aside, failing.holds, failing.verdict),
        (200, 0, Some(150), Decision::Refuted)
    );
    let aside = row("missing = \"set-aside\"");
    assert_eq!((aside.runs, aside.set_aside, aside.holds, aside.verdict), (150, 50, Some(150), Decision::Supported));
    assert_eq!(aside.missed, "no value 50 of 200 runs");
}

#[test]
fn an_assumption_of_the_file_sets_runs_aside() {
    let lines = "[grid]\n\"training.batch\" = [32, 512]\n[[claim]]\nid = \"own\"\nholds = \"min(delta where relevant) > 0\"\nassumes = [\"small\"]\n\
                 [[assumption]]\nid = \"small\"\nmet = \"batch <= patterns and all(norm_0 <= 1)\"";
    let rows = judge(lines, &|_, _| Some(1.0), 120);
    let told: Vec<_> = rows.iter().map(|row| (row.part, row.runs, row.set_aside, row.missed.as_str())).collect();
    assert_eq!(told[..2], [(Part::Probability, 120, 0, ""), (Part::Probability, 0, 120, "small 120")]);
}

#[test]
fn a_slope_is_that_of_the_number_on_the_abscissa() {
    // Δ = d^0.75, times a factor that differs from run to run.
    let patterns = [64.0_f64, 128.0, 256.0, 512.0];
    let changes = |point: usize, run: u64| Some(patterns[point].powf(0.75) * (1.0 + (run % 7) as f64 / 50.0));
    let lines = |side: &str| {
        format!(
            "[grid]\n\"data.patterns\" = [64, 128, 256, 512]\n[[claim]]\nid = \"own\"\nfigure = \"max(delta)\"\n\
             slope = {{ of = \"log(figure)\", on = \"log(patterns)\", {side} }}"
        )
    };
    let verdict = |side: &str| {
        let row = judge(&lines(side), &changes, 60).remove(0);
        assert!((row.estimate.expect("a slope") - 0.75).abs() < 0.02, "{row:?}");
        (row.part, row.verdict)
    };
    assert_eq!(verdict("at_least = 0.5"), (Part::SlopeAtLeast, Decision::Supported));
    assert_eq!(verdict("at_least = 1"), (Part::SlopeAtLeast, Decision::Refuted));
    assert_eq!(verdict("at_most = 1"), (Part::SlopeAtMost, Decision::Supported));
    assert_eq!(verdict("at_most = 0.5"), (Part::SlopeAtMost, Decision::Refuted));
    // The logarithm of 0 is no number.
    let row = judge(&lines("at_least = 1").replace("max(delta)", "0 * max(delta)"), &changes, 60).remove(0);
    assert_eq!((row.verdict, row.estimate), (Decision::Zero, None));
}

/// In no more than a twentieth of simulations, but for chance, a claim that holds exactly at its level is decided.
#[test]
fn the_error_rate_of_a_claim_of_a_file_is_at_most_the_nominal_one() {
    const REPETITIONS: u64 = 1000;
    let mut random = chacha20::ChaCha8Rng::seed_from_u64(19);
    let mut uniform = || (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    let lines = format!("{OWN}level = 0.9\nmissing = \"set-aside\"");
    let (simulation, points) = simulation(&lines).expect("legal");
    let body = RunBody { meets_roles: true, ..RunBody::default() };
    let mut decided = 0;
    for _ in 0..REPETITIONS {
        let mut tests = ClaimTests::new(&simulation, &points, Design::Fixed);
        for run in 0..150 {
            // A fifth of the runs say nothing, whatever they would have said.
            let change = if uniform() < 0.9 { 0.2 } else { 0.05 };
            let experts = experts((uniform() < 0.8).then_some(change));
            let parameters = &points[0].parameters;
            let observation = Observation { parameters, run: &body, experts: &experts, pruning: &[], trajectory: &[] };
            tests.add(0, run, &observation);
        }
        decided += u64::from(tests.rows()[0].verdict != Decision::Inconclusive);
    }
    // Three standard errors above 5 %.
    assert!((1..=70).contains(&decided), "{decided} of {REPETITIONS}");
}

#[test]
fn a_map_of_a_claim_has_its_threshold_or_one_of_its_own() {
    let lines = format!(
        "{OWN}[grid]\n\"training.batch\" = [32, 64]\n[[phase]]\nclaims = [{{ id = \"own\" }}, {{ id = \"own\", threshold = 0.4 }}]"
    );
    let (simulation, points) = simulation(&lines).expect("legal");
    let mut analysis = Analysis::new(&simulation, &points, Design::Fixed);
    for point in &points {
        analysis.add(point.index, 0, &RunBody::default(), &experts(Some(0.3)), &[], &[]);
    }
    let told: Vec<_> = analysis.findings().phase.iter().map(|row| (row.threshold, row.holds)).collect();
    assert_eq!(told, [(Some(0.1), 1), (Some(0.1), 1), (Some(0.4), 0), (Some(0.4), 0)]);
}

#[test]
fn a_manifest_holds_a_claim_whole() {
    let lines = format!("{OWN}missing = \"set-aside\"\n[[claim]]\nid = \"T0\"");
    let (simulation, _) = simulation(&lines).expect("legal");
    let text = serde_json::to_string(&simulation.claims).expect("JSON");
    assert_eq!(serde_json::from_str::<Vec<ClaimSpec>>(&text).expect("claims"), simulation.claims);
    assert!(
        text.contains("min(delta where relevant) >= threshold")
            && !text.split("T0").nth(1).expect("T0").contains("own")
    );
    let broken = text.replace(">= threshold", ">= treshold");
    assert!(serde_json::from_str::<Vec<ClaimSpec>>(&broken).is_err());
}
