//! Task-specific expert pruning against a loop by hand.

use crate::setting::{errors, small, small_point, trained};
use moe_theory::moe::{Model, Pretrained};
use moe_theory::patterns::Sampler;
use moe_theory::record::RunRecord;
use moe_theory::sgd::{PatternEngine, Rates};
use moe_theory::sim::Parameters;

const SETTINGS: &str = "pruning.criterion=router-displacement pruning.windows=2 pruning.afterwards=nothing \
                        pruning.finetune_kept=[5,2] pruning.share_min=0.9 pretrained.neuron_scale=1 \
                        training.iterations=12";

/// The best of the sign that the best of all has, and of the other one, so many of each.
fn best(alive: &[usize], sums: &[f64], halves: [usize; 2]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..alive.len()).collect();
    order.sort_by(|&a, &b| sums[b].total_cmp(&sums[a]));
    let own = alive[order[0]] % 2;
    let side = |sign: usize, count: usize| {
        order.iter().copied().filter(|&place| alive[place] % 2 == sign).take(count).collect::<Vec<_>>()
    };
    [side(own, halves[0]), side(1 - own, halves[1])].concat()
}

/// What two windows of the first `searched` iterations leave, how many were left between them, and where its sampler is.
fn searched(parameters: &Parameters, seed: u64, kept: usize, searched: usize) -> (Model, Vec<usize>, usize, Sampler) {
    let start = Pretrained::constructed(parameters, seed).model;
    let mut sampler = Sampler::of_training(parameters, seed);
    let (mut model, mut alive) = (start.clone(), (0..8).collect::<Vec<usize>>());
    let mut sums = vec![0.0; 8];
    let mut between = 0;
    for window in 0..2 {
        model = trained(&model, &mut sampler, parameters, searched / 2);
        for (place, sum) in sums.iter_mut().enumerate() {
            let moved = model.router(place).iter().zip(start.router(alive[place]));
            *sum += moved.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        }
        let least = 0.9 * sums.iter().sum::<f64>() / sums.len() as f64;
        let larger = kept.div_ceil(2);
        let best = best(&alive, &sums, if window == 0 { [larger; 2] } else { [larger, kept / 2] });
        let stays = |place: &usize| best.contains(place) || (window == 0 && sums[*place] >= least);
        let left: Vec<usize> = (0..alive.len()).filter(stays).collect();
        model = model.subset(&left);
        sums = left.iter().map(|&place| sums[place]).collect();
        alive = left.iter().map(|&place| alive[place]).collect();
        if window == 0 {
            between = alive.len();
        }
    }
    (model, alive, between, sampler)
}

fn check(schedule: &str, expected: impl Fn(&Parameters, u64, usize) -> Model) {
    let settings = format!("{SETTINGS} pruning.schedule={schedule}");
    let mut wrong = 0;
    for run in 1..4 {
        let record: RunRecord = small(&settings, run);
        let (parameters, seed) = (small_point(&settings).parameters, record.run.head.seed);
        let kept: Vec<usize> = record.pruning.iter().map(|row| row.kept).collect();
        assert_eq!(kept, [8, 5, 2]);
        for row in &record.pruning[1..] {
            let model = expected(&parameters, seed, row.kept);
            let mut engine = PatternEngine::new(&model, Rates::from(&parameters.training));
            assert_eq!(row.errors, Some(errors(&mut engine, &parameters, seed)), "{schedule}, {} kept", row.kept);
            assert_eq!(row.tied, 0);
            wrong += row.errors.unwrap_or_default();
        }
    }
    assert!(wrong > 0, "{schedule}: models without an error tell little");
}

#[test]
fn the_eager_survivors_train_alone_for_the_second_half() {
    check("eager", |parameters, seed, kept| {
        let (model, alive, between, mut sampler) = searched(parameters, seed, kept, 6);
        assert!(alive.len() == kept && between < 8, "{alive:?}: a share of 0.9 sends someone away early");
        trained(&model, &mut sampler, parameters, 6)
    });
}

#[test]
fn the_staged_survivors_are_found_at_the_end() {
    check("staged", |parameters, seed, kept| searched(parameters, seed, kept, 12).0);
}

#[test]
fn the_second_pass_starts_anew_with_the_survivors_alone() {
    check("two-pass", |parameters, seed, kept| {
        let (_, alive, ..) = searched(parameters, seed, kept, 12);
        let start = Pretrained::constructed(parameters, seed).model.subset(&alive);
        trained(&start, &mut Sampler::of_training(parameters, seed), parameters, 12)
    });
}

/// In expert choice every expert has the same gate mass (I1): chance decides, and says so. With token choice it does not.
#[test]
fn gate_mass_is_a_tie_in_expert_choice_alone() {
    let of = |more: &str| {
        let settings = format!(
            "pruning.criterion=mass pruning.schedule=eager pruning.finetune_kept=[2] pruning.afterwards=nothing \
             pruning.removal=drop {more}"
        );
        small(&settings, 1).pruning[1].tied
    };
    assert_eq!(of(""), 4, "all four of a sign are tied");
    assert_eq!(of("model.routing=token-choice"), 0);
}
