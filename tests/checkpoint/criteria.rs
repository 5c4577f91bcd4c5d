//! Criteria that read the experts' weights, and scores that go from one command to the other.

use crate::Lab;
use crate::fixtures::{Cut, HIDDEN, Model, decode, encode, family};
use safetensors::Dtype;
use serde_json::json;

/// Neurons of an expert, each with the weights of its input.
const NEURONS: usize = 5;

/// Experts in one tensor of [E, out, in] or [E, in, out], with the same numbers.
fn stacked(transposed: bool) -> Model {
    let word = if transposed { "qwen3_vl_moe" } else { "qwen3_5_moe" };
    let mut model = Model::new(json!({"model_type": word, "num_experts": 8, "num_experts_per_tok": 2}), 8);
    model.router("model.layers.0.mlp.gate.weight", Dtype::F32, 8, 0);
    let shape = if transposed { [8, HIDDEN, NEURONS] } else { [8, NEURONS, HIDDEN] };
    model.add("model.layers.0.mlp.experts.gate_up_proj", Dtype::F32, &shape, Cut::Axis(0, 1));
    let values: Vec<f32> = (0..8 * NEURONS * HIDDEN)
        .map(|entry| {
            let (expert, rest) = (entry / (NEURONS * HIDDEN), entry % (NEURONS * HIDDEN));
            let (neuron, column) =
                if transposed { (rest % NEURONS, rest / NEURONS) } else { (rest / HIDDEN, rest % HIDDEN) };
            weight(expert, neuron, column)
        })
        .collect();
    model.tensors[1].bytes = encode(Dtype::F32, &values);
    model.add("model.layers.0.mlp.experts.down_proj", Dtype::F32, &[8, 7, 3], Cut::Axis(0, 1));
    model
}

fn weight(expert: usize, neuron: usize, column: usize) -> f32 {
    ((expert * 31 + neuron * 7 + column * 3) as f32 * 0.61).sin() * (1.0 + (expert * 5 % 8) as f32)
}

/// A model whose weights, but for the routers, are all this many times as large.
fn scaled(model: &Model, factor: f32) -> Model {
    let mut scaled = model.finetuned();
    for tensor in scaled.tensors.iter_mut().filter(|tensor| !tensor.is_router) {
        let values: Vec<f32> = decode(tensor.dtype, &tensor.bytes).iter().map(|value| factor * value).collect();
        tensor.bytes = encode(tensor.dtype, &values);
    }
    scaled
}

#[test]
fn scores_of_neurons_are_those_of_their_rows_whichever_axis_is_theirs() {
    for transposed in [false, true] {
        let model = stacked(transposed);
        let lab = Lab::of(&model);
        scaled(&model, 1.5).write(&lab.bench.path("more"), 1);
        lab.does("rank base more --experts --csv rank.csv");
        for (expert, row) in lab.bench.rows("rank.csv").iter().enumerate() {
            let rows = (0..NEURONS)
                .map(|neuron| (0..HIDDEN).map(|c| 1.5 * f64::from(weight(expert, neuron, c))).collect::<Vec<f64>>());
            let rows: Vec<Vec<f64>> = rows.collect();
            let norm = |row: &Vec<f64>| row.iter().map(|value| value * value).sum::<f64>().sqrt();
            let variance = |row: &Vec<f64>| {
                let mean = row.iter().sum::<f64>() / HIDDEN as f64;
                row.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / HIDDEN as f64
            };
            let change = rows.iter().map(norm).sum::<f64>() / NEURONS as f64 / 3.0;
            for (column, expected) in [
                ("neuron_change", change),
                ("max_neuron_norm", rows.iter().map(norm).fold(0.0, f64::max)),
                ("max_var", rows.iter().map(variance).fold(0.0, f64::max)),
            ] {
                let read: f64 = row[column].parse().expect("a number");
                assert!((read - expected).abs() < 1e-5 * expected, "{transposed} {expert} {column}: {read} {expected}");
            }
        }
    }
}

#[test]
fn every_criterion_of_the_weights_prunes_what_is_smallest_by_its_column_of_the_table() {
    let model = family("mixtral");
    let lab = Lab::of(&model);
    scaled(&model, 0.5).write(&lab.bench.path("more"), 1);
    for (word, column, largest_first) in [
        ("expert-change", "expert_change", false),
        ("neuron-change", "neuron_change", false),
        ("neuron-magnitude", "expert_magnitude", false),
        ("max-neuron-norm", "max_neuron_norm", false),
        ("max-var", "max_var", false),
        ("aimer", "aimer", true),
    ] {
        lab.does(&format!("rank base more --by {word} --csv rank.csv"));
        lab.does(&format!("prune base more --keep 7 --by {word} --out {word}"));
        let rows = lab.bench.rows("rank.csv");
        let scores: Vec<f64> = rows[..8].iter().map(|row| row[column].parse().expect("a number")).collect();
        let sign = if largest_first { -1.0 } else { 1.0 };
        let first = (0..8).min_by(|&a, &b| (sign * scores[a]).total_cmp(&(sign * scores[b]))).expect("experts");
        assert_eq!(rows[first]["place"], "0", "{word}");
        assert_eq!(lab.json(&format!("{word}/prune.json"))["layers"][0]["pruned"], json!([first]), "{word}");
    }
}

#[test]
fn types_of_different_width_are_compared_number_by_number() {
    // 1.5 MiB in F32: more than one piece, and other pieces than in BF16.
    let mut model = family("mixtral");
    let name = "model.layers.0.block_sparse_moe.experts.0.w1.weight";
    let place = model.tensors.iter().position(|tensor| tensor.name == name).expect("a tensor");
    let values: Vec<f32> = (0..393_216).map(|entry| if entry < 300_000 { 0.0 } else { 1.0 }).collect();
    (model.tensors[place].shape, model.tensors[place].bytes) =
        (vec![393_216 / HIDDEN, HIDDEN], encode(Dtype::F32, &values));
    let lab = Lab::of(&model);
    let mut tuned = model.finetuned();
    (tuned.tensors[place].dtype, tuned.tensors[place].bytes) = (Dtype::BF16, encode(Dtype::BF16, &values));
    tuned.write(&lab.bench.path("more"), 1);
    lab.does("rank base more --experts --csv rank.csv");
    let row = &lab.bench.rows("rank.csv")[0];
    assert_eq!(row["expert_change"].parse::<f64>().ok(), Some(0.0));
    let magnitude: f64 = row["expert_magnitude"].parse().expect("a number");
    assert!((magnitude - 93_216f64.sqrt()).abs() < 0.1, "{magnitude}");
}

#[test]
fn routers_that_did_not_change_leave_the_criteria_that_need_no_change() {
    let model = family("mixtral");
    let lab = Lab::of(&model);
    let mut frozen = scaled(&model, 0.5);
    for (tensor, old) in frozen.tensors.iter_mut().zip(&model.tensors).filter(|(tensor, _)| tensor.is_router) {
        tensor.bytes.clone_from(&old.bytes);
    }
    frozen.write(&lab.bench.path("frozen"), 1);
    assert!(lab.refuses("prune base frozen --keep 4 --out out").contains("no router changed: Δ ranks nothing"));
    let text = lab.does("rank base frozen --by neuron-change");
    assert!(text.contains("2 of 2 routers did not change: Δ ranks nothing there"), "{text}");
    lab.does("prune base frozen --keep 4 --by neuron-change --out out");
    assert_eq!(lab.json("out/prune.json")["layers"][0]["by"], "neuron-change");
}

#[test]
fn scores_of_an_early_checkpoint_prune_the_last() {
    let model = family("mixtral");
    let lab = Lab::of(&model);
    // In the early checkpoint the rows grew in the opposite order.
    let mut early = model.clone();
    for tensor in early.tensors.iter_mut().filter(|tensor| tensor.is_router) {
        let values = decode(tensor.dtype, &tensor.bytes);
        let grown =
            values.iter().enumerate().map(|(entry, value)| value * (2.0 - crate::fixtures::growth(entry / HIDDEN)));
        tensor.bytes = encode(tensor.dtype, &grown.collect::<Vec<f32>>());
    }
    early.write(&lab.bench.path("early"), 1);
    lab.does("rank base early --scores early.json");
    lab.prunes("--keep 4 --scores early.json");
    let opposite: Vec<usize> = (0..8).filter(|expert| !model.kept(4).contains(expert)).collect();
    assert_eq!(lab.json("out/prune.json")["layers"][0]["kept"], json!(opposite));
    assert!(
        lab.refuses("rank base early --by random --scores more.json").contains("layer 0: random: is not known here")
    );
}
