//! The checks of the lemmas about pruned models (L8, L9, L10) can fail.

mod common;

use common::{configuration, planted, study, tiny, with_wrong_engines};
use proofs_check::lemmas::{l08_one_sign, l09_pruning_perturbation, l10_dominance};

#[test]
fn l8_sees_activations_that_are_not_rectified() {
    let trajectory = planted(&configuration().initial(), |_, _, _| ());
    assert_eq!(study(&trajectory, l08_one_sign::check).violations, 0);
    // A leak below 0 makes some activations negative.
    let broken = with_wrong_engines(
        &trajectory,
        |_, _, _| (),
        |outputs, _| outputs.iter_mut().for_each(|f| *f -= 0.2 * f.signum()),
        l08_one_sign::check,
    );
    assert!(broken.violations > 0);
}

#[test]
fn l8_sees_a_sign_that_is_learned() {
    let trajectory = planted(&configuration().initial(), |_, _, _| ());
    let broken =
        with_wrong_engines(&trajectory, |_, after, _| after.signs[0] = -after.signs[0], |_, _| (), l08_one_sign::check);
    assert!(broken.violations > 0);
}

#[test]
fn l9_sees_gates_that_are_given_to_the_experts_that_are_left() {
    let trajectory = planted(&configuration().initial(), |_, _, _| ());
    assert_eq!(study(&trajectory, l09_pruning_perturbation::check).violations, 0);
    let shared = |outputs: &mut [f64], k: usize| outputs.iter_mut().for_each(|f| *f *= 8.0 / k as f64);
    let broken = with_wrong_engines(&trajectory, |_, _, _| (), shared, l09_pruning_perturbation::check);
    assert!(broken.violations > 0);
}

#[test]
fn l9_has_no_smaller_constant() {
    let trajectory = tiny(&[]);
    assert_eq!(study(&trajectory, l09_pruning_perturbation::check).violations, 0);
    assert!(study(&trajectory, |study| l09_pruning_perturbation::check_constant(study, 0.9)).violations > 0);
}

#[test]
fn l10_sees_experts_that_lose_when_others_are_pruned() {
    let trajectory = tiny(&[]);
    assert_eq!(study(&trajectory, l10_dominance::check).violations, 0);
    // With fewer than four experts the first one is silent.
    let silent = |outputs: &mut [f64], k: usize| {
        if k < 4 {
            outputs.iter_mut().step_by(k).for_each(|f| *f = 0.0);
        }
    };
    assert!(with_wrong_engines(&trajectory, |_, _, _| (), silent, l10_dominance::check).violations > 0);
}

#[test]
fn l10_needs_the_whole_margin() {
    let trajectory = tiny(&["pretrained.neuron_scale=0.6", "training.iterations=30"]);
    let sound = study(&trajectory, |study| l10_dominance::check_margin(study, 1.0));
    assert_eq!(sound.violations, 0, "{:?}", sound.first);
    assert!(study(&trajectory, |study| l10_dominance::check_margin(study, 2.0)).violations > 0);
}
