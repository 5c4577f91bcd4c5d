//! `rank`: pairs that match, pairs that don't, adapters, audits.

use crate::Lab;
use crate::fixtures::{Cut, HIDDEN, Model, Tensor, decode, encode, family, write_file};
use safetensors::Dtype;
use serde_json::{Value, json};

/// A text without its line breaks.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The bodies of all lines but the first, which names the folders.
fn orders(text: &str) -> Vec<String> {
    text.lines().filter(|line| line.trim().starts_with("layer")).map(str::to_owned).collect()
}

fn csv(lab: &Lab, arguments: &str) -> crate::cli_common::Rows {
    lab.does(&format!("rank {arguments} --csv rank.csv"));
    lab.bench.rows("rank.csv")
}

#[test]
fn stacked_and_numbered_experts_of_one_model_rank_and_prune_alike() {
    let numbered = family("qwen3_moe");
    let mut stacked = Model::new(numbered.config.clone(), 8);
    stacked.tensors = numbered.tensors.iter().filter(|tensor| !matches!(tensor.cut, Cut::Expert(_))).cloned().collect();
    for layer in 0..2 {
        let block = format!("model.layers.{layer}.mlp.experts");
        let part = |expert: usize, name: &str| {
            let name = format!("{block}.{expert}.{name}.weight");
            numbered.tensors.iter().find(|tensor| tensor.name == name).expect("a tensor").clone()
        };
        let all = |names: &[&str]| {
            (0..8).flat_map(|e| names.iter().flat_map(move |name| part(e, name).bytes)).collect::<Vec<u8>>()
        };
        for (name, bytes, rows) in
            [("gate_up_proj", all(&["gate_proj", "up_proj"]), 12), ("down_proj", all(&["down_proj"]), HIDDEN)]
        {
            let shape = vec![8, rows, bytes.len() / 4 / 8 / rows];
            stacked.tensors.push(Tensor {
                name: format!("{block}.{name}"),
                dtype: Dtype::F32,
                shape,
                bytes,
                cut: Cut::Axis(0, 1),
                is_router: false,
            });
        }
    }
    let (one, other) = (Lab::of(&numbered), Lab::of(&stacked));
    assert_eq!(orders(&one.does("rank base tuned")), orders(&other.does("rank base tuned")));
    one.prunes("--keep 5/8");
    other.prunes("--keep 5/8");
    let kept = |lab: &Lab| lab.json("out/prune.json")["layers"].clone();
    assert_eq!(kept(&one), kept(&other));
    // Equal numbers in either layout.
    let (one, other) = (crate::fixtures::read(&one.bench.path("out")), crate::fixtures::read(&other.bench.path("out")));
    let numbered: Vec<u8> =
        (0..5).flat_map(|e| one[&format!("model.layers.1.mlp.experts.{e}.down_proj.weight")].2.clone()).collect();
    assert_eq!(numbered, other["model.layers.1.mlp.experts.down_proj"].2);
}

#[test]
fn a_prefix_on_one_side_only_is_matched_by_what_follows_it() {
    let model = family("qwen3_moe");
    let lab = Lab::of(&model);
    let mut prefixed = model.finetuned();
    for tensor in &mut prefixed.tensors {
        tensor.name = tensor.name.replacen("model.", "model.language_model.", 1);
    }
    // A tower with layers of its own must not be taken for the model's.
    prefixed.add("model.visual.layers.0.mlp.fc1.weight", Dtype::F32, &[8, HIDDEN], Cut::Whole);
    prefixed.write(&lab.bench.path("vl"), 1);
    assert_eq!(orders(&lab.does("rank base tuned")), orders(&lab.does("rank base vl")));
    // Two routers of one layer can't be told apart.
    let mut two = prefixed.clone();
    two.router("model.visual.layers.0.mlp.gate.weight", Dtype::F32, 8, 0);
    two.write(&lab.bench.path("two"), 1);
    assert!(lab.refuses("rank base two").contains("layer 0: "));
}

#[test]
fn checkpoints_that_are_no_pair_are_refused() {
    let model = family("mixtral");
    let lab = Lab::of(&model);
    let mut fewer = model.finetuned();
    fewer.tensors.retain(|tensor| !tensor.name.contains("layers.1."));
    fewer.write(&lab.bench.path("fewer"), 1);
    assert!(lab.refuses("rank base fewer").contains("lacks the routers of layer 1"));
    assert!(lab.refuses("rank fewer tuned").contains("layer 1 has a router, and fewer has none there"));
    let mut other = Model::new(model.config.clone(), 6);
    other.config["num_local_experts"] = 6.into();
    let pruned = model.finetuned().pruned(&[0, 1, 2, 3, 4, 5]);
    other.tensors = pruned.into_values().collect();
    other.write(&lab.bench.path("six"), 1);
    let message = lab.refuses("rank base six");
    assert!(message.contains("has 8 experts, the fine-tuned 6"), "{message}");
}

#[test]
fn routers_that_did_not_change_rank_nothing() {
    let lab = Lab::of(&family("mixtral"));
    for command in ["rank base base", "prune base base --keep 4 --out out"] {
        let message = lab.refuses(command);
        assert!(message.contains("no router changed: Δ ranks nothing (D = 0 in all 2 layers)"), "{message}");
    }
}

#[test]
fn one_frozen_router_is_said_and_not_pruned_by_delta() {
    let model = family("mixtral");
    let mut tuned = model.finetuned();
    let router = "model.layers.1.block_sparse_moe.gate.weight";
    let frozen = model.tensors.iter().find(|tensor| tensor.name == router).expect("a router").clone();
    *tuned.tensors.iter_mut().find(|tensor| tensor.name == router).expect("a router") = frozen;
    let lab = Lab::of(&model);
    tuned.write(&lab.bench.path("half"), 1);
    let text = lab.does("rank base half");
    assert!(
        text.contains("1 of 2 routers did not change") && text.contains("did not change: nothing is ranked here"),
        "{text}"
    );
    let message = lab.refuses("prune base half --keep 4 --out out");
    assert!(message.contains("layer 1: its router did not change"), "{message}");
    lab.does("prune base half --keep 4 --by router-norm --out out");
}

#[test]
fn experts_that_were_permuted_are_noticed() {
    let model = family("mixtral");
    let lab = Lab::of(&model);
    let mut swapped = model.finetuned();
    for tensor in swapped.tensors.iter_mut().filter(|tensor| tensor.is_router) {
        let row = tensor.bytes.len() / 8;
        let (first, second) = tensor.bytes.split_at_mut(row);
        first.swap_with_slice(&mut second[..row]);
    }
    swapped.write(&lab.bench.path("swapped"), 1);
    let text = flat(&lab.does("rank base swapped"));
    assert!(text.contains("layer 0: 2 experts, expert 0 is nearest to the old expert 1"), "{text}");
    assert!(!lab.does("rank base tuned").contains("permuted"));
}

#[test]
fn a_vector_added_to_all_rows_is_found_as_the_common_shift() {
    let model = family("mixtral");
    let lab = Lab::of(&model);
    let mut shifted = model.clone();
    for tensor in shifted.tensors.iter_mut().filter(|tensor| tensor.is_router) {
        tensor.dtype = Dtype::F32;
        let values: Vec<f32> = decode(Dtype::BF16, &tensor.bytes).iter().map(|value| value + 1.0).collect();
        tensor.bytes = encode(Dtype::F32, &values);
    }
    shifted.write(&lab.bench.path("shifted"), 1);
    lab.does("rank base shifted --json rank.json");
    let audit = &lab.json("rank.json")["layers"][0]["audit"];
    assert!((audit["common_shift"].as_f64().expect("a share") - 1.0).abs() < 1e-6, "{audit}");
    for row in csv(&lab, "base shifted") {
        let less_mean: f64 = row["delta_less_mean"].parse().expect("a number");
        assert!(less_mean.abs() < 1e-6, "{row:?}");
    }
}

#[test]
fn two_groups_are_found_where_they_are_and_gap_keeps_the_upper_one() {
    let model = family("qwen3_moe");
    let lab = Lab::of(&model);
    let mut grouped = model.clone();
    for tensor in grouped.tensors.iter_mut().filter(|tensor| tensor.is_router) {
        let mut values = decode(tensor.dtype, &tensor.bytes);
        for (entry, value) in values.iter_mut().enumerate() {
            let expert = entry / HIDDEN;
            *value *= if [2, 5, 7].contains(&expert) { 3.0 } else { 1.0 + expert as f32 / 1000.0 };
        }
        tensor.bytes = encode(tensor.dtype, &values);
    }
    grouped.write(&lab.bench.path("grouped"), 1);
    let text = flat(&lab.does("rank base grouped"));
    assert!(text.contains("In 2 of 2 routers Δ falls into two groups"), "{text}");
    lab.does("prune base grouped --gap --out out");
    assert_eq!(lab.json("out/prune.json")["layers"][0]["kept"], json!([2, 5, 7]));
    let message = lab.refuses("prune base tuned --gap --out none");
    assert!(message.contains("Δ has no gap in layer 0, layer 1"), "{message}");
}

#[test]
fn the_report_never_calls_delta_a_measurement_of_loss() {
    let lab = Lab::of(&family("mixtral"));
    let text = flat(&(lab.does("rank base tuned") + &lab.prunes("--keep 4")));
    assert_eq!(text.matches("Δ never measures a loss").count(), 2, "{text}");
    let rest = text.replace("Δ never measures a loss", "").to_lowercase();
    assert!(!rest.contains("loss") && !rest.contains("lossless") && !rest.contains("accuracy"), "{rest}");
}

#[test]
fn the_page_shows_every_delta_of_the_csv() {
    let lab = Lab::of(&family("mixtral"));
    lab.does("rank base tuned --csv rank.csv --page rank.html");
    let page = lab.bench.read("rank.html");
    let rows = lab.bench.rows("rank.csv");
    assert_eq!(page.matches("<rect").count(), rows.len());
    for row in rows {
        assert!(page.contains(&format!("<title>expert {}: Δ = {}</title>", row["expert"], row["delta"])), "{row:?}");
    }
    assert!(page.contains("Δ never measures a loss") && !page.contains("<script") && !page.contains("http"));
}

#[test]
fn fp8_experts_without_a_known_scale_are_pruned_as_bytes_but_never_scored() {
    let mut model = family("deepseek_v4");
    let lab = Lab::of(&model);
    assert!(csv(&lab, "base tuned --experts")[0]["expert_magnitude"].parse::<f64>().expect("a norm") > 0.0);
    for tensor in &mut model.tensors {
        tensor.name = tensor.name.replace(".scale", ".mystery");
    }
    let lab = Lab::of(&model);
    let message = lab.refuses("rank base tuned --experts");
    assert!(message.contains("is FP8, and no scale of it was found"), "{message}");
    assert!(lab.refuses_to_prune("--keep 4 --by expert-change").contains("no scale"));
    lab.prunes("--keep 4");
    crate::families::assert_equal("fp8", &crate::fixtures::read(&lab.bench.path("out")), &bytes(&model, 4));
}

fn bytes(model: &Model, count: usize) -> std::collections::BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)> {
    let pruned = model.finetuned().pruned(&model.kept(count));
    pruned.into_iter().map(|(name, tensor)| (name, (tensor.dtype, tensor.shape, tensor.bytes))).collect()
}

#[test]
fn change_and_magnitude_of_experts_are_those_of_their_numbers() {
    let model = family("mixtral");
    let mut tuned = model.finetuned();
    for tensor in tuned.tensors.iter_mut().filter(|tensor| tensor.cut == Cut::Expert(3)) {
        let values: Vec<f32> = decode(tensor.dtype, &tensor.bytes).iter().map(|value| 2.0 * value).collect();
        tensor.bytes = encode(tensor.dtype, &values);
    }
    let lab = Lab::of(&model);
    tuned.write(&lab.bench.path("more"), 1);
    let rows = csv(&lab, "base more --experts");
    let square = |expert: usize| -> f64 {
        let own = tuned.tensors.iter().filter(|t| t.cut == Cut::Expert(expert) && t.name.contains("layers.0."));
        own.flat_map(|t| decode(t.dtype, &t.bytes)).map(|value| f64::from(value) * f64::from(value)).sum()
    };
    for (expert, row) in rows.iter().take(8).enumerate() {
        let read = |name: &str| row[name].parse::<f64>().expect("a number");
        assert!((read("expert_magnitude") - square(expert).sqrt()).abs() < 1e-9);
        let change = if expert == 3 { square(3).sqrt() / 2.0 } else { 0.0 };
        assert!((read("expert_change") - change).abs() < 1e-9, "{row:?}");
    }
}

/// Writes an adapter; its tensors are given by the ends of their names.
fn write_adapter(lab: &Lab, config: &Value, tensors: &[(&str, Vec<usize>, Vec<f32>)]) {
    std::fs::create_dir_all(lab.bench.path("adapter")).expect("a folder");
    lab.bench.write("adapter/adapter_config.json", config.to_string());
    let tensors: Vec<Tensor> = tensors
        .iter()
        .map(|(name, shape, values)| Tensor {
            name: format!("base_model.model.model.layers.{name}"),
            dtype: Dtype::F32,
            shape: shape.clone(),
            bytes: encode(Dtype::F32, values),
            cut: Cut::Whole,
            is_router: false,
        })
        .collect();
    write_file(&lab.bench.path("adapter/adapter_model.safetensors"), &tensors, Some("pt"));
}

/// Δ of layer 0 by an adapter, and by the merged model.
fn adapter_and_merged(config: &Value, with_dora: bool, scale: f32) -> (Vec<f64>, Vec<f64>) {
    let model = family("qwen3_moe");
    let lab = Lab::of(&model);
    let wave =
        |count: usize, step: f32| (0..count).map(|entry| (entry as f32 * step).sin() / 3.0).collect::<Vec<f32>>();
    let (a, b) = (wave(3 * HIDDEN, 0.7), wave(8 * 3, 1.3));
    let magnitudes: Vec<f32> = (0..8).map(|expert| 0.5 + expert as f32 / 7.0).collect();
    let mut tensors = vec![
        ("0.mlp.gate.lora_A.weight", vec![3, HIDDEN], a.clone()),
        ("0.mlp.gate.lora_B.weight", vec![8, 3], b.clone()),
    ];
    if with_dora {
        tensors.push(("0.mlp.gate.lora_magnitude_vector", vec![8], magnitudes.clone()));
    }
    write_adapter(&lab, config, &tensors);
    let mut merged = model.clone();
    let router = merged.tensors.iter_mut().find(|tensor| tensor.is_router).expect("a router");
    let mut values = decode(router.dtype, &router.bytes);
    for (expert, row) in values.chunks_mut(HIDDEN).enumerate() {
        for (column, value) in row.iter_mut().enumerate() {
            *value += scale * (0..3).map(|rank| b[expert * 3 + rank] * a[rank * HIDDEN + column]).sum::<f32>();
        }
        if with_dora {
            let norm = row.iter().map(|value| value * value).sum::<f32>().sqrt();
            row.iter_mut().for_each(|value| *value *= magnitudes[expert] / norm);
        }
    }
    router.bytes = encode(router.dtype, &values);
    merged.write(&lab.bench.path("merged"), 1);
    assert!(lab.refuses("prune base adapter --keep 4 --out out").contains(
        "adapter: is an adapter: merge it first, with PeftModel.from_pretrained(model, adapter).merge_and_unload()"
    ));
    let deltas = |arguments: &str| {
        csv(&lab, arguments).iter().take(8).map(|row| row["delta"].parse().expect("a number")).collect::<Vec<f64>>()
    };
    (deltas("base adapter"), deltas("base merged"))
}

#[test]
fn an_adapter_of_the_router_has_the_delta_of_the_merged_model() {
    let lora = json!({"peft_type": "LORA", "r": 3, "lora_alpha": 6});
    let stabilised = json!({"peft_type": "LORA", "r": 3, "lora_alpha": 6, "use_rslora": true});
    let by_pattern =
        json!({"peft_type": "LORA", "r": 3, "lora_alpha": 6, "alpha_pattern": {"mlp.gate": 12, "gate_proj": 99}});
    for (config, with_dora, scale) in
        [(&lora, false, 2.0), (&stabilised, false, 6.0 / 3f32.sqrt()), (&by_pattern, false, 4.0), (&lora, true, 2.0)]
    {
        let (adapter, merged) = adapter_and_merged(config, with_dora, scale);
        for (adapter, merged) in adapter.iter().zip(&merged) {
            assert!((adapter - merged).abs() < 1e-6, "{config}: {adapter} {merged}");
        }
        assert!(merged.iter().any(|delta| delta.abs() > 0.01));
    }
}

#[test]
fn a_router_that_an_adapter_saves_whole_is_that_router() {
    let model = family("qwen3_moe");
    let lab = Lab::of(&model);
    let tuned = model.finetuned();
    let router = tuned.tensors.iter().find(|tensor| tensor.is_router).expect("a router");
    let config = json!({"peft_type": "LORA", "r": 3, "lora_alpha": 6, "modules_to_save": ["gate"]});
    write_adapter(&lab, &config, &[("0.mlp.gate.weight", vec![8, HIDDEN], decode(router.dtype, &router.bytes))]);
    let (adapter, merged) = (csv(&lab, "base adapter"), csv(&lab, "base tuned"));
    assert_eq!(adapter[..8], merged[..8]);
    assert_eq!(adapter[8]["displacement"], "0.0");
}

#[test]
fn an_adapter_that_changes_no_router_ranks_nothing() {
    let lab = Lab::of(&family("qwen3_moe"));
    let config = json!({"peft_type": "LORA", "r": 3, "lora_alpha": 6});
    write_adapter(&lab, &config, &[("0.self_attn.q_proj.lora_A.weight", vec![3, HIDDEN], vec![0.0; 3 * HIDDEN])]);
    assert!(lab.refuses("rank base adapter").contains("no router changed"));
    assert!(lab.refuses("prune base adapter --keep 4 --out out").contains("adapter"));
    write_adapter(&lab, &json!({"peft_type": "IA3"}), &[]);
    assert!(lab.refuses("rank base adapter").contains("peft_type = IA3: must be LORA"));
}

#[test]
fn stacked_experts_of_an_adapter_cant_be_told_apart_and_that_is_said() {
    let model = family("qwen3_5_moe");
    let lab = Lab::of(&model);
    let config = json!({"peft_type": "LORA", "r": 1, "lora_alpha": 1});
    write_adapter(
        &lab,
        &config,
        &[
            ("0.mlp.gate.lora_A.weight", vec![1, HIDDEN], vec![0.1; HIDDEN]),
            ("0.mlp.gate.lora_B.weight", vec![8, 1], (0..8).map(|e| e as f32).collect()),
            ("0.mlp.experts.lora_A.weight", vec![8, 6], vec![0.1; 48]),
            ("0.mlp.experts.lora_B.weight", vec![HIDDEN, 8], vec![0.1; 96]),
        ],
    );
    let text = flat(&lab.does("rank base adapter"));
    assert!(text.contains("programs order its columns differently"), "{text}");
}

#[test]
fn ranking_reads_headers_and_routers_only() {
    // 64 GiB of experts that no disk here holds: a sparse file.
    let mut model = family("mixtral");
    model.tensors.retain(|tensor| !matches!(tensor.cut, Cut::Expert(_)));
    let lab = Lab::of(&model);
    for (name, model) in [("base", model.clone()), ("tuned", model.finetuned())] {
        let path = lab.bench.path(name).join("model.safetensors");
        let mut header = serde_json::Map::new();
        let (mut start, mut bytes) = (0u64, Vec::<u8>::new());
        for tensor in &model.tensors {
            let end = start + tensor.bytes.len() as u64;
            header.insert(
                tensor.name.clone(),
                json!({"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [start, end]}),
            );
            bytes.extend(&tensor.bytes);
            start = end;
        }
        for layer in 0..2 {
            for expert in 0..8 {
                for (name, shape) in [("w1", [1 << 15, 1 << 14]), ("w2", [1 << 14, 1 << 15])] {
                    let end = start + (1u64 << 30);
                    let name = format!("model.layers.{layer}.block_sparse_moe.experts.{expert}.{name}.weight");
                    header.insert(name, json!({"dtype": "BF16", "shape": shape, "data_offsets": [start, end]}));
                    start = end;
                }
            }
        }
        let header = Value::Object(header).to_string();
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        let data = file.len() as u64;
        file.extend(bytes);
        std::fs::write(&path, file).expect("a file");
        std::fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_len(data + start))
            .expect("a sparse file");
    }
    // Reading it all would take minutes and more memory than there is.
    assert!(lab.does("rank base tuned").contains("layer 1: "));
    assert_eq!(lab.inspected("base")["layers"][0]["expert_bytes"], 1u64 << 31);
}
