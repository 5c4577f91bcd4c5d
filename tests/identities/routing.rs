//! Who gets which tokens: I1, I2, I3.

use crate::world::*;
use moe_theory::moe::Model;
use moe_theory::patterns::Batch;
use moe_theory::prune::{Calibration, Statistics};
use moe_theory::sim::parameters::Criterion;
use moe_theory::sim::parameters::{Gates, PruningOrder, Removal};
use moe_theory::sim::{Overrides, Simulation};
use proptest::prelude::*;

proptest! {
    #![proptest_config(crate::world::cases(200))]

    /// The criteria read the forward pass that the engines compute.
    #[test]
    fn routed_pairs_give_the_engines_outputs(World { model, batch } in worlds()) {
        let calibration = calibrate(&model, &batch);
        for (a, b) in calibration.outputs.iter().zip(outputs(&model, &batch)) {
            prop_assert!(close(*a, b), "{a} {b}");
        }
    }

    /// I1, expert choice: N_s = l·N and ΣΓ = N for every s, so frequency, mass and hard counts are ties, and the exponent b
    /// changes no order. What a tie decides is left to chance, and said.
    #[test]
    fn i1_frequency_mass_and_the_normaliser_are_ties_in_expert_choice(World { model, batch } in worlds()) {
        let given = statistics(&model, &batch);
        let samples = batch.samples() as f64;
        for score in scores(Criterion::Frequency, &given) {
            prop_assert_eq!(score, samples * model.tokens_per_expert as f64);
        }
        for score in scores(Criterion::Mass, &given) {
            prop_assert!(close(score, samples));
        }
        for criterion in [Criterion::Frequency, Criterion::Mass] {
            let plan = criterion.importance().plan(&given, PruningOrder::SmallestFirst).expect("data is given");
            for kept in 1..model.experts() {
                prop_assert_eq!(plan.tied(kept), model.experts(), "{:?}", criterion);
            }
        }
        for (plain, normalised) in [(Criterion::GatedEan, Criterion::Reap), (Criterion::Ean, Criterion::Man)] {
            let plan = |criterion: Criterion| criterion.importance().plan(&given, PruningOrder::SmallestFirst);
            prop_assert_eq!(plan(plain), plan(normalised));
        }
    }

    /// I2, expert choice: without s every other f_s′ is what it was, and an expert of output 0 is as good as none.
    #[test]
    fn i2_dropping_an_expert_changes_no_other_and_a_silent_one_is_none(
        World { model, batch } in worlds(),
        dropped in any::<prop::sample::Index>(),
    ) {
        let k = model.experts();
        let dropped = dropped.index(k);
        let kept: Vec<usize> = (0..k).filter(|&expert| expert != dropped).collect();
        let whole = outputs(&model, &batch);
        let without = outputs(&pruned_model(&model, &kept, Removal::Drop, None), &batch);
        let silent = outputs(&pruned_model(&model, &kept, Removal::ZeroSlot, None), &batch);
        for sample in 0..batch.samples() {
            for (place, &expert) in kept.iter().enumerate() {
                prop_assert_eq!(whole[sample * k + expert], without[sample * (k - 1) + place]);
                prop_assert_eq!(whole[sample * k + expert], silent[sample * k + expert]);
            }
            prop_assert_eq!(silent[sample * k + dropped], 0.0);
        }
    }
}

/// I1 and I2 in token choice: frequency and mass tell experts apart, and dropping a router sends its tokens elsewhere.
#[test]
fn i1_and_i2_do_not_hold_in_token_choice() {
    let model = Model {
        patterns: 5,
        neurons_per_expert: 1,
        tokens_per_expert: 2,
        signs: vec![1.0, -1.0, 1.0, -1.0],
        routers: vec![
            2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.0, 0.0, 0.0, 0.0,
        ],
        neurons: vec![1.0; 20],
    };
    let batch = Batch {
        tokens_per_sample: 3,
        tokens: vec![0, 2, 3, 1, 3, 4],
        labels: vec![1.0, -1.0],
        class_positions: vec![0, 0],
        noise: Vec::new(),
    };
    let rule = token_choice(&model, &batch, 1, Gates::Raw);
    let mut calibration = Calibration::new(4);
    calibration.add(&model, &rule, &batch);
    let given = Statistics { calibration: Some(calibration), ..statistics(&model, &batch) };
    assert_eq!(scores(Criterion::Frequency, &given), [1.0, 1.0, 4.0, 0.0]);
    let kept = [1, 2, 3];
    let (_, whole) = token_outputs(&model, &rule, &batch);
    let dropped = pruned_model(&model, &kept, Removal::Drop, None);
    let (_, without) = token_outputs(&dropped, &rule.subset(&kept), &batch);
    assert!(without[1] > whole[2], "the token of expert 0 goes to expert 2: {without:?}, {whole:?}");
}

/// I3 as a rule of the simulation file.
#[test]
fn i3_one_token_an_expert_is_refused() {
    let set = ["model.tokens_per_expert=1".to_owned()];
    let refused = Simulation::parse("x.toml", "name = \"x\"", &Overrides { set: &set, seeds: None });
    let message = refused.map(|_| ()).expect_err("refused").to_string();
    assert!(message.contains("model.tokens_per_expert = 1") && message.contains("the router never moves"), "{message}");
}
