//! The falsifier finds what was planted, and something else when that road is closed.

use moe_theory::falsify::{Candidate, Evaluator, Found, Region, report, search, shrink};
use std::cell::Cell;

/// Keys that are not searched, so that a candidate takes milliseconds.
const SMALL: &str = r#"
[data]
patterns = 24
tokens = 6
class_share = 0.5
[model]
experts = 8
neurons = 4
tokens_per_expert = 2
[pretrained]
relevant_per_class = 1
specialisation = 0.5
router_scale = 1.0
router_noise = 0.05
neuron_scale_relevant = 0.2
[training]
router_rate = 0.4
expert_rate = 0.8
iterations = 100
[roles]
proficiency_samples = 60
[evaluation]
samples = 300
"#;

/// The region of a claim: the small setting with further fixed keys and ranges.
fn region(claim: &str, fixed: &str, ranges: &str) -> Region {
    let mut text = SMALL.to_owned();
    for line in fixed.lines().filter(|line| !line.is_empty()) {
        let (section, setting) = line.trim().split_once('.').expect("section.key = value");
        let head = format!("[{section}]");
        if !text.contains(&head) {
            text.push_str(&format!("{head}\n"));
        }
        text = text.replace(&head, &format!("{head}\n{setting}"));
    }
    Region::new(claim, "test", &format!("{text}[region]\n{ranges}")).unwrap_or_else(|error| panic!("{error}"))
}

/// Searches and shrinks with a budget of questions whether it is over, so that no clock decides.
fn hunt(region: &Region, budget: usize) -> Option<Found> {
    let asked = Cell::new(0);
    let over = || {
        asked.set(asked.get() + 1);
        asked.get() > budget
    };
    let mut evaluator = Evaluator::new(region, 1);
    let outcome = search(&mut evaluator, &over, &mut |_| ());
    let found = outcome.found?;
    asked.set(0);
    Some(shrink(&mut evaluator, &found, &over))
}

fn value(region: &Region, candidate: &Candidate, path: &str) -> Option<f64> {
    let place = region.dimensions.iter().position(|dimension| dimension.path == path)?;
    candidate.values[place]
}

/// Whether the written file fails on seeds that the search never used.
fn replays(region: &Region, candidate: &Candidate) -> bool {
    let look = Evaluator::new(region, 99).evaluate_at(candidate, 60, 0xfeed).expect("a legal candidate");
    look.is_within() && look.p_refuted < 1e-3
}

/// T2a: loud irrelevant experts, once A-activation lets them.
#[test]
fn finds_loud_experts_against_t2a() {
    let region = region(
        "T2a",
        "assumptions.activation_max = 100\npretrained.misaligned = 0\npretrained.gauge_relevant = 0\n\
         pretrained.neuron_scale_misaligned = 0.2\ntraining.batch = 24",
        "\"pretrained.neuron_scale\" = { from = 0.1, to = 3.0, scale = \"log\" }",
    );
    let found = hunt(&region, 300).expect("a failure");
    assert!(value(&region, &found.candidate, "pretrained.neuron_scale").is_some_and(|scale| scale > 0.3), "{found:?}");
    assert!(replays(&region, &found.candidate));
}

/// The loud experts of the test above, with A-activation as it stands: hardly a run counts, so they are no candidate.
#[test]
fn runs_outside_the_assumptions_are_no_failures() {
    let fixed = "pretrained.misaligned = 0\npretrained.gauge_relevant = 0\npretrained.neuron_scale_misaligned = 0.2\n\
                 training.batch = 24";
    let region = region("T2a", fixed, "\"pretrained.neuron_scale\" = { from = 0.1, to = 3.0, scale = \"log\" }");
    let place =
        region.dimensions.iter().position(|dimension| dimension.path == "pretrained.neuron_scale").expect("a key");
    let mut loud = Candidate::default_of(&region);
    loud.values[place] = Some(3.0);
    let look = Evaluator::new(&region, 5).evaluate_at(&loud, 20, 0xfeed).expect("a legal candidate");
    assert!(look.runs == 20 && look.met <= 3 && !look.is_within(), "{look:?}");
}

/// Where the claim fails now and then, a few failing runs are no failure of the claim.
#[test]
fn a_failure_is_one_beyond_chance() {
    let fixed = "assumptions.activation_max = 100\npretrained.misaligned = 0\npretrained.gauge_relevant = 0\n\
                 pretrained.neuron_scale_misaligned = 0.2\ntraining.batch = 24";
    let region = region("T2a", fixed, "\"pretrained.neuron_scale\" = { from = 0.3, to = 0.7, scale = \"log\" }");
    let mut suspected = 0;
    for seed in 0..8 {
        let asked = Cell::new(0);
        let over = || {
            asked.set(asked.get() + 1);
            asked.get() > 40
        };
        let outcome = search(&mut Evaluator::new(&region, seed), &over, &mut |_| ());
        suspected += outcome.suspected;
        let chance = |found: &Found| (found.result.holds, found.result.p_refuted);
        assert!(
            outcome.found.as_ref().is_none_or(|found| found.result.p_refuted <= 0.005),
            "{:?}",
            outcome.found.as_ref().map(chance)
        );
    }
    assert!(suspected > 8, "{suspected}");
}

/// T1d: a batch that does not grow with d, once A-batch lets it.
#[test]
fn finds_a_tiny_batch_against_t1d() {
    let fixed = "assumptions.batch_per_pattern_min = 0\npretrained.misaligned = 0\npretrained.gauge_relevant = 0\n\
                 pretrained.neuron_scale = 0.2\npretrained.neuron_scale_misaligned = 0.2";
    let fixed_small = region("T1d", fixed, "\"training.batch\" = { from = 2, to = 256, scale = \"log\" }");
    let region = Region { line: vec![24, 48, 96], ..fixed_small };
    let found = hunt(&region, 60).expect("a failure");
    assert!(value(&region, &found.candidate, "training.batch").is_some_and(|batch| batch <= 64.0), "{found:?}");
}

/// T1c: misaligned experts or a gauge, whichever is open.
#[test]
fn finds_another_road_when_one_is_closed_against_t1c() {
    let common = "assumptions.norm_max = 1e9\nassumptions.misaligned_max = 1\npretrained.neuron_scale = 0.2\ntraining.batch = 24";
    let gauge = "\"pretrained.gauge_relevant\" = { from = -400, to = 400 }";
    let both = region("T1c", common, gauge);
    let found = hunt(&both, 300).expect("a failure");
    assert!(replays(&both, &found.candidate));

    let no_misaligned =
        region("T1c", &format!("{common}\npretrained.misaligned = 0\npretrained.neuron_scale_misaligned = 0.2"), gauge);
    let found = hunt(&no_misaligned, 300).expect("a failure");
    let found_gauge = value(&no_misaligned, &found.candidate, "pretrained.gauge_relevant");
    assert!(found_gauge.is_some_and(|gauge| gauge.abs() > 10.0), "{found:?}");

    let no_gauge = region("T1c", &format!("{common}\npretrained.gauge_relevant = 0"), "");
    let found = hunt(&no_gauge, 300).expect("a failure");
    let misaligned = value(&no_gauge, &found.candidate, "pretrained.misaligned");
    assert!(misaligned.is_some_and(|misaligned| misaligned >= 1.0), "{found:?}");
    assert!(replays(&no_gauge, &found.candidate));
}

/// Where nothing is to be found, the report says how much was tried.
#[test]
fn a_search_without_a_hit_reports_what_it_tried() {
    let quiet = region(
        "T1c-D",
        "pretrained.misaligned = 0\npretrained.gauge_relevant = 0\npretrained.neuron_scale_misaligned = 0.2\ntraining.batch = 48",
        "\"pretrained.neuron_scale\" = { from = 0.1, to = 0.2 }",
    );
    let asked = Cell::new(0);
    let over = || {
        asked.set(asked.get() + 1);
        asked.get() > 60
    };
    let mut evaluator = Evaluator::new(&quiet, 3);
    let outcome = search(&mut evaluator, &over, &mut |_| ());
    assert!(outcome.found.is_none(), "{outcome:?}");
    assert!(outcome.start.within > 20 && outcome.start.failure_bound() < 0.25, "{outcome:?}");
    let text = report::nothing_found(&quiet, &outcome);
    assert!(text.contains("No failure of T1c-D") && text.contains("(95 %)"), "{text}");
}

#[test]
fn regions_that_make_no_sense_are_refused() {
    for (claim, text) in [
        ("T9", ""),
        ("S3", ""),
        ("T2a", "region = 3"),
        ("T2a", "[region]\n\"data.labels\" = { from = 0, to = 1 }"),
        ("T2a", "[region]\n\"training.batch\" = { from = 9, to = 3 }"),
        ("T2a", "[training]\nbatch = -1"),
    ] {
        assert!(Region::new(claim, "test", text).is_err(), "{claim} {text}");
    }
}
