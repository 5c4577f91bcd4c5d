//! Whole runs.

use crate::setting::{SMALL, assert_share, batch, outputs, parameters, whole_run};
use moe_theory::moe::Pretrained;
use moe_theory::patterns::{Batch, Sampler};
use moe_theory::record::PruningRow;
use moe_theory::run::pruned_engine;
use moe_theory::sgd::{EngineChoice, Objective};
use moe_theory::systems::starts::pretrained;

#[test]
fn accuracies_by_feature_add_up_and_built_features_are_measured() {
    let settings =
        format!("{SMALL} data.features=2 data.rare_share=0.2 pretrained.rare_per_class=2 pruning.finetune_kept=[6]");
    let (_, record) = whole_run(&settings);
    let rare_samples = |row: &PruningRow| {
        let (Some(all), Some(common), Some(rare)) = (row.accuracy, row.accuracy_common, row.accuracy_rare) else {
            panic!("{row:?}")
        };
        // all = (1 − s)·common + s·rare.
        (common != rare).then(|| (common - all) / (common - rare))
    };
    let shares: Vec<f64> = record.pruning.iter().filter_map(rare_samples).collect();
    assert!(shares.len() > 3 && shares.iter().all(|share| (share - shares[0]).abs() < 1e-9), "{shares:?}");
    assert_share((shares[0] * 300.0).round() as usize, 300, 0.2);
    for (expert, row) in record.experts.iter().enumerate() {
        let built = [Some(0), Some(1), None][(expert / 4).min(2)];
        assert_eq!(row.built_feature, built, "{row:?}");
        assert_eq!(row.feature, built, "{row:?}");
        assert_eq!(row.lambda_max, None);
    }
    let (_, record) = whole_run(SMALL);
    assert!(record.pruning.iter().all(|row| row.accuracy_rare.is_none() && row.accuracy_common.is_none()));
    assert!(record.experts.iter().all(|row| row.feature.is_none() && row.built_feature.is_none()));
}

#[test]
fn copies_are_equal_and_twins_cancel() {
    let settings = format!(
        "{SMALL} pretrained.relevant_per_class=4 pretrained.copies=2 pretrained.twins=2 pretrained.neuron_scale_twin=3"
    );
    let parameters = parameters(&settings);
    let Pretrained { model, .. } = Pretrained::constructed(&parameters, 9);
    for (original, copy) in [(0, 2), (1, 3), (4, 6), (5, 7), (8, 9), (10, 11)] {
        assert_eq!(model.router(original), model.router(copy));
        assert_eq!(model.expert_neurons(original), model.expert_neurons(copy));
    }
    assert_ne!(model.router(0), model.router(4));
    assert_ne!(model.router(8), model.router(10));
    let batch = batch(&parameters, 1, 20);
    let found = outputs(EngineChoice::Auto.build(&model, &parameters, 9).as_mut(), &batch);
    for outputs in found.chunks_exact(16) {
        assert!(outputs[8] != 0.0 && outputs[8] + outputs[9] == 0.0 && outputs[10] + outputs[11] == 0.0);
        assert_eq!(outputs[0], outputs[2]);
    }
}

#[test]
fn pruned_models_in_token_choice_are_evaluated_as_they_are() {
    for (removal, more) in [
        ("zero-slot", ""),
        ("drop", ""),
        ("zero-slot", "model.gates=renormalised model.capacity=0.7 model.priority=gate"),
        ("drop", "model.gates=renormalised model.capacity=0.7"),
    ] {
        let settings =
            format!("{SMALL} model.routing=token-choice model.experts_per_token=2 pruning.removal={removal} {more}");
        let (parameters, record) = whole_run(&settings);
        let seed = record.run.head.seed;
        let mut engine = EngineChoice::Auto.build(
            &pretrained(&parameters, seed, EngineChoice::Auto).expect("finite").model,
            &parameters,
            seed,
        );
        let mut sampler = Sampler::of_training(&parameters, seed);
        let mut batch = Batch::default();
        for _ in 0..60 {
            sampler.fill(&mut batch, 40);
            engine.step(&batch, &Objective::default()).expect("finite");
        }
        let mut order: Vec<usize> = (0..16).collect();
        let delta = |expert: &usize| record.experts[*expert].delta.expect("trained");
        order.sort_by(|a, b| delta(b).total_cmp(&delta(a)));
        for row in &record.pruning {
            let mut kept = order[..row.kept].to_vec();
            kept.sort_unstable();
            let mut pruned = pruned_engine(EngineChoice::Auto, &engine.model(), &kept, None, &parameters, seed);
            Sampler::evaluation(&parameters.data, seed).fill(&mut batch, 300);
            let k = pruned.experts();
            let found = outputs(pruned.as_mut(), &batch);
            let is_error = |(outputs, label): &(&[f64], &f64)| *label * outputs.iter().sum::<f64>() <= 0.0;
            let errors = found.chunks_exact(k).zip(&batch.labels).filter(is_error).count();
            assert_eq!(row.errors, Some(errors as u64), "{removal}, {} kept", row.kept);
        }
        assert_eq!(record.run.body.path_margin.is_some(), removal == "zero-slot");
    }
}
