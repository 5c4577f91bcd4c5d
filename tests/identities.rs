//! Identities of pruning criteria, each in the mode in which it is exact. Numbers as in METHODOLOGY, "Identities".

mod common;

use moe_theory::moe::{Model, RoutingRule};
use moe_theory::patterns::{Batch, Pattern};
use moe_theory::prune::removal::novice;
use moe_theory::prune::routed::{RoutedPair, for_each_routed};
use moe_theory::prune::sets::energies;
use moe_theory::prune::statistics::router_changes;
use moe_theory::prune::{Calibration, Criterion, Plan, Statistics, pruned_model};
use moe_theory::sgd::{DenseEngine, Engine, PatternEngine, Rates};
use moe_theory::sim::parameters::{Gates, ModelParameters, PruningOrder, Removal, Routing};
use moe_theory::sim::{Overrides, Simulation};
use proptest::prelude::*;

/// Relative to the largest of two numbers.
const CLOSE: f64 = 1e-9;

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= CLOSE * (1.0 + a.abs().max(b.abs()))
}

/// k experts of alternating sign with m neurons in d patterns, weights up to `scale`, and a batch of noise-free samples.
#[derive(Clone, Debug)]
struct World {
    model: Model,
    batch: Batch,
}

prop_compose! {
    fn worlds()(half in 1usize..4, m in 1usize..4, n in 2usize..6, extra in 2usize..5)(
        l in 2usize..=n,
        routers in prop::collection::vec(-1.5f64..1.5, 2 * half * (n + extra)),
        neurons in prop::collection::vec(-1.0f64..1.0, 2 * half * m * (n + extra)),
        orders in prop::collection::vec(any::<u64>(), 12),
        half in Just(half), m in Just(m), n in Just(n), extra in Just(extra),
    ) -> World {
        let (k, d) = (2 * half, n + extra);
        let signs = (0..k).map(|expert| if expert % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let model = Model { patterns: d, neurons_per_expert: m, tokens_per_expert: l, signs, routers, neurons };
        let mut batch = Batch { tokens_per_sample: n, ..Batch::default() };
        for (number, order) in orders.iter().enumerate() {
            let class = number % 2;
            let mut others: Vec<usize> = (2..d).collect();
            let mut tokens = vec![class as Pattern];
            let mut rest = *order;
            while tokens.len() < n {
                tokens.push(others.remove(rest as usize % others.len()) as Pattern);
                rest = rest.rotate_right(7);
            }
            tokens.rotate_right(*order as usize % n);
            let position = tokens.iter().position(|&token| token == class as Pattern).unwrap_or(0);
            batch.tokens.extend(tokens);
            batch.labels.push(if class == 0 { 1.0 } else { -1.0 });
            batch.class_positions.push(position as u32);
        }
        World { model, batch }
    }
}

/// Expert choice with the model's own k and l.
fn rule(model: &Model, batch: &Batch) -> RoutingRule {
    let parameters = ModelParameters {
        experts: model.experts(),
        neurons: model.neurons_per_expert,
        tokens_per_expert: model.tokens_per_expert,
        ..common::point("").parameters.model
    };
    RoutingRule::new(&parameters, batch.tokens_per_sample)
}

fn calibrate(model: &Model, batch: &Batch) -> Calibration {
    let mut calibration = Calibration::new(model.experts());
    calibration.add(model, &rule(model, batch), batch);
    calibration
}

/// Statistics of a model that did not move.
fn statistics<'a>(model: &'a Model, batch: &Batch) -> Statistics<'a> {
    let changes = router_changes(&model.routers, &model.routers, model.patterns);
    Statistics {
        before: model,
        after: model,
        early: changes.clone(),
        changes,
        chance: (0..model.experts()).map(|expert| expert as f64).collect(),
        calibration: Some(calibrate(model, batch)),
    }
}

/// f_s(x) of every sample and expert by the pattern engine, `[samples, k]`: another implementation than the criteria read.
fn outputs(model: &Model, batch: &Batch) -> Vec<f64> {
    let mut outputs = Vec::new();
    PatternEngine::new(model, Rates { router: 0.0, expert: 0.0 }).outputs(batch, &mut outputs);
    outputs
}

fn scores(criterion: Criterion, given: &Statistics) -> Vec<f64> {
    (0..given.after.experts()).map(|s| criterion.importance().score(s, given).expect("all is given")).collect()
}

/// The routed pairs of every sample.
fn pairs(model: &Model, batch: &Batch) -> Vec<(Vec<RoutedPair>, Vec<f64>)> {
    let mut all = Vec::new();
    for_each_routed(model, &rule(model, batch), batch, |sample| {
        all.push((sample.pairs.to_vec(), sample.scores.to_vec()))
    });
    all
}

/// Removes the mass of one expert's output: the sum over samples of |f − f′|^p for f′ the pruned model's output.
fn change_without(model: &Model, batch: &Batch, expert: usize, power: i32) -> f64 {
    let kept: Vec<usize> = (0..model.experts()).filter(|&other| other != expert).collect();
    let (whole, pruned) = (outputs(model, batch), outputs(&model.subset(&kept), batch));
    let k = model.experts();
    let sums = |outputs: &[f64], k: usize| {
        outputs.chunks_exact(k).map(|outputs| outputs.iter().sum::<f64>()).collect::<Vec<_>>()
    };
    sums(&whole, k).iter().zip(sums(&pruned, k - 1)).map(|(whole, pruned)| (whole - pruned).abs().powi(power)).sum()
}

fn sign_of(model: &Model, batch: &Batch, f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    outputs(model, batch).chunks_exact(model.experts()).map(f).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

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

    /// I3: with l = 1 the gate is 1 and the router's gradient 0, whatever the batch.
    #[test]
    fn i3_with_one_token_the_router_never_moves(World { mut model, batch } in worlds()) {
        model.tokens_per_expert = 1;
        for (pairs, _) in pairs(&model, &batch) {
            prop_assert!(pairs.iter().all(|pair| pair.gate == 1.0));
        }
        let mut engine = PatternEngine::new(&model, Rates { router: 1.0, expert: 0.0 });
        prop_assert!(engine.step(&batch).is_ok());
        // The engine computes the gate as a quotient, which rounding may move off 1.
        for (after, before) in engine.routers().iter().zip(&model.routers) {
            prop_assert!((after - before).abs() <= 1e-15, "{after} {before}");
        }
    }

    /// I3b: ⟨w_s, ∂f/∂w_s⟩ = a_s Cov_G(A_s, z_s), so a step moves ‖w_s‖² by 2 η_r times the mean of α y a_s Cov_G(A_s, z_s),
    /// and by D² beyond.
    #[test]
    fn i3b_the_norm_moves_by_the_covariance_of_activation_and_score(
        World { model, batch } in worlds(),
        rate in 0.01f64..1.0,
    ) {
        let (k, d) = (model.experts(), model.patterns);
        let margins = sign_of(&model, &batch, |outputs| outputs.iter().sum());
        let mut expected = vec![0.0; k];
        for (sample, (pairs, scores)) in pairs(&model, &batch).iter().enumerate() {
            let y = batch.labels[sample];
            for (expert, expected) in expected.iter_mut().enumerate() {
                let own = || pairs.iter().filter(|pair| pair.expert == expert);
                let z = |pair: &RoutedPair| scores[pair.position * k + expert];
                let mean = |of: &dyn Fn(&RoutedPair) -> f64| own().map(|pair| pair.gate * of(pair)).sum::<f64>();
                let covariance = mean(&|pair| pair.activation * z(pair)) - mean(&|pair| pair.activation) * mean(&z);
                if y * margins[sample] < 1.0 {
                    *expected += y * model.signs[expert] * covariance / batch.samples() as f64;
                }
            }
        }
        let mut engine = PatternEngine::new(&model, Rates { router: rate, expert: 0.0 });
        prop_assert!(engine.step(&batch).is_ok());
        for (change, expected) in router_changes(&model.routers, &engine.routers(), d).iter().zip(expected) {
            let moved = change.norm * change.norm - change.norm_0 * change.norm_0 - change.displacement * change.displacement;
            prop_assert!(close(moved, 2.0 * rate * expected), "{moved} {}", 2.0 * rate * expected);
        }
    }

    /// I4: scaling all neurons of s by 1 + ε scales f_s by it, so Σ_r ⟨w_{s,r}, ∂ℓ/∂w_{s,r}⟩ = ℓ′ f_s: Taylor importance is
    /// the loss-weighted contribution. It is 0 once every margin is at least 1.
    #[test]
    fn i4_taylor_importance_is_the_loss_weighted_contribution(World { model, batch } in worlds()) {
        // The engine's step is −η ∂ℓ/∂w: its product with w, summed over an expert's neurons.
        let rate = 1e-3;
        let mut engine = DenseEngine::new(
            &model,
            moe_theory::patterns::Vocabulary::new(model.patterns, moe_theory::sim::parameters::Basis::Canonical, 0),
            Rates { router: 0.0, expert: rate },
        );
        let single = |sample: usize| Batch {
            tokens_per_sample: batch.tokens_per_sample,
            tokens: batch.sample(sample).to_vec(),
            labels: vec![batch.labels[sample]],
            class_positions: vec![batch.class_positions[sample]],
            noise: Vec::new(),
        };
        let first = single(0);
        prop_assert!(engine.step(&first).is_ok());
        let given = statistics(&model, &first);
        let moved = engine.model();
        let taylor = scores(Criterion::Taylor, &given);
        for (expert, taylor) in taylor.into_iter().enumerate() {
            let neurons = model.expert_neurons(expert).iter().zip(moved.expert_neurons(expert));
            let product: f64 = neurons.map(|(before, after)| before * (before - after) / rate).sum();
            prop_assert!((product.abs() - taylor).abs() <= 1e-9, "{product} {taylor}");
        }
        // Margins of at least 1: two experts that know the class patterns, loud enough for all others.
        let mut sure = model.clone();
        let size = sure.neurons_per_expert * sure.patterns;
        sure.neurons.iter_mut().for_each(|weight| *weight *= 1e-3);
        for expert in 0..2 {
            sure.routers[expert * sure.patterns + expert] = 50.0;
            let neurons = &mut sure.neurons[expert * size..][..size];
            neurons.chunks_exact_mut(model.patterns).for_each(|neuron| neuron[expert] = 3.0);
        }
        let given = statistics(&sure, &batch);
        prop_assert!(scores(Criterion::Taylor, &given).iter().all(|&score| score == 0.0));
        let plan = Criterion::Taylor.importance().plan(&given, PruningOrder::SmallestFirst).expect("data is given");
        prop_assert_eq!(plan.tied(1), model.experts());
    }

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

    /// I17: signed change, absolute change and displacement can order experts differently; they are bound by |Δ| ≤ D alone.
    #[test]
    fn i17_three_measures_of_a_router_are_ordered_by_size_alone(World { model, .. } in worlds(), moves in any::<u64>()) {
        let moved: Vec<f64> = model.routers.iter().enumerate()
            .map(|(place, weight)| weight + ((moves >> (place % 60)) & 7) as f64 - 3.5).collect();
        let given = Statistics { changes: router_changes(&model.routers, &moved, model.patterns), ..statistics(&model, &Batch::default()) };
        let [signed, absolute, displacement] =
            [Criterion::RouterNormChange, Criterion::RouterNormChangeAbs, Criterion::RouterDisplacement].map(|c| scores(c, &given));
        for expert in 0..model.experts() {
            prop_assert_eq!(signed[expert].abs(), absolute[expert]);
            prop_assert!(absolute[expert] <= displacement[expert] + CLOSE);
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
}

/// Token choice with the model's own k: each token to `choices` experts.
fn token_choice(model: &Model, batch: &Batch, choices: usize, gates: Gates) -> RoutingRule {
    let parameters = ModelParameters {
        experts: model.experts(),
        neurons: model.neurons_per_expert,
        routing: Routing::TokenChoice,
        experts_per_token: choices,
        gates,
        ..common::point("").parameters.model
    };
    RoutingRule::new(&parameters, batch.tokens_per_sample)
}

/// Σ_s a_s Γ_sj A_s of every token, `[samples · n]`, and f_s of every sample and expert.
fn token_outputs(model: &Model, rule: &RoutingRule, batch: &Batch) -> (Vec<f64>, Vec<f64>) {
    let (mut tokens, mut experts) = (Vec::new(), Vec::new());
    for_each_routed(model, rule, batch, |sample| {
        let mut own = vec![0.0; batch.tokens_per_sample];
        for pair in sample.pairs {
            own[pair.position] += model.signs[pair.expert] * pair.gate * pair.activation;
        }
        tokens.extend(own);
        experts.extend_from_slice(sample.outputs);
    });
    (tokens, experts)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

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
        let silent = rule.pruned(&kept, Removal::ZeroSlot);
        let ((whole, experts), (without, others)) =
            (token_outputs(&model, &rule, &batch), token_outputs(&model, &silent, &batch));
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
        // A model whose neurons are 0 there is the same.
        let zeroed = pruned_model(&model, &kept, Removal::ZeroSlot, None);
        prop_assert_eq!(token_outputs(&zeroed, &rule, &batch).0, without);
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
    let (_, without) = token_outputs(&dropped, &rule.pruned(&kept, Removal::Drop), &batch);
    assert!(without[1] > whole[2], "the token of expert 0 goes to expert 2: {without:?}, {whole:?}");
}

/// I17, an example: a router that turns without growing, one that shrinks, one that grows a little.
#[test]
fn i17_signed_absolute_and_displacement_order_three_experts_in_three_ways() {
    let model = Model {
        patterns: 2,
        neurons_per_expert: 1,
        tokens_per_expert: 2,
        signs: vec![1.0, -1.0, 1.0],
        routers: vec![3.0, 0.0, 2.0, 0.0, 1.0, 0.0],
        neurons: vec![0.0; 6],
    };
    let moved = [0.0, 3.0, 1.0, 0.0, 1.5, 0.0];
    let given =
        Statistics { changes: router_changes(&model.routers, &moved, 2), ..statistics(&model, &Batch::default()) };
    let order = |criterion: Criterion| match criterion.importance().plan(&given, PruningOrder::SmallestFirst) {
        Some(Plan::Nested { keep_first, .. }) => keep_first,
        _ => Vec::new(),
    };
    assert_eq!(order(Criterion::RouterNormChange), [2, 0, 1]);
    assert_eq!(order(Criterion::RouterNormChangeAbs), [1, 2, 0]);
    assert_eq!(order(Criterion::RouterDisplacement), [0, 1, 2]);
}

/// I3 as a rule of the simulation file.
#[test]
fn i3_one_token_an_expert_is_refused() {
    let set = ["model.tokens_per_expert=1".to_owned()];
    let refused = Simulation::parse("x.toml", "name = \"x\"", &Overrides { set: &set, seeds: None });
    let message = refused.map(|_| ()).expect_err("refused").to_string();
    assert!(message.contains("model.tokens_per_expert = 1") && message.contains("the router never moves"), "{message}");
}
