//! A stored model, as `certify` reads it: a certificate, or a refusal. The metadata gives tokens and tokens_per_expert.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moe_theory::certify::{Budget, ModelTable, Stored, Support, certify};
use moe_theory::sim::parameters::DataParameters;
use moe_theory::sim::{Overrides, Simulation};
use safetensors::SafeTensors;
use std::sync::LazyLock;

static DATA: LazyLock<DataParameters> = LazyLock::new(|| {
    let text = include_str!("../simulation.toml");
    let simulation = Simulation::parse("simulation.toml", text, &Overrides { set: &[], seeds: None }).expect("legal");
    simulation.points().expect("points")[0].parameters.data.clone()
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(tensors) = SafeTensors::deserialize(bytes) else { return };
    let Ok((_, header)) = SafeTensors::read_metadata(bytes) else { return };
    let metadata = header.metadata().clone().unwrap_or_default();
    let numbers = |name: &str| -> Vec<f64> {
        let data = tensors.tensor(name).map(|tensor| tensor.data().to_vec()).unwrap_or_default();
        data.chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().expect("8 bytes"))).collect()
    };
    let number = |key: &str| metadata.get(key).and_then(|text| text.parse::<usize>().ok()).unwrap_or(2);
    let stored = Stored {
        basis: numbers("basis"),
        signs: numbers("signs"),
        routers: numbers("routers_t"),
        neurons: numbers("neurons_t"),
        tokens_per_expert: number("tokens_per_expert"),
    };
    let Ok((model, radii)) = stored.model() else { return };
    let tokens = number("tokens").min(12);
    let replacement = metadata.contains_key("replacement");
    let data = DataParameters { patterns: model.patterns, tokens, replacement, noise: 0.0, ..DATA.clone() };
    let room = if replacement { model.patterns >= 3 } else { model.patterns > tokens };
    if !room || !(2..=tokens).contains(&model.tokens_per_expert) {
        return;
    }
    let support = Support::of(&data);
    let Some(table) = ModelTable::new(&model, &support, radii) else { return };
    let kept: Vec<usize> = (0..model.experts()).collect();
    certify(&table, &support, &kept, Budget { root_passes: 3, ..Budget::nodes(4) });
});
