//! What becomes of pruned experts, and the calibration set.

use crate::setting::{errors, small, small_point};
use moe_theory::moe::{Pretrained, RoutingRule};
use moe_theory::patterns::streams::Purpose;
use moe_theory::patterns::{Batch, Sampler};
use moe_theory::prune::Calibration;
use moe_theory::run::pruned_engine;
use moe_theory::sgd::EngineChoice;
use moe_theory::sim::parameters::Criterion;

#[test]
fn removal_changes_the_pruned_models_and_not_the_whole_one() {
    let of = |removal: &str| small(&format!("pruning.removal={removal} pruning.criteria=[\"reap\"]"), 3).pruning;
    assert_eq!(of("drop"), of("zero-slot"));
    for removal in ["novice", "merge-nearest", "merge-group"] {
        let (other, drop) = (of(removal), of("drop"));
        assert_eq!(other[0], drop[0], "{removal}");
        assert_ne!(other, drop, "{removal}");
    }
}

/// Errors of a model with novices or merged experts are those of the model that a calibration set makes.
#[test]
fn removals_that_need_a_calibration_set_are_evaluated_as_models() {
    for (removal, routing) in [
        ("novice", ""),
        ("merge-nearest", ""),
        ("merge-group", ""),
        ("novice", "model.routing=token-choice model.experts_per_token=2"),
        ("merge-nearest", "model.routing=token-choice model.experts_per_token=2"),
        ("merge-group", "model.routing=token-choice model.experts_per_token=2"),
    ] {
        // Not trained: what the run prunes is the constructed model.
        let settings = format!(
            "pruning.criterion=random pruning.removal={removal} {routing} training.router_rate=0 \
             training.expert_rate=0 pretrained.neuron_scale=1"
        );
        let record = small(&settings, 3);
        let (parameters, seed) = (small_point(&settings).parameters, record.run.head.seed);
        let model = Pretrained::constructed(&parameters, seed).model;
        let mut samples = Sampler::new(&parameters.data, seed, Purpose::Calibration, Purpose::CalibrationNoise);
        let mut batch = Batch::default();
        samples.fill(&mut batch, parameters.pruning.calibration_samples);
        let mut calibration = Calibration::new(model.experts());
        calibration.add(&model, &RoutingRule::new(&parameters.model, parameters.data.tokens), &batch);
        let mut order: Vec<usize> = (0..8).collect();
        let chance = |s: usize| record.experts[s].scores[Criterion::Random].expect("a score");
        order.sort_by(|&a, &b| chance(b).total_cmp(&chance(a)));
        let mut some = 0;
        for row in &record.pruning {
            let mut kept = order[..row.kept].to_vec();
            kept.sort_unstable();
            let mut pruned = pruned_engine(EngineChoice::Auto, &model, &kept, Some(&calibration), &parameters, seed);
            let expected = errors(pruned.as_mut(), &parameters, seed);
            assert_eq!(row.errors, Some(expected), "{settings}, {} kept", row.kept);
            some += usize::from(expected > 0);
        }
        assert!(some > 3, "a model without an error tells little");
    }
}

/// Without class patterns in the calibration set experts of class patterns look idle.
#[test]
fn shifted_calibration_hides_what_the_task_needs() {
    let relevant = |calibration: &str| {
        let record = small(&format!("pruning.criteria=[\"reap\"] pruning.calibration={calibration}"), 4);
        record.experts.iter().filter(|row| row.expert < 2).filter_map(|row| row.scores[Criterion::Reap]).sum::<f64>()
    };
    let [task, mixture, shifted] = ["task", "mixture", "shifted"].map(relevant);
    assert!(task > mixture && mixture > shifted, "{task} {mixture} {shifted}");
}
