//! Measures of a router that moved: I17.

use crate::world::*;
use moe_theory::moe::Model;
use moe_theory::patterns::Batch;
use moe_theory::prune::statistics::router_changes;
use moe_theory::prune::{Plan, Statistics};
use moe_theory::sim::parameters::Criterion;
use moe_theory::sim::parameters::PruningOrder;
use proptest::prelude::*;

proptest! {
    #![proptest_config(crate::world::cases(200))]

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
