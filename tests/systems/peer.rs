//! PEER: product keys find the best experts (P-1), what the norms of its routers are, its gradients against finite
//! differences of an independent definition, and what is refused of it.

use crate::{RATES, batch, check_step};
use moe_theory::patterns::Batch;
use moe_theory::sgd::{Engine, EngineChoice, Objective};
use moe_theory::sim::parameters::Parameters;
use moe_theory::systems::peer::{Peer, PeerEngine, best_cells};
use moe_theory::systems::{OnRows, Setting, System};
use proptest::prelude::*;

const SMALL: &str = "model.system=peer data.patterns=8 data.tokens=4 data.basis=haar model.experts=16 model.neurons=2 \
                     model.experts_per_token=3 model.grid_columns=4 pretrained.relevant_per_class=1 training.batch=16";

/// The small setting, with other values of some keys.
fn settings(more: &str) -> String {
    crate::settings(SMALL, more)
}

fn parameters(more: &str) -> Parameters {
    crate::common::point(&settings(more)).parameters
}

fn outputs(engine: &mut dyn Engine, batch: &Batch) -> Vec<f64> {
    let mut found = Vec::new();
    engine.outputs(batch, &mut found);
    found.chunks(engine.experts()).map(|own| own.iter().sum()).collect()
}

/// The grid's free numbers, row keys and column keys one after the other, and its routers made of them.
fn routers(grid: &Peer, keys: &[f64]) -> Vec<f64> {
    let (split, n) = (grid.split(), 4);
    let (rows, columns) = keys.split_at(n * split);
    let half = |of: &[f64], number: usize| of[number * split..][..split].to_vec();
    (0..n * n).flat_map(|cell| [half(rows, cell / n), half(columns, cell % n)].concat()).collect()
}

/// The mean hinge loss by brute force over all cells; `None` near a tie or a kink.
fn loss(grid: &Peer, routers: &[f64], neurons: &[f64], batch: &Batch, chosen: usize) -> Option<f64> {
    let (d, m) = (8, 2);
    let out = |pattern: usize| -> Option<f64> {
        let token = grid.token(pattern);
        let mut cells: Vec<(f64, usize)> = (0..16)
            .map(|cell| (routers[cell * d..][..d].iter().zip(token).map(|(w, x)| w * x).sum::<f64>(), cell))
            .collect();
        cells.sort_by(|a, b| b.0.total_cmp(&a.0));
        if cells[chosen - 1].0 - cells[chosen].0 < 1e-3 {
            return None;
        }
        let total: f64 = cells[..chosen].iter().map(|(score, _)| score.exp()).sum();
        let mut sum = 0.0;
        for &(score, cell) in &cells[..chosen] {
            let own: Vec<f64> = (0..m).map(|r| neurons[(cell * m + r) * d + pattern]).collect();
            if own.iter().any(|weight| weight.abs() < 1e-3) {
                return None;
            }
            let sign = if cell % 2 == 0 { 1.0 } else { -1.0 };
            sum += score.exp() / total * sign * own.iter().map(|weight| weight.max(0.0)).sum::<f64>() / m as f64;
        }
        Some(sum)
    };
    let slacks: Vec<f64> = (0..batch.samples())
        .map(|i| {
            let f: Option<f64> = batch.sample(i).iter().map(|&token| out(token as usize)).sum();
            f.map(|f| 1.0 - batch.labels[i] * f)
        })
        .collect::<Option<_>>()?;
    let near = slacks.iter().any(|slack| slack.abs() < 1e-3);
    (!near).then(|| slacks.iter().map(|slack| slack.max(0.0)).sum::<f64>() / slacks.len() as f64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    // Small integers: sums are exact and ties are many.
    #[test]
    fn p_1_product_keys_find_the_best_cells_and_ties_go_by_number(
        rows in prop::collection::vec(-4i32..4, 1..9),
        columns in prop::collection::vec(-4i32..4, 1..9),
        count in 1usize..12,
    ) {
        let float = |of: &[i32]| of.iter().map(|&score| f64::from(score)).collect::<Vec<_>>();
        let found = best_cells(&float(&rows), &float(&columns), count);
        let mut all: Vec<(i32, usize)> = (0..rows.len() * columns.len())
            .map(|cell| (-(rows[cell / columns.len()] + columns[cell % columns.len()]), cell))
            .collect();
        all.sort_unstable();
        all.truncate(count);
        prop_assert_eq!(found, all.into_iter().map(|(_, cell)| cell).collect::<Vec<_>>());
    }

    #[test]
    fn p_1_product_keys_find_the_best_cells_of_any_scores(
        rows in prop::collection::vec(-1.0f64..1.0, 1..9),
        columns in prop::collection::vec(-1.0f64..1.0, 1..9),
        count in 1usize..12,
    ) {
        let found = best_cells(&rows, &columns, count);
        let score = |cell: usize| rows[cell / columns.len()] + columns[cell % columns.len()];
        let mut all: Vec<usize> = (0..rows.len() * columns.len()).collect();
        all.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
        let scores = |cells: &[usize]| cells.iter().map(|&cell| score(cell)).collect::<Vec<_>>();
        prop_assert_eq!(scores(&found), scores(&all[..count.min(all.len())]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]
    #[test]
    fn a_step_is_minus_the_gradient_by_finite_differences(
        seed in 0u64..1000,
        chosen in 2usize..=5,
        keys in prop::collection::vec(-2.0f64..2.0, 32),
        neurons in prop::collection::vec(-1.0f64..1.0, 256),
    ) {
        let parameters = parameters(&format!("model.experts_per_token={chosen}"));
        let (grid, _) = Peer::new(&parameters, seed);
        let batch = batch(&parameters, seed);
        let at = |keys: &[f64], neurons: &[f64]| loss(&grid, &routers(&grid, keys), neurons, &batch, chosen);
        let Some(loss_0) = at(&keys, &neurons) else { return Ok(()) };
        let mut engine = PeerEngine::new(grid.with_weights(routers(&grid, &keys), neurons.clone()), RATES);
        let report = engine.step(&batch, &Objective::default()).expect("finite");
        prop_assert!((report.loss - loss_0).abs() < 1e-12);
        let after = engine.routers();
        let step = 1e-5;
        for place in 0..keys.len() {
            let moved = |by: f64| { let mut k = keys.clone(); k[place] += by; at(&k, &neurons) };
            let (Some(up), Some(down)) = (moved(step), moved(-step)) else { return Ok(()) };
            // Every cell of the row, or of the column, has the key.
            let (number, coordinate, is_column) = (place % 16 / 4, place % 4, place / 16 == 1);
            for other in 0..4 {
                let cell = if is_column { other * 4 + number } else { number * 4 + other };
                let router = cell * 8 + if is_column { 4 } else { 0 } + coordinate;
                let by = after[router] - keys[place];
                prop_assert!((by + (up - down) / (2.0 * step)).abs() < 1e-8, "key {place} of cell {cell}");
            }
        }
        check_step(|own| at(&keys, own), [&neurons, &engine.expert_weights()], |_| 1.0)?;
    }

    #[test]
    fn norms_of_a_grid_are_those_of_its_rows_and_columns_before_and_after_training(seed in 0u64..1000) {
        let parameters = parameters("");
        let (grid, roles) = Peer::new(&parameters, seed);
        prop_assert_eq!(roles.iter().filter(|role| format!("{role:?}") == "Relevant").count(), 2);
        let mut engine = PeerEngine::new(grid, RATES);
        let before = engine.routers();
        for round in 0..5 {
            engine.step(&batch(&parameters, seed + round), &Objective::default()).expect("finite");
        }
        prop_assert_ne!(&engine.routers(), &before);
        let mut norms = Vec::new();
        engine.router_norms(&mut norms);
        // ‖w_(a,b)‖² + ‖w_(c,d)‖² = ‖w_(a,d)‖² + ‖w_(c,b)‖².
        let squared = |row: usize, column: usize| norms[row * 4 + column].powi(2);
        for (a, b, c, d) in [(0, 0, 1, 1), (0, 1, 2, 3), (3, 0, 1, 2)] {
            prop_assert!((squared(a, b) + squared(c, d) - squared(a, d) - squared(c, b)).abs() < 1e-12);
        }
    }

    #[test]
    fn with_one_column_routers_are_free_and_a_dropped_expert_was_never_there(seed in 0u64..1000, gone in 0usize..16) {
        let parameters = parameters("model.grid_columns=1 pruning.removal=drop");
        let (grid, _) = Peer::new(&parameters, seed);
        prop_assert_eq!(grid.split(), 8);
        let kept: Vec<usize> = (0..16).filter(|&expert| expert != gone).collect();
        let left = grid.keep(&kept, None, &parameters);
        let setting = Setting { parameters: &parameters, seed, choice: EngineChoice::Auto };
        let mut engine = left.engine(&setting);
        prop_assert_eq!(engine.experts(), 15);
        let mut whole = PeerEngine::new(grid.clone(), RATES);
        let batch = batch(&parameters, seed);
        let mut gates = Vec::new();
        whole.class_token_gates(&batch, &mut gates);
        // Where the dropped expert was not chosen by any token nothing changes; else gates of the others only grow.
        let mut fewer = Vec::new();
        engine.class_token_gates(&batch, &mut fewer);
        for (own, fewer) in gates.chunks(16).zip(fewer.chunks(15)) {
            let rest: Vec<f64> = kept.iter().map(|&expert| own[expert]).collect();
            match own[gone] == 0.0 {
                true => prop_assert_eq!(rest, fewer),
                false => prop_assert!((fewer.iter().sum::<f64>() - 1.0).abs() < 1e-12),
            }
        }
    }

    #[test]
    fn a_silent_expert_keeps_its_gate_and_says_nothing(seed in 0u64..1000, gone in 0usize..16) {
        let parameters = parameters("pruning.removal=zero-slot");
        let (grid, _) = Peer::new(&parameters, seed);
        let kept: Vec<usize> = (0..16).filter(|&expert| expert != gone).collect();
        let setting = Setting { parameters: &parameters, seed, choice: EngineChoice::Auto };
        let mut own = Vec::new();
        let batch = batch(&parameters, seed);
        grid.engine(&setting).outputs(&batch, &mut own);
        let left: Vec<f64> =
            own.chunks(16).map(|f| f.iter().enumerate().filter(|(s, _)| *s != gone).map(|(_, f)| f).sum()).collect();
        let found = outputs(grid.keep(&kept, None, &parameters).engine(&setting).as_mut(), &batch);
        for (found, expected) in found.iter().zip(left) {
            prop_assert!((found - expected).abs() < 1e-12);
        }
    }
}

#[test]
fn fails_on_a_grid_that_is_none() {
    let refused = |settings: &str| crate::refused(settings, "");
    for (settings, words) in [
        (settings("model.grid_columns=3"), "model.grid_columns = 3: must be 1 or 4, because model.experts = 16"),
        (settings("model.experts=14"), "model.grid_columns = 4: must be 1, because model.experts = 14 is no square"),
        (settings("model.experts_per_token=1"), "model.experts_per_token = 1: must be at least 2"),
        (settings("pretrained.relevant_per_class=3"), "must be from 0 to 2, because the grid has 4 rows"),
        (
            settings("model.grid_columns=1 pretrained.placement=one-row"),
            "pretrained.placement = one-row: must be diagonal, because model.grid_columns = 1",
        ),
        (settings("pretrained.twins=1"), "pretrained.twins = 1: must be left at 0"),
        ("model.grid_columns=4".into(), "model.grid_columns = 4: must be left at 1, because it is not read"),
        ("model.temperature=2".into(), "model.temperature = 2: must be left at 1.0, because it is not read"),
    ] {
        let error = refused(&settings);
        assert!(error.contains(words), "{settings}: {error}");
    }
}
