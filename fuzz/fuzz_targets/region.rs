//! A region that is searched (`falsify --within`): its box, or a refusal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moe_theory::falsify::{Candidate, Region};

fuzz_target!(|text: &str| {
    let (claim, text) = text.split_once('\0').unwrap_or(("T2a", text));
    let Ok(region) = Region::new(claim, "fuzzed.toml", text) else { return };
    for dimension in &region.dimensions {
        for place in [0.0, 0.3, 1.0] {
            dimension.place(dimension.at(place));
        }
    }
    let nothing = Candidate { values: vec![None; region.dimensions.len()] };
    let _ = region.simulation(&nothing, 1);
});
