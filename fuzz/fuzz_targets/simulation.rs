//! A simulation file and `--set` arguments, separated by zero bytes: a grid of checked points, or one line of refusal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moe_theory::sim::{Overrides, Simulation, resolved_keys, run_seed};

fuzz_target!(|text: &str| {
    let mut parts = text.split('\0').map(str::to_owned);
    let file = parts.next().unwrap_or_default();
    let set: Vec<String> = parts.take(8).collect();
    match Simulation::parse("fuzzed.toml", &file, &Overrides { set: &set, seeds: None }) {
        Err(refusal) => assert!(!refusal.to_string().contains('\n'), "{refusal}"),
        Ok(simulation) => {
            // What was parsed has its points.
            let points = simulation.points().expect("checked points");
            for point in points.iter().take(3) {
                resolved_keys(&point.parameters);
                run_seed(0, &point.parameters, 0);
            }
        }
    }
});
