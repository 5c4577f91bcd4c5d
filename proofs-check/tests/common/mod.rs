//! A wrong engine, a small configuration, and studies of it.

#![allow(dead_code, reason = "every test file uses a part of it")]

use moe_theory::moe::Model;
use moe_theory::patterns::{Batch, Class};
use moe_theory::sgd::{Competitors, Diverged, Engine, Objective, PatternEngine, Rates, StepReport, TheoryEngine};
use proofs_check::{Configuration, EngineKind, Population, Study, Tally, Trajectory};

/// A pattern engine whose model is tampered with after every step, `tamper(before, after, batch)`, and whose outputs
/// of k experts are tampered with, `distort(outputs, k)`.
pub struct Planted<F> {
    pub inner: PatternEngine,
    pub rates: Rates,
    pub tamper: F,
    pub distort: Distort,
}

/// Makes outputs wrong.
pub type Distort = fn(&mut [f64], usize);

impl<F: FnMut(&Model, &mut Model, &Batch)> Engine for Planted<F> {
    fn experts(&self) -> usize {
        self.inner.experts()
    }

    fn step(&mut self, batch: &Batch, objective: &Objective) -> Result<StepReport, Diverged> {
        let before = self.inner.model();
        let report = self.inner.step(batch, objective)?;
        let mut after = self.inner.model();
        (self.tamper)(&before, &mut after, batch);
        self.inner = PatternEngine::new(&after, self.rates);
        Ok(report)
    }

    fn outputs(&mut self, batch: &Batch, outputs: &mut Vec<f64>) {
        self.inner.outputs(batch, outputs);
        (self.distort)(outputs, self.inner.experts());
    }

    fn class_token_gates(&mut self, batch: &Batch, gates: &mut Vec<f64>) {
        self.inner.class_token_gates(batch, gates);
    }

    fn routers(&self) -> Vec<f64> {
        self.inner.routers()
    }

    fn expert_weights(&self) -> Vec<f64> {
        self.inner.expert_weights()
    }

    fn theory(&mut self) -> Option<&mut dyn TheoryEngine> {
        Some(self)
    }
}

impl<F: FnMut(&Model, &mut Model, &Batch)> TheoryEngine for Planted<F> {
    fn model(&self) -> Model {
        self.inner.model()
    }

    fn competitors(&mut self, expert: usize, class: Class) -> Competitors {
        self.inner.competitors(expert, class)
    }

    fn range_above(&mut self, expert: usize, floor: f64) -> Option<f64> {
        self.inner.range_above(expert, floor)
    }
}

/// A small model in which relevant experts learn, neurons die and many patterns stay unrouted.
pub fn configuration() -> Configuration {
    let set = [
        "data.patterns=24",
        "data.tokens=6",
        "model.experts=8",
        "model.neurons=6",
        "model.tokens_per_expert=2",
        "pretrained.router_noise=0.1",
        "pretrained.neuron_scale=0.3",
        "training.router_rate=0.3",
        "training.batch=4",
        "training.iterations=40",
    ];
    Configuration::from_settings(&set.map(String::from), 7).expect("legal settings")
}

/// Trains `initial` with the engine that `tamper` makes wrong.
pub fn planted(initial: &Model, tamper: impl FnMut(&Model, &mut Model, &Batch)) -> Trajectory {
    let configuration = configuration();
    let rates = Rates::from(&configuration.parameters.training);
    let mut engine = Planted { inner: PatternEngine::new(initial, rates), rates, tamper, distort: |_, _| () };
    Trajectory::record(&configuration, &mut engine, true)
}

/// A step that is tampered with, the same for every engine that is made.
pub type Tamper = fn(&Model, &mut Model, &Batch);

/// Runs `check` on what the pattern engine did, while every engine that the check makes is wrong.
pub fn with_wrong_engines(
    trajectory: &Trajectory,
    tamper: Tamper,
    distort: Distort,
    check: fn(&Study) -> Tally,
) -> Tally {
    let make = |model: &Model, rates| {
        let inner = PatternEngine::new(model, rates);
        Box::new(Planted { inner, rates, tamper, distort }) as Box<dyn TheoryEngine>
    };
    check(&Study { trajectory, populations: &Population::of(trajectory), make: &make })
}

/// Runs `check` on a run of the pattern engine.
pub fn study(trajectory: &Trajectory, check: impl FnOnce(&Study) -> Tally) -> Tally {
    Study::with(trajectory, EngineKind::Pattern, check)
}

/// A tiny model whose inputs can be listed: d = 6, n = 3, k = 4, one relevant expert for each class.
pub fn tiny(more: &[&str]) -> Trajectory {
    let set = [
        "data.patterns=6",
        "data.tokens=3",
        "model.experts=4",
        "model.neurons=4",
        "model.tokens_per_expert=2",
        "pretrained.relevant_per_class=1",
        "pretrained.router_noise=0.1",
        "pretrained.neuron_scale=0.2",
        "training.batch=8",
        "training.iterations=40",
    ];
    let set = overriding(&set, more);
    let configuration = Configuration::from_settings(&set, 11).expect("legal settings");
    Trajectory::of(&configuration, &configuration.initial(), EngineKind::Pattern)
}

/// Trains one expert of sign +1 with one neuron, equal scores unless `routers` says otherwise, and so small a rate that
/// nothing changes but the routers, and these slowly.
pub fn frozen(set: &[&str], routers: &[f64], activations: &[f64]) -> Trajectory {
    let (configuration, model) = frozen_start(set, routers, activations, 5);
    Trajectory::of(&configuration, &model, EngineKind::Pattern)
}

/// Configuration and model of [`frozen`].
pub fn frozen_start(set: &[&str], routers: &[f64], activations: &[f64], seed: u64) -> (Configuration, Model) {
    let of_all = ["model.experts=2", "model.tokens_per_expert=2", "model.neurons=1", "training.expert_rate=1e-9"];
    let mut set = overriding(&of_all, set);
    set.extend(["pretrained.relevant_per_class=0".into(), format!("data.patterns={}", routers.len())]);
    let configuration = Configuration::from_settings(&set, seed).expect("legal settings");
    let model = Model {
        patterns: routers.len(),
        neurons_per_expert: 1,
        tokens_per_expert: 2,
        signs: vec![1.0],
        routers: routers.to_vec(),
        neurons: activations.to_vec(),
    };
    (configuration, model)
}

/// Settings, of which the later ones replace earlier ones of the same key.
pub fn overriding(set: &[&str], more: &[&str]) -> Vec<String> {
    let key = |text: &&str| text.split('=').next().map(String::from);
    let kept = set.iter().filter(|text| !more.iter().any(|other| key(other) == key(text)));
    kept.chain(more).map(|text| text.to_string()).collect()
}
