//! What is measured of the experts at the two ends of training.

use crate::claims::assumptions::{Audit, ExpertAtStart};
use crate::measure::accuracy::{self, Errors};
use crate::measure::learned::has_learned;
use crate::measure::{DriftAndNoise, LambdaTable, Proficiency, Role, RouterChange, proficiency};
use crate::moe::Pretrained;
use crate::patterns::{Class, Sampler};
use crate::sgd::Engine;
use crate::sim::parameters::Parameters;

/// What is known of the experts before training.
pub(super) struct Start {
    pub(super) pretrained: Pretrained,
    pub(super) proficiencies: Vec<Proficiency>,
    /// λ₁, λ₂ at t = 0, `[k]`.
    pub(super) lambdas: Vec<[f64; 2]>,
    /// Measured roles, `[k]`.
    pub(super) roles: Vec<Role>,
    pub(super) audit: Audit,
    pub(super) accuracy: Errors,
}

/// What is known of the experts after training that did not diverge.
pub(super) struct End {
    pub(super) changes: Vec<RouterChange>,
    /// `None` unless half-batches were told apart.
    pub(super) splits: Option<Vec<DriftAndNoise>>,
    pub(super) learned: Vec<Option<bool>>,
    pub(super) proficiencies: Vec<Proficiency>,
}

impl Start {
    /// Measures the experts of `pretrained`, from which `engine` has made no step yet.
    pub(super) fn measure(
        pretrained: Pretrained,
        engine: &mut dyn Engine,
        table: &mut LambdaTable,
        parameters: &Parameters,
        seed: u64,
    ) -> Self {
        let model = &pretrained.model;
        let proficiencies = proficiencies(engine, parameters, seed);
        let lambdas: Vec<[f64; 2]> = (0..model.experts())
            .map(|expert| match parameters.data.noise == 0.0 {
                true => Class::BOTH.map(|class| table.lambda(engine.competitors(expert, class))),
                false => proficiencies[expert].routed,
            })
            .collect();
        let roles: Vec<Role> = (0..model.experts())
            .map(|expert| {
                let proficiency = proficiencies[expert].proficiency;
                Role::measured(model.signs[expert], proficiency, lambdas[expert], &parameters.roles)
            })
            .collect();
        let experts: Vec<ExpertAtStart> = (0..model.experts())
            .map(|expert| ExpertAtStart {
                sign: model.signs[expert],
                role: roles[expert],
                norm: RouterChange::between(model.router(expert), model.router(expert)).norm_0,
                mean_activation: model.activations(expert).iter().sum::<f64>() / model.patterns as f64,
            })
            .collect();
        let audit = Audit::new(parameters, &experts);
        let mut sampler = Sampler::evaluation(&parameters.data, seed);
        let accuracy = accuracy::errors(engine, &mut sampler, parameters.evaluation.samples);
        Self { pretrained, proficiencies, lambdas, roles, audit, accuracy }
    }
}

impl End {
    /// Measures the experts of `engine`, which was trained from `start`.
    pub(super) fn measure(start: &Start, engine: &mut dyn Engine, parameters: &Parameters, seed: u64) -> Self {
        let data = &parameters.data;
        let model = &start.pretrained.model;
        let routers = engine.routers();
        let after = |expert: usize| &routers[expert * data.patterns..][..data.patterns];
        let changes: Vec<RouterChange> =
            (0..model.experts()).map(|expert| RouterChange::between(model.router(expert), after(expert))).collect();
        let splits = engine.contrast().map(|contrast| {
            let of_expert = |expert: usize| &contrast[expert * data.patterns..][..data.patterns];
            let split = |expert| DriftAndNoise::between(model.router(expert), after(expert), of_expert(expert));
            (0..model.experts()).map(split).collect()
        });
        let learned = (0..model.experts())
            .map(|expert| {
                let class = if model.signs[expert] > 0.0 { Class::One } else { Class::Two };
                let relevant = start.roles[expert] == Role::Relevant;
                let learned = || relevant && has_learned(after(expert), class, data, model.tokens_per_expert);
                (data.noise == 0.0).then(learned)
            })
            .collect();
        Self { splits, learned, proficiencies: proficiencies(engine, parameters, seed), changes }
    }
}

/// Proficiencies of every expert, from the run's own stream: the same samples at every call.
fn proficiencies(engine: &mut dyn Engine, parameters: &Parameters, seed: u64) -> Vec<Proficiency> {
    let mut sampler = Sampler::proficiency(&parameters.data, seed);
    let samples = parameters.roles.proficiency_samples;
    proficiency::estimate(engine, &mut sampler, samples, parameters.model.tokens_per_expert)
}
