//! What is measured of the experts at the two ends of training.

use crate::measure::accuracy::{self, Errors};
use crate::measure::learned::has_learned_feature;
use crate::measure::{Audit, DriftAndNoise, ExpertAtStart, LambdaTable, Proficiency, Role, RouterChange, proficiency};
use crate::patterns::{Class, Sampler};
use crate::sgd::{Competitors, Engine};
use crate::sim::Property;
use crate::sim::parameters::{DataParameters, Parameters};
use crate::systems::StartingPoint;

/// What is known of the experts before training.
pub(super) struct Start {
    pub(super) point: StartingPoint,
    pub(super) proficiencies: Vec<Proficiency>,
    /// λ₁, λ₂ at t = 0, `[k]`.
    pub(super) lambdas: Vec<[f64; 2]>,
    /// Measured roles, `[k]`.
    pub(super) roles: Vec<Role>,
    /// The feature that each relevant or misaligned expert is most proficient in, `[k]`.
    pub(super) features: Vec<Option<usize>>,
    pub(super) audit: Audit,
    pub(super) accuracy: Errors,
}

/// What is known of the experts after training that did not diverge.
pub(super) struct End {
    /// Empty where no expert has a router of its own.
    pub(super) changes: Vec<RouterChange>,
    /// `None` unless half-batches were told apart.
    pub(super) splits: Option<Vec<DriftAndNoise>>,
    pub(super) learned: Vec<Option<bool>>,
    pub(super) proficiencies: Vec<Proficiency>,
}

impl Start {
    /// Measures the experts of a starting point, from which `engine` has made no step yet.
    pub(super) fn measure(
        point: StartingPoint,
        engine: &mut dyn Engine,
        table: &mut LambdaTable,
        parameters: &Parameters,
        seed: u64,
    ) -> Self {
        let data = &parameters.data;
        let system = point.system.as_ref();
        let experts = 0..system.experts();
        let by_feature = proficiencies_by_feature(engine, parameters, seed);
        let proficiencies = proficiency::largest(&by_feature);
        let lambdas: Vec<[f64; 2]> = experts
            .clone()
            .map(|expert| match (parameters.has(Property::ExactLambda), engine.theory()) {
                (true, Some(theory)) if data.features == 1 => {
                    Class::BOTH.map(|class| table.lambda(theory.competitors(expert, class)))
                }
                (true, _) => Class::BOTH.map(|class| largest_lambda(system.router(expert), class, data, table)),
                (false, _) => proficiencies[expert].routed,
            })
            .collect();
        let roles: Vec<Role> = experts
            .clone()
            .map(|expert| match system.sign(expert) {
                Some(sign) if parameters.has(Property::MeasuredRoles) => {
                    let proficiency = proficiencies[expert].proficiency;
                    Role::measured(sign, proficiency, lambdas[expert], &parameters.roles)
                }
                _ => Role::Undefined,
            })
            .collect();
        let features = experts
            .clone()
            .map(|expert| favourite_feature(&by_feature, expert, system.sign(expert)?, roles[expert]))
            .collect();
        let model = system.model();
        let at_start = experts.map(|expert| ExpertAtStart {
            sign: system.sign(expert).unwrap_or_default(),
            role: roles[expert],
            norm: RouterChange::between(system.router(expert), system.router(expert)).norm_0,
            mean_activation: model
                .map_or(0.0, |model| model.activations(expert).iter().sum::<f64>() / model.patterns as f64),
        });
        let audit = Audit::new(parameters, &at_start.collect::<Vec<_>>());
        let mut sampler = Sampler::evaluation(&parameters.data, seed);
        let accuracy = accuracy::errors(engine, &mut sampler, parameters.evaluation.samples);
        Self { point, proficiencies, lambdas, roles, features, audit, accuracy }
    }
}

impl End {
    /// Measures the experts of `engine`, which was trained from `start`.
    pub(super) fn measure(start: &Start, engine: &mut dyn Engine, parameters: &Parameters, seed: u64) -> Self {
        let data = &parameters.data;
        let system = start.point.system.as_ref();
        let experts = 0..system.experts();
        let routers = engine.routers();
        let length = routers.len() / experts.len();
        let after = |expert: usize| &routers[expert * length..][..length];
        let with_routers = experts.clone().filter(|_| length > 0);
        let changes: Vec<RouterChange> =
            with_routers.map(|expert| RouterChange::between(system.router(expert), after(expert))).collect();
        let splits = engine.theory().and_then(|theory| theory.contrast()).map(|contrast| {
            let of_expert = |expert: usize| &contrast[expert * data.patterns..][..data.patterns];
            let split = |expert| DriftAndNoise::between(system.router(expert), after(expert), of_expert(expert));
            experts.clone().map(split).collect()
        });
        let learned = experts
            .map(|expert| {
                let class = if system.sign(expert)? > 0.0 { Class::One } else { Class::Two };
                let relevant = start.roles[expert] == Role::Relevant;
                let pattern = class.feature(start.features[expert].unwrap_or_default());
                let l = parameters.model.tokens_per_expert;
                let learned = || relevant && has_learned_feature(after(expert), pattern, data, l);
                parameters.has(Property::ExactLambda).then(learned)
            })
            .collect();
        let proficiencies = proficiency::largest(&proficiencies_by_feature(engine, parameters, seed));
        Self { splits, learned, proficiencies, changes }
    }
}

/// Proficiencies of every expert, `[features][k]`, from the run's own stream: the same samples at every call.
fn proficiencies_by_feature(engine: &mut dyn Engine, parameters: &Parameters, seed: u64) -> Vec<Vec<Proficiency>> {
    let Parameters { data, model, roles, .. } = parameters;
    let mut sampler = Sampler::proficiency(data, seed);
    let samples = roles.proficiency_samples;
    proficiency::estimate_features(engine, &mut sampler, samples, model.gate_places(), data.features)
}

/// The largest λ over the features of a class, of one router.
fn largest_lambda(router: &[f64], class: Class, data: &DataParameters, table: &mut LambdaTable) -> f64 {
    let lambda = |feature: usize| {
        let own = router[class.feature(feature)];
        let irrelevant = &router[data.first_irrelevant()..];
        table.lambda(Competitors {
            above: irrelevant.iter().filter(|&&score| score > own).count(),
            tied: irrelevant.iter().filter(|&&score| score == own).count(),
        })
    };
    (0..data.features).map(lambda).fold(0.0, f64::max)
}

/// The feature in which an expert of this role is most proficient; the first of equals.
fn favourite_feature(by_feature: &[Vec<Proficiency>], expert: usize, sign: f64, role: Role) -> Option<usize> {
    let own = usize::from(sign < 0.0);
    let class = match role {
        Role::Relevant => own,
        Role::Misaligned => 1 - own,
        Role::Irrelevant | Role::Ambiguous | Role::Undefined => return None,
    };
    let proficiency = |feature: usize| by_feature[feature][expert].proficiency[class];
    (0..by_feature.len()).reduce(|best, feature| if proficiency(feature) > proficiency(best) { feature } else { best })
}
