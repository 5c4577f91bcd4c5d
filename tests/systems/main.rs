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
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

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

/// Checks that a step moved weights by minus the derivative of the loss, by central differences, times their rates. Nothing
/// is said of a weight beside a kink, where there is no loss.
fn check_step(
    loss: impl Fn(&[f64]) -> Option<f64>,
    [before, after]: [&[f64]; 2],
    rate: impl Fn(usize) -> f64,
) -> Result<(), TestCaseError> {
    const STEP: f64 = 1e-5;
    prop_assert_eq!(before.len(), after.len());
    for (place, (after, own)) in after.iter().zip(before).enumerate() {
        let moved = |by: f64| {
            let mut weights = before.to_vec();
            weights[place] += by;
            loss(&weights)
        };
        let (Some(up), Some(down)) = (moved(STEP), moved(-STEP)) else { continue };
        let slope = rate(place) * (up - down) / (2.0 * STEP);
        prop_assert!((after - own + slope).abs() < 1e-8, "weight {place}: slope {slope}");
    }
    Ok(())
}

/// Why a simulation with these settings and this claim is refused.
fn refused(settings: &str, claim: &str) -> String {
    let set: Vec<String> = settings.split_whitespace().map(str::to_owned).collect();
    let text = format!("name = \"x\"\n{claim}");
    let parsed = Simulation::parse("x.toml", &text, &Overrides { set: &set, seeds: None });
    parsed.and_then(|simulation| simulation.points()).expect_err(settings).to_string()
}
