//! A model file, as `certify` reads it: a certificate, or one line of refusal. Small enough for one to be tried.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moe_theory::certify::{Budget, Given, ModelFile, ModelTable, Support, certify, certify_subsets};

fuzz_target!(|bytes: &[u8]| {
    // The hand of a fuzzer finds tensors sooner than metadata.
    for given in [Given::default(), Given { tokens: Some(5), tokens_per_expert: Some(2) }] {
        let file = match ModelFile::read(bytes, given) {
            Err(refusal) => return assert!(!refusal.to_string().contains('\n'), "{refusal}"),
            Ok(file) => file,
        };
        let Ok((model, radii)) = file.stored.model() else { return };
        if file.data.tokens > 12 {
            return;
        }
        let support = Support::of(&file.data);
        let Some(table) = ModelTable::new(&model, &support, radii) else { return };
        let kept: Vec<usize> = (0..model.experts()).collect();
        let budget = Budget { root_passes: 3, ..Budget::nodes(4) };
        certify(&table, &support, &kept, budget);
        certify_subsets(&table, &support, &vec![true; model.experts()], budget);
    }
});
