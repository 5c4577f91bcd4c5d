//! What removing experts does to the output: I5, I7, I8.

use crate::world::*;
use moe_theory::prune::removal::novice;
use moe_theory::prune::routed::for_each_routed;
use moe_theory::prune::sets::energies;
use moe_theory::prune::{Calibration, Statistics};
use moe_theory::sim::parameters::Criterion;
use moe_theory::sim::parameters::{Gates, PruningOrder, Removal};
use proptest::prelude::*;

proptest! {
    #![proptest_config(crate::world::cases(200))]

    /// I5, expert choice: Σ_i |f_s(x_i)| is exactly the L1 change of the output without s, is gated EAN, and ranks like REAP.
    #[test]
    fn i5_gated_ean_is_the_l1_change_of_removing_one_expert(World { model, batch } in worlds()) {
        let given = statistics(&model, &batch);
        let gated = scores(Criterion::GatedEan, &given);
        let per_pair = (batch.samples() * model.tokens_per_expert) as f64;
        for (expert, reap) in scores(Criterion::Reap, &given).into_iter().enumerate() {
            let change = change_without(&model, &batch, expert, 1);
            prop_assert!(close(change, gated[expert]), "{change} {}", gated[expert]);
            prop_assert!(close(reap * per_pair, change));
        }
    }

    /// I7, expert choice: ΣΓ²A² ≤ Σ f_s² ≤ ΣΓA², and Σ f_s² is the squared change of the output without s.
    #[test]
    fn i7_the_squared_change_lies_between_two_sums(World { model, batch } in worlds()) {
        let given = statistics(&model, &batch);
        let squared = scores(Criterion::GatedSquared, &given);
        let samples = pairs(&model, &batch);
        for (expert, lower) in squared.into_iter().enumerate() {
            let own = samples.iter().flat_map(|(pairs, _)| pairs).filter(|pair| pair.expert == expert);
            let upper: f64 = own.map(|pair| pair.gate * pair.activation * pair.activation).sum();
            let change = change_without(&model, &batch, expert, 2);
            prop_assert!(lower <= change + CLOSE && change <= upper + CLOSE, "{lower} {change} {upper}");
        }
    }

    /// I8, expert choice: removing the set P changes the output by √(pᵀMp) in L2, M_ss′ = Σ_i f_s f_s′: the best set for each
    /// number kept is a problem of the k×k matrix.
    #[test]
    fn i8_the_reconstruction_error_of_a_set_is_a_quadratic_form(World { model, batch } in worlds()) {
        let k = model.experts();
        let given = statistics(&model, &batch);
        let gram = given.calibration.as_ref().expect("data is given").gram(false);
        let energies = energies(k, &gram);
        let whole = sign_of(&model, &batch, |outputs| outputs.iter().sum());
        let mut best = vec![f64::INFINITY; k + 1];
        for (set, energy) in energies.iter().enumerate().take((1 << k) - 1) {
            let kept: Vec<usize> = (0..k).filter(|expert| set >> expert & 1 == 0).collect();
            let pruned = sign_of(&model.subset(&kept), &batch, |outputs| outputs.iter().sum());
            let error: f64 = whole.iter().zip(pruned).map(|(whole, pruned)| (whole - pruned).powi(2)).sum();
            prop_assert!(close(error, *energy), "{error} {energy}");
            best[kept.len()] = best[kept.len()].min(error);
        }
        let plan = Criterion::Naee.importance().plan(&given, PruningOrder::SmallestFirst).expect("data is given");
        for (kept, best) in best.iter().enumerate().take(k).skip(1) {
            let removed: usize = (0..k).filter(|expert| !plan.kept(kept).contains(expert)).map(|expert| 1 << expert).sum();
            prop_assert!(close(energies[removed], *best));
        }
    }

    /// A novice gives every sample the constant that stands for its expert, and the curve of errors is that of the models.
    #[test]
    fn removal_by_sums_is_removal_by_models(
        World { model, batch } in worlds(),
        removal in prop_oneof![Just(Removal::Drop), Just(Removal::ZeroSlot), Just(Removal::Novice)],
    ) {
        let given = statistics(&model, &batch);
        let calibration = given.calibration.as_ref();
        let plan = Criterion::Reap.importance().plan(&given, PruningOrder::SmallestFirst).expect("data is given");
        let sets = Criterion::Naee.importance().plan(&given, PruningOrder::SmallestFirst).expect("data is given");
        let k = model.experts();
        let constants: Vec<f64> = (0..k).map(|expert| match removal {
            Removal::Novice => model.signs[expert] * novice(calibration.expect("data is given"), expert),
            _ => 0.0,
        }).collect();
        for plan in [plan, sets] {
            let mut curve = moe_theory::prune::Curve::new(&plan, &constants);
            for (outputs, &label) in outputs(&model, &batch).chunks_exact(k).zip(&batch.labels) {
                curve.add(outputs, label, 0);
            }
            let by_kept = curve.by_kept();
            for kept in 1..=k {
                let pruned = pruned_model(&model, plan.kept(kept), removal, calibration);
                let margins = sign_of(&pruned, &batch, |outputs| outputs.iter().sum());
                // Rounding may decide where f is 0 but for rounding.
                let near = margins.iter().filter(|f| f.abs() < 1e-12).count() as u64;
                let errors = margins.iter().zip(&batch.labels).filter(|(f, y)| *y * *f <= 0.0).count() as u64;
                prop_assert!(by_kept[kept - 1].all.errors.abs_diff(errors) <= near, "{removal:?} {kept}");
            }
        }
    }

    /// I7, token choice with the router kept: ΣΓ²A² is exactly the squared change of the tokens' outputs without s. Of f it
    /// is (Σ_j ΓA)² a sample: the same if no sample sends s more than one token. I2: the other experts' outputs stay.
    #[test]
    fn i7_and_i2_with_the_router_kept_in_token_choice(
        World { model, batch } in worlds(),
        gone in any::<prop::sample::Index>(),
        raw in any::<bool>(),
    ) {
        let k = model.experts();
        let (gone, gates) = (gone.index(k), if raw { Gates::Raw } else { Gates::Renormalised });
        let rule = token_choice(&model, &batch, 2, gates);
        let kept: Vec<usize> = (0..k).filter(|&expert| expert != gone).collect();
        let silent = pruned_model(&model, &kept, Removal::ZeroSlot, None);
        let ((whole, experts), (without, others)) =
            (token_outputs(&model, &rule, &batch), token_outputs(&silent, &rule, &batch));
        let mut calibration = Calibration::new(k);
        calibration.add(&model, &rule, &batch);
        let given = Statistics { calibration: Some(calibration), ..statistics(&model, &batch) };
        let squared = scores(Criterion::GatedSquared, &given)[gone];
        let change: f64 = whole.iter().zip(&without).map(|(whole, without)| (whole - without).powi(2)).sum();
        prop_assert!(close(squared, change), "{squared} {change}");
        let of_f: f64 = experts.chunks_exact(k).map(|outputs| outputs[gone] * outputs[gone]).sum();
        prop_assert!(squared <= of_f + CLOSE);
        let mut most = 0;
        for_each_routed(&model, &rule, &batch, |sample| {
            most = most.max(sample.pairs.iter().filter(|pair| pair.expert == gone).count());
        });
        prop_assert!(most > 1 || close(squared, of_f));
        for (place, (before, after)) in experts.iter().zip(&others).enumerate() {
            prop_assert_eq!(*after, if place % k == gone { 0.0 } else { *before });
        }
    }
}
