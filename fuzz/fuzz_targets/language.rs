//! The language of claims: a file's claim and assumption, or a refusal; what is accepted has a value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moe_theory::claims::Observation;
use moe_theory::record::rows::{ExpertRow, PruningRow, RunBody};
use moe_theory::sim::{Overrides, Simulation};

fuzz_target!(|text: &str| {
    let (holds, met) = text.split_once('\0').unwrap_or((text, "true"));
    // A string of JSON is one of TOML.
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    let file = format!(
        "name = \"x\"\n[[claim]]\nid = \"own\"\nholds = {}\nassumes = [\"met\"]\n[[assumption]]\nid = \"met\"\nmet = {}\n",
        quoted(holds),
        quoted(met)
    );
    let Ok(simulation) = Simulation::parse("fuzzed.toml", &file, &Overrides::default()) else { return };
    let Ok(points) = simulation.points() else { return };
    let (run, experts) = (RunBody::default(), vec![ExpertRow::default(); 2]);
    let pruning = vec![PruningRow { kept: 1, errors: Some(1), samples: Some(2), ..PruningRow::default() }];
    let parameters = &points[0].parameters;
    let observation = Observation { parameters, run: &run, experts: &experts, pruning: &pruning, trajectory: &[] };
    let decision = || simulation.claims.iter().map(|claim| observation.decision(claim).holds).collect::<Vec<_>>();
    assert_eq!(decision(), decision());
});
