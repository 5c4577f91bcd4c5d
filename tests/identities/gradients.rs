//! What a gradient step does: I3, I3b, I4.

use crate::world::*;
use moe_theory::patterns::Batch;
use moe_theory::prune::routed::RoutedPair;
use moe_theory::prune::statistics::router_changes;
use moe_theory::sgd::{DenseEngine, Engine, Objective, PatternEngine, Rates, TheoryEngine};
use moe_theory::sim::parameters::Criterion;
use moe_theory::sim::parameters::PruningOrder;
use proptest::prelude::*;

proptest! {
    #![proptest_config(crate::world::cases(200))]

    /// I3: with l = 1 the gate is 1 and the router's gradient 0, whatever the batch.
    #[test]
    fn i3_with_one_token_the_router_never_moves(World { mut model, batch } in worlds()) {
        model.tokens_per_expert = 1;
        for (pairs, _) in pairs(&model, &batch) {
            prop_assert!(pairs.iter().all(|pair| pair.gate == 1.0));
        }
        let mut engine = PatternEngine::new(&model, Rates { router: 1.0, expert: 0.0 });
        prop_assert!(engine.step(&batch, &Objective::default()).is_ok());
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
        prop_assert!(engine.step(&batch, &Objective::default()).is_ok());
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
        prop_assert!(engine.step(&first, &Objective::default()).is_ok());
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
}
