//! Random models with samples, and what the identities are read off.

use moe_theory::moe::{Model, RoutingRule};
use moe_theory::patterns::{Batch, Pattern};
use moe_theory::prune::removal::Given;
use moe_theory::prune::routed::{RoutedPair, for_each_routed};
use moe_theory::prune::statistics::router_changes;
use moe_theory::prune::{Calibration, Statistics};
use moe_theory::sgd::{Engine, PatternEngine, Rates};
use moe_theory::sim::parameters::Criterion;
use moe_theory::sim::parameters::{Gates, ModelParameters, Removal, Routing};
use proptest::prelude::*;

/// A failing case is shown, and no file is left.
pub fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

pub const CLOSE: f64 = 1e-9;

pub fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= CLOSE * (1.0 + a.abs().max(b.abs()))
}

/// k experts of alternating sign with m neurons in d patterns, weights up to `scale`, and a batch of noise-free samples.
#[derive(Clone, Debug)]
pub struct World {
    pub model: Model,
    pub batch: Batch,
}

prop_compose! {
    pub fn worlds()(half in 1usize..4, m in 1usize..4, n in 2usize..6, extra in 2usize..5)(
        l in 2usize..=n,
        routers in prop::collection::vec(-1.5f64..1.5, 2 * half * (n + extra)),
        neurons in prop::collection::vec(-1.0f64..1.0, 2 * half * m * (n + extra)),
        orders in prop::collection::vec(any::<u64>(), 12),
        half in Just(half), m in Just(m), n in Just(n), extra in Just(extra),
    ) -> World {
        let (k, d) = (2 * half, n + extra);
        let signs = (0..k).map(|expert| if expert % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let model = Model { patterns: d, neurons_per_expert: m, tokens_per_expert: l, signs, routers, neurons };
        let mut batch = Batch { tokens_per_sample: n, ..Batch::default() };
        for (number, order) in orders.iter().enumerate() {
            let class = number % 2;
            let mut others: Vec<usize> = (2..d).collect();
            let mut tokens = vec![class as Pattern];
            let mut rest = *order;
            while tokens.len() < n {
                tokens.push(others.remove(rest as usize % others.len()) as Pattern);
                rest = rest.rotate_right(7);
            }
            tokens.rotate_right(*order as usize % n);
            let position = tokens.iter().position(|&token| token == class as Pattern).unwrap_or(0);
            batch.tokens.extend(tokens);
            batch.labels.push(if class == 0 { 1.0 } else { -1.0 });
            batch.class_positions.push(position as u32);
        }
        World { model, batch }
    }
}

/// What is left of a model that keeps these experts, in any order.
pub fn pruned_model(model: &Model, kept: &[usize], removal: Removal, calibration: Option<&Calibration>) -> Model {
    let pruning = crate::common::point("").parameters.pruning;
    let mut kept = kept.to_vec();
    kept.sort_unstable();
    removal.remove(model, &kept, &Given { calibration, pruning: &pruning }).model
}

/// Expert choice with the model's own k and l.
pub fn rule(model: &Model, batch: &Batch) -> RoutingRule {
    let parameters = ModelParameters {
        experts: model.experts(),
        neurons: model.neurons_per_expert,
        tokens_per_expert: model.tokens_per_expert,
        ..crate::common::point("").parameters.model
    };
    RoutingRule::new(&parameters, batch.tokens_per_sample)
}

pub fn calibrate(model: &Model, batch: &Batch) -> Calibration {
    let mut calibration = Calibration::new(model.experts());
    calibration.add(model, &rule(model, batch), batch);
    calibration
}

/// Statistics of a model that did not move.
pub fn statistics<'a>(model: &'a Model, batch: &Batch) -> Statistics<'a> {
    let changes = router_changes(&model.routers, &model.routers, model.patterns);
    Statistics {
        before: model,
        after: model,
        early: changes.clone(),
        changes,
        chance: (0..model.experts()).map(|expert| expert as f64).collect(),
        calibration: Some(calibrate(model, batch)),
    }
}

/// f_s(x) of every sample and expert by the pattern engine, `[samples, k]`: another implementation than the criteria read.
pub fn outputs(model: &Model, batch: &Batch) -> Vec<f64> {
    let mut outputs = Vec::new();
    PatternEngine::new(model, Rates { router: 0.0, expert: 0.0 }).outputs(batch, &mut outputs);
    outputs
}

pub fn scores(criterion: Criterion, given: &Statistics) -> Vec<f64> {
    (0..given.after.experts()).map(|s| criterion.importance().score(s, given).expect("all is given")).collect()
}

/// The routed pairs of every sample.
pub fn pairs(model: &Model, batch: &Batch) -> Vec<(Vec<RoutedPair>, Vec<f64>)> {
    pairs_by(model, &rule(model, batch), batch)
}

/// The same under any routing.
pub fn pairs_by(model: &Model, rule: &RoutingRule, batch: &Batch) -> Vec<(Vec<RoutedPair>, Vec<f64>)> {
    let mut all = Vec::new();
    for_each_routed(model, rule, batch, |sample| all.push((sample.pairs.to_vec(), sample.scores.to_vec())));
    all
}

/// Removes the mass of one expert's output: the sum over samples of |f − f′|^p for f′ the pruned model's output.
pub fn change_without(model: &Model, batch: &Batch, expert: usize, power: i32) -> f64 {
    let kept: Vec<usize> = (0..model.experts()).filter(|&other| other != expert).collect();
    let (whole, pruned) = (outputs(model, batch), outputs(&model.subset(&kept), batch));
    let k = model.experts();
    let sums = |outputs: &[f64], k: usize| {
        outputs.chunks_exact(k).map(|outputs| outputs.iter().sum::<f64>()).collect::<Vec<_>>()
    };
    sums(&whole, k).iter().zip(sums(&pruned, k - 1)).map(|(whole, pruned)| (whole - pruned).abs().powi(power)).sum()
}

pub fn sign_of(model: &Model, batch: &Batch, f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    outputs(model, batch).chunks_exact(model.experts()).map(f).collect()
}

/// Token choice with the model's own k: each token to `choices` experts.
pub fn token_choice(model: &Model, batch: &Batch, choices: usize, gates: Gates) -> RoutingRule {
    let parameters = ModelParameters {
        experts: model.experts(),
        neurons: model.neurons_per_expert,
        routing: Routing::TokenChoice,
        experts_per_token: choices,
        gates,
        ..crate::common::point("").parameters.model
    };
    RoutingRule::new(&parameters, batch.tokens_per_sample)
}

/// Σ_s a_s Γ_sj A_s of every token, `[samples · n]`, and f_s of every sample and expert.
pub fn token_outputs(model: &Model, rule: &RoutingRule, batch: &Batch) -> (Vec<f64>, Vec<f64>) {
    let (mut tokens, mut experts) = (Vec::new(), Vec::new());
    for_each_routed(model, rule, batch, |sample| {
        let mut own = vec![0.0; batch.tokens_per_sample];
        for pair in sample.pairs {
            own[pair.position] += model.signs[pair.expert] * pair.gate * pair.activation;
        }
        tokens.extend(own);
        experts.extend_from_slice(sample.outputs);
    });
    (tokens, experts)
}
