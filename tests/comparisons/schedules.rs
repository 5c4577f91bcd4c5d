//! When experts are pruned.

use crate::setting::{errors, small, small_point, trained};
use moe_theory::moe::{Pretrained, RoutingRule};
use moe_theory::patterns::streams::Purpose;
use moe_theory::patterns::{Batch, Sampler};
use moe_theory::prune::Calibration;
use moe_theory::prune::removal::Given;
use moe_theory::record::RunRecord;
use moe_theory::sgd::{Engine, GeneralEngine, Objective, PatternEngine, Rates, TheoryEngine};
use moe_theory::sim::parameters::Removal;

#[test]
fn schedules_agree_where_they_must() {
    let settings =
        "pruning.criteria=[\"router-displacement\",\"reap\"] pruning.finetune_kept=[6,4,2] pruning.afterwards=nothing";
    let of = |more: &str| small(&format!("{settings} {more}"), 1).pruning;
    // Checkpoints say the same of experts whatever others went.
    assert_eq!(of(""), of("pruning.schedule=iterative"));
    assert_eq!(of("pruning.schedule=half-way"), of("pruning.schedule=windowed pruning.windows=2"));
    let windowed = of("pruning.schedule=windowed pruning.windows=3");
    let kept: Vec<usize> = windowed.iter().take(4).map(|row| row.kept).collect();
    assert_eq!((kept, windowed.len()), (vec![8, 6, 4, 2], 12));
    assert_ne!(of("pruning.schedule=half-way"), windowed);
    // Loud experts make errors on the way, which training in between takes back.
    let loud = |more: &str| of(&format!("pretrained.neuron_scale=1 {more}"));
    let stepped = loud("pruning.schedule=iterative pruning.step_iterations=40");
    assert!(stepped.len() == 24 && stepped != loud(""));
}

/// Three windows of 13, 14 and 14 iterations: at the end of the first half of those that go are gone, at the end of the
/// second all, each time by the displacement within the window.
#[test]
fn windows_are_what_they_are_said_to_be() {
    let settings = "pruning.criterion=router-displacement pruning.schedule=windowed pruning.windows=3 \
                    pruning.finetune_kept=[5,4,2] pruning.afterwards=nothing training.iterations=41 \
                    pretrained.neuron_scale=1";
    let record = small(settings, 1);
    let (parameters, seed) = (small_point(settings).parameters, record.run.head.seed);
    for row in record.pruning.iter().filter(|row| row.kept < 8) {
        let mut model = Pretrained::constructed(&parameters, seed).model;
        let mut sampler = Sampler::of_training(&parameters, seed);
        for (iterations, left) in [(13, 8 - (8 - row.kept) / 2), (14, row.kept)] {
            let end = trained(&model, &mut sampler, &parameters, iterations);
            let displacement = |expert: usize| -> f64 {
                end.router(expert).iter().zip(model.router(expert)).map(|(a, b)| (a - b).powi(2)).sum()
            };
            let mut keep: Vec<usize> = (0..end.experts()).collect();
            keep.sort_by(|&a, &b| displacement(b).total_cmp(&displacement(a)));
            keep.truncate(left);
            keep.sort_unstable();
            model = end.subset(&keep);
        }
        let end = trained(&model, &mut sampler, &parameters, 14);
        let mut engine = PatternEngine::new(&end, Rates::from(&parameters.training));
        assert_eq!(row.errors, Some(errors(&mut engine, &parameters, seed)), "{} kept", row.kept);
        assert!(row.errors > Some(0), "a model without an error tells little");
    }
}

/// Schedules under token choice: the same model pruned one by one as at once where scores do not depend on who else is
/// there, and models that train on by their own rule.
#[test]
fn schedules_work_in_token_choice() {
    let routing = "model.routing=token-choice model.experts_per_token=2 pruning.criterion=router-displacement \
                   pruning.finetune_kept=[6,4,2] pruning.afterwards=nothing";
    for removal in ["zero-slot", "drop"] {
        let of = |more: &str| small(&format!("{routing} pruning.removal={removal} {more}"), 1);
        assert_eq!(of("").pruning, of("pruning.schedule=iterative").pruning);
        let halves = of("pruning.schedule=half-way pretrained.neuron_scale=1 training.iterations=8");
        assert_eq!(halves.pruning.len(), 4);
        let settings = format!(
            "{routing} pruning.removal={removal} pruning.schedule=half-way pretrained.neuron_scale=1 training.iterations=8"
        );
        let (parameters, seed) = (small_point(&settings).parameters, halves.run.head.seed);
        for row in &halves.pruning[1..] {
            let start = Pretrained::constructed(&parameters, seed).model;
            let mut whole = GeneralEngine::new(&start, &parameters);
            let (mut sampler, mut batch) = (Sampler::of_training(&parameters, seed), Batch::default());
            let mut step = |engine: &mut GeneralEngine| {
                for _ in 0..4 {
                    sampler.fill(&mut batch, parameters.training.batch);
                    engine.step(&batch, &Objective::default()).expect("finite");
                }
            };
            step(&mut whole);
            let half = whole.model();
            let moved =
                |s: usize| -> f64 { half.router(s).iter().zip(start.router(s)).map(|(a, b)| (a - b).powi(2)).sum() };
            let mut kept: Vec<usize> = (0..8).collect();
            kept.sort_by(|&a, &b| moved(b).total_cmp(&moved(a)));
            kept.truncate(row.kept);
            kept.sort_unstable();
            let rule = RoutingRule::new(&parameters.model, parameters.data.tokens);
            let mut rest = match removal {
                "drop" => GeneralEngine::with_rule(&half.subset(&kept), rule.subset(&kept), &parameters),
                _ => {
                    let given = Given { calibration: None, pruning: &parameters.pruning };
                    GeneralEngine::new(&Removal::ZeroSlot.remove(&half, &kept, &given).model, &parameters)
                }
            };
            step(&mut rest);
            assert_eq!(row.errors, Some(errors(&mut rest, &parameters, seed)), "{removal}, {} kept", row.kept);
        }
        assert!(halves.pruning.iter().any(|row| row.errors > Some(0)), "a model without an error tells little");
    }
}

/// One after the other, scored by what is left: a dropped expert's tokens go elsewhere, those of a kept router do not.
#[test]
fn one_by_one_in_token_choice_scores_what_is_left() {
    let settings = "model.routing=token-choice model.experts_per_token=2 pruning.criterion=reap \
                    pretrained.neuron_scale=1 training.iterations=4 pruning.calibration_samples=100";
    let of = |more: &str| small(&format!("{settings} {more}"), 1);
    let by_errors = |record: &RunRecord| record.pruning.iter().map(|row| row.errors).collect::<Vec<_>>();
    let kept_routers = of("pruning.removal=zero-slot pruning.schedule=iterative");
    assert_eq!(by_errors(&kept_routers), by_errors(&of("pruning.removal=zero-slot")));
    let dropped = of("pruning.removal=drop pruning.schedule=iterative");
    assert_ne!(by_errors(&dropped), by_errors(&of("pruning.removal=drop")));
    let (parameters, seed) = (small_point(settings).parameters, dropped.run.head.seed);
    let mut engine = GeneralEngine::new(&Pretrained::constructed(&parameters, seed).model, &parameters);
    let (mut sampler, mut batch) = (Sampler::of_training(&parameters, seed), Batch::default());
    for _ in 0..4 {
        sampler.fill(&mut batch, parameters.training.batch);
        engine.step(&batch, &Objective::default()).expect("finite");
    }
    let (mut model, mut rule) = (engine.model(), RoutingRule::new(&parameters.model, parameters.data.tokens));
    let mut samples = Sampler::new(&parameters.data, seed, Purpose::Calibration, Purpose::CalibrationNoise);
    samples.fill(&mut batch, 100);
    for row in &dropped.pruning {
        assert_eq!(model.experts(), row.kept);
        let mut pruned = GeneralEngine::with_rule(&model, rule.clone(), &parameters);
        assert_eq!(row.errors, Some(errors(&mut pruned, &parameters, seed)), "{} kept", row.kept);
        let mut calibration = Calibration::new(row.kept);
        calibration.add(&model, &rule, &batch);
        let worth = |s: &usize| calibration.experts[*s].gated / calibration.experts[*s].pairs.max(1.0);
        let Some(least) = (0..row.kept).min_by(|a, b| worth(a).total_cmp(&worth(b))) else { break };
        let keep: Vec<usize> = (0..row.kept).filter(|s| *s != least).collect();
        (model, rule) = (model.subset(&keep), rule.subset(&keep));
    }
}
