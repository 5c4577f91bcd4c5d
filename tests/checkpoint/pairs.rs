//! The real pairs of `tests/data/checkpoints`, whose orders were computed by another program.

use crate::Lab;
use crate::cli_common::Bench;
use std::path::Path;

fn pair(name: &str) -> String {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/checkpoints").join(name);
    format!("{} {}", dir.join("pretrained").display(), dir.join("finetuned").display())
}

/// The orders that `rank` prints.
fn orders(name: &str, by: &str) -> Vec<String> {
    let lab = Lab { bench: Bench::new() };
    let text = lab.does(&format!("rank {} --by {by}", pair(name)));
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("layer "));
    lines.filter_map(|line| line.split_once(": ").map(|(_, order)| order.to_owned())).collect()
}

#[test]
fn the_orders_are_those_that_another_program_computed() {
    assert_eq!(orders("mixtral", "router-norm-change"), ["2 6 3 4 5 7 0 1", "4 7 6 5 1 0 2 3"]);
    assert_eq!(orders("mixtral_bf16_sharded", "router-norm-change"), ["2 6 3 4 5 7 0 1", "4 7 6 5 1 0 2 3"]);
    assert_eq!(orders("olmoe", "router-norm-change"), ["7 6 4 2 5 3 0 1", "7 1 5 0 2 6 3 4"]);
    assert_eq!(orders("qwen2_moe", "router-norm-change"), ["0 4 7 3 5 6 1 2", "5 6 2 1 0 4 3 7"]);
}

#[test]
fn displacement_and_folded_rows_order_differently() {
    assert_eq!(orders("mixtral", "router-displacement"), ["4 2 5 6 3 0 1 7", "7 1 4 0 6 2 5 3"]);
    assert_eq!(orders("mixtral", "router-norm-change-folded"), ["2 3 6 4 5 0 7 1", "4 7 6 1 5 0 2 3"]);
    assert_eq!(orders("olmoe", "router-norm-change-folded"), ["7 6 4 2 5 3 0 1", "7 5 1 0 2 6 3 4"]);
}

#[test]
fn the_numbers_are_those_that_another_program_computed() {
    let lab = Lab { bench: Bench::new() };
    lab.does(&format!("rank {} --csv rank.csv", pair("mixtral")));
    let expected = [0.03081, 0.05674, -0.01379, -0.00442, 0.00874, 0.01175, -0.00516, 0.03011];
    for (row, expected) in lab.bench.rows("rank.csv").iter().zip(expected) {
        let delta: f64 = row["delta"].parse().expect("a number");
        assert!((delta - expected).abs() < 5e-6, "{row:?}");
    }
}

#[test]
fn a_real_pair_is_pruned_in_shards_and_the_index_agrees() {
    let lab = Lab { bench: Bench::new() };
    lab.does(&format!("prune {} --keep 6/8 --out out", pair("mixtral_bf16_sharded")));
    let summary = lab.inspected("out");
    assert_eq!(
        (&summary["experts"], &summary["files"], &summary["notes"]),
        (&6.into(), &3.into(), &serde_json::json!([]))
    );
    let index = lab.json("out/model.safetensors.index.json");
    assert_eq!(index["metadata"]["total_size"], summary["bytes"]);
    assert_eq!(
        index["weight_map"].as_object().map(serde_json::Map::len),
        summary["tensors"].as_u64().map(|count| count as usize)
    );
}

#[test]
fn in_bf16_experts_that_rounding_may_have_swapped_are_ties() {
    let lab = Lab { bench: Bench::new() };
    let text = lab.does(&format!("prune {} --keep 6/8 --out out", pair("mixtral_bf16_sharded")));
    assert!(text.contains("layer 0: ties across the cut: experts 3 (stays) and 6 (goes)"), "{text}");
    let text = lab.does(&format!("prune {} --keep 6/8 --out whole", pair("mixtral")));
    assert!(!text.contains("ties"), "{text}");
}
