//! The random runs reach what the lemmas speak about, and the constants of L2 are attained.

use moe_theory::moe::Model;
use moe_theory::patterns::{Batch, Vocabulary};
use moe_theory::sgd::{DenseEngine, Rates};
use moe_theory::sim::parameters::Basis;
use proofs_check::lemmas::{l10_dominance, s3_finite_sample};
use proofs_check::{Configuration, EngineKind, Population, Trajectory};

#[test]
fn neurons_die_features_move_and_gauges_show() {
    let (mut deaths, mut class_moves, mut stay, mut shown) = (0, 0, 0, 0);
    for run in 0..40 {
        let configuration = Configuration::draw(0, run).expect("legal");
        let plain = Trajectory::of(&configuration, &configuration.initial(), EngineKind::Pattern);
        let (first, last) = (&plain.models[0], &plain.models[plain.models.len() - 1]);
        for (at, (h_0, h)) in first.neurons.iter().zip(&last.neurons).enumerate() {
            deaths += u32::from(*h_0 > 0.0 && *h <= 0.0);
            class_moves += u32::from(at % first.patterns < 2 && h != h_0);
        }
        stay += first.routers.iter().zip(&last.routers).filter(|(u_0, u)| u == u_0).count();
        if let Some(initial) = configuration.gauged() {
            let gauged = Trajectory::of(&configuration, &initial, EngineKind::Pattern);
            let changes = plain.changes[plain.changes.len() - 1].iter().zip(&gauged.changes[gauged.changes.len() - 1]);
            shown += changes.filter(|(plain, gauged)| (plain.delta - gauged.delta).abs() > 1e-3).count();
        }
    }
    assert!(deaths > 100, "{deaths} coordinates of neurons die");
    assert!(class_moves > 100, "{class_moves} class features move");
    assert!(stay > 100, "{stay} router coordinates never move");
    assert!(shown > 20, "{shown} norm changes depend on the gauge");
}

#[test]
fn the_constants_of_the_step_bound_are_attained() {
    // One sample of o₁ and one q with equal scores; σ is 0 on o₁ and 0.5 on q.
    let model = Model {
        patterns: 4,
        neurons_per_expert: 1,
        tokens_per_expert: 2,
        signs: vec![1.0],
        routers: vec![0.0; 4],
        neurons: vec![0.0, 0.0, 0.5, 0.0],
    };
    let sample = Batch {
        tokens_per_sample: 2,
        tokens: vec![0, 2],
        labels: vec![1.0],
        class_positions: vec![0],
        noise: Vec::new(),
    };
    let vocabulary = Vocabulary::new(4, Basis::Canonical, 0);
    let mut engine = DenseEngine::new(&model, vocabulary, Rates { router: 1.0, expert: 1.0 });
    let gradient = engine.gradients(&sample).expect("finite").routers;
    let range = 0.5;
    assert_eq!(gradient.iter().map(|g| g.abs()).sum::<f64>(), range / 2.0);
    assert!((gradient.norm() - range / 8f64.sqrt()).abs() < 1e-16);
}

#[test]
fn tiny_runs_meet_the_premises_of_dominance_and_what_lies_between_its_conditions() {
    let (mut stated, mut between, mut neither) = (0, 0, 0);
    for run in 0..40 {
        let configuration = Configuration::draw_tiny(0, run).expect("legal");
        let trajectory = Trajectory::of(&configuration, &configuration.initial(), EngineKind::Pattern);
        for population in Population::of(&trajectory) {
            let model = &trajectory.models[population.iteration];
            let batch = &population.inputs.batch;
            let outputs: Vec<f64> =
                (0..batch.samples()).flat_map(|sample| model.expert_outputs(batch.sample(sample))).collect();
            for set in 1..1usize << model.experts() {
                let (every_worst, same_input) = l10_dominance::slack(model, batch, &outputs, set, 1.0);
                stated += u32::from(every_worst > 0.0);
                between += u32::from(every_worst <= 0.0 && same_input > 0.0);
                neither += u32::from(same_input <= 0.0);
            }
        }
    }
    assert!(stated > 20 && between > 5 && neither > 20, "{stated} dominate, {between} between, {neither} do not");
}

#[test]
fn some_experts_leave_their_range_are_blind_and_grow() {
    let (mut left, mut stay, mut blind, mut unbalanced) = (0, 0, 0, 0);
    for run in 0..40 {
        for configuration in [Configuration::draw(0, run), Configuration::draw_tiny(0, run)] {
            let configuration = configuration.expect("legal");
            let trajectory = Trajectory::of(&configuration, &configuration.initial(), EngineKind::Pattern);
            for expert in 0..trajectory.experts() {
                let leaves = trajectory
                    .ranges
                    .iter()
                    .any(|ranges| ranges[expert] > s3_finite_sample::ROOM * trajectory.ranges[0][expert]);
                *(if leaves { &mut left } else { &mut stay }) += 1;
            }
            for population in Population::of(&trajectory).iter().filter(|population| population.inputs.exact) {
                let unseeing = population.lambda.iter().filter(|lambda| **lambda == [0.0; 2]).count();
                blind += unseeing;
                unbalanced += usize::from(unseeing > 0 && population.iteration > 0);
            }
        }
    }
    assert!(left > 30 && stay > 30, "{left} experts leave their range, {stay} do not");
    assert!(
        blind > 20 && unbalanced > 10,
        "{blind} blind experts whose inputs are listed, {unbalanced} after training"
    );
}
