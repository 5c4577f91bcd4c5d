//! Other systems: a file each.

mod attentive;
#[path = "../common/mod.rs"]
mod common;
mod moebert;
mod mov;
mod peer;
mod smear;
mod stack;

use moe_theory::patterns::{Batch, Sampler};
use moe_theory::sgd::Rates;
use moe_theory::sim::parameters::Parameters;
use moe_theory::sim::{Overrides, Simulation};

/// Rates at which a step is minus the gradient.
const RATES: Rates = Rates { router: 1.0, expert: 1.0 };

/// The settings `small`, with other values of some keys: `key=value`, separated by white space.
fn settings(small: &str, more: &str) -> String {
    let key = |setting: &str| setting.split('=').next().unwrap_or_default().to_owned();
    let is_other = |own: &&str| !more.split_whitespace().any(|other| key(other) == key(own));
    let own: Vec<&str> = small.split_whitespace().filter(is_other).collect();
    format!("{} {more}", own.join(" "))
}

/// The first training batch of a run.
fn batch(parameters: &Parameters, seed: u64) -> Batch {
    let mut batch = Batch::default();
    Sampler::of_training(parameters, seed).fill(&mut batch, parameters.training.batch);
    batch
}

/// Why a simulation with these settings and this claim is refused.
fn refused(settings: &str, claim: &str) -> String {
    let set: Vec<String> = settings.split_whitespace().map(str::to_owned).collect();
    let text = format!("name = \"x\"\n{claim}");
    let parsed = Simulation::parse("x.toml", &text, &Overrides { set: &set, seeds: None });
    parsed.and_then(|simulation| simulation.points()).expect_err(settings).to_string()
}
