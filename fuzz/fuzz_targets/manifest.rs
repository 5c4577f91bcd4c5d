//! A manifest as `judge` and `merge` read it: the simulation that it holds, or a refusal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moe_theory::record::manifest::{Manifest, Provenance, claims_hash};
use moe_theory::sim::{Overrides, Simulation};

fuzz_target!(|bytes: &[u8]| {
    let Ok(manifest) = Manifest::parse(bytes) else { return };
    claims_hash(&manifest.claims, &manifest.phases);
    let overrides = Overrides { set: &manifest.overrides, seeds: manifest.seeds_given };
    let Ok(simulation) = Simulation::parse("manifest.json", &manifest.simulation, &overrides) else { return };
    let points = simulation.points().expect("checked points");
    let provenance = Provenance::of(&manifest);
    let here = Manifest::new(&simulation, &points, &provenance);
    let _ = (manifest.difference(&here), manifest.program_difference(&here));
});
