//! What is measured of a model, against enumeration of every sample and against plain recomputation.

mod common;

use moe_theory::measure::learned::has_learned;
use moe_theory::measure::{LambdaTable, RouterChange, errors_by_kept, proficiency};
use moe_theory::moe::routing::{choose_tokens, softmax};
use moe_theory::moe::{Model, Pretrained};
use moe_theory::patterns::{Batch, Class, Purpose, Sampler, Stream, stream};
use moe_theory::prune::Plan;
use moe_theory::record::RunRecord;
use moe_theory::run::run;
use moe_theory::sgd::EngineChoice;
use moe_theory::sgd::StopReason;
use moe_theory::sgd::train::Schedule;
use moe_theory::sgd::{Competitors, train};
use moe_theory::sim::Parameters;
use moe_theory::sim::parameters::{Basis, DataParameters, Labels, PruningOrder};
use nalgebra::DVector;
use rand::RngExt;

fn data(patterns: usize, tokens: usize, replacement: bool) -> DataParameters {
    let (basis, labels) = (Basis::Canonical, Labels::Class);
    DataParameters { patterns, tokens, replacement, basis, labels, ..DataParameters::default() }
}

/// Small shapes (d, n, l, replacement) that a simulation may have, d ≤ 7, n ≤ 5.
fn shapes() -> Vec<(usize, usize, usize, bool)> {
    let mut shapes = Vec::new();
    for d in 4..=7 {
        for n in 2..=5 {
            for l in 2..=n {
                shapes.push((d, n, l, true));
                if d > n {
                    shapes.push((d, n, l, false));
                }
            }
        }
    }
    shapes
}

/// Shares of the samples that contain o_v.
#[derive(Debug)]
struct Exact {
    /// o_v is chosen: λ_v.
    routed: f64,
    /// It is chosen with a gate of at least 1/l: p_v.
    proficient: f64,
    /// Whether that is so in every sample.
    always: bool,
}

/// Every sample: all positions of the class token, all ordered choices of the others.
fn enumerate(router: &[f64], class: Class, data: &DataParameters, l: usize) -> Exact {
    let (n, q) = (data.tokens, data.patterns - 2);
    let (mut samples, mut routed, mut proficient) = (0u64, 0u64, 0u64);
    let mut chosen = Vec::new();
    for code in 0..q.pow(n as u32 - 1) {
        let others: Vec<usize> = (0..n - 1).map(|place| 2 + code / q.pow(place as u32) % q).collect();
        let repeats = (1..n - 1).any(|place| others[..place].contains(&others[place]));
        if repeats && !data.replacement {
            continue;
        }
        for position in 0..n {
            let mut tokens = others.clone();
            tokens.insert(position, class.pattern());
            let scores: Vec<f64> = tokens.iter().map(|&token| router[token]).collect();
            choose_tokens(&scores, l, &mut chosen);
            let mut gates: Vec<f64> = chosen.iter().map(|&place| scores[place]).collect();
            softmax(&mut gates);
            let gate = chosen.iter().position(|&place| place == position).map(|place| gates[place]);
            samples += 1;
            routed += u64::from(gate.is_some());
            proficient += u64::from(gate.is_some_and(|gate| gate >= 1.0 / l as f64));
        }
    }
    let share = |count| count as f64 / samples as f64;
    Exact { routed: share(routed), proficient: share(proficient), always: proficient == samples }
}

/// Scores on few levels, so that ties abound. A gate of these is exactly 1/l only if all chosen scores are equal, where
/// nothing is rounded; no other sum of exponentials of such numbers is a whole number.
fn tied_router(patterns: usize, generator: &mut Stream) -> Vec<f64> {
    let levels = generator.random_range(1..=6);
    let step = [0.25, 1.0][generator.random_range(0..2)];
    (0..patterns).map(|_| step * f64::from(generator.random_range(0..levels))).collect()
}

fn competitors(router: &[f64], class: Class) -> Competitors {
    let own = router[class.pattern()];
    let count = |holds: fn(f64, f64) -> bool| router[2..].iter().filter(|&&score| holds(score, own)).count();
    Competitors { above: count(|a, b| a > b), tied: count(|a, b| a == b) }
}

#[test]
fn lambda_is_the_share_of_all_samples() {
    for (d, n, l, replacement) in shapes() {
        let data = data(d, n, replacement);
        let mut table = LambdaTable::new(&data, l);
        for above in 0..=d - 2 {
            for tied in 0..=d - 2 - above {
                let mut router = vec![-1.0; d];
                router[0] = 0.0;
                router[2..2 + above].fill(1.0);
                router[2 + above..2 + above + tied].fill(0.0);
                let found = Competitors { above, tied };
                assert_eq!(found, competitors(&router, Class::One));
                let exact = enumerate(&router, Class::One, &data, l).routed;
                // Twice: the second answer may come from a cache.
                for _ in 0..2 {
                    let lambda = table.lambda(found);
                    assert!(
                        (lambda - exact).abs() < 1e-12,
                        "d {d}, n {n}, l {l}, replacement {replacement}, {found:?}: {lambda}, not {exact}"
                    );
                }
            }
        }
    }
}

#[test]
fn learned_is_proficient_in_every_sample() {
    let mut generator = stream(21, Purpose::Pretrained);
    let (mut learned, mut not_learned, mut tied) = (0, 0, 0);
    for round in 0..40 {
        for (d, n, l, replacement) in shapes() {
            let data = data(d, n, replacement);
            let router = match round % 2 {
                0 => tied_router(d, &mut generator),
                _ => (0..d).map(|_| generator.random_range(-1.0..1.0)).collect(),
            };
            for class in Class::BOTH {
                let exact = enumerate(&router, class, &data, l).always;
                let found = has_learned(&router, class, &data, l);
                assert_eq!(found, exact, "d {d}, n {n}, l {l}, replacement {replacement}, {class:?}, {router:?}");
                learned += usize::from(exact);
                not_learned += usize::from(!exact);
                tied += usize::from(exact && competitors(&router, class).tied > 0);
            }
        }
    }
    assert!(learned > 500 && not_learned > 500 && tied > 100, "{learned} learned, {not_learned} not, {tied} tied");
}

/// An estimate from N samples is further than √(x/2N) from its mean with probability at most 2·exp(−x) (Hoeffding).
#[test]
fn proficiencies_are_estimates_of_the_shares() {
    const SAMPLES: usize = 10_000;
    let most = (10.0 * std::f64::consts::LN_10 / (2.0 * SAMPLES as f64)).sqrt();
    let mut generator = stream(22, Purpose::Pretrained);
    let shapes = shapes();
    for (number, &(d, n, l, replacement)) in shapes.iter().enumerate() {
        let parameters = common::point(&format!(
            "data.patterns={d} data.tokens={n} data.replacement={replacement} model.tokens_per_expert={l} \
             model.experts=4 model.neurons=1 pretrained.relevant_per_class=1"
        ))
        .parameters;
        let routers: Vec<f64> = (0..4)
            .flat_map(|expert| match expert % 2 {
                // All scores equal: every chosen token has a gate of exactly 1/l in either engine.
                0 => tied_router(d, &mut generator),
                _ => (0..d).map(|_| generator.random_range(-1.0..1.0)).collect(),
            })
            .collect();
        let model = Model { routers, ..Pretrained::constructed(&parameters, 0).model };
        for choice in [EngineChoice::Pattern, EngineChoice::Dense] {
            let mut engine = choice.build(&model, &parameters, 0);
            let mut sampler = Sampler::proficiency(&parameters.data, number as u64);
            let estimates = proficiency::estimate(engine.as_mut(), &mut sampler, SAMPLES, l);
            for (expert, estimate) in estimates.iter().enumerate() {
                for (index, class) in Class::BOTH.into_iter().enumerate() {
                    let exact = enumerate(model.router(expert), class, &parameters.data, l);
                    let pairs = [(estimate.routed, exact.routed), (estimate.proficiency, exact.proficient)];
                    for (estimated, exact) in pairs.map(|(estimated, exact)| (estimated[index], exact)) {
                        let near = (estimated - exact).abs() < most && (exact.fract() != 0.0 || estimated == exact);
                        assert!(
                            near,
                            "{choice:?}, d {d}, n {n}, l {l}, replacement {replacement}, {class:?}, \
                             {:?}: {estimated}, not {exact}",
                            model.router(expert)
                        );
                    }
                }
            }
        }
    }
}

/// A model some way into training, with errors at many numbers of experts kept.
fn half_trained(seed: u64) -> (Model, Parameters) {
    let parameters = common::point(
        "data.patterns=40 data.tokens=8 model.experts=10 model.neurons=4 model.tokens_per_expert=3 \
         pretrained.misaligned=1 pretrained.neuron_scale=0.6 training.expert_rate=0.4 training.batch=20 \
         training.iterations=25",
    )
    .parameters;
    let model = Pretrained::constructed(&parameters, seed).model;
    let mut engine = EngineChoice::Pattern.build(&model, &parameters, seed);
    let mut sampler = Sampler::training(&parameters.data, seed);
    train(engine.as_mut(), &mut sampler, Schedule::training(&parameters), &mut []);
    (engine.model(), parameters)
}

#[test]
fn errors_by_kept_are_those_of_every_subset() {
    // No multiple of the block that is passed forward together.
    const SAMPLES: usize = 700;
    let (mut some, mut none) = (0, 0);
    for seed in 0..8 {
        let (model, parameters) = half_trained(seed);
        let scores: Vec<f64> = (0..10u64).map(|expert| (expert * (seed + 3) * 7 % 10) as f64).collect();
        for order in [PruningOrder::SmallestFirst, PruningOrder::LargestFirst] {
            let plan = Plan::ranked(&scores, order, &scores);
            let keep_first = plan.order().expect("a ranking is one order").to_vec();
            for choice in [EngineChoice::Pattern, EngineChoice::Dense] {
                let mut engine = choice.build(&model, &parameters, seed);
                let mut sampler = Sampler::evaluation(&parameters.data, seed);
                let found = errors_by_kept(engine.as_mut(), &mut sampler, SAMPLES, &keep_first);
                assert_eq!(found.len(), 10);
                let mut test = Batch::default();
                Sampler::evaluation(&parameters.data, seed).fill(&mut test, SAMPLES);
                for (kept, found) in (1..).zip(found) {
                    let pruned = model.subset(&keep_first[..kept]);
                    let mut outputs = Vec::new();
                    choice.build(&pruned, &parameters, seed).outputs(&test, &mut outputs);
                    let samples = outputs.chunks_exact(kept).zip(&test.labels);
                    let errors = samples.filter(|(f, label)| f.iter().sum::<f64>() * **label <= 0.0).count() as u64;
                    assert_eq!((found.errors, found.samples), (errors, SAMPLES as u64), "{kept} kept, {keep_first:?}");
                    assert_eq!(found.accuracy(), 1.0 - errors as f64 / SAMPLES as f64);
                    some += usize::from(errors > 0);
                    none += usize::from(errors == 0);
                }
            }
        }
    }
    assert!(some > 50 && none > 20, "{some} with errors, {none} without");
}

/// f = 0 is an error of both classes.
#[test]
fn a_model_that_says_nothing_is_always_wrong() {
    let (model, parameters) = half_trained(0);
    let silent = Model { neurons: vec![-1.0; model.neurons.len()], ..model };
    let mut engine = EngineChoice::Auto.build(&silent, &parameters, 0);
    let mut sampler = Sampler::evaluation(&parameters.data, 0);
    let found = errors_by_kept(engine.as_mut(), &mut sampler, 100, &[3, 0]);
    assert!(found.iter().all(|found| found.errors == 100));
}

#[test]
fn router_changes_obey_their_identities() {
    let mut generator = stream(23, Purpose::Pretrained);
    for _ in 0..2000 {
        let d = generator.random_range(1..60);
        let scale = 10f64.powf(generator.random_range(-3.0..3.0));
        let mut draw = || -> Vec<f64> { (0..d).map(|_| generator.random_range(-scale..scale)).collect() };
        let (before, after) = (draw(), draw());
        let (there, back) = (RouterChange::between(&before, &after), RouterChange::between(&after, &before));
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-12 * scale * d as f64;
        let (w_0, w) = (DVector::from_column_slice(&before), DVector::from_column_slice(&after));
        assert!(near(there.norm_0, w_0.norm()) && near(there.norm, w.norm()));
        assert!(near(there.delta, w.norm() - w_0.norm()) && near(there.displacement, (&w - &w_0).norm()));
        let centred = |w: &DVector<f64>| w.add_scalar(-w.mean()).norm();
        assert!(near(there.delta_centred, centred(&w) - centred(&w_0)));
        // Lemma L6, and the same for the centred change.
        assert!(there.delta.abs() <= there.displacement * (1.0 + 1e-12));
        assert!(there.delta_centred.abs() <= there.displacement * (1.0 + 1e-12));
        assert_eq!((there.delta, there.delta_centred), (-back.delta, -back.delta_centred));
        assert_eq!((there.norm_0, there.norm), (back.norm, back.norm_0));
        assert!(near(there.displacement, back.displacement));
        let stay = RouterChange::between(&before, &before);
        assert_eq!((stay.delta, stay.delta_centred, stay.displacement), (0.0, 0.0, 0.0));
        // Lemma L11.
        let shift = |values: &[f64]| -> Vec<f64> { values.iter().map(|u| u + 2.0 * scale).collect() };
        let shifted = RouterChange::between(&shift(&before), &shift(&after));
        assert!(near(shifted.displacement, there.displacement) && near(shifted.delta_centred, there.delta_centred));
    }
}

/// A run whose numbers overflow. Its settings lie outside the legal range, because no legal ones overflow: a step moves
/// a neuron by at most η_e/m · max‖x‖ and a router by at most η_r·R/√8, so weights grow no faster than a polynomial of T.
fn overflowing(settings: &str, set: impl Fn(&mut Parameters)) -> RunRecord {
    let mut point = common::point(settings);
    set(&mut point.parameters);
    run(&point, 0, 1, EngineChoice::Auto)
}

const SMALL: &str = "data.patterns=20 data.tokens=6 model.experts=6 model.tokens_per_expert=3 model.neurons=3 \
                     training.batch=8 pruning.finetune_kept=[1,4] record.trajectory_runs=1 \
                     roles.proficiency_samples=50 evaluation.samples=200";

#[test]
fn a_run_that_overflows_has_a_row_and_no_accuracy() {
    let huge: [fn(&mut Parameters); 2] = [
        |parameters| parameters.training.router_rate = f64::MAX,
        // Overflows in the forward pass of the first batch.
        |parameters| parameters.pretrained.neuron_scale = f64::MAX,
    ];
    for noise in ["data.noise=0", "data.noise=0.2"] {
        for (number, set) in huge.into_iter().enumerate() {
            let record = overflowing(&format!("{SMALL} {noise} pretrained.neuron_scale=1000"), set);
            let row = &record.run.body;
            assert_eq!(row.stop_reason, StopReason::Diverged, "setting {number} with {noise}");
            assert!(row.iterations < 300);
            assert_eq!(row.error, format!("diverged at iteration {}", row.iterations));
            assert!(row.accuracy_pretrained.is_some() && row.accuracy_finetuned.is_none());
            assert!(row.accuracy_ci_low.is_none() && row.accuracy_ci_high.is_none());
            assert!(row.min_delta_relevant.is_none() && row.max_displacement_irrelevant.is_none());
            assert_eq!((record.experts.len(), record.pruning.len()), (6, 0));
            for expert in &record.experts {
                assert!(expert.delta.is_none() && expert.learned.is_none() && expert.p1_t.is_none());
            }
            assert!(record.trajectory.iter().all(|row| row.iteration <= record.run.body.iterations));
        }
    }
}

/// The largest legal rates on the largest legal scales: absurd, but finite.
#[test]
fn the_largest_legal_rates_do_not_overflow() {
    for settings in ["", "data.noise=1000", "pretrained.neuron_scale=1000", "pretrained.gauge_relevant=1e6"] {
        let rates = "training.router_rate=1e6 training.expert_rate=1e6 pruning.finetune_iterations=50";
        let record = run(&common::point(&format!("{SMALL} {rates} {settings}")), 0, 1, EngineChoice::Auto);
        assert_eq!((record.run.body.stop_reason.name(), record.run.body.error.as_str()), ("finished", ""));
        assert_eq!((record.experts.len(), record.pruning.len()), (6, 6 + 2));
        assert!(record.run.body.accuracy_finetuned.is_some());
        assert!(record.experts.iter().all(|row| row.delta.is_some_and(f64::is_finite)));
    }
}

/// Only the fine-tuning after pruning overflows: the run has all its rows, two of them without errors.
#[test]
fn a_pruned_model_that_overflows_has_a_row_without_errors() {
    // Labels that no model gets right make sure that every pruned model has a gradient, whatever the seed.
    let settings = format!("{SMALL} data.labels=independent pretrained.neuron_scale=1000 training.iterations=0");
    let record = overflowing(&settings, |parameters| parameters.training.router_rate = f64::MAX);
    assert_eq!(record.run.body.stop_reason, StopReason::Finished);
    let (finetuned, pruned): (Vec<_>, Vec<_>) = record.pruning.iter().partition(|row| row.finetuned);
    assert_eq!(finetuned.iter().map(|row| row.kept).collect::<Vec<_>>(), [4, 1]);
    assert!(finetuned.iter().all(|row| row.errors.is_none() && row.samples.is_none() && row.accuracy.is_none()));
    assert!(pruned.iter().all(|row| row.errors.is_some()));
}

/// l tied tokens have a gate of 1/l, and count as proficient, wherever the scores lie below the router's largest: five
/// and more equal exponentials can sum to more than their multiple.
#[test]
fn l_tied_tokens_have_a_gate_of_one_lth_in_both_engines() {
    for l in 2..=12 {
        let parameters = common::point(&format!(
            "data.patterns=20 data.tokens=13 model.tokens_per_expert={l} model.experts=2 model.neurons=1 \
             pretrained.relevant_per_class=1"
        ))
        .parameters;
        let constructed = Pretrained::constructed(&parameters, 0).model;
        let mut batch = Batch::default();
        Sampler::proficiency(&parameters.data, 0).fill(&mut batch, 50);
        for step in 0..40 {
            // The last pattern is above the others; samples that hold it are passed over.
            let mut routers = vec![f64::from(step) / -13.0; 40];
            (routers[19], routers[39]) = (0.0, 0.0);
            let model = Model { routers, ..constructed.clone() };
            for choice in [EngineChoice::Pattern, EngineChoice::Dense] {
                let mut gates = Vec::new();
                choice.build(&model, &parameters, 0).class_token_gates(&batch, &mut gates);
                for (sample, gates) in gates.chunks_exact(2).enumerate() {
                    let tied = !batch.sample(sample).contains(&19);
                    let first = (batch.class_positions[sample] as usize) < l;
                    if tied {
                        let expected = if first { 1.0 / l as f64 } else { 0.0 };
                        assert_eq!(gates, [expected; 2], "{choice:?}, l = {l}, step {step}");
                    }
                }
            }
        }
    }
}
