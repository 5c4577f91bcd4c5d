//! Random legal configurations: small shapes, all options inside the lemmas' scope, scales at which neurons die.

use moe_theory::moe::{Model, Pretrained};
use moe_theory::patterns::Vocabulary;
use moe_theory::sim::{Overrides, Parameters, Simulation, SimulationError};
use std::ops::RangeInclusive;

/// Gauges of L11.
pub const GAUGES: [f64; 3] = [0.3, 3.0, 300.0];

/// What one run trains.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Checked parameters, noise-free and with labels that the class pattern decides.
    pub parameters: Parameters,
    /// The run's seed.
    pub seed: u64,
    /// b of each expert for the second run of L11, `[k]`; at least one is not 0. `None` where scores of different
    /// patterns may tie: rounding in another gauge may break a tie the other way, and a tie has no gauge-invariant
    /// resolution in finite precision.
    pub gauge: Option<Vec<f64>>,
}

impl Configuration {
    /// The configuration number `run` of the family `seed`.
    ///
    /// # Errors
    /// If the drawn settings are not legal, which is a bug of this function.
    pub fn draw(seed: u64, run: u64) -> Result<Self, SimulationError> {
        let mut draws = Draws(mix(seed ^ mix(run)));
        let set = draws.settings();
        Self::with_gauge(&set, draws)
    }

    /// The configuration number `run` of the family `seed` of those whose inputs and subsets of experts can be listed.
    ///
    /// # Errors
    /// If the drawn settings are not legal, which is a bug of this function.
    pub fn draw_tiny(seed: u64, run: u64) -> Result<Self, SimulationError> {
        let mut draws = Draws(mix(!seed ^ mix(run)));
        let set = draws.tiny_settings();
        Self::with_gauge(&set, draws)
    }

    fn with_gauge(set: &[String], mut draws: Draws) -> Result<Self, SimulationError> {
        let mut configuration = Self::from_settings(set, draws.next())?;
        let parameters = &configuration.parameters;
        if parameters.pretrained.router_noise > 0.0 {
            let b = draws.choose(&GAUGES);
            let experts = parameters.model.experts;
            let always = draws.below(experts as u64) as usize;
            let gauge = |expert| if expert == always || draws.chance(0.5) { b } else { 0.0 };
            configuration.gauge = Some((0..experts).map(gauge).collect());
        }
        Ok(configuration)
    }

    /// The configuration that `key=value` settings give, without a gauge.
    ///
    /// # Errors
    /// If the settings are not legal.
    pub fn from_settings(set: &[String], seed: u64) -> Result<Self, SimulationError> {
        let overrides = Overrides { set, seeds: None };
        let simulation = Simulation::parse("proofs-check", "name = \"proofs-check\"\n", &overrides)?;
        let parameters = simulation.points()?.swap_remove(0).parameters;
        Ok(Self { parameters, seed, gauge: None })
    }

    /// The model at t = 0.
    pub fn initial(&self) -> Model {
        Pretrained::constructed(&self.parameters, self.seed).model
    }

    /// The model at t = 0 in the gauge of [`Configuration::gauge`].
    pub fn gauged(&self) -> Option<Model> {
        let gauge = self.gauge.as_ref()?;
        let mut model = self.initial();
        for (router, b) in model.routers.chunks_exact_mut(model.patterns).zip(gauge) {
            router.iter_mut().for_each(|u| *u += b);
        }
        Some(model)
    }

    /// The basis of the run.
    pub fn vocabulary(&self) -> Vocabulary {
        let data = &self.parameters.data;
        Vocabulary::new(data.patterns, data.basis, self.seed)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): enough to draw settings; the runs' own numbers come from the library.
struct Draws(u64);

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(state: u64) -> u64 {
    let z = state.wrapping_add(GOLDEN);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Draws {
    fn next(&mut self) -> u64 {
        let value = mix(self.0);
        self.0 = self.0.wrapping_add(GOLDEN);
        value
    }

    /// A number from 0 to `count` − 1.
    fn below(&mut self, count: u64) -> u64 {
        self.next() % count
    }

    fn integer(&mut self, range: RangeInclusive<u64>) -> u64 {
        range.start() + self.below(range.end() - range.start() + 1)
    }

    /// A number from 0 to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn real(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform in the logarithm.
    fn scale(&mut self, low: f64, high: f64) -> f64 {
        low * (high / low).powf(self.unit())
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    fn choose<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }

    /// As [`Draws::settings`], with few inputs, few experts, and relevant experts that often dominate the others.
    fn tiny_settings(&mut self) -> Vec<String> {
        let tokens = self.integer(2..=4);
        let patterns = self.integer((tokens + 1).max(4)..=if tokens == 4 { 7 } else { 8 });
        let set = [
            ("data.patterns", patterns.to_string()),
            ("data.tokens", tokens.to_string()),
            ("data.replacement", self.chance(0.5).to_string()),
            ("data.class_share", format!("{:?}", self.choose(&[0.5, 0.5, 0.3]))),
            ("data.basis", self.choose(&["canonical", "haar"]).into()),
            ("model.experts", self.choose(&[2, 4, 4]).to_string()),
            ("model.neurons", self.integer(1..=6).to_string()),
            ("model.tokens_per_expert", "2".into()),
            ("pretrained.relevant_per_class", "1".into()),
            ("pretrained.specialisation", format!("{:?}", self.real(0.5, 1.0))),
            ("pretrained.router_scale_relevant", format!("{:?}", self.real(0.5, 3.0))),
            ("pretrained.router_noise", if self.chance(0.2) { "0.0" } else { "0.1" }.into()),
            ("pretrained.neuron_scale", format!("{:?}", self.scale(0.02, 1.0))),
            ("pretrained.neuron_scale_relevant", format!("{:?}", self.scale(0.1, 1.0))),
            ("training.router_rate", format!("{:?}", self.scale(0.02, 1.0))),
            ("training.expert_rate", format!("{:?}", self.scale(0.1, 2.0))),
            ("training.batch", self.integer(1..=16).to_string()),
            ("training.iterations", self.integer(30..=60).to_string()),
        ];
        set.into_iter().map(|(key, value)| format!("{key}={value}")).collect()
    }

    /// `key=value` of every key that varies.
    fn settings(&mut self) -> Vec<String> {
        let replacement = self.chance(0.5);
        let tokens = self.integer(2..=10);
        let fewest = if replacement { 4 } else { 4.max(tokens + 1) };
        let patterns = self.integer(fewest..=36);
        let experts = 2 * self.integer(1..=4);
        let relevant = self.integer(0..=2.min(experts / 2));
        let misaligned = self.integer(0..=2.min(experts - 2 * relevant));
        let special = if self.chance(0.3) { self.integer(1..=patterns - 2) } else { 0 };
        let router_noise = if self.chance(0.25) { 0.0 } else { self.scale(0.01, 0.5) };
        let set = [
            ("data.patterns", patterns.to_string()),
            ("data.tokens", tokens.to_string()),
            ("data.replacement", replacement.to_string()),
            ("data.class_share", format!("{:?}", self.choose(&[0.5, 0.5, 0.5, 0.3, 0.9, 0.0, 1.0]))),
            ("data.basis", self.choose(&["canonical", "haar"]).into()),
            ("model.experts", experts.to_string()),
            ("model.neurons", self.integer(1..=8).to_string()),
            ("model.tokens_per_expert", self.integer(2..=tokens).to_string()),
            ("model.signs", self.choose(&["alternating", "alternating", "alternating", "all-positive"]).into()),
            ("pretrained.relevant_per_class", relevant.to_string()),
            ("pretrained.misaligned", misaligned.to_string()),
            ("pretrained.specialisation", format!("{:?}", self.unit())),
            ("pretrained.special_patterns", special.to_string()),
            ("pretrained.router_scale", format!("{:?}", self.real(-1.0, 2.0))),
            ("pretrained.router_scale_relevant", format!("{:?}", self.real(-1.0, 2.0))),
            ("pretrained.router_noise", format!("{router_noise:?}")),
            ("pretrained.neuron_scale", format!("{:?}", self.scale(0.02, 2.0))),
            ("pretrained.neuron_scale_relevant", format!("{:?}", self.scale(0.02, 2.0))),
            ("pretrained.neuron_scale_misaligned", format!("{:?}", self.scale(0.02, 2.0))),
            ("training.router_rate", format!("{:?}", self.scale(0.02, 1.0))),
            ("training.expert_rate", format!("{:?}", self.scale(0.05, 4.0))),
            ("training.batch", if self.chance(0.2) { 1 } else { self.integer(2..=40) }.to_string()),
            ("training.iterations", self.integer(30..=60).to_string()),
        ];
        set.into_iter().map(|(key, value)| format!("{key}={value}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::Inputs;

    #[test]
    fn every_drawn_configuration_is_legal_and_in_scope() {
        for run in 0..300 {
            let configuration = Configuration::draw(9, run).expect("legal");
            assert_eq!(configuration.parameters.data.noise, 0.0);
            assert!(configuration.gauge.is_none_or(|gauge| gauge.iter().any(|b| *b > 0.0)));
            let tiny = Configuration::draw_tiny(9, run).expect("legal");
            assert!(Inputs::all(&tiny.parameters.data).is_some());
        }
    }
}
