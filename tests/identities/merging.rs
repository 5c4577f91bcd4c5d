//! Experts that become one, or of which one sign is left: I10, I11, I14, I16.

use crate::world::*;
use moe_theory::prune::{Criterion, pruned_model};
use moe_theory::sim::parameters::Removal;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// I10, at a fixed token: an expert of averaged weights is at most as active as its members on average (Jensen).
    #[test]
    fn i10_averaged_weights_are_at_most_as_active_as_their_members(
        World { model, batch } in worlds(),
        removal in prop_oneof![Just(Removal::MergeNearest), Just(Removal::MergeGroup)],
    ) {
        let calibration = calibrate(&model, &batch);
        let merged = pruned_model(&model, &[0, 1], removal, Some(&calibration));
        prop_assert_eq!(&merged.signs, &vec![1.0, -1.0]);
        for place in 0..2 {
            // All experts of a sign are merged into the one that is kept; in expert choice their gate masses are equal.
            let members: Vec<usize> = (place..model.experts()).step_by(2).collect();
            for v in 0..model.patterns {
                let mean = members.iter().map(|&s| model.activations(s)[v]).sum::<f64>() / members.len() as f64;
                prop_assert!(merged.activations(place)[v] <= mean + CLOSE);
            }
        }
    }

    /// I11: the CKA of scalar outputs does not see a_s, so what is alike is only looked for within one sign.
    #[test]
    fn i11_similarity_is_blind_to_signs_and_groups_hold_one_sign(
        World { model, batch } in worlds(),
        flipped in any::<prop::sample::Index>(),
    ) {
        let mut other = model.clone();
        let flipped = flipped.index(model.experts());
        other.signs[flipped] *= -1.0;
        let (plain, turned) = (calibrate(&model, &batch), calibrate(&other, &batch));
        for expert in 0..model.experts() {
            for (a, b) in plain.similarity_of(expert).iter().zip(turned.similarity_of(expert)) {
                prop_assert!((a - b).abs() <= 1e-9, "{a} {b}");
            }
        }
        // A twin of opposite sign is no reason to go.
        let mut twins = model.subset(&[0, 1, 0, 1]);
        twins.signs = vec![1.0, -1.0, -1.0, 1.0];
        let given = statistics(&twins, &batch);
        let calibration = given.calibration.as_ref().expect("data is given");
        for (expert, score) in scores(Criterion::Redundancy, &given).into_iter().enumerate() {
            prop_assert!((score - calibration.similarity_of(expert)[3 - expert]).abs() <= 1e-12);
        }
    }

    /// I14: where two experts share tokens with gates g_i, g_j and their activations differ by δ, the output of the merged
    /// expert c A_i + (1 − c) A_j with gate g_i + g_j is nearest at the mean of r = g_i/(g_i + g_j) weighted by
    /// (g_i + g_j)² δ², not at the plain mean of r.
    #[test]
    fn i14_the_best_merge_constant_is_a_weighted_mean(
        shared in prop::collection::vec((0.01f64..1.0, 0.01f64..1.0, -2.0f64..2.0, -2.0f64..2.0), 2..12),
        shift in prop_oneof![-0.5f64..-0.01, 0.01f64..0.5],
    ) {
        let error = |c: f64| -> f64 {
            let of = |&(gi, gj, ai, aj): &(f64, f64, f64, f64)| (gi * ai + gj * aj - (gi + gj) * (c * ai + (1.0 - c) * aj)).powi(2);
            shared.iter().map(of).sum()
        };
        let weight = |&(gi, gj, ai, aj): &(f64, f64, f64, f64)| ((gi + gj) * (ai - aj)).powi(2);
        let share = |&(gi, gj, _, _): &(f64, f64, f64, f64)| gi / (gi + gj);
        let total: f64 = shared.iter().map(weight).sum();
        let best = shared.iter().map(|pair| weight(pair) * share(pair)).sum::<f64>() / total;
        let plain = shared.iter().map(share).sum::<f64>() / shared.len() as f64;
        // A parabola: its value elsewhere is known exactly.
        for c in [best + shift, plain] {
            let expected = error(best) + total * (c - best) * (c - best);
            prop_assert!(close(error(c), expected), "{} {expected}", error(c));
        }
    }

    /// I16 (L8): a plan that keeps one sign alone errs on every sample of the other class, whatever the removal adds to
    /// its sign.
    #[test]
    fn i16_one_sign_alone_cannot_classify(World { model, batch } in worlds(), sign in 0usize..2) {
        let kept: Vec<usize> = (sign..model.experts()).step_by(2).collect();
        for removal in [Removal::Drop, Removal::ZeroSlot, Removal::MergeNearest, Removal::MergeGroup] {
            let pruned = pruned_model(&model, &kept, removal, Some(&calibrate(&model, &batch)));
            for (f, y) in sign_of(&pruned, &batch, |outputs| outputs.iter().sum()).iter().zip(&batch.labels) {
                let own = if sign == 0 { 1.0 } else { -1.0 };
                prop_assert!(*y == own || y * f <= 0.0, "{removal:?}");
            }
        }
    }
}
