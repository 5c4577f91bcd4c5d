//! What a certificate is made of: relaxations at any prices, extremes of one expert.

use crate::small::{for_each_input, small, smallest_margin, table};
use moe_theory::certify::extremes::{extreme, sum_bound};
use moe_theory::certify::occurrences::Occurrences;
use moe_theory::certify::relaxation::{Prices, Relaxation};
use moe_theory::patterns::Class;

#[test]
fn every_bound_is_at_most_the_truth_whatever_the_prices() {
    for seed in 0..1500 {
        let small = small(2_000_000 + seed, (8, 4));
        let table = table(&small);
        let all: Vec<usize> = (0..small.model.experts()).collect();
        for class in Class::BOTH {
            let truth = smallest_margin(&small, &all, class);
            let mut prices = Prices::none(&table, &all, class);
            let mut relaxation = Relaxation::new(&table, &all, class);
            let node = Occurrences::all(&table);
            assert!(sum_bound(&table, &all, class) <= truth, "seed {seed}");
            for passes in [1, 3, 10] {
                let bound = relaxation.raise(&node, &mut prices, passes, 1e3).bound;
                assert!(bound <= truth + 1e-15, "seed {seed}: {bound} {truth}");
            }
        }
    }
}

#[test]
fn extremes_are_those_of_enumeration_ties_included() {
    for seed in 0..1500 {
        let small = small(3_000_000 + seed, (8, 4));
        let table = table(&small);
        for class in Class::BOTH {
            for expert in 0..small.model.experts() {
                let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
                for_each_input(&small, class, &mut |tokens| {
                    let size = small.model.expert_outputs(tokens)[expert].abs();
                    (low, high) = (low.min(size), high.max(size));
                });
                for (direction, truth) in [(1.0, low), (-1.0, -high)] {
                    let found = extreme(&table, expert, class, direction);
                    assert!(found.bound <= truth, "seed {seed}: {found:?} {truth}");
                    // Weights of very different size drown in each other's rounding: sound, not tight.
                    let router = small.model.router(expert);
                    let spread = router.iter().flat_map(|a| router.iter().map(move |b| a - b)).fold(0.0, f64::max);
                    let near = (found.value - truth).abs() < 1e-12 && found.bound > truth - 1e-9;
                    assert!(spread > 16.0 || near, "seed {seed}: {found:?} {truth}");
                }
            }
        }
    }
}
