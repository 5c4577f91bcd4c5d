//! The pattern engine against the dense engine: the same trajectory, to rounding, from the same model and batches.
//!
//! The two share the sampler and the model, and no line of routing, forward pass, gradient or update.

mod common;

use moe_theory::moe::Pretrained;
use moe_theory::patterns::{Batch, Class, Sampler, Vocabulary};
use moe_theory::sgd::{DenseEngine, Engine, Objective, PatternEngine, Rates, TheoryEngine};
use moe_theory::sim::Parameters;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestRunner};
use std::cell::RefCell;

/// Allowed |difference| / (1 + largest number). One step rounds by about 1e-16 times the number of terms in a sum (at
/// most a few hundred), so 1e-14; a step amplifies what is there by 1 + η·curvature, for the rates below by less than 2
/// on most steps, and scores settle as the loss falls. The largest difference seen in 5,000 cases is 5e-15.
const TOLERANCE: f64 = 1e-9;

/// The same for half-batch contrasts, relative to themselves down to `CONTRAST_FLOOR`.
const CONTRAST_TOLERANCE: f64 = 1e-11;
const CONTRAST_FLOOR: f64 = 1e-3;

/// SGD is not continuous: hinge, ReLU and top-l choice each have a kink, where rounding decides. A case is compared up
/// to the first time that something comes this near to its kink without being exactly on it (1 in 100 cases).
const CLEARANCE: f64 = 1e-9;

#[derive(Clone, Debug)]
struct Case {
    settings: String,
    haar: bool,
    seed: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    let shape = (2usize..=10, any::<bool>()).prop_flat_map(|(n, replacement)| {
        let fewest = if replacement { 5 } else { (n + 1).max(5) };
        (Just(n), Just(replacement), fewest..=40, 2..=n)
    });
    let experts = (1usize..=10).prop_flat_map(|half| (Just(2 * half), 0..=half, 0usize..=4));
    let training = (1usize..=40, 1usize..=40, 0.0..1.5, 0.0..1.5);
    // Tied scores only on the canonical basis: rounding breaks ties on any other.
    let ties = prop_oneof![3 => (Just(true), 0.01..0.5), 3 => (Just(false), 0.01..0.5), 2 => (Just(false), Just(0.0))];
    (shape, experts, 1usize..=6, training, ties, 0.1..2.0, 0.0..1.0, any::<u64>()).prop_map(
        |(
            (n, replacement, d, l),
            (k, relevant, misaligned),
            m,
            (batch, steps, router_rate, rate),
            (haar, noise),
            s0,
            phi,
            seed,
        )| {
            let misaligned = misaligned.min(k - 2 * relevant);
            let basis = if haar { "haar" } else { "canonical" };
            // Rates of neurons are "a neuron": the gradient carries 1/m.
            let expert_rate = rate * m as f64;
            let settings = format!(
                "data.patterns={d} data.tokens={n} data.replacement={replacement} data.basis={basis} \
                 model.experts={k} model.neurons={m} model.tokens_per_expert={l} \
                 pretrained.relevant_per_class={relevant} pretrained.misaligned={misaligned} \
                 pretrained.specialisation={phi} pretrained.router_noise={noise} pretrained.neuron_scale={s0} \
                 training.batch={batch} training.iterations={steps} \
                 training.router_rate={router_rate} training.expert_rate={expert_rate}"
            );
            Case { settings, haar, seed }
        },
    )
}

/// What the suite has met, to know that it tests what it means to.
#[derive(Default, Debug)]
struct Seen {
    cases: usize,
    /// Cases that were not compared to their end.
    cut_short: usize,
    steps: usize,
    deaths: usize,
    /// (Sample, expert) at the border of whose choice stand two copies of one pattern, two patterns of equal score.
    tied_copies: usize,
    tied_patterns: usize,
    inactive_samples: usize,
    largest_difference: f64,
    /// States with a contrast that is not next to 0.
    contrasts: usize,
    largest_contrast_difference: f64,
}

/// Largest |a − b| / (1 + largest |b|).
fn difference(a: &[f64], b: &[f64]) -> f64 {
    difference_above(1.0, a, b)
}

/// Largest |a − b| / (floor + largest |b|).
fn difference_above(floor: f64, a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let scale = floor + b.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let largest = a
        .iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, |largest: f64, value| if value.is_nan() { f64::INFINITY } else { largest.max(value) });
    largest / scale
}

/// Whether a score, a neuron or a margin is so near to a kink that rounding may decide. Asked of both engines: two
/// patterns that always move together tie in one of them and differ by rounding in the other.
fn near_a_kink(engine: &mut dyn TheoryEngine, batch: &Batch, haar: bool) -> bool {
    let model = engine.model();
    // What is exactly on a kink stays there on the canonical basis, where scores and weights are exact.
    let near = |distance: f64| distance.abs() < CLEARANCE && (haar || distance != 0.0);
    let tied = (0..model.experts()).any(|expert| {
        let mut scores = model.router(expert).to_vec();
        scores.sort_by(f64::total_cmp);
        scores.windows(2).any(|pair| near(pair[1] - pair[0]))
    });
    let mut outputs = Vec::new();
    engine.outputs(batch, &mut outputs);
    let mut margins =
        outputs.chunks(model.experts()).zip(&batch.labels).map(|(f, label)| label * f.iter().sum::<f64>());
    tied || model.neurons.iter().any(|&weight| near(weight)) || margins.any(|margin| near(1.0 - margin))
}

fn count_ties(engine: &PatternEngine, batch: &Batch, seen: &mut Seen) {
    let model = engine.model();
    let l = model.tokens_per_expert;
    for expert in 0..model.experts() {
        let router = model.router(expert);
        for sample in 0..batch.samples() {
            let mut tokens = batch.sample(sample).to_vec();
            tokens.sort_by(|&a, &b| router[b as usize].total_cmp(&router[a as usize]));
            if l == tokens.len() || router[tokens[l - 1] as usize] != router[tokens[l] as usize] {
                continue;
            }
            let border = router[tokens[l] as usize];
            let mut tied: Vec<u32> = tokens.iter().copied().filter(|&token| router[token as usize] == border).collect();
            let all = tied.len();
            tied.sort_unstable();
            tied.dedup();
            seen.tied_copies += usize::from(tied.len() < all);
            seen.tied_patterns += usize::from(tied.len() > 1);
        }
    }
}

/// Both keep a half-batch contrast, and the same one, as long as batches have an even size.
fn compare_contrasts(
    pattern: &PatternEngine,
    dense: &DenseEngine,
    parameters: &Parameters,
    step: usize,
    seen: &mut Seen,
) -> Result<(), TestCaseError> {
    let contrasts = (pattern.contrast(), dense.contrast());
    // Before the first step no batch was odd.
    let even = parameters.training.batch.is_multiple_of(2) || step == 0;
    prop_assert_eq!((contrasts.0.is_some(), contrasts.1.is_some()), (even, even));
    if let (Some(ours), Some(theirs)) = contrasts {
        let difference = difference_above(CONTRAST_FLOOR, &ours, &theirs);
        seen.largest_contrast_difference = seen.largest_contrast_difference.max(difference);
        prop_assert!(difference < CONTRAST_TOLERANCE, "half-batch contrasts differ by {} of themselves", difference);
        seen.contrasts += usize::from(theirs.iter().any(|v| v.abs() > 1e-3));
    }
    Ok(())
}

/// Everything that the two engines can be asked about one batch.
fn compare_state(
    pattern: &mut PatternEngine,
    dense: &mut DenseEngine,
    batch: &Batch,
    parameters: &Parameters,
    step: usize,
    seen: &mut Seen,
) -> Result<(), TestCaseError> {
    compare_contrasts(pattern, dense, parameters, step, seen)?;
    let mut check = |what: &str, a: &[f64], b: &[f64]| {
        let difference = difference(a, b);
        seen.largest_difference = seen.largest_difference.max(difference);
        prop_assert!(difference < TOLERANCE, "{} differ by {}", what, difference);
        Ok(())
    };
    let (of_pattern, of_dense) = (pattern.model(), dense.model());
    prop_assert_eq!(&of_pattern.signs, &of_dense.signs);
    let sizes = |model: &moe_theory::moe::Model| (model.patterns, model.neurons_per_expert, model.tokens_per_expert);
    prop_assert_eq!(sizes(&of_pattern), sizes(&of_dense));
    check("routers of the model", &of_pattern.routers, &of_dense.routers)?;
    check("routers", &pattern.routers(), &dense.routers())?;
    check("neurons", &of_pattern.neurons, &of_dense.neurons)?;
    let activations = |model: &moe_theory::moe::Model| -> Vec<f64> {
        (0..model.experts()).flat_map(|expert| model.activations(expert)).collect()
    };
    check("σ", &activations(&of_pattern), &activations(&of_dense))?;
    check("σ as the engine keeps it", &pattern.activations(), &activations(&of_dense))?;
    let (mut a, mut b) = (Vec::new(), Vec::new());
    pattern.outputs(batch, &mut a);
    dense.outputs(batch, &mut b);
    check("outputs", &a, &b)?;
    let defined: Vec<f64> =
        (0..batch.samples()).flat_map(|sample| of_pattern.expert_outputs(batch.sample(sample))).collect();
    check("outputs by the definition", &a, &defined)?;
    pattern.router_norms(&mut a);
    dense.router_norms(&mut b);
    let norm = |expert| of_dense.router(expert).iter().map(|weight| weight * weight).sum::<f64>().sqrt();
    let defined: Vec<f64> = (0..of_dense.experts()).map(norm).collect();
    check("norms of the pattern engine's routers", &a, &defined)?;
    check("norms of the dense engine's routers", &b, &defined)?;
    pattern.class_token_gates(batch, &mut a);
    dense.class_token_gates(batch, &mut b);
    check("gates of class tokens", &a, &b)?;
    for expert in 0..pattern.experts() {
        let ranges = [pattern.range_above(expert, 0.0), dense.range_above(expert, 0.0)];
        check("range", &[ranges[0].unwrap_or(0.0)], &[ranges[1].unwrap_or(0.0)])?;
        if let Some(range) = ranges[0] {
            prop_assert_eq!(pattern.range_above(expert, range), None);
            prop_assert_eq!(pattern.range_above(expert, 0.5 * range), Some(range));
        }
        for class in Class::BOTH {
            let (ours, theirs) = (pattern.competitors(expert, class), dense.competitors(expert, class));
            prop_assert_eq!(ours, theirs, "competitors of expert {}", expert);
            prop_assert!(ours.above + ours.tied <= parameters.data.patterns - 2);
        }
    }
    Ok(())
}

/// Trains both engines on the same batches.
fn compare(case: &Case, seen: &mut Seen) -> Result<(), TestCaseError> {
    let parameters = common::point(&case.settings).parameters;
    let Parameters { data, training, model: shape, .. } = &parameters;
    let model = Pretrained::constructed(&parameters, case.seed).model;
    let rates = Rates::from(training);
    let mut pattern = PatternEngine::new(&model, rates);
    let mut dense = DenseEngine::new(&model, Vocabulary::new(data.patterns, data.basis, case.seed), rates);
    pattern.track_contrast();
    dense.track_contrast();
    prop_assert_eq!((pattern.experts(), dense.experts()), (shape.experts, shape.experts));
    let mut sampler = Sampler::training(data, case.seed);
    let mut batch = Batch::default();
    seen.cases += 1;
    for step in 0..training.iterations {
        sampler.fill(&mut batch, training.batch);
        if near_a_kink(&mut pattern, &batch, case.haar) || near_a_kink(&mut dense, &batch, case.haar) {
            seen.cut_short += 1;
            return Ok(());
        }
        compare_state(&mut pattern, &mut dense, &batch, &parameters, step, seen)
            .map_err(|error| TestCaseError::fail(format!("before step {step}: {error}")))?;
        count_ties(&pattern, &batch, seen);
        let (ours, theirs) = (pattern.step(&batch, &Objective::default()), dense.step(&batch, &Objective::default()));
        let (Ok(ours), Ok(theirs)) = (ours, theirs) else {
            return Err(TestCaseError::fail(format!("step {step}: {ours:?}, {theirs:?}")));
        };
        prop_assert_eq!(ours.active, theirs.active, "step {}", step);
        let off = difference(&[ours.loss], &[theirs.loss]);
        prop_assert!(off < TOLERANCE, "step {}: loss {} and {}", step, ours.loss, theirs.loss);
        seen.inactive_samples += training.batch - ours.active;
        seen.steps += 1;
    }
    if near_a_kink(&mut pattern, &batch, case.haar) || near_a_kink(&mut dense, &batch, case.haar) {
        seen.cut_short += 1;
        return Ok(());
    }
    let after = pattern.model().neurons;
    seen.deaths += model.neurons.iter().zip(&after).filter(|&(&before, &after)| before > 0.0 && after <= 0.0).count();
    compare_state(&mut pattern, &mut dense, &batch, &parameters, training.iterations, seen)
}

#[test]
fn both_engines_make_the_same_trajectory() {
    let failing_seeds = FileFailurePersistence::WithSource("proptest-regressions");
    let config =
        Config { cases: 200, failure_persistence: Some(Box::new(failing_seeds)), ..Config::with_source_file(file!()) };
    let seen = RefCell::new(Seen::default());
    let result = TestRunner::new(config).run(&cases(), |case| compare(&case, &mut seen.borrow_mut()));
    let seen = seen.into_inner();
    if let Err(failure) = result {
        panic!("{failure}");
    }
    assert!(seen.cut_short * 20 < seen.cases, "too many cases come near a kink: {seen:?}");
    assert!(seen.deaths > 100 && seen.inactive_samples > 1000, "{seen:?}");
    assert!(seen.contrasts > 500, "{seen:?}");
    assert!(seen.tied_copies > 100 && seen.tied_patterns > 100, "{seen:?}");
}
