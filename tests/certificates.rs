//! Certificates against exhaustive enumeration of the support.

use moe_theory::certify::extremes::{extreme, sum_bound};
use moe_theory::certify::noise::bounded;
use moe_theory::certify::occurrences::Occurrences;
use moe_theory::certify::relaxation::{Prices, Relaxation};
use moe_theory::certify::{
    Budget, Certificate, ModelTable, Radii, Stored, Support, Verdict, certify, certify_path, certify_subsets,
};
use moe_theory::moe::Model;
use moe_theory::patterns::{Class, Pattern, Purpose, Vocabulary, stream};
use moe_theory::sim::parameters::Basis;
use nalgebra::DMatrix;
use rand::RngExt;

/// A model and its support, small enough to enumerate.
struct Small {
    model: Model,
    support: Support,
}

/// Random models of all kinds: ties, one-sided signs, loud and quiet experts, wide and narrow scores.
fn small(seed: u64, largest: (usize, usize)) -> Small {
    let mut random = stream(seed, Purpose::Pretrained);
    let tokens = random.random_range(2..=largest.1);
    let replacement = random.random_bool(0.5);
    let least = if replacement { 3 } else { tokens + 1 };
    let patterns = random.random_range(least..=largest.0.max(least));
    let experts = random.random_range(1..=5);
    let neurons = random.random_range(1..=3);
    let tokens_per_expert = random.random_range(2..=tokens);
    let ties = random.random_bool(0.3);
    let wide = [0.05, 1.0, 4.0, 60.0][random.random_range(0..4)];
    let mut routers: Vec<f64> = (0..experts * patterns).map(|_| wide * random.random_range(-1.0..1.0)).collect();
    if ties {
        routers.iter_mut().for_each(|score| *score = (*score / wide * 2.0).round());
    }
    // Class patterns speak for their class, so that margins of both signs are common.
    let strength = random.random_range(0.0..4.0);
    let mut neurons_of = Vec::new();
    let signs: Vec<f64> = (0..experts).map(|_| if random.random_bool(0.5) { 1.0 } else { -1.0 }).collect();
    for &sign in &signs {
        for _ in 0..neurons {
            for pattern in 0..patterns {
                let own = (pattern == 0 && sign > 0.0) || (pattern == 1 && sign < 0.0);
                let bonus = if own { strength } else { 0.0 };
                neurons_of.push(random.random_range(-0.5..1.0) + bonus);
            }
        }
    }
    for (expert, &sign) in signs.iter().enumerate() {
        if random.random_bool(0.6) {
            routers[expert * patterns + usize::from(sign < 0.0)] += wide;
        }
    }
    let model = Model { patterns, neurons_per_expert: neurons, tokens_per_expert, signs, routers, neurons: neurons_of };
    Small { model, support: Support { tokens, replacement, classes: Class::BOTH.to_vec(), contradictory: false } }
}

/// Calls `visit` with every order of every input of a class.
fn for_each_input(small: &Small, class: Class, visit: &mut impl FnMut(&[Pattern])) {
    fn grow(small: &Small, class: Class, tokens: &mut Vec<Pattern>, visit: &mut impl FnMut(&[Pattern])) {
        if tokens.len() == small.support.tokens {
            if tokens.contains(&(class.pattern() as Pattern)) {
                visit(tokens);
            }
            return;
        }
        let placed = tokens.contains(&(class.pattern() as Pattern));
        if !placed {
            tokens.push(class.pattern() as Pattern);
            grow(small, class, tokens, visit);
            tokens.pop();
        }
        // The last place is the class token's if it has none yet.
        if placed || tokens.len() + 1 < small.support.tokens {
            for pattern in 2..small.model.patterns as Pattern {
                if small.support.replacement || !tokens.contains(&pattern) {
                    tokens.push(pattern);
                    grow(small, class, tokens, visit);
                    tokens.pop();
                }
            }
        }
    }
    grow(small, class, &mut Vec::new(), visit);
}

/// y f(x) of the experts `kept`, straight from the model's definition.
fn margin(model: &Model, kept: &[usize], class: Class, tokens: &[Pattern]) -> f64 {
    let outputs = model.expert_outputs(tokens);
    class.label() * kept.iter().map(|&expert| outputs[expert]).sum::<f64>()
}

/// The smallest margin by enumeration.
fn smallest_margin(small: &Small, kept: &[usize], class: Class) -> f64 {
    let mut smallest = f64::INFINITY;
    for_each_input(small, class, &mut |tokens| smallest = smallest.min(margin(&small.model, kept, class, tokens)));
    smallest
}

fn table(small: &Small) -> ModelTable {
    ModelTable::new(&small.model, &small.support, Radii::default()).expect("finite weights")
}

/// Margins closer to 0 than this are decided by rounding.
const ROUNDING: f64 = 1e-12;

/// What a certificate proves is true.
fn check_bound(certificate: &Certificate, truth: f64, seed: u64) {
    assert!(certificate.margin_lower <= truth + 1e-15, "seed {seed}: {certificate:?} of {truth}");
}

/// What a certificate says against the truth; replays its counterexample.
fn check(small: &Small, kept: &[usize], certificate: &Certificate, truth: f64, seed: u64) {
    check_bound(certificate, truth, seed);
    match certificate.verdict {
        Verdict::Certified => assert!(truth > 0.0 && certificate.margin_lower > 0.0, "seed {seed}: {truth}"),
        Verdict::Counterexample => {
            let (input, _) = certificate.worst.as_ref().expect("a counterexample has an input");
            let found = margin(&small.model, kept, input.class, &input.tokens);
            assert!(found <= 0.0 && truth <= 0.0, "seed {seed}: {found} {truth}");
        }
        Verdict::Undecided => assert!(truth.abs() <= ROUNDING, "seed {seed}: {certificate:?} of {truth}"),
    }
}

/// Enough to close every tree of a small model.
fn ample() -> Budget {
    Budget { nodes: 100_000, root_passes: 60, node_passes: 5, target: 0.0 }
}

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

/// The sweep behind CLAIMS' "0 unsound certificates in 10⁵ models"; `cargo test --release --test certificates -- --ignored`.
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

/// Samples with token noise of length at most `radius`, each against a certificate that allows for it.
#[test]
fn a_bound_with_token_noise_holds_on_noisy_samples() {
    let (mut positive, mut tight) = (0, 0);
    for seed in 0..400 {
        let small = small(6_000_000 + seed, (8, 4));
        let model = &small.model;
        let d = model.patterns;
        let all: Vec<usize> = (0..model.experts()).collect();
        let mut random = stream(seed, Purpose::TrainingNoise);
        let radius = [0.003, 0.03, 0.3][random.random_range(0..3)];
        let noisy = table(&small).with_noise(&bounded(model, radius));
        for class in Class::BOTH {
            let support = Support { classes: vec![class], ..small.support.clone() };
            let bound = certify(&noisy, &support, &all, Budget { target: 1e3, ..ample() }).margin_lower;
            let quiet = certify(&table(&small), &support, &all, ample()).margin_lower;
            positive += u32::from(bound > 0.0);
            tight += u32::from(quiet > 0.0);
            let mut smallest = f64::INFINITY;
            for _ in 0..200 {
                let mut tokens: Vec<Vec<f64>> = Vec::new();
                let mut standing: Vec<usize> = (2..d).collect();
                for position in 0..small.support.tokens {
                    let place = random.random_range(0..standing.len());
                    let pattern = if position == 0 { class.pattern() } else { standing[place] };
                    if position > 0 && !small.support.replacement {
                        standing.swap_remove(place);
                    }
                    let mut token: Vec<f64> = (0..d).map(|_| random.random_range(-1.0..1.0)).collect();
                    let length = token.iter().map(|x| x * x).sum::<f64>().sqrt();
                    token.iter_mut().for_each(|x| *x *= radius / length);
                    token[pattern] += 1.0;
                    tokens.push(token);
                }
                smallest = smallest.min(class.label() * noisy_output(model, &tokens));
            }
            assert!(bound <= smallest, "seed {seed}: {bound} {smallest}");
        }
    }
    assert!(positive > 50 && tight > positive, "{positive} {tight}");
}

/// f of tokens in pattern coordinates, from the definition.
fn noisy_output(model: &Model, tokens: &[Vec<f64>]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let output = |expert: usize| {
        let mut scored: Vec<(f64, f64)> = tokens
            .iter()
            .map(|token| {
                let neurons = model.expert_neurons(expert).chunks_exact(model.patterns);
                let sum: f64 = neurons.map(|neuron| dot(neuron, token).max(0.0)).sum();
                (dot(model.router(expert), token), sum / model.neurons_per_expert as f64)
            })
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        let top = scored[0].0;
        let sums = scored[..model.tokens_per_expert].iter().fold((0.0, 0.0), |sums, (score, activation)| {
            let weight = (score - top).exp();
            (sums.0 + weight * activation, sums.1 + weight)
        });
        model.signs[expert] * sums.0 / sums.1
    };
    (0..model.experts()).map(output).sum()
}

#[test]
fn a_model_on_another_basis_is_certified_by_its_stored_numbers() {
    let mut refuted = 0;
    for seed in 0..400 {
        let small = small(7_000_000 + seed, (8, 4));
        let (model, d) = (&small.model, small.model.patterns);
        let vocabulary = Vocabulary::new(d, Basis::Haar, seed);
        let rows = |rows: &[f64]| -> Vec<f64> {
            let columns = DMatrix::from_column_slice(d, rows.len() / d, rows);
            vocabulary.to_ambient(columns).as_slice().to_vec()
        };
        let identity: Vec<f64> = DMatrix::<f64>::identity(d, d).as_slice().to_vec();
        let stored = Stored {
            basis: rows(&identity),
            signs: model.signs.clone(),
            routers: rows(&model.routers),
            neurons: rows(&model.neurons),
            tokens_per_expert: model.tokens_per_expert,
        };
        let (turned, radii) = stored.model().expect("sizes fit");
        let all: Vec<usize> = (0..model.experts()).collect();
        let turned_table = ModelTable::new(&turned, &small.support, radii).expect("finite");
        let certificate = certify(&turned_table, &small.support, &all, ample());
        let truth = Class::BOTH.map(|class| smallest_margin(&small, &all, class)).into_iter().fold(f64::NAN, f64::min);
        assert!(radii.score > 0.0 && radii.score < 1e-11);
        // Scores that tie in the model may fall either way on the basis, and the bound allows for the worse.
        assert!(certificate.margin_lower <= truth + 1e-12, "seed {seed}");
        if truth > 1e-6 && table(&small).experts.iter().all(|own| !own.overlaps || small.support.replacement) {
            assert_ne!(certificate.verdict, Verdict::Counterexample, "seed {seed}");
        }
        if let (Verdict::Counterexample, Some((input, _))) = (certificate.verdict, &certificate.worst) {
            refuted += 1;
            let sorted = |tokens: &[Pattern]| {
                let mut tokens = tokens.to_vec();
                tokens.sort_unstable();
                tokens
            };
            // Whichever way its ties fall.
            for_each_input(&small, input.class, &mut |tokens| {
                if sorted(tokens) == sorted(&input.tokens) {
                    let found = margin(model, &all, input.class, tokens);
                    assert!(found <= 1e-9, "seed {seed}: {found} {input:?}");
                }
            });
        }
    }
    assert!(refuted > 50, "{refuted}");
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
