//! Pre-trained models: what fine-tuning starts from.

use super::Model;
use crate::patterns::streams::{Purpose, Stream, stream};
use crate::patterns::{Dictionary, StandardNormal};
use crate::sim::parameters::{DataParameters, ModelParameters, Parameters, PretrainedParameters, Signs};
use rand::RngExt;
use rand::distr::Distribution;

/// The role that an expert was built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BuiltRole {
    /// Specialises in a class's pattern and has that class's sign.
    Relevant,
    /// Specialises in a class's pattern and has the other class's sign.
    Misaligned,
    /// Specialises in irrelevant patterns.
    Irrelevant,
    /// Built for nothing: the model was trained upstream.
    Unbuilt,
}

/// A pre-trained model with the role that each expert was built for.
#[derive(Clone, Debug)]
pub struct Pretrained {
    /// The model at t = 0.
    pub model: Model,
    /// Built roles, `[k]`.
    pub roles: Vec<BuiltRole>,
    /// The feature that each relevant or misaligned expert was built for, `[k]`.
    pub features: Vec<Option<usize>>,
}

impl Pretrained {
    /// The constructed pre-trained model (docs/theory/training.md).
    ///
    /// Experts alternate in sign. The first R_c experts of each sign specialise in their own class's first feature, the
    /// next `rare_per_class` of each sign in its second feature, and so on; the next W, in the order of their numbers, in
    /// the other class's first feature; every other expert specialises in irrelevant patterns, the first 2·`twins` of them
    /// in pairs of equal weights. Router: c on special patterns, N(0, s_r²) added everywhere. Neurons: |N(0, s₀²)| on
    /// special patterns, N(0, (s₀/2)²) elsewhere. Last, `gauge_class` is added to the coordinates of every router on the
    /// first pattern of each class. These are scores of patterns: where patterns are a dictionary, the weights are those
    /// that have them.
    pub fn constructed(parameters: &Parameters, run_seed: u64) -> Self {
        let Parameters { data, model, pretrained, .. } = parameters;
        let mut generator = stream(run_seed, Purpose::Pretrained);
        let mut routers = Vec::with_capacity(model.experts * data.patterns);
        let mut neurons = Vec::with_capacity(model.experts * model.neurons * data.patterns);
        let mut roles = Vec::with_capacity(model.experts);
        let mut features = Vec::with_capacity(model.experts);
        for expert in 0..model.experts {
            let plan = Plan::of(expert, data, pretrained);
            roles.push(plan.role);
            features.push(plan.feature);
            if let Some(original) = plan.copy_of {
                let (d, size) = (data.patterns, model.neurons * data.patterns);
                routers.extend_from_within(original * d..(original + 1) * d);
                neurons.extend_from_within(original * size..(original + 1) * size);
                if pretrained.copy_noise > 0.0 && plan.role == BuiltRole::Relevant {
                    let scales = Scales::of(&plan, pretrained);
                    let mut noise = |weights: &mut [f64], scale: f64| {
                        for weight in weights {
                            let gaussian: f64 = StandardNormal.sample(&mut generator);
                            *weight += pretrained.copy_noise * scale * gaussian;
                        }
                    };
                    noise(&mut routers[expert * d..], scales.router);
                    noise(&mut neurons[expert * size..], scales.neuron);
                }
                continue;
            }
            let special = specialise(&plan, data, pretrained, &mut generator);
            let scales = Scales::of(&plan, pretrained);
            let first = routers.len();
            draw_router(&special, &scales, pretrained.router_noise, &mut generator, &mut routers);
            if plan.role == BuiltRole::Relevant && pretrained.distraction != 0.0 {
                distract(&mut routers[first + data.first_irrelevant()..], pretrained, &mut generator);
            }
            draw_neurons(&special, scales.neuron, model.neurons, &mut generator, &mut neurons);
        }
        if pretrained.gauge_class != 0.0 {
            let on_class_patterns =
                |router: &mut [f64]| router[..2].iter_mut().for_each(|u| *u += pretrained.gauge_class);
            routers.chunks_exact_mut(data.patterns).for_each(on_class_patterns);
        }
        let signs = signs(model);
        // The sign decides between relevant and misaligned, so that one-sign models are named for what they are.
        for (expert, role) in roles.iter_mut().enumerate() {
            let is_for_a_class = matches!(role, BuiltRole::Relevant | BuiltRole::Misaligned);
            if is_for_a_class && signs[expert] != alternating(expert) {
                *role = if *role == BuiltRole::Relevant { BuiltRole::Misaligned } else { BuiltRole::Relevant };
            }
        }
        if let Some(dictionary) = Dictionary::new(data, run_seed) {
            routers = dictionary.weights_with_scores(&routers);
            neurons = dictionary.weights_with_scores(&neurons);
        }
        let model = Model {
            patterns: data.patterns,
            neurons_per_expert: model.neurons,
            tokens_per_expert: model.tokens_per_expert,
            signs,
            routers,
            neurons,
        };
        Self { model, roles, features }
    }

    /// The model before upstream pre-training: every router coordinate N(0, `upstream_router_init`²) and every neuron
    /// coordinate N(0, `upstream_neuron_init`²), nothing built.
    pub fn untrained(parameters: &Parameters, run_seed: u64) -> Self {
        let Parameters { data, model, pretrained, .. } = parameters;
        let mut generator = stream(run_seed, Purpose::Pretrained);
        let mut normal = |count: usize, scale: f64| -> Vec<f64> {
            (0..count).map(|_| StandardNormal.sample(&mut generator)).map(|value: f64| scale * value).collect()
        };
        let model = Model {
            patterns: data.patterns,
            neurons_per_expert: model.neurons,
            tokens_per_expert: model.tokens_per_expert,
            signs: signs(model),
            routers: normal(model.experts * data.patterns, pretrained.upstream_router_init),
            neurons: normal(model.experts * model.neurons * data.patterns, pretrained.upstream_neuron_init),
        };
        Self { roles: vec![BuiltRole::Unbuilt; model.experts()], features: vec![None; model.experts()], model }
    }
}

/// What one expert is built to be, under alternating signs.
struct Plan {
    role: BuiltRole,
    /// The feature that it specialises in; of its own class if it is relevant, of the other one if it is misaligned.
    feature: Option<usize>,
    /// The number of its class's or the other class's pattern.
    pattern: Option<usize>,
    is_twin: bool,
    /// The expert whose weights it has.
    copy_of: Option<usize>,
}

impl Plan {
    fn of(expert: usize, data: &DataParameters, pretrained: &PretrainedParameters) -> Self {
        let own = expert % 2;
        let irrelevant =
            Plan { role: BuiltRole::Irrelevant, feature: None, pattern: None, is_twin: false, copy_of: None };
        let mut first = 0;
        for feature in 0..data.features {
            let per_class = if feature == 0 { pretrained.relevant_per_class } else { pretrained.rare_per_class };
            if expert < first + 2 * per_class {
                let is_copy = !((expert - first) / 2).is_multiple_of(pretrained.copies);
                return Plan {
                    role: BuiltRole::Relevant,
                    feature: Some(feature),
                    pattern: Some(2 * feature + own),
                    copy_of: is_copy.then(|| expert - 2),
                    ..irrelevant
                };
            }
            first += 2 * per_class;
        }
        if expert < first + pretrained.misaligned {
            return Plan { role: BuiltRole::Misaligned, feature: Some(0), pattern: Some(1 - own), ..irrelevant };
        }
        let place = expert - first - pretrained.misaligned;
        let is_twin = place < 2 * pretrained.twins;
        Plan { is_twin, copy_of: (is_twin && !place.is_multiple_of(2)).then(|| expert - 1), ..irrelevant }
    }
}

/// Scales of one expert: mean router coordinate on special patterns, gauge, and s₀.
struct Scales {
    router: f64,
    gauge: f64,
    neuron: f64,
}

impl Scales {
    fn of(plan: &Plan, pretrained: &PretrainedParameters) -> Self {
        match plan.role {
            BuiltRole::Relevant => Self {
                router: pretrained.router_scale_relevant,
                gauge: pretrained.gauge_relevant,
                neuron: pretrained.neuron_scale_relevant,
            },
            BuiltRole::Misaligned => {
                Self { router: pretrained.router_scale, gauge: 0.0, neuron: pretrained.neuron_scale_misaligned }
            }
            BuiltRole::Irrelevant | BuiltRole::Unbuilt => {
                let neuron = if plan.is_twin { pretrained.neuron_scale_twin } else { pretrained.neuron_scale };
                Self { router: pretrained.router_scale, gauge: 0.0, neuron }
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

/// For each pattern, whether the expert specialises in it.
fn specialise(
    plan: &Plan,
    data: &DataParameters,
    pretrained: &PretrainedParameters,
    generator: &mut Stream,
) -> Vec<bool> {
    let mut special = vec![false; data.patterns];
    let first = data.first_irrelevant();
    if let Some(pattern) = plan.pattern {
        special[pattern] = true;
    } else if pretrained.special_patterns == 0 {
        for flag in &mut special[first..] {
            *flag = generator.random_bool(pretrained.specialisation);
        }
    } else {
        for pattern in rand::seq::index::sample(generator, data.patterns - first, pretrained.special_patterns) {
            special[first + pattern] = true;
        }
    }
    special
}

/// Adds the distraction to some of the coordinates on irrelevant patterns.
fn distract(irrelevant: &mut [f64], pretrained: &PretrainedParameters, generator: &mut Stream) {
    for coordinate in irrelevant {
        if generator.random_bool(pretrained.distraction_share) {
            *coordinate += pretrained.distraction;
        }
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
