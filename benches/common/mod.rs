//! The workloads that the benches share: sizes, models, engines.

#![allow(dead_code, reason = "no bench needs all of it")]

use moe_theory::moe::Model;
use moe_theory::patterns::{Batch, Sampler, Vocabulary};
use moe_theory::sgd::{DenseEngine, PatternEngine, Rates, TheoryEngine};
use moe_theory::sim::parameters::{Basis, DataParameters};
use moe_theory::sim::{Overrides, Point, Simulation};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, StandardNormal};

/// Sizes and rates of one training, drawn from Gaussian weights.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Its name.
    pub name: &'static str,
    /// d.
    pub patterns: usize,
    /// n.
    pub tokens: usize,
    /// l.
    pub tokens_per_expert: usize,
    /// k.
    pub experts: usize,
    /// m.
    pub neurons: usize,
    /// B.
    pub batch: usize,
    /// T.
    pub iterations: usize,
    /// η_r and η_e.
    pub rates: Rates,
    /// ξ.
    pub noise: f64,
    /// Standard deviation of a router's weight before training.
    pub router_deviation: f64,
    /// Standard deviation of a neuron's weight before training.
    pub neuron_deviation: f64,
    /// Whether a sample's irrelevant patterns are drawn with replacement.
    pub replacement: bool,
}

/// The workload that peers are compared on.
pub const REFERENCE: Workload = Workload {
    name: "reference",
    patterns: 128,
    tokens: 16,
    tokens_per_expert: 4,
    experts: 16,
    neurons: 32,
    batch: 64,
    iterations: 500,
    rates: Rates { router: 0.3, expert: 1.0 },
    noise: 0.0,
    router_deviation: 0.05,
    neuron_deviation: 0.05,
    replacement: true,
};

/// A larger one.
pub const LARGE: Workload = Workload {
    name: "large",
    patterns: 512,
    tokens: 32,
    tokens_per_expert: 8,
    experts: 32,
    neurons: 64,
    batch: 256,
    iterations: 200,
    rates: Rates { router: 1.0, expert: 8.0 },
    ..REFERENCE
};

/// The sizes and rates of the simulation `default`, drawn without replacement as there.
pub const DEFAULT: Workload = Workload {
    name: "default",
    neurons: 16,
    batch: 128,
    iterations: 300,
    rates: Rates { router: 0.2, expert: 1.6 },
    replacement: false,
    ..REFERENCE
};

/// The three by name.
pub const ALL: [Workload; 3] = [REFERENCE, DEFAULT, LARGE];

/// Which engine trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The pattern engine.
    Pattern,
    /// The dense engine, on the canonical basis.
    Dense,
}

impl Kind {
    /// Both.
    pub const BOTH: [Kind; 2] = [Kind::Pattern, Kind::Dense];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Pattern => "pattern",
            Kind::Dense => "dense",
        }
    }

    /// An engine that starts from `model`.
    pub fn build(self, model: &Model, rates: Rates) -> Box<dyn TheoryEngine> {
        match self {
            Kind::Pattern => Box::new(PatternEngine::new(model, rates)),
            Kind::Dense => {
                let vocabulary = Vocabulary::new(model.patterns, Basis::Canonical, 0);
                Box::new(DenseEngine::new(model, vocabulary, rates))
            }
        }
    }
}

impl Workload {
    /// The data that it draws.
    pub fn data(&self) -> DataParameters {
        let Self { patterns, tokens, replacement, noise, .. } = *self;
        DataParameters { patterns, tokens, replacement, noise, ..point("").parameters.data }
    }

    /// Gaussian weights. The generator is a fast one: the peers' are.
    pub fn model(&self, seed: u64) -> Model {
        let (d, k, m) = (self.patterns, self.experts, self.neurons);
        let mut generator = SmallRng::seed_from_u64(seed);
        let mut draw = |count: usize, deviation: f64| -> Vec<f64> {
            let weights = (&StandardNormal).sample_iter(&mut generator).take(count);
            weights.map(|weight: f64| deviation * weight).collect()
        };
        Model {
            patterns: d,
            neurons_per_expert: m,
            tokens_per_expert: self.tokens_per_expert,
            signs: signs(k),
            routers: draw(k * d, self.router_deviation),
            neurons: draw(k * m * d, self.neuron_deviation),
        }
    }

    /// An engine on such weights.
    pub fn engine(&self, kind: Kind, seed: u64) -> Box<dyn TheoryEngine> {
        kind.build(&self.model(seed), self.rates)
    }

    /// The sampler of its training.
    pub fn sampler(&self, seed: u64) -> Sampler {
        Sampler::training(&self.data(), seed)
    }

    /// A batch of B samples.
    pub fn filled(&self, seed: u64) -> Batch {
        let mut batch = Batch::default();
        self.sampler(seed).fill(&mut batch, self.batch);
        batch
    }
}

/// a_s = +1 for even s, −1 for odd s, `[k]`.
pub fn signs(experts: usize) -> Vec<f64> {
    (0..experts).map(|expert| if expert % 2 == 0 { 1.0 } else { -1.0 }).collect()
}

/// The only point of the default simulation with these settings: `key=value`, separated by white space.
pub fn point(settings: &str) -> Point {
    simulation(settings).points().expect("legal").remove(0)
}

/// A simulation of one point with these settings, with the claims of the simulation `default`.
pub fn simulation(settings: &str) -> Simulation {
    let set: Vec<String> = settings.split_whitespace().map(str::to_owned).collect();
    let shipped = moe_theory::sim::shipped("default").expect("default is shipped");
    Simulation::parse(shipped.file, shipped.text, &Overrides { set: &set, seeds: None }).expect("legal")
}
