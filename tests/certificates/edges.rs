//! Where rounding, underflow and cancellation could prove what is wrong.

use crate::small::{Small, ample, margin, small, smallest_margin, table};
use moe_theory::certify::extremes::sum_bound;
use moe_theory::certify::occurrences::Occurrences;
use moe_theory::certify::relaxation::{Prices, Relaxation};
use moe_theory::certify::{Support, Verdict, certify};
use moe_theory::moe::Model;
use moe_theory::patterns::{Class, Purpose, stream};
use rand::RngExt;

/// Shifts the class patterns' activations until the smallest margin is `target` up to rounding, where that can be done.
fn with_margin(mut small: Small, class: Class, target: f64) -> Option<Small> {
    let all: Vec<usize> = (0..small.model.experts()).collect();
    let one = small.model.signs.iter().position(|&sign| sign == class.label())?;
    let size = small.model.neurons_per_expert * small.model.patterns;
    let original = small.model.neurons.clone();
    let (mut low, mut high) = (0.0, 1.0);
    // All activations of one expert that votes for the class are raised together: the margin is continuous in that.
    for _ in 0..200 {
        let raise = 0.5 * (low + high);
        small.model.neurons.clone_from(&original);
        small.model.neurons[one * size..][..size].iter_mut().for_each(|weight| *weight = weight.max(0.0) + raise * 4.0);
        let found = smallest_margin(&small, &all, class);
        if (found - target).abs() < 0.2 * target.abs() {
            return Some(small);
        }
        if found < target { low = raise } else { high = raise }
    }
    None
}

#[test]
fn margins_near_zero_are_never_certified_wrongly() {
    let (mut made, mut certified, mut refuted) = (0, 0, 0);
    for seed in 0..250 {
        for target in [1e-12, -1e-12, 3e-15, -3e-15, 1e-9, -1e-9] {
            let base = small(5_000_000 + seed, (6, 3));
            let Some(small) = with_margin(base, Class::One, target) else { continue };
            made += 1;
            let all: Vec<usize> = (0..small.model.experts()).collect();
            let support = Support { classes: vec![Class::One], ..small.support.clone() };
            let certificate = certify(&table(&small), &support, &all, ample());
            match certificate.verdict {
                Verdict::Certified => {
                    assert!(target > 0.0, "seed {seed}: {certificate:?}");
                    certified += 1;
                }
                Verdict::Counterexample => {
                    assert!(target < 0.0, "seed {seed}: {certificate:?}");
                    refuted += 1;
                }
                Verdict::Undecided => assert!(target.abs() < 1e-10, "seed {seed}: {target}"),
            }
        }
    }
    assert!(made > 150 && certified > 50 && refuted > 50, "{made} {certified} {refuted}");
}

#[test]
fn prices_that_are_no_numbers_prove_nothing() {
    let small = small(11, (8, 4));
    let table = table(&small);
    let all: Vec<usize> = (0..small.model.experts()).collect();
    let mut prices = Prices::none(&table, &all, Class::One);
    let mut relaxation = Relaxation::new(&table, &all, Class::One);
    let bound = relaxation.raise(&Occurrences::all(&table), &mut prices, 20, f64::MAX).bound;
    assert!(bound <= smallest_margin(&small, &all, Class::One), "{bound}");
}

/// A class pattern that no input of the other class shows, with a score so high that all weights of these inputs underflow
/// beside it.
#[test]
fn weights_that_underflow_prove_nothing_wrong() {
    let mut seen = [0; 3];
    for seed in 0..1500 {
        let mut small = small(8_000_000 + seed, (7, 3));
        let mut random = stream(seed, Purpose::Basis);
        let far = random.random_range(700.0..746.0);
        for router in small.model.routers.chunks_exact_mut(small.model.patterns) {
            if random.random_bool(0.7) {
                router[Class::Two.pattern()] = router.iter().copied().fold(f64::MIN, f64::max) + far;
            }
        }
        let all: Vec<usize> = (0..small.model.experts()).collect();
        let table = table(&small);
        let truth = smallest_margin(&small, &all, Class::One);
        assert!(sum_bound(&table, &all, Class::One) <= truth, "seed {seed}");
        let support = Support { classes: vec![Class::One], ..small.support.clone() };
        let certificate = certify(&table, &support, &all, ample());
        assert!(certificate.margin_lower <= truth + 1e-15, "seed {seed}: {certificate:?} of {truth}");
        if let (Verdict::Counterexample, Some((input, _))) = (certificate.verdict, &certificate.worst) {
            assert!(margin(&small.model, &all, Class::One, &input.tokens) <= 0.0, "seed {seed}");
        }
        seen[certificate.verdict as usize] += 1;
    }
    // The inputs themselves are decided, however far below the other class's pattern their scores lie.
    assert!(seen[0] > 500 && seen[1] > 300 && seen[2] < 20, "{seen:?}");
}

/// Pairs of experts of opposite sign whose activations are sums of the same neurons in another order: f is exactly 0 for every
/// input, and a few units in the last place in floats.
#[test]
fn experts_that_cancel_exactly_are_never_certified() {
    let mut off = 0;
    for seed in 0..300 {
        let mut random = stream(seed, Purpose::Basis);
        // One set of tokens, so that the sign of its rounding is the sign of the smallest margin.
        let (patterns, neurons, tokens) = (5, 7, 4);
        let router: Vec<f64> = (0..patterns).map(|_| random.random_range(-1.0..1.0)).collect();
        let rows: Vec<Vec<f64>> =
            (0..neurons).map(|_| (0..patterns).map(|_| random.random_range(0.0..1.0)).collect()).collect();
        let backwards: Vec<Vec<f64>> = rows.iter().rev().cloned().collect();
        let model = Model {
            patterns,
            neurons_per_expert: neurons,
            tokens_per_expert: 3,
            signs: vec![1.0, -1.0],
            routers: [router.clone(), router].concat(),
            neurons: [rows.concat(), backwards.concat()].concat(),
        };
        let support = Support { tokens, replacement: false, classes: vec![Class::One], contradictory: false };
        let small = Small { model, support };
        let certificate = certify(&table(&small), &small.support, &[0, 1], ample());
        assert_eq!(certificate.verdict, Verdict::Undecided, "seed {seed}: {certificate:?}");
        off += u32::from(smallest_margin(&small, &[0, 1], Class::One) > 0.0);
    }
    // Float arithmetic alone would have certified some.
    assert!(off > 5, "{off}");
}

#[test]
fn labels_that_can_be_either_are_refuted() {
    let small = small(7, (8, 4));
    let support = Support { contradictory: true, ..small.support.clone() };
    let all: Vec<usize> = (0..small.model.experts()).collect();
    let certificate = certify(&table(&small), &support, &all, ample());
    assert_eq!(certificate.verdict, Verdict::Counterexample);
    let (input, _) = certificate.worst.expect("an input");
    assert!(margin(&small.model, &all, input.class, &input.tokens) <= 0.0);
}
