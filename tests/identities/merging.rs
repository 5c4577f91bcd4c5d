//! Experts that become one, or of which one sign is left: I10 to I14, I16.

use crate::world::*;
use moe_theory::prune::Calibration;
use moe_theory::prune::removal::Given;
use moe_theory::sim::parameters::Criterion;
use moe_theory::sim::parameters::{Gates, Removal};
use proptest::prelude::*;

proptest! {
    #![proptest_config(crate::world::cases(200))]

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

    /// I14: where two experts of one sign share tokens with gates g_i, g_j and their activations differ by δ, the output of
    /// the merged expert c A_i + (1 − c) A_j with gate g_i + g_j is nearest at the mean of r = g_i/(g_i + g_j) weighted by
    /// (g_i + g_j)² δ², not at the plain mean of r.
    #[test]
    fn i14_the_best_merge_constant_is_a_weighted_mean(
        World { mut model, batch } in worlds(),
        shift in prop_oneof![-0.5f64..-0.01, 0.01f64..0.5],
    ) {
        // With raw gates and all experts chosen every token is at both experts.
        model.signs.fill(1.0);
        let rule = token_choice(&model, &batch, model.experts(), Gates::Raw);
        let mut shared = Vec::new();
        for (pairs, _) in pairs_by(&model, &rule, &batch) {
            let of = |expert: usize| pairs.iter().filter(move |pair| pair.expert == expert);
            shared.extend(of(0).zip(of(1)).map(|(i, j)| (i.gate, j.gate, i.activation, j.activation)));
        }
        prop_assert_eq!(shared.len(), batch.tokens.len());
        let error = |c: f64| -> f64 {
            let of = |&(gi, gj, ai, aj): &(f64, f64, f64, f64)| (gi * ai + gj * aj - (gi + gj) * (c * ai + (1.0 - c) * aj)).powi(2);
            shared.iter().map(of).sum()
        };
        let weight = |&(gi, gj, ai, aj): &(f64, f64, f64, f64)| ((gi + gj) * (ai - aj)).powi(2);
        let share = |&(gi, gj, _, _): &(f64, f64, f64, f64)| gi / (gi + gj);
        let total: f64 = shared.iter().map(weight).sum();
        prop_assume!(total > 1e-9);
        let best = shared.iter().map(|pair| weight(pair) * share(pair)).sum::<f64>() / total;
        let plain = shared.iter().map(share).sum::<f64>() / shared.len() as f64;
        // A parabola: its value elsewhere is known exactly.
        for c in [best + shift, plain] {
            let expected = error(best) + total * (c - best) * (c - best);
            prop_assert!(close(error(c), expected), "{} {expected}", error(c));
        }
    }

    /// I12: g equal experts that become one keep f if the merged one speaks for all of them; if it speaks for one, f is divided
    /// by g. How members count does not matter then, nor whether their routers are merged.
    #[test]
    fn i12_equal_experts_are_one_that_speaks_for_all(
        World { model, batch } in worlds(),
        copies in 2usize..=3,
        routers in any::<bool>(),
        weights in prop_oneof![Just("mass"), Just("uniform"), Just("largest")],
    ) {
        let model = model.subset(&[0, 1].repeat(copies));
        let whole = outputs(&model, &batch);
        let calibration = calibrate(&model, &batch);
        for (scale, times) in [("all", 1.0), ("one", copies as f64)] {
            let settings = format!(
                "pruning.merge_scale={scale} pruning.merge_routers={routers} pruning.merge_weights={weights}"
            );
            let pruning = crate::common::point(&settings).parameters.pruning;
            let given = Given { calibration: Some(&calibration), pruning: &pruning };
            let merged = Removal::MergeGroup.remove(&model, &[0, 1], &given).model;
            prop_assert_eq!(merged.experts(), 2);
            for (own, all) in outputs(&merged, &batch).chunks_exact(2).zip(whole.chunks_exact(2 * copies)) {
                prop_assert!(close(times * own.iter().sum::<f64>(), all.iter().sum::<f64>()), "{scale}");
            }
        }
    }

    /// I13: a router that is averaged with one that does not tell o from q keeps half of u_o − u_q, so the odds
    /// exp(u_o − u_q) of its gate between the two tokens become their square root.
    #[test]
    fn i13_a_router_merged_with_one_that_is_blind_keeps_half_of_its_gap(
        World { mut model, batch } in worlds(),
        pair in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let [o, q] = [pair.0.index(model.patterns), pair.1.index(model.patterns)];
        model = model.subset(&[0, 1, 0, 1]);
        for blind in [2, 3] {
            let own = blind * model.patterns;
            model.routers[own + o] = model.routers[own + q];
        }
        let pruning = crate::common::point("pruning.merge_routers=true pruning.merge_weights=uniform").parameters.pruning;
        let calibration = calibrate(&model, &batch);
        let given = Given { calibration: Some(&calibration), pruning: &pruning };
        let merged = Removal::MergeGroup.remove(&model, &[0, 1], &given).model;
        let odds = |router: &[f64]| (router[o] - router[q]).exp();
        for expert in [0, 1] {
            prop_assert!(close(odds(merged.router(expert)), odds(model.router(expert)).sqrt()));
        }
    }

    /// The members of a merge count as the simulation says.
    #[test]
    fn members_of_a_merge_count_as_is_said(World { model, batch } in worlds(), by_largest in any::<bool>()) {
        let rule = token_choice(&model, &batch, 1, Gates::Raw);
        let mut calibration = Calibration::new(model.experts());
        calibration.add(&model, &rule, &batch);
        let words = if by_largest { "largest" } else { "uniform" };
        let pruning = crate::common::point(&format!("pruning.merge_weights={words}")).parameters.pruning;
        let given = Given { calibration: Some(&calibration), pruning: &pruning };
        let merged = Removal::MergeGroup.remove(&model, &[0, 1], &given).model;
        for place in 0..2 {
            let members: Vec<usize> = (place..model.experts()).step_by(2).collect();
            let mass = |s: &usize| calibration.experts[*s].gates;
            let largest = members.iter().copied().reduce(|best, s| if mass(&s) > mass(&best) { s } else { best });
            for v in 0..model.patterns {
                let mean = members.iter().map(|&s| model.router(s)[v]).sum::<f64>() / members.len() as f64;
                let expected = if by_largest { model.router(largest.expect("one"))[v] } else { mean };
                prop_assert!(close(merged.router(place)[v], expected));
            }
        }
    }

    /// What is averaged is weighted by gate mass: Σ_s M_s w_s/Σ_s M_s for routers and neurons, M_s = Σ Γ.
    #[test]
    fn merged_weights_are_means_by_gate_mass(
        World { model, batch } in worlds(),
        removal in prop_oneof![Just(Removal::MergeNearest), Just(Removal::MergeGroup)],
        choices in 1usize..=2,
    ) {
        let rule = token_choice(&model, &batch, choices, Gates::Raw);
        let mut calibration = Calibration::new(model.experts());
        calibration.add(&model, &rule, &batch);
        let mut masses = vec![0.0; model.experts()];
        pairs_by(&model, &rule, &batch).iter().flat_map(|(pairs, _)| pairs).for_each(|pair| masses[pair.expert] += pair.gate);
        let merged = pruned_model(&model, &[0, 1], removal, Some(&calibration));
        for place in 0..2 {
            let members: Vec<usize> = (place..model.experts()).step_by(2).collect();
            let total: f64 = members.iter().map(|&s| masses[s]).sum();
            let share = |s: usize| if total > 0.0 { masses[s] / total } else { 1.0 / members.len() as f64 };
            let mean = |of: &dyn Fn(usize) -> f64| members.iter().map(|&s| share(s) * of(s)).sum::<f64>();
            for (v, weight) in merged.router(place).iter().enumerate() {
                prop_assert!(close(*weight, mean(&|s| model.router(s)[v])));
            }
            for (v, weight) in merged.expert_neurons(place).iter().enumerate() {
                prop_assert!(close(*weight, mean(&|s| model.expert_neurons(s)[v])));
            }
        }
    }

    /// Nearest: a pruned expert is averaged into the kept one of its sign whose output correlates most with its own. Group:
    /// of the clusters of each sign the two with the largest mean correlation are joined, until as many are left as
    /// experts of that sign are kept.
    #[test]
    fn what_is_alike_is_merged(World { model, batch } in worlds(), choice in any::<u64>(), by_nearest in any::<bool>()) {
        let k = model.experts();
        prop_assume!(k > 2);
        let calibration = calibrate(&model, &batch);
        let alike: Vec<Vec<f64>> = (0..k).map(|s| calibration.similarity_of(s)).collect();
        let distinct = |a: f64, b: f64| (a - b).abs() > 1e-9;
        // The first expert of each sign is kept, others by chance.
        let kept: Vec<usize> = (0..k).filter(|s| *s < 2 || choice >> s & 1 == 1).collect();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for sign in 0..2 {
            let own: Vec<usize> = (sign..k).step_by(2).collect();
            let stay: Vec<usize> = own.iter().copied().filter(|s| kept.contains(s)).collect();
            if by_nearest {
                let mut joined: Vec<Vec<usize>> = stay.iter().map(|&s| vec![s]).collect();
                for &gone in own.iter().filter(|s| !kept.contains(s)) {
                    let mut order: Vec<usize> = (0..stay.len()).collect();
                    order.sort_by(|&a, &b| alike[gone][stay[b]].total_cmp(&alike[gone][stay[a]]));
                    prop_assume!(order.len() < 2 || distinct(alike[gone][stay[order[0]]], alike[gone][stay[order[1]]]));
                    joined[order[0]].push(gone);
                }
                groups.extend(joined);
            } else {
                // At most three of a sign: one join, or all of them.
                let mut clusters: Vec<Vec<usize>> = own.iter().map(|&s| vec![s]).collect();
                if stay.len() == 1 {
                    clusters = vec![own.clone()];
                } else if stay.len() + 1 == own.len() {
                    let mut pairs = [(own[0], own[1]), (own[0], own[2]), (own[1], own[2])];
                    pairs.sort_by(|&(a, b), &(c, d)| alike[c][d].total_cmp(&alike[a][b]));
                    prop_assume!(distinct(alike[pairs[0].0][pairs[0].1], alike[pairs[1].0][pairs[1].1]));
                    let (a, b) = pairs[0];
                    clusters.retain(|cluster| cluster[0] != b);
                    clusters.iter_mut().filter(|cluster| cluster[0] == a).for_each(|cluster| cluster.push(b));
                }
                groups.extend(clusters);
            }
        }
        groups.sort_by_key(|group| group[0]);
        let removal = if by_nearest { Removal::MergeNearest } else { Removal::MergeGroup };
        let merged = pruned_model(&model, &kept, removal, Some(&calibration));
        prop_assert_eq!(merged.experts(), groups.len());
        for (place, group) in groups.iter().enumerate() {
            // Gate masses are equal in expert choice.
            for v in 0..model.patterns {
                let mean = group.iter().map(|&s| model.router(s)[v]).sum::<f64>() / group.len() as f64;
                prop_assert!(close(merged.router(place)[v], mean), "{group:?}");
            }
        }
    }

    /// A novice's constant is the gate-weighted mean activation, which in expert choice is the mean of |f_s|.
    #[test]
    fn a_novice_stands_for_the_mean_of_its_expert(World { model, batch } in worlds(), by_tokens in any::<bool>()) {
        let rule = if by_tokens { token_choice(&model, &batch, 1, Gates::Raw) } else { rule(&model, &batch) };
        let mut calibration = Calibration::new(model.experts());
        calibration.add(&model, &rule, &batch);
        let novices = pruned_model(&model, &[0], Removal::Novice, Some(&calibration));
        prop_assert_eq!(novices.expert_neurons(0), model.expert_neurons(0));
        let routed = pairs_by(&model, &rule, &batch);
        for expert in 1..model.experts() {
            let own = || routed.iter().flat_map(|(pairs, _)| pairs).filter(|pair| pair.expert == expert);
            let mass: f64 = own().map(|pair| pair.gate).sum();
            let gated: f64 = own().map(|pair| pair.gate * pair.activation).sum();
            let constant = if mass > 0.0 { gated / mass } else { 0.0 };
            for activation in novices.activations(expert) {
                prop_assert!(close(activation, constant));
            }
            let outputs = calibration.outputs.iter().skip(expert).step_by(model.experts());
            let size = outputs.map(|f| f.abs()).sum::<f64>() / batch.samples() as f64;
            prop_assert!(by_tokens || close(constant, size));
            prop_assert_eq!(novices.signs[expert], model.signs[expert]);
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
        for (removal, gates) in [(Removal::ZeroSlot, Gates::Raw), (Removal::Drop, Gates::Renormalised)] {
            let rule = token_choice(&model, &batch, 2, gates);
            let rule = if removal == Removal::Drop { rule.subset(&kept) } else { rule };
            let pruned = pruned_model(&model, &kept, removal, None);
            let (_, outputs) = token_outputs(&pruned, &rule, &batch);
            for (outputs, y) in outputs.chunks_exact(pruned.experts()).zip(&batch.labels) {
                let (f, own) = (outputs.iter().sum::<f64>(), if sign == 0 { 1.0 } else { -1.0 });
                prop_assert!(*y == own || y * f <= 0.0, "{removal:?} in token choice");
            }
        }
    }
}
