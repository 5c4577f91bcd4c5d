//! Pre-trained models: what fine-tuning starts from.

use super::Model;
use crate::patterns::streams::{Purpose, Stream, stream};
use crate::sim::parameters::{ModelParameters, Parameters, PretrainedParameters, Signs};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

/// The role that an expert was built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BuiltRole {
    /// Specialises in a class's pattern and has that class's sign.
    Relevant,
    /// Specialises in a class's pattern and has the other class's sign.
    Misaligned,
    /// Specialises in irrelevant patterns.
    Irrelevant,
}

/// A pre-trained model with the role that each expert was built for.
#[derive(Clone, Debug)]
pub struct Pretrained {
    /// The model at t = 0.
    pub model: Model,
    /// Built roles, `[k]`.
    pub roles: Vec<BuiltRole>,
}

impl Pretrained {
    /// The constructed pre-trained model (METHODOLOGY, "The pre-trained model").
    ///
    /// Experts alternate in sign. The first R_c experts of each sign specialise in their own class's pattern, the next
    /// W, in the order of their numbers, in the other class's pattern; every other expert specialises in irrelevant
    /// patterns. Router: c on special patterns, N(0, s_r²) added everywhere. Neurons: |N(0, s₀²)| on special patterns,
    /// N(0, (s₀/2)²) elsewhere.
    pub fn constructed(parameters: &Parameters, run_seed: u64) -> Self {
        let Parameters { data, model, pretrained, .. } = parameters;
        let mut generator = stream(run_seed, Purpose::Pretrained);
        let mut routers = Vec::with_capacity(model.experts * data.patterns);
        let mut neurons = Vec::with_capacity(model.experts * model.neurons * data.patterns);
        let mut roles = Vec::with_capacity(model.experts);
        for expert in 0..model.experts {
            let (role, special) = specialise(expert, data.patterns, pretrained, &mut generator);
            let scales = Scales::of(role, pretrained);
            draw_router(&special, &scales, pretrained.router_noise, &mut generator, &mut routers);
            draw_neurons(&special, scales.neuron, model.neurons, &mut generator, &mut neurons);
            roles.push(role);
        }
        let signs = signs(model);
        // The sign decides between relevant and misaligned, so that one-sign models are named for what they are.
        for (expert, role) in roles.iter_mut().enumerate() {
            if *role != BuiltRole::Irrelevant && signs[expert] != alternating(expert) {
                *role = if *role == BuiltRole::Relevant { BuiltRole::Misaligned } else { BuiltRole::Relevant };
            }
        }
        let model = Model {
            patterns: data.patterns,
            neurons_per_expert: model.neurons,
            tokens_per_expert: model.tokens_per_expert,
            signs,
            routers,
            neurons,
        };
        Self { model, roles }
    }
}

/// Scales of one expert: mean router coordinate on special patterns, gauge, and s₀.
struct Scales {
    router: f64,
    gauge: f64,
    neuron: f64,
}

impl Scales {
    fn of(role: BuiltRole, pretrained: &PretrainedParameters) -> Self {
        match role {
            BuiltRole::Relevant => Self {
                router: pretrained.router_scale_relevant,
                gauge: pretrained.gauge_relevant,
                neuron: pretrained.neuron_scale_relevant,
            },
            BuiltRole::Misaligned => {
                Self { router: pretrained.router_scale, gauge: 0.0, neuron: pretrained.neuron_scale_misaligned }
            }
            BuiltRole::Irrelevant => {
                Self { router: pretrained.router_scale, gauge: 0.0, neuron: pretrained.neuron_scale }
            }
        }
    }
}

/// a_s = +1 for even s, −1 for odd s.
fn alternating(expert: usize) -> f64 {
    if expert.is_multiple_of(2) { 1.0 } else { -1.0 }
}

fn signs(model: &ModelParameters) -> Vec<f64> {
    (0..model.experts)
        .map(|expert| match model.signs {
            Signs::Alternating => alternating(expert),
            Signs::AllPositive => 1.0,
        })
        .collect()
}

/// The role of an expert under alternating signs, and for each pattern whether the expert specialises in it.
fn specialise(
    expert: usize,
    patterns: usize,
    pretrained: &PretrainedParameters,
    generator: &mut Stream,
) -> (BuiltRole, Vec<bool>) {
    let mut special = vec![false; patterns];
    let own = expert % 2;
    if expert < 2 * pretrained.relevant_per_class {
        special[own] = true;
        (BuiltRole::Relevant, special)
    } else if expert < 2 * pretrained.relevant_per_class + pretrained.misaligned {
        special[1 - own] = true;
        (BuiltRole::Misaligned, special)
    } else {
        if pretrained.special_patterns == 0 {
            for flag in &mut special[2..] {
                *flag = generator.random_bool(pretrained.specialisation);
            }
        } else {
            for pattern in rand::seq::index::sample(generator, patterns - 2, pretrained.special_patterns) {
                special[2 + pattern] = true;
            }
        }
        (BuiltRole::Irrelevant, special)
    }
}

fn draw_router(special: &[bool], scales: &Scales, noise: f64, generator: &mut Stream, routers: &mut Vec<f64>) {
    for &is_special in special {
        let gaussian: f64 = StandardNormal.sample(generator);
        let mean = if is_special { scales.router } else { 0.0 };
        routers.push(mean + noise * gaussian + scales.gauge);
    }
}

fn draw_neurons(special: &[bool], scale: f64, count: usize, generator: &mut Stream, neurons: &mut Vec<f64>) {
    for _ in 0..count {
        for &is_special in special {
            let gaussian: f64 = StandardNormal.sample(generator);
            neurons.push(if is_special { scale * gaussian.abs() } else { 0.5 * scale * gaussian });
        }
    }
}
