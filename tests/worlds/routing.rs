//! Token choice: room, pruned experts and groups.

use crate::setting::{batch, outputs, parameters};
use moe_theory::moe::{Model, Pretrained, Routed, RoutingRule};
use moe_theory::prune::removal::Given;
use moe_theory::sgd::GeneralEngine;
use moe_theory::sim::Parameters;
use moe_theory::sim::parameters::Removal;
use proptest::prelude::*;

/// A model of token choice with random weights.
fn token_choice() -> impl Strategy<Value = (Parameters, u64)> {
    let gates = prop_oneof![Just("raw"), Just("renormalised")];
    let room = (prop_oneof![Just(0.0), 0.2..1.5], prop_oneof![Just("position"), Just("gate")]);
    (gates, room, 1usize..=4, 1usize..=2, 2usize..=3, any::<u64>()).prop_map(
        |(gates, (capacity, priority), c, groups, half, seed)| {
            let c = c.min(2 * half).max(if gates == "renormalised" { 2 } else { 1 });
            let settings = format!(
                "data.patterns=12 data.tokens=6 model.experts={} model.groups={groups} model.neurons=2 \
                 model.routing=token-choice model.gates={gates} model.experts_per_token={c} model.capacity={capacity} \
                 model.priority={priority} pretrained.relevant_per_class=1 pretrained.router_noise=0.7 \
                 pretrained.neuron_scale=0.5 training.batch=8",
                2 * half * groups
            );
            (parameters(&settings), seed)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_expert_takes_more_than_its_room_and_none_is_left_while_a_token_waits((parameters, seed) in token_choice()) {
        let model = Pretrained::constructed(&parameters, seed).model;
        let settings = &parameters.model;
        let rule = RoutingRule::new(settings, parameters.data.tokens);
        let size = settings.experts / settings.groups;
        let slots = match settings.capacity > 0.0 {
            true => (settings.capacity * (settings.experts_per_token * 6) as f64 / size as f64).round().max(1.0),
            false => f64::INFINITY,
        };
        let batch = batch(&parameters, seed, 4);
        let mut routed = Routed::default();
        for sample in 0..4 {
            rule.route(&model.routers, model.patterns, batch.sample(sample), &mut routed);
            let mut load = vec![0.0; settings.experts];
            routed.carrying().for_each(|pair| load[pair.expert] += 1.0);
            prop_assert!(load.iter().all(|&load| load <= slots));
            for block in routed.blocks() {
                let total: f64 = block.iter().map(|pair| pair.gate).sum();
                prop_assert!((total - 1.0).abs() < 1e-12);
                for pair in block.iter().take(settings.experts_per_token).filter(|pair| !pair.carries) {
                    prop_assert_eq!(load[pair.expert], slots, "a token waits at an expert with room");
                }
                let chosen = block.iter().take(settings.experts_per_token).map(|pair| pair.gate);
                let rest = block.iter().skip(settings.experts_per_token);
                let least = chosen.fold(f64::INFINITY, f64::min);
                for pair in rest {
                    prop_assert!(!pair.carries && pair.gate <= least);
                }
            }
        }
    }

    #[test]
    fn a_zero_slot_changes_no_other_output_and_dropping_is_the_smaller_model((parameters, seed) in token_choice()) {
        let model = Pretrained::constructed(&parameters, seed).model;
        let k = model.experts();
        let batch = batch(&parameters, seed, 8);
        let whole = outputs(&mut GeneralEngine::new(&model, &parameters), &batch);
        let kept: Vec<usize> = (0..k).filter(|expert| (seed >> expert) & 1 == 1 || *expert == 0).collect();
        let rule = RoutingRule::new(&parameters.model, parameters.data.tokens);
        let given = Given { calibration: None, pruning: &parameters.pruning };
        let slotted = Removal::ZeroSlot.remove(&model, &kept, &given).model;
        let found = outputs(&mut GeneralEngine::new(&slotted, &parameters), &batch);
        for (place, (found, whole)) in found.iter().zip(&whole).enumerate() {
            let expected = if kept.contains(&(place % k)) { *whole } else { 0.0 };
            prop_assert_eq!(*found, expected);
        }
        // Dropping an expert is sending its router out of reach.
        let mut routers = model.routers.clone();
        for expert in (0..k).filter(|expert| !kept.contains(expert)) {
            routers[expert * model.patterns..][..model.patterns].fill(-1e4);
        }
        let size = k / parameters.model.groups;
        if (0..parameters.model.groups).any(|group| !kept.iter().any(|expert| expert / size == group)) {
            return Ok(());
        }
        let far = Model { routers, ..model.clone() };
        let expected = outputs(&mut GeneralEngine::new(&far, &parameters), &batch);
        let dropped = rule.subset(&kept);
        let found = outputs(&mut GeneralEngine::with_rule(&model.subset(&kept), dropped, &parameters), &batch);
        for (place, found) in found.iter().enumerate() {
            let (sample, expert) = (place / kept.len(), kept[place % kept.len()]);
            prop_assert!((found - expected[sample * k + expert]).abs() < 1e-12);
        }
    }

    #[test]
    fn groups_are_the_mean_of_models_of_their_own((parameters, seed) in token_choice()) {
        let model = Pretrained::constructed(&parameters, seed).model;
        let groups = parameters.model.groups;
        let size = model.experts() / groups;
        let batch = batch(&parameters, seed, 8);
        let whole = outputs(&mut GeneralEngine::new(&model, &parameters), &batch);
        let mut alone = parameters.clone();
        (alone.model.groups, alone.model.experts) = (1, size);
        for group in 0..groups {
            let own: Vec<usize> = (group * size..(group + 1) * size).collect();
            let found = outputs(&mut GeneralEngine::new(&model.subset(&own), &alone), &batch);
            for (place, found) in found.iter().enumerate() {
                let expected = whole[place / size * model.experts() + own[place % size]] * groups as f64;
                prop_assert!((found - expected).abs() < 1e-12);
            }
        }
    }
}
