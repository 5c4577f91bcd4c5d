//! A model that was trained upstream.
//!
//! Upstream pre-training is the same SGD, by the same engine, on a mixture of U tasks, each a pair of patterns, one for
//! either label: pair t is patterns 2t and 2t + 1. A sample holds one pattern of one task, all 2U equally likely but for
//! `class_share`, and n − 1 patterns that are in no pair. Then the pair (0, 1) becomes the downstream task, and the patterns
//! of all other pairs are irrelevant: nothing before distinguishes one pair from another, so that this is a random choice.
//! Roles are measured afterwards; nothing is set by hand.

use super::UpstreamDiverged;
use crate::moe::Pretrained;
use crate::patterns::{Purpose, Sampler};
use crate::sgd::EngineChoice;
use crate::sgd::train;
use crate::sgd::train::{Schedule, StopReason};
use crate::sim::parameters::{DataParameters, Labels, Parameters, TrainingParameters};

/// The parameters of upstream pre-training: its tasks are the features of a world whose features are equally likely, and
/// fresh samples without spurious patterns or label noise.
pub fn upstream_parameters(parameters: &Parameters) -> Parameters {
    let pretrained = &parameters.pretrained;
    let tasks = pretrained.upstream_tasks;
    Parameters {
        data: DataParameters {
            features: tasks,
            rare_share: (tasks - 1) as f64 / tasks as f64,
            rare_decay: 1.0,
            spurious: 0.0,
            labels: Labels::Class,
            label_noise: 0.0,
            ..parameters.data.clone()
        },
        training: TrainingParameters {
            router_rate: pretrained.upstream_router_rate,
            expert_rate: pretrained.upstream_expert_rate,
            batch: pretrained.upstream_batch,
            iterations: pretrained.upstream_iterations,
            zero_loss_window: 0,
            training_set: 0,
            ..parameters.training.clone()
        },
        ..parameters.clone()
    }
}

pub(super) fn pretrained(
    parameters: &Parameters,
    run_seed: u64,
    choice: EngineChoice,
) -> Result<Pretrained, UpstreamDiverged> {
    let untrained = Pretrained::untrained(parameters, run_seed);
    let upstream = upstream_parameters(parameters);
    let mut engine = choice.build(&untrained.model, &upstream, run_seed);
    let mut sampler = Sampler::new(&upstream.data, run_seed, Purpose::Upstream, Purpose::UpstreamNoise);
    match train(engine.as_mut(), &mut sampler, Schedule::training(&upstream), &mut []) {
        (StopReason::Diverged, iteration) => Err(UpstreamDiverged { iteration, untrained: Box::new(untrained) }),
        (_, iteration) if engine.model().has_overflow() => {
            Err(UpstreamDiverged { iteration, untrained: Box::new(untrained) })
        }
        _ => Ok(Pretrained { model: engine.model(), ..untrained }),
    }
}
