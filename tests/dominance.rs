//! Dominance, imbalance and the margin of the pruning path, against plain recomputation from the model's definition.

mod common;

use moe_theory::measure::accuracy::for_each_sample;
use moe_theory::measure::{DominanceTally, ErrorTally, Role};
use moe_theory::moe::{Model, Pretrained};
use moe_theory::patterns::{Batch, Sampler};
use moe_theory::prune::Plan;
use moe_theory::run::run;
use moe_theory::sgd::EngineChoice;
use moe_theory::sgd::train;
use moe_theory::sgd::train::Schedule;
use moe_theory::sim::Parameters;
use moe_theory::sim::parameters::PruningOrder;
use rand::RngExt;
use rand::seq::SliceRandom;

const SMALL: &str = "data.patterns=20 data.tokens=6 model.experts=8 model.tokens_per_expert=3 model.neurons=3 \
                     pretrained.relevant_per_class=2 training.batch=16 \
                     roles.proficiency_samples=200 evaluation.samples=300";

/// Irrelevant experts that say enough to err.
const LOUD: &str = "pretrained.neuron_scale=0.5 roles.irrelevant_max=0.3";

/// What the columns hold, straight from their formulas: (gain, loss, imbalance), path margin.
type Columns = (Option<(f64, f64, f64)>, Option<f64>);

/// Σ of y f_s(x) over the experts that `include` names.
fn votes(outputs: &[f64], label: f64, include: impl Fn(usize) -> bool) -> f64 {
    (0..outputs.len()).filter(|&expert| include(expert)).map(|expert| label * outputs[expert]).sum()
}

fn naive(model: &Model, samples: &Batch, roles: &[Role], keep_first: &[usize]) -> Columns {
    let k = model.experts();
    let outputs: Vec<(Vec<f64>, f64)> =
        (0..samples.samples()).map(|x| (model.expert_outputs(samples.sample(x)), samples.labels[x])).collect();
    let irrelevant = |expert: usize| roles[expert] == Role::Irrelevant;
    let number = (0..k).filter(|&expert| irrelevant(expert)).count();
    let mut path_margin: Option<f64> = None;
    for pruned in (0..k).filter(|&pruned| pruned <= number) {
        let kept = &keep_first[..k - pruned];
        for (outputs, label) in &outputs {
            let margin = votes(outputs, *label, |expert| kept.contains(&expert));
            path_margin = Some(path_margin.map_or(margin, |smallest| smallest.min(margin)));
        }
    }
    let mut dominance: Option<(f64, f64, f64)> = None;
    for y in [1.0, -1.0] {
        let of_class: Vec<&Vec<f64>> = outputs.iter().filter(|(_, label)| *label == y).map(|(f, _)| f).collect();
        let smallest = of_class.iter().map(|f| votes(f, y, |expert| !irrelevant(expert))).reduce(f64::min);
        let Some(gain) = smallest else { return (None, path_margin) };
        let largest = |expert: usize| of_class.iter().map(|f| f[expert].abs()).fold(0.0, f64::max);
        let loss: f64 = (0..k).filter(|&expert| irrelevant(expert) && model.signs[expert] == -y).map(largest).sum();
        let imbalance = (1..=k).map(|kept| {
            let kept = &keep_first[..kept];
            let pull = |f: &&Vec<f64>| -votes(f, y, |expert| irrelevant(expert) && kept.contains(&expert));
            of_class.iter().map(pull).sum::<f64>() / of_class.len() as f64
        });
        let imbalance = imbalance.fold(f64::NEG_INFINITY, f64::max);
        dominance = Some(match dominance {
            None => (gain, loss, imbalance),
            Some((g, l, i)) if g - l <= gain - loss => (g, l, i.max(imbalance)),
            Some((_, _, i)) => (gain, loss, i.max(imbalance)),
        });
    }
    (dominance, path_margin)
}

fn near(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * (1.0 + b.abs()),
        (a, b) => a == b,
    }
}

/// A model after some steps, so that experts differ.
fn half_trained(parameters: &Parameters, seed: u64) -> Model {
    let model = Pretrained::constructed(parameters, seed).model;
    let mut engine = EngineChoice::Auto.build(&model, parameters, seed);
    let mut sampler = Sampler::training(&parameters.data, seed);
    train(engine.as_mut(), &mut sampler, Schedule::training(parameters), &mut []);
    engine.model()
}

#[test]
fn random_models_roles_and_orders_agree_with_the_definition() {
    let mut classes = [0, 0];
    for seed in 0..60 {
        let labels = if seed % 3 == 0 { "independent" } else { "class" };
        let parameters =
            common::point(&format!("{SMALL} {LOUD} training.iterations=10 data.labels={labels}")).parameters;
        let model = half_trained(&parameters, seed);
        let mut generator = moe_theory::patterns::stream(seed, moe_theory::patterns::Purpose::Criterion);
        let mut keep_first: Vec<usize> = (0..8).collect();
        keep_first.shuffle(&mut generator);
        let kinds = [Role::Irrelevant, Role::Relevant, Role::Misaligned, Role::Ambiguous];
        // Some models are irrelevant throughout, some not at all.
        let kinds = match seed % 10 {
            0 => &kinds[..1],
            1 => &kinds[1..],
            _ => &kinds[..],
        };
        let roles: Vec<Role> = (0..8).map(|_| kinds[generator.random_range(0..kinds.len())]).collect();
        // One or two samples often leave a class without any; 300 take more than one block.
        let samples = [1, 2, 17, 300][seed as usize % 4];
        let mut batch = Batch::default();
        Sampler::evaluation(&parameters.data, seed).fill(&mut batch, samples);
        let (dominance, path_margin) = naive(&model, &batch, &roles, &keep_first);
        classes[usize::from(dominance.is_some())] += 1;

        let mut tally = DominanceTally::new(&model.signs, &roles, &keep_first);
        let mut engine = EngineChoice::Auto.build(&model, &parameters, seed);
        let mut sampler = Sampler::evaluation(&parameters.data, seed);
        for_each_sample(engine.as_mut(), &mut sampler, samples, |outputs, label| tally.add(outputs, label));
        let found = tally.dominance();
        assert!(near(tally.path_margin(), path_margin), "{:?}, {path_margin:?}", tally.path_margin());
        assert!(near(found.map(|d| d.gain), dominance.map(|d| d.0)), "{found:?}, {dominance:?}");
        assert!(near(found.map(|d| d.loss), dominance.map(|d| d.1)), "{found:?}, {dominance:?}");
        assert!(near(found.map(|d| d.imbalance), dominance.map(|d| d.2)), "{found:?}, {dominance:?}");
    }
    assert!(classes[0] > 5 && classes[1] > 30, "{classes:?}");
}

#[test]
fn a_runs_columns_are_those_of_its_model_roles_and_order() {
    for (seed, order) in [(0, "smallest-first"), (1, "largest-first"), (2, "smallest-first"), (3, "largest-first")] {
        let point = common::point(&format!("{SMALL} {LOUD} training.iterations=30 pruning.order={order}"));
        let record = run(&point, seed, 9, EngineChoice::Auto);
        let (parameters, body) = (&point.parameters, &record.run.body);
        let run_seed = record.run.head.seed;
        let model = half_trained(parameters, run_seed);
        let roles: Vec<Role> = record.experts.iter().map(|row| row.role).collect();
        assert!(roles.contains(&Role::Irrelevant) && roles.contains(&Role::Relevant), "{roles:?}");
        let scores: Vec<f64> = record.experts.iter().map(|row| row.delta.expect("not diverged")).collect();
        let order = if seed % 2 == 0 { PruningOrder::SmallestFirst } else { PruningOrder::LargestFirst };
        let plan = Plan::ranked(&scores, order, &scores);
        let keep_first = plan.order().expect("a ranking is one order").to_vec();
        let mut batch = Batch::default();
        Sampler::evaluation(&parameters.data, run_seed).fill(&mut batch, parameters.evaluation.samples);
        let (dominance, path_margin) = naive(&model, &batch, &roles, &keep_first);
        let (gain, loss, imbalance) = dominance.expect("both classes have samples");
        assert!(near(body.dominance_gain, Some(gain)) && near(body.dominance_loss, Some(loss)), "{body:?}");
        assert!(near(body.activation_imbalance, Some(imbalance)), "{body:?}, {imbalance}");
        assert!(near(body.path_margin, path_margin), "{body:?}, {path_margin:?}");
        // A margin above 0 is the absence of errors at every ρ ≤ γ.
        let gamma = body.gamma.expect("measured");
        let errors: u64 = record.pruning.iter().filter(|row| row.ratio <= gamma).filter_map(|row| row.errors).sum();
        assert_eq!(path_margin.is_some_and(|margin| margin > 0.0), errors == 0);
    }
}

/// Dominance on a set of samples rules errors on these samples out, whatever irrelevant experts are pruned.
#[test]
fn dominance_on_the_samples_rules_errors_on_them_out() {
    let mut dominant = 0;
    for seed in 0..20 {
        let point = common::point(&format!("{SMALL} pretrained.neuron_scale=0.2 roles.irrelevant_max=0.5"));
        let record = run(&point, seed, 4, EngineChoice::Auto);
        let body = &record.run.body;
        let (Some(gain), Some(loss)) = (body.dominance_gain, body.dominance_loss) else { panic!("{body:?}") };
        if gain <= loss {
            continue;
        }
        dominant += 1;
        let parameters = &point.parameters;
        let model = half_trained(parameters, record.run.head.seed);
        let irrelevant = |expert: &usize| record.experts[*expert].role == Role::Irrelevant;
        let (mut order, last): (Vec<usize>, Vec<usize>) = (0..8).partition(|expert| !irrelevant(expert));
        let relevant = order.len();
        order.extend(last);
        for _ in 0..4 {
            order[relevant..]
                .shuffle(&mut moe_theory::patterns::stream(seed, moe_theory::patterns::Purpose::Criterion));
            let mut errors = ErrorTally::new(&order);
            let mut engine = EngineChoice::Auto.build(&model, parameters, 0);
            let mut sampler = Sampler::evaluation(&parameters.data, record.run.head.seed);
            for_each_sample(engine.as_mut(), &mut sampler, 300, |outputs, label| errors.add(outputs, label));
            assert!(errors.by_kept()[relevant - 1..].iter().all(|errors| errors.errors == 0));
        }
    }
    assert!(dominant >= 5, "{dominant} dominant runs");
}

#[test]
fn outputs_that_are_no_numbers_leave_the_columns_empty() {
    let (signs, roles, order) = ([1.0, -1.0], [Role::Relevant, Role::Irrelevant], [0, 1]);
    for bad in [f64::NAN, f64::INFINITY] {
        let mut tally = DominanceTally::new(&signs, &roles, &order);
        assert!(tally.path_margin().is_none() && tally.dominance().is_none());
        tally.add(&[1.0, -0.5], 1.0);
        assert_eq!((tally.path_margin(), tally.dominance()), (Some(0.5), None));
        tally.add(&[0.25, -0.5], -1.0);
        assert!(tally.dominance().is_some());
        tally.add(&[bad, -0.5], 1.0);
        assert!(tally.path_margin().is_none() && tally.dominance().is_none());
    }
}
