//! Why T2a breaks where irrelevant experts are loud (docs/theory/boundary.md): what the run says of lemma L10,
//! and the random order of signs that predicts the share of runs.

mod common;

use moe_theory::claims::Observation;
use moe_theory::measure::Role;
use moe_theory::run::run;
use moe_theory::sgd::EngineChoice;
use moe_theory::sim::{ClaimSpec, On, Overrides, RoleSource, Simulation};
use moe_theory::stats::{bridge_within, clopper_pearson, median};
use rayon::prelude::*;

/// Imbalance, in units of the output, from which a run fails; fitted to the 36 cells of `phase-loudness`.
const MARGIN: f64 = 0.63;

/// What one run says.
struct Seen {
    survives: bool,
    dominated: bool,
    activation: f64,
}

fn runs(scale: f64, experts: usize, count: u64) -> Vec<Seen> {
    let point = common::point(&format!("pretrained.neuron_scale={scale} model.experts={experts}"));
    let claim = t2a();
    (0..count)
        .into_par_iter()
        .map(|index| {
            let record = run(&point, index, 5, EngineChoice::Auto);
            let (body, experts, pruning) = (&record.run.body, &record.experts, &record.pruning);
            assert!(experts.iter().any(|row| row.role == Role::Irrelevant));
            let evidence = Observation { parameters: &point.parameters, run: body, experts, pruning, trajectory: &[] };
            Seen {
                survives: evidence.decision(&claim).holds,
                dominated: body.dominance_gain > body.dominance_loss,
                activation: body.activation_irrelevant,
            }
        })
        .collect()
}

fn t2a() -> ClaimSpec {
    let text = "name = \"t2a\"\n[[claim]]\nid = \"T2a\"\non = \"all\"\n";
    let simulation = Simulation::parse("t2a.toml", text, &Overrides::default()).expect("legal");
    let claim = simulation.claims[0].clone();
    assert_eq!((claim.on, claim.roles), (On::All, RoleSource::Measured));
    claim
}

/// The probability that kept irrelevant experts of one loudness, pruned in an order that is blind to their signs, never
/// pull against a class by `MARGIN` or more.
fn predicted(activation: f64, irrelevant: usize) -> f64 {
    let half = (irrelevant / 2) as u64;
    let loudness = activation / half as f64;
    let most = (MARGIN / loudness).ceil() - 1.0;
    bridge_within(half, most as u64)
}

#[test]
fn where_l10_holds_on_the_samples_no_irrelevant_expert_is_missed() {
    let seen: Vec<Seen> = [0.1, 0.15, 0.2].iter().flat_map(|&scale| runs(scale, 16, 60)).collect();
    let dominated = seen.iter().filter(|seen| seen.dominated).count();
    assert!(dominated > 60 && dominated < seen.len(), "{dominated} of {}", seen.len());
    assert!(seen.iter().all(|seen| seen.survives || !seen.dominated));
}

#[test]
fn a_random_order_of_signs_predicts_the_share_of_runs_that_survive() {
    for (scale, experts) in [(1.0, 8), (0.6, 16), (0.3, 32), (0.4, 32)] {
        let seen = runs(scale, experts, 150);
        let activations: Vec<f64> = seen.iter().map(|seen| seen.activation).collect();
        let expected = predicted(median(&activations).expect("runs"), experts - 4);
        let survivors = seen.iter().filter(|seen| seen.survives).count() as u64;
        let interval = clopper_pearson(survivors, seen.len() as u64, 0.001);
        // The prediction knows nothing of how outputs vary with the input: it may be off by 0.1.
        assert!(
            interval.low - 0.1 <= expected && expected <= interval.high + 0.1,
            "s0 = {scale}, k = {experts}: {survivors} survive, predicted {expected}"
        );
    }
}
