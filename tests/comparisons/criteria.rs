//! Many criteria on one trained model.

use crate::setting::{rows, small, small_point, trained};
use crate::silent::silent;
use moe_theory::moe::{Model, Pretrained};
use moe_theory::patterns::Sampler;
use moe_theory::patterns::streams::{Purpose, stream};
use moe_theory::prune::{Calibration, Statistics};
use moe_theory::record::PruningRow;
use moe_theory::sim::parameters::Criterion;
use moe_theory::sim::parameters::PruningOrder;
use rand::RngExt;

#[test]
fn further_criteria_change_nothing_of_the_first() {
    for seed in 0..3 {
        let alone = small("pruning.finetune_kept=[4,2] pruning.finetune_iterations=5", seed);
        let among = small("pruning.finetune_kept=[4,2] pruning.finetune_iterations=5 pruning.criteria=all", seed);
        assert_eq!(alone.run, among.run);
        let own: Vec<PruningRow> = among.pruning[..alone.pruning.len()].to_vec();
        assert_eq!(alone.pruning, own);
        assert_eq!(among.pruning.len(), alone.pruning.len() * Criterion::ALL.len());
    }
}

#[test]
fn ties_are_told_in_expert_choice_and_scores_have_columns() {
    let record = small("pruning.criteria=all", 0);
    for criterion in [Criterion::Frequency, Criterion::Mass] {
        let rows = rows(&record, criterion, false);
        assert!(rows.iter().all(|row| row.tied == if row.kept < 8 { 8 } else { 0 }), "{rows:?}");
    }
    for criterion in [Criterion::RouterNormChange, Criterion::Reap, Criterion::Random, Criterion::NeuronMagnitude] {
        assert!(rows(&record, criterion, false).iter().all(|row| row.tied == 0), "{criterion:?}");
    }
    for &criterion in Criterion::ALL {
        assert!(record.experts.iter().all(|row| row.scores[criterion].is_some()), "{criterion:?}");
        assert_eq!(rows(&record, criterion, false).len(), 8, "{criterion:?}");
    }
    let plain = small("", 0);
    assert!(
        plain
            .experts
            .iter()
            .all(|row| row.scores[Criterion::Reap].is_none() && row.scores[Criterion::Random].is_some())
    );
}

/// On the samples that it was chosen by, no set of its size has fewer errors than the oracle's.
#[test]
fn no_set_beats_the_oracle_on_its_own_samples() {
    let mut generator = stream(3, Purpose::Pretrained);
    for _ in 0..20 {
        let (k, samples) = (6, 30);
        let outputs: Vec<f64> = (0..k * samples).map(|_| generator.random_range(-1.0..1.0)).collect();
        let labels: Vec<f64> = (0..samples).map(|_| if generator.random::<bool>() { 1.0 } else { -1.0 }).collect();
        let mut calibration = Calibration::new(k);
        (calibration.outputs, calibration.labels) = (outputs.clone(), labels.clone());
        let model = silent(k);
        let chance: Vec<f64> = (0..k).map(|expert| expert as f64).collect();
        let given = Statistics {
            before: &model,
            after: &model,
            changes: Vec::new(),
            early: Vec::new(),
            chance,
            calibration: Some(calibration),
        };
        let plan = Criterion::Oracle.importance().plan(&given, PruningOrder::SmallestFirst).expect("data is given");
        let cost = |set: &dyn Fn(usize) -> bool| {
            let f = outputs
                .chunks_exact(k)
                .map(|own| own.iter().enumerate().filter(|(s, _)| set(*s)).map(|(_, f)| f).sum());
            let margins: Vec<f64> = labels.iter().zip(f).map(|(y, f): (&f64, f64)| y * f).collect();
            let errors = margins.iter().filter(|margin| **margin <= 0.0).count();
            (errors, margins.iter().map(|margin| (1.0 - margin).max(0.0)).sum::<f64>())
        };
        for set in 1usize..1 << k {
            let kept = set.count_ones() as usize;
            let (best, other) = (cost(&|s| plan.kept(kept).contains(&s)), cost(&|s| set >> s & 1 == 1));
            assert!(best.0 < other.0 || (best.0 == other.0 && best.1 <= other.1 + 1e-9), "{best:?} {other:?}");
        }
    }
}

/// All criteria prune the same model and are tested on the same samples: a row depends on the kept experts alone.
#[test]
fn what_is_compared_is_paired() {
    let poor = "training.iterations=5 pretrained.neuron_scale=1 pruning.criteria=all";
    let record = small(poor, 6);
    let unpruned: Vec<_> = record.pruning.iter().filter(|row| row.kept == 8).map(|row| row.errors).collect();
    assert_eq!(unpruned.len(), Criterion::ALL.len());
    assert!(unpruned.iter().all(|errors| *errors == unpruned[0] && *errors > Some(0)), "{unpruned:?}");
    // Two names of one order: REAP is gated EAN in expert choice.
    let of = |criterion| rows(&record, criterion, false).iter().map(|row| row.errors).collect::<Vec<_>>();
    assert_eq!(of(Criterion::Reap), of(Criterion::GatedEan));
    assert_ne!(of(Criterion::Reap), of(Criterion::Random));
}

/// The early change is that after the share `early` of the iterations.
#[test]
fn an_early_change_is_early() {
    let settings = "pruning.criteria=[\"router-norm-change-early\"] pruning.early=0.13";
    let record = small(settings, 1);
    let (parameters, seed) = (small_point(settings).parameters, record.run.head.seed);
    let start = Pretrained::constructed(&parameters, seed).model;
    // 0.13 · 40 = 5.2, rounded up.
    let early = trained(&start, &mut Sampler::of_training(&parameters, seed), &parameters, 6);
    let norm = |model: &Model, s: usize| model.router(s).iter().map(|weight| weight * weight).sum::<f64>().sqrt();
    for (expert, row) in record.experts.iter().enumerate() {
        let change = norm(&early, expert) - norm(&start, expert);
        assert!(
            row.scores[Criterion::RouterNormChangeEarly].is_some_and(|score| (score - change).abs() < 1e-12),
            "{row:?}"
        );
    }
}
