//! Each check can fail: a wrong engine, or a wrong measurement, is planted for each lemma, and its check must see it.
//! The same checks see nothing on the real engines.

mod common;

use common::{configuration, planted};
use moe_theory::moe::Model;
use moe_theory::patterns::Batch;
use moe_theory::sgd::{Engine, Objective, PatternEngine, Rates, TheoryEngine};
use proofs_check::lemmas::{
    l01_conservation, l02_step_bound, l03_monotone_features, l04_dead_stays_dead, l05_reduced_state,
    l06_norm_and_displacement, l07_locality, l11_gauge,
};
use proofs_check::suite::{Row, check_runs};
use proofs_check::{Configuration, EngineKind, Tally, Trajectory};

/// The check finds nothing on the untouched engine, also when it is rebuilt after every step, and something on the
/// tampered one.
fn assert_caught(check: fn(&Trajectory) -> Tally, tamper: impl FnMut(&Model, &mut Model, &Batch)) {
    let initial = configuration().initial();
    let sound = check(&planted(&initial, |_, _, _| ()));
    assert_eq!(sound.violations, 0, "{:?}", sound.first);
    assert!(sound.comparisons > 0);
    let broken = check(&planted(&initial, tamper));
    assert!(broken.violations > 0, "the planted bug was not seen: {broken:?}");
}

#[test]
fn l1_sees_one_router_coordinate_that_drifts() {
    assert_caught(l01_conservation::check, |_, after, _| after.routers[5] += 1e-12);
}

#[test]
fn l2_sees_router_steps_ten_times_too_long() {
    assert_caught(l02_step_bound::check, |before, after, _| {
        for (u, u_0) in after.routers.iter_mut().zip(&before.routers) {
            *u = u_0 + 10.0 * (*u - u_0);
        }
    });
}

#[test]
fn l2_sees_a_gradient_that_is_not_centred() {
    let configuration = configuration();
    let mut trajectory = planted(&configuration.initial(), |_, _, _| ());
    assert_eq!(l02_step_bound::check(&trajectory).violations, 0);
    let d = trajectory.patterns();
    for probe in &mut trajectory.probes {
        for (expert, gradient) in probe.gradient.chunks_exact_mut(d).enumerate() {
            // What forgetting the mean activation amounts to: all mass on one pattern.
            gradient[2] += trajectory.ranges[probe.iteration][expert];
        }
    }
    assert!(l02_step_bound::check(&trajectory).violations > 0);
}

#[test]
fn l2_sees_a_range_that_is_told_wrong() {
    let mut trajectory = planted(&configuration().initial(), |_, _, _| ());
    trajectory.ranges[3][1] *= 1.0 + 1e-9;
    assert_eq!(l02_step_bound::check(&trajectory).violations, 1);
}

#[test]
fn l3_sees_a_class_feature_that_shrinks_in_a_positive_expert() {
    // Expert 0 has sign +1; its neuron 0 at pattern 0, o₁.
    assert_caught(l03_monotone_features::check, |before, after, _| {
        after.neurons[0] = before.neurons[0] - 1e-15;
    });
}

#[test]
fn l3_fails_outside_its_scope() {
    let set = ["data.patterns=24", "data.tokens=6", "data.labels=independent", "training.iterations=30"];
    let configuration = Configuration::from_settings(&set.map(String::from), 7).expect("legal settings");
    let trajectory = Trajectory::of(&configuration, &configuration.initial(), EngineKind::Pattern);
    assert!(l03_monotone_features::check(&trajectory).violations > 0);
    assert_eq!(l04_dead_stays_dead::check(&trajectory).violations, 0);
}

#[test]
fn l4_sees_a_dead_neuron_that_comes_back() {
    assert_caught(l04_dead_stays_dead::check, |before, after, _| {
        if let Some(dead) = before.neurons.iter().position(|&h| h < 0.0) {
            after.neurons[dead] = 0.1;
        }
    });
}

#[test]
fn l4_sees_a_relu_whose_derivative_leaks() {
    assert_caught(l04_dead_stays_dead::check, |before, after, _| {
        for (h, h_0) in after.neurons.iter_mut().zip(&before.neurons) {
            if *h_0 < 0.0 {
                *h += 1e-6 * h_0;
            }
        }
    });
}

#[test]
fn l5_sees_an_active_neuron_that_does_not_move_with_the_others() {
    // Neuron 1 of expert 0 learns faster by a millionth.
    assert_caught(l05_reduced_state::check, |before, after, _| {
        let d = before.patterns;
        for at in d..2 * d {
            after.neurons[at] += 1e-6 * (after.neurons[at] - before.neurons[at]);
        }
    });
}

#[test]
fn l5_sees_dead_neurons_that_are_given_back_at_the_latest_offset() {
    let initial = configuration().initial();
    let mut trajectory = planted(&initial, |_, _, _| ());
    let d = trajectory.patterns();
    let died = |model: &Model, at: usize| initial.neurons[at] > 0.0 && model.neurons[at] <= 0.0;
    let last = trajectory.models.len() - 1;
    let dead: Vec<usize> = (0..initial.neurons.len()).filter(|&at| died(&trajectory.models[last - 5], at)).collect();
    let stride = d * initial.neurons_per_expert;
    let mut changed = 0;
    for at in dead {
        // A living neuron of the same expert and pattern tells the offset.
        let same = (0..initial.neurons_per_expert).map(|neuron| at / stride * stride + neuron * d + at % d);
        let model = &mut trajectory.models[last];
        if let Some(alive) = same.rev().find(|&other| model.neurons[other] > 0.0) {
            let told = initial.neurons[at] + (model.neurons[alive] - initial.neurons[alive]);
            changed += u32::from(told < model.neurons[at]);
            model.neurons[at] = told.min(model.neurons[at]);
        }
    }
    assert!(changed > 0, "some offset went on after a death");
    assert!(l05_reduced_state::check(&trajectory).violations > 0);
}

#[test]
fn l5_sees_a_neuron_that_is_revived() {
    assert_caught(l05_reduced_state::check, |before, after, _| {
        if let Some(dead) = before.neurons.iter().position(|&h| h < 0.0) {
            after.neurons[dead] = 0.1;
        }
    });
}

#[test]
fn l6_sees_a_displacement_that_is_told_too_small() {
    let mut trajectory = planted(&configuration().initial(), |_, _, _| ());
    assert_eq!(l06_norm_and_displacement::check(&trajectory).violations, 0);
    let change = trajectory.changes.iter_mut().flatten().find(|change| change.delta.abs() > 1e-3);
    let change = change.expect("a router moves");
    change.displacement = 0.999 * change.delta.abs();
    assert_eq!(l06_norm_and_displacement::check(&trajectory).violations, 1);
}

#[test]
fn l7_sees_an_unrouted_pattern_that_moves_by_one_bit() {
    assert_caught(l07_locality::check, |_, after, batch| {
        // A pattern that is in no sample of the batch is routed to no expert.
        let absent = (0..after.patterns).find(|&pattern| !batch.tokens.contains(&(pattern as u32)));
        if let Some(absent) = absent {
            after.routers[absent] = after.routers[absent].next_up();
        }
    });
}

#[test]
fn l7_sees_weight_decay() {
    assert_caught(l07_locality::check, |_, after, _| after.neurons.iter_mut().for_each(|h| *h *= 1.0 - 1e-9));
}

#[test]
fn l11_sees_scores_that_are_clipped() {
    let mut configuration = configuration();
    configuration.gauge = Some((0..8).map(|expert| if expert < 4 { 3.0 } else { 0.0 }).collect());
    let (initial, gauged) = (configuration.initial(), configuration.gauged().expect("a gauge"));
    let gauge = configuration.gauge.expect("a gauge");
    let sound = l11_gauge::check(&planted(&initial, |_, _, _| ()), &planted(&gauged, |_, _, _| ()), &gauge);
    assert_eq!(sound.violations, 0, "{:?}", sound.first);

    // The step of a model whose scores are cut off at 2: below that, nothing changes.
    let rates = Rates::from(&configuration.parameters.training);
    let clip = |before: &Model, after: &mut Model, batch: &Batch| {
        let mut clipped = before.clone();
        clipped.routers.iter_mut().for_each(|u| *u = u.min(2.0));
        let mut engine = PatternEngine::new(&clipped, rates);
        engine.step(batch, &Objective::default()).expect("finite weights");
        let stepped = engine.model();
        for (at, u) in after.routers.iter_mut().enumerate() {
            *u = before.routers[at] + (stepped.routers[at] - clipped.routers[at]);
        }
        after.neurons = stepped.neurons;
    };
    let broken = l11_gauge::check(&planted(&initial, clip), &planted(&gauged, clip), &gauge);
    assert!(broken.violations > 0);
}

#[test]
fn l11_sees_a_norm_change_that_does_not_know_the_gauge() {
    let mut configuration = configuration();
    configuration.gauge = Some(vec![3.0; 8]);
    let gauge = vec![3.0; 8];
    let plain = planted(&configuration.initial(), |_, _, _| ());
    let mut gauged = planted(&configuration.gauged().expect("a gauge"), |_, _, _| ());
    assert_eq!(l11_gauge::check(&plain, &gauged, &gauge).violations, 0);
    for (told, plain) in gauged.changes.iter_mut().flatten().zip(plain.changes.iter().flatten()) {
        told.delta = plain.delta;
    }
    assert!(l11_gauge::check(&plain, &gauged, &gauge).violations > 0);
}

#[test]
fn the_real_engines_violate_nothing() {
    let rows = check_runs(40, 5).expect("legal configurations");
    for row in &rows {
        assert!(row.holds(), "{} {}: {:?}", row.lemma.id, row.engine.word(), row.tally.first);
    }
    assert!(rows.iter().all(|row: &Row| row.runs > 10));
}
