//! Certificates against exhaustive enumeration of the support.

mod edges;
mod noise;
mod parts;
mod small;

use crate::small::{ROUNDING, ample, check, check_bound, small, smallest_margin, table};
use moe_theory::certify::{Budget, Verdict, certify, certify_path, certify_subsets};
use moe_theory::patterns::Class;

#[test]
fn branch_and_bound_agrees_with_enumeration() {
    let mut seen = [0; 3];
    for seed in 0..2500 {
        let small = small(seed, (8, 4));
        let all: Vec<usize> = (0..small.model.experts()).collect();
        let truth = Class::BOTH.map(|class| smallest_margin(&small, &all, class)).into_iter().fold(f64::NAN, f64::min);
        let certificate = certify(&table(&small), &small.support, &all, ample());
        check(&small, &all, &certificate, truth, seed);
        seen[certificate.verdict as usize] += 1;
    }
    assert!(seen[0] > 300 && seen[1] > 300, "{seen:?}");
}

/// The sweep behind the book's "0 unsound certificates in 10⁵ models"; `cargo test --release --test certificates -- --ignored`.
#[test]
#[ignore = "a minute and more"]
fn a_hundred_thousand_models_agree_with_enumeration() {
    let mut seen = [0; 3];
    for seed in 0..100_000 {
        let small = small(10_000_000 + seed, (8, 4));
        let all: Vec<usize> = (0..small.model.experts()).collect();
        let truth = Class::BOTH.map(|class| smallest_margin(&small, &all, class)).into_iter().fold(f64::NAN, f64::min);
        let certificate = certify(&table(&small), &small.support, &all, ample());
        check(&small, &all, &certificate, truth, seed);
        seen[certificate.verdict as usize] += 1;
    }
    assert!(seen[0] > 10_000 && seen[1] > 10_000, "{seen:?}");
}

/// More nodes and a higher target never give less, and enough of both give the smallest margin itself.
#[test]
fn bounds_rise_with_the_target_and_the_nodes() {
    let mut reached = 0;
    for seed in 0..300 {
        let small = small(9_000_000 + seed, (8, 4));
        let table = table(&small);
        let all: Vec<usize> = (0..small.model.experts()).collect();
        let truth = Class::BOTH.map(|class| smallest_margin(&small, &all, class)).into_iter().fold(f64::NAN, f64::min);
        let (targets, nodes) = ([0.0, 0.02, 0.1, 0.3, 1.0, 10.0], [0, 1, 2, 3, 5, 8, 20, 100, 10_000]);
        let bound = |target: f64, nodes: usize| {
            let budget = Budget { nodes, root_passes: 40, node_passes: 5, target };
            let certificate = certify(&table, &small.support, &all, budget);
            check_bound(&certificate, truth, seed);
            certificate.margin_lower
        };
        let bounds = targets.map(|target| nodes.map(|nodes| bound(target, nodes)));
        for (row, &target) in bounds.iter().zip(&targets) {
            assert!(row.is_sorted(), "seed {seed}, target {target}: {row:?}");
            let most = row[nodes.len() - 1];
            // A refuted model is left at once; else the target is reached, or the smallest margin itself.
            let is_far = truth <= 0.0 || most > target || most > truth - 1e-9;
            assert!(is_far, "seed {seed}, target {target}: {most} of {truth}");
            reached += u32::from(most > target && target > 0.0);
        }
        for column in 0..nodes.len() {
            let column: Vec<f64> = bounds.iter().map(|row| row[column]).collect();
            assert!(column.is_sorted(), "seed {seed}: {column:?}");
        }
    }
    assert!(reached > 100, "{reached}");
}

#[test]
fn the_largest_small_models_agree_with_enumeration_too() {
    for seed in 0..60 {
        let small = small(1_000_000 + seed, (10, 5));
        let all: Vec<usize> = (0..small.model.experts()).collect();
        let truth = Class::BOTH.map(|class| smallest_margin(&small, &all, class)).into_iter().fold(f64::NAN, f64::min);
        check(&small, &all, &certify(&table(&small), &small.support, &all, ample()), truth, seed);
    }
}

#[test]
fn paths_and_subsets_agree_with_enumeration() {
    for seed in 0..300 {
        let small = small(4_000_000 + seed, (7, 4));
        let table = table(&small);
        let k = small.model.experts();
        let keep_first: Vec<usize> = (0..k).rev().collect();
        let truth = |kept: &[usize]| {
            Class::BOTH.map(|class| smallest_margin(&small, kept, class)).into_iter().fold(f64::NAN, f64::min)
        };
        let path = certify_path(&table, &small.support, &keep_first, 1, ample());
        assert_eq!(path.len(), k);
        for (row, certificate) in path.iter().enumerate() {
            let kept = &keep_first[..k - row];
            check(&small, kept, certificate, truth(kept), seed);
        }
        let irrelevant: Vec<bool> = (0..k).map(|expert| (seed >> expert) & 1 == 1).collect();
        let free: Vec<usize> = (0..k).filter(|&expert| irrelevant[expert]).collect();
        let mut worst = f64::INFINITY;
        for pruned in 0..1usize << free.len() {
            let stays = |expert: &usize| {
                free.iter().position(|other| other == expert).is_none_or(|place| pruned >> place & 1 == 0)
            };
            worst = worst.min(truth(&(0..k).filter(stays).collect::<Vec<_>>()));
        }
        let subsets = certify_subsets(&table, &small.support, &irrelevant, ample());
        assert!(subsets.margin_lower <= worst + 1e-15, "seed {seed}");
        assert_eq!(subsets.verdict == Verdict::Certified, worst > ROUNDING, "seed {seed}: {subsets:?} {worst}");
    }
}
