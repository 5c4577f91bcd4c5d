//! `prune`: what must come out, and what must be refused before anything is written.

use crate::Lab;
use crate::cli_common::Bench;
use crate::fixtures::{self, Cut, HIDDEN, Model, family, read, write_file};
use safetensors::Dtype;
use serde_json::{Value, json};
use std::fs;

/// A model of DeepSeek-V3's kind with this many experts in 8 groups of which 4 are used.
fn grouped(experts: usize) -> Model {
    let config = json!({
        "model_type": "deepseek_v3", "n_routed_experts": experts, "num_experts_per_tok": 8, "n_group": 8, "topk_group": 4,
        "num_hidden_layers": 1, "num_nextn_predict_layers": 1
    });
    let mut model = Model::new(config, experts);
    for layer in 0..2 {
        let block = format!("model.layers.{layer}.mlp");
        model.router(format!("{block}.gate.weight"), Dtype::F32, experts, 0);
        model.add(format!("{block}.gate.e_score_correction_bias"), Dtype::F32, &[experts], Cut::Axis(0, 1));
        for expert in 0..experts {
            model.add(format!("{block}.experts.{expert}.down_proj.weight"), Dtype::F32, &[2, 2], Cut::Expert(expert));
        }
    }
    model.add("model.layers.1.eh_proj.weight", Dtype::F32, &[2, 2], Cut::Whole);
    model
}

fn kept(lab: &Lab, layer: usize) -> Vec<u64> {
    let list = lab.json("out/prune.json")["layers"][layer]["kept"].clone();
    serde_json::from_value(list).expect("a list")
}

#[test]
fn bytes_and_parameters_fall_by_the_printed_amount() {
    let model = family("switch_transformers");
    let lab = Lab::of(&model);
    let text = lab.prunes("--ratio 0.5");
    let (before, after) = (lab.inspected("tuned"), lab.inspected("out"));
    for what in ["bytes", "parameters"] {
        let (old, new) = (before[what].as_u64().expect("a number"), after[what].as_u64().expect("a number"));
        assert!(text.contains(&format!("{what} {old} → {new}: −{}\n", old - new)), "{text}");
    }
    // By hand: 4 layers lose 4 experts of 2·6·12 numbers and 4 rows of 12.
    let gone = 4 * 4 * (2 * 6 * HIDDEN + HIDDEN) as u64;
    assert_eq!(before["parameters"].as_u64().zip(after["parameters"].as_u64()).map(|(old, new)| old - new), Some(gone));
    assert!(after["layers"].as_array().expect("layers").iter().all(|layer| layer["experts"] == 4));
}

#[test]
fn layers_alone_are_refused_before_writing_with_the_two_ways_out() {
    let lab = Lab::of(&family("mixtral"));
    let message = lab.refuses_to_prune("--keep 4 --layers 0");
    assert!(
        message.contains("one number of experts for all layers")
            && message.contains("Two ways out: all layers, or --semantics zero"),
        "{message}"
    );
    lab.prunes("--keep 4 --layers 0 --semantics zero");
    assert_eq!(lab.json("out/prune.json")["layers"].as_array().map(Vec::len), Some(1));
    assert!(
        lab.refuses("prune base tuned --keep 4 --layers 7 --semantics zero --out other")
            .contains("--layers 7: the layer has no router")
    );
    assert!(
        lab.refuses("prune base tuned --keep 4 --layers 3-1 --semantics zero --out other").contains("--layers 3-1")
    );
}

#[test]
fn groups_stay_equal_or_the_number_is_refused_with_the_nearest_valid_ones() {
    let model = grouped(64);
    let lab = Lab::of(&model);
    let message = lab.refuses_to_prune("--keep 61/64");
    assert!(message.contains("the nearest numbers are 56 and 64"), "{message}");
    // Two a group are needed by the code that scores groups; fewer is refused even where 8 divides it.
    assert!(lab.refuses_to_prune("--keep 8/64").contains("the nearest numbers are 16"));
    lab.prunes("--keep 48/64");
    let kept = kept(&lab, 0);
    for group in 0..8 {
        let own: Vec<u64> = kept.iter().copied().filter(|expert| expert / 8 == group).collect();
        // The two experts of each group whose rows grew least are those of places 0 and 1.
        let expected: Vec<u64> =
            (0..8).filter(|&expert| fixtures::ORDER[expert as usize] > 1).map(|expert| 8 * group + expert).collect();
        assert_eq!(own, expected, "group {group}");
    }
    assert_eq!(lab.json("out/config.json")["n_group"], 8);
}

#[test]
fn ungrouping_is_said_and_written() {
    let lab = Lab::of(&grouped(64));
    let text = lab.prunes("--keep 61/64 --ungroup");
    assert!(text.contains("the model routes differently"), "{text}");
    let config = lab.json("out/config.json");
    assert_eq!(
        (&config["n_group"], &config["topk_group"], &config["n_routed_experts"]),
        (&1.into(), &1.into(), &61.into())
    );
}

#[test]
fn a_topology_that_no_model_can_have_is_refused() {
    let mut model = grouped(64);
    model.config["topk_group"] = 9.into();
    assert!(
        Lab::of(&model).refuses_to_prune("--keep 56").contains("8 groups of which 9 are used don't fit 64 experts")
    );
}

#[test]
fn heads_that_predict_several_tokens_are_pruned_alike_or_dropped() {
    let model = grouped(64);
    let lab = Lab::of(&model);
    let text = lab.prunes("--keep 16/64");
    assert!(text.contains("mtp layer 1: 16 experts stay"), "{text}");
    assert_eq!(lab.json("out/config.json")["num_nextn_predict_layers"], 1);
    assert_eq!(read(&lab.bench.path("out"))["model.layers.1.mlp.gate.weight"].1, [16, HIDDEN]);
    lab.does("prune base tuned --keep 16/64 --drop-mtp --out dropped");
    assert_eq!(lab.json("dropped/config.json")["num_nextn_predict_layers"], 0);
    assert!(read(&lab.bench.path("dropped")).keys().all(|name| !name.contains("layers.1.")));
}

#[test]
fn a_head_that_the_config_promises_and_the_files_lack_is_said() {
    let mut model = grouped(64);
    model.tensors.retain(|tensor| !tensor.name.contains("layers.1."));
    let lab = Lab::of(&model);
    assert!(lab.inspected("base")["notes"].to_string().contains("num_nextn_predict_layers promises heads"));
    assert!(lab.prunes("--keep 16/64").contains("num_nextn_predict_layers promises heads"));
    let text = lab.does("prune base tuned --keep 16/64 --drop-mtp --out dropped");
    assert!(!text.contains("promises"), "{text}");
    assert_eq!(lab.json("dropped/config.json")["num_nextn_predict_layers"], 0);
}

#[cfg(unix)]
#[test]
fn ranking_and_pruning_need_no_memory_for_the_tensors() {
    // A tensor of 400 MB in 256 MB of address space, the program itself included.
    let mut model = family("mixtral");
    let size = 400_000_000;
    let bytes = vec![0; size];
    model.tensors.push(fixtures::Tensor {
        name: "lm_head.weight".to_owned(),
        dtype: Dtype::U8,
        shape: vec![size],
        bytes,
        cut: Cut::Whole,
        is_router: false,
    });
    let lab = Lab::of(&model);
    let program = assert_cmd::cargo::cargo_bin!("simulate");
    for command in ["rank base tuned", "prune base tuned --keep 4 --out out"] {
        let script = format!("ulimit -v 262144 && exec '{}' {command}", program.display());
        let done = std::process::Command::new("sh").args(["-c", &script]).current_dir(lab.bench.path("")).output();
        let done = done.expect("a shell");
        assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
    }
    assert_eq!(fs::metadata(lab.bench.path("out/model.safetensors")).expect("a file").len() / 1_000_000, 400);
}

#[test]
fn a_head_without_a_partner_is_ranked_by_its_norms_and_that_is_said() {
    let model = grouped(64);
    let lab = Lab::of(&model);
    let mut old = model.clone();
    old.tensors.retain(|tensor| !tensor.name.contains("layers.1."));
    old.write(&lab.bench.path("old"), 1);
    let text = lab.does("prune old tuned --keep 16/64 --out out");
    assert!(
        text.contains("mtp layer 1: has no partner in the pre-trained checkpoint; ranked by router-norm"),
        "{text}"
    );
    assert_eq!(lab.json("out/prune.json")["layers"][1]["by"], "router-norm");
}

#[test]
fn numbers_without_kernels_are_a_warning_with_the_list() {
    let config = json!({"model_type": "deepseek_v4", "n_routed_experts": 16, "num_experts_per_tok": 2});
    let mut model = Model::new(config, 16);
    model.router("layers.0.ffn.gate.weight", Dtype::F32, 16, 0);
    for expert in 0..16 {
        model.add(format!("layers.0.ffn.experts.{expert}.w2.weight"), Dtype::F8_E4M3, &[2, 2], Cut::Expert(expert));
    }
    let lab = Lab::of(&model);
    let text = lab.prunes("--keep 9/16");
    assert!(text.contains("kernels for deepseek_v4 exist for 1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 320, 384, 448, 512, 576 experts, not for 9"), "{text}");
    assert!(!lab.does("prune base tuned --keep 8/16 --out eight").contains("kernels"));
}

#[test]
fn any_number_that_the_model_can_have_is_pruned_with_a_note_on_ranks() {
    let lab = Lab::of(&family("mixtral"));
    let text = lab.prunes("--keep 6/8");
    assert!(text.contains("6 experts can be spread over 1, 2, 3, 6 ranks"), "{text}");
    assert!(lab.does("prune base tuned --keep 7 --out seven").contains("7 experts can be spread over 1, 7 ranks"));
}

#[test]
fn the_wrong_number_of_experts_is_refused() {
    let lab = Lab::of(&family("mixtral"));
    assert!(lab.refuses_to_prune("--keep 6/16").contains("--keep …/16: layer 0 has 8 experts"));
    assert!(lab.refuses_to_prune("--keep 9").contains("keeping 9 of 8 experts"));
    assert!(lab.refuses_to_prune("--keep 0").contains("--keep 0"));
    assert!(lab.refuses_to_prune("--keep many").contains("--keep many"));
    assert!(lab.refuses_to_prune("--ratio 1").contains("--ratio 1: must be from 0 to below 1"));
}

#[test]
fn fewer_experts_than_a_token_uses_are_refused_unless_that_may_fall() {
    let lab = Lab::of(&family("mixtral"));
    let message = lab.refuses_to_prune("--keep 1");
    assert!(message.contains("1 experts would stay, and every token uses 2; --lower-top-k lowers it"), "{message}");
    lab.prunes("--keep 1 --lower-top-k");
    assert_eq!(lab.json("out/config.json")["num_experts_per_tok"], 1);
    for word in ["phimoe", "jamba", "nllb-moe", "jetmoe"] {
        let message = Lab::of(&family(word)).refuses_to_prune("--keep 1 --lower-top-k");
        assert!(message.contains("1 experts would stay"), "{word}: {message}");
    }
}

#[test]
fn both_names_of_one_count_change() {
    let mut model = family("qwen3_moe");
    model.config["num_experts"] = 8.into();
    let lab = Lab::of(&model);
    lab.prunes("--keep 6/8");
    let config = lab.json("out/config.json");
    assert_eq!((&config["num_experts"], &config["num_local_experts"]), (&6.into(), &6.into()));
}

#[test]
fn a_tied_model_without_lm_head_stays_without_and_the_index_agrees() {
    let lab = Lab { bench: Bench::new() };
    let model = family("mixtral");
    model.write(&lab.bench.path("base"), 3);
    model.finetuned().write(&lab.bench.path("tuned"), 3);
    lab.prunes("--keep 4");
    let index = lab.json("out/model.safetensors.index.json");
    let indexed: Vec<&String> = index["weight_map"].as_object().expect("a map").keys().collect();
    let written = read(&lab.bench.path("out"));
    assert_eq!(indexed, written.keys().collect::<Vec<_>>());
    assert!(!written.contains_key("lm_head.weight"));
    let total: usize = written.values().map(|(_, _, bytes)| bytes.len()).sum();
    assert_eq!(index["metadata"]["total_size"], total);
}

#[test]
fn lists_of_modules_that_name_experts_are_renumbered() {
    let mut model = family("mixtral");
    let module = |expert: usize| format!("model.layers.0.block_sparse_moe.experts.{expert}.w1");
    model.config["quantization_config"] =
        json!({"quant_method": "fp8", "modules_to_not_convert": [module(0), module(1), module(7), "lm_head"]});
    let lab = Lab::of(&model);
    lab.bench.write("keep.json", r#"{"0": [1, 3, 5, 7], "1": [0, 1, 2, 3]}"#);
    lab.prunes("--keep-list keep.json");
    let config = lab.json("out/config.json");
    let expected = json!({"quant_method": "fp8", "modules_to_not_convert": [module(0), module(3), "lm_head"]});
    assert_eq!(config["quantization_config"], expected);
}

#[test]
fn every_type_stays_what_it_was() {
    let model = family("deepseek_v4");
    let lab = Lab::of(&model);
    lab.prunes("--keep 4");
    let (old, new) = (read(&lab.bench.path("tuned")), read(&lab.bench.path("out")));
    let types = |tensors: &std::collections::BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>| {
        let mut types: Vec<Dtype> = tensors.values().map(|tensor| tensor.0).collect();
        types.sort();
        types.dedup();
        types
    };
    assert_eq!(types(&old), types(&new));
    assert_eq!(new["layers.0.ffn.experts.0.w1.scale"].0, Dtype::F32);
}

#[test]
fn equal_scores_are_said_and_broken_as_asked_with_the_same_bytes_twice() {
    let lab = Lab::of(&family("mixtral"));
    lab.bench.write("scores.json", r#"{"0": [1, 1, 1, 1, 1, 1, 1, 1], "1": [1, 1, 1, 1, 1, 1, 1, 1]}"#);
    let text = lab.prunes("--keep 4 --scores scores.json");
    assert!(text.contains("layer 0: ties across the cut"), "{text}");
    assert_eq!(kept(&lab, 0), [4, 5, 6, 7]);
    let random = |out: &str, seed: u64| {
        lab.does(&format!(
            "prune base tuned --keep 4 --scores scores.json --tie-break random --seed {seed} --out {out}"
        ));
        (
            fs::read(lab.bench.path(out).join("model.safetensors")).expect("a file"),
            lab.json(&format!("{out}/prune.json"))["layers"].clone(),
        )
    };
    let (first, again, other) = (random("a", 1), random("b", 1), random("c", 2));
    assert_eq!(first, again);
    assert_ne!(first.1, other.1);
    assert_ne!(first.1[0]["kept"], json!([4, 5, 6, 7]));
    assert_ne!(first.1[0]["kept"], first.1[1]["kept"]);
}

#[test]
fn what_pruned_means_is_in_the_manifest_and_in_the_help() {
    let lab = Lab::of(&family("mixtral"));
    lab.prunes("--keep 4");
    assert_eq!(lab.json("out/prune.json")["semantics"], "delete");
    let help = lab.does("prune --help");
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("the paper's removal: the router chooses among all, and a pruned expert gives 0"), "{help}");
}

#[test]
fn the_manifest_says_what_was_done_and_to_what() {
    use sha2::{Digest, Sha256};
    let lab = Lab::of(&family("mixtral"));
    lab.prunes("--keep 4/8");
    let manifest = lab.json("out/prune.json");
    assert_eq!(manifest["command"], json!(["prune", "base", "tuned", "--out", "out", "--keep", "4/8"]));
    let bytes = fs::read(lab.bench.path("out/model.safetensors")).expect("a file");
    let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(manifest["sha256"]["model.safetensors"], hash);
    let layer = &manifest["layers"][0];
    assert_eq!((layer["by"].as_str(), layer["scores"].as_array().map(Vec::len)), (Some("router-norm-change"), Some(8)));
}

#[test]
fn a_list_from_any_tool_is_kept() {
    let lab = Lab::of(&family("mixtral"));
    lab.bench.write("keep.json", r#"{"0": [6, 1], "1": [0, 7]}"#);
    lab.prunes("--keep-list keep.json");
    assert_eq!((kept(&lab, 0), kept(&lab, 1)), (vec![1, 6], vec![0, 7]));
    for (list, problem) in [
        (r#"{"0": [1, 2]}"#, "layer 1: is missing"),
        (r#"{"0": [1, 8], "1": [0, 1]}"#, "expert 8: experts are numbered from 0 to 7"),
        (r#"{"0": [1, 1], "1": [0, 1]}"#, "names an expert twice"),
        (r#"{"0": [1, 2], "1": [0, 1], "9": [0]}"#, "\"9\": no such layer"),
        (r#"{"0": [1, 2], "1": [0, 1, 2]}"#, "layers would keep 2, 3 experts"),
        (r#"{"0": "all", "1": [0]}"#, "keep.json: 0: "),
        ("[]", "keep.json"),
    ] {
        lab.bench.write("keep.json", list);
        let message = lab.refuses("prune base tuned --keep-list keep.json --out other");
        assert!(message.contains(problem), "{list}: {message}");
    }
}

#[test]
fn scores_made_elsewhere_rank_with_small_ones_first() {
    let lab = Lab::of(&family("mixtral"));
    lab.bench.write("scores.json", r#"{"0": [8, 7, 6, 5, 4, 3, 2, 1], "1": [1, 2, 3, 4, 5, 6, 7, 8]}"#);
    lab.prunes("--keep 3 --scores scores.json");
    assert_eq!((kept(&lab, 0), kept(&lab, 1)), (vec![0, 1, 2], vec![5, 6, 7]));
    lab.bench.write("scores.json", r#"{"0": [8, 7], "1": [1, 2, 3, 4, 5, 6, 7, 8]}"#);
    assert!(
        lab.refuses("prune base tuned --keep 3 --scores scores.json --out other").contains("2 scores for 8 experts")
    );
}

#[test]
fn everything_else_is_copied_byte_for_byte_and_weights_of_other_formats_are_left() {
    let model = family("mixtral");
    let lab = Lab::of(&model);
    for (name, content) in [
        ("tokenizer.json", "{ }"),
        ("generation_config.json", "{\"a\":1}"),
        ("modeling_own.py", "print()\n"),
        ("LICENSE", "free"),
        ("assets/chat_template.jinja", "{{x}}"),
        ("pytorch_model.bin", "old weights"),
        ("original/consolidated.00.pth", "old weights"),
    ] {
        lab.bench.write(&format!("tuned/{name}"), content);
    }
    let text = lab.prunes("--keep 4");
    for name in ["tokenizer.json", "generation_config.json", "modeling_own.py", "LICENSE", "assets/chat_template.jinja"]
    {
        assert_eq!(lab.bench.read(&format!("tuned/{name}")), lab.bench.read(&format!("out/{name}")), "{name}");
    }
    assert!(
        !lab.bench.path("out/pytorch_model.bin").exists()
            && !lab.bench.path("out/original/consolidated.00.pth").exists()
    );
    assert!(text.contains("not copied, as they hold weights of all experts: "), "{text}");
}

#[test]
fn a_folder_that_is_there_is_left_alone() {
    let lab = Lab::of(&family("mixtral"));
    lab.bench.write("out/mine", "mine");
    assert!(lab.refuses_to_prune("--keep 4").contains("out: is there already"));
    let lab = Lab::of(&family("mixtral"));
    lab.bench.write(".out.partial/left", "left");
    assert!(lab.refuses_to_prune("--keep 4").contains("is there already"));
}

#[test]
fn a_failure_while_writing_leaves_nothing() {
    let model = family("mixtral");
    let lab = Lab::of(&model);
    // A folder that would be copied holds a link to nowhere.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", lab.bench.path("tuned/tokenizer.json")).expect("a link");
        let done = lab.bench.simulate("prune base tuned --keep 4 --out out");
        assert_eq!(done.status, Some(1), "{}", done.stderr);
        assert!(done.stderr.contains("tokenizer.json"), "{}", done.stderr);
    }
    assert!(!lab.bench.path("out").exists() && !lab.bench.path(".out.partial").exists());
}

#[test]
fn metadata_of_the_files_is_kept() {
    let model = family("mixtral");
    let lab = Lab::of(&model);
    write_file(&lab.bench.path("tuned/model.safetensors"), &model.finetuned().tensors, Some("flax"));
    lab.prunes("--keep 4");
    let bytes = fs::read(lab.bench.path("out/model.safetensors")).expect("a file");
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).expect("legal");
    assert_eq!(header.metadata().clone().unwrap_or_default().get("format").map(String::as_str), Some("flax"));
}

#[test]
fn a_model_without_a_count_in_its_config_is_not_cut() {
    let mut model = family("mixtral");
    model.config.as_object_mut().expect("an object").remove("num_local_experts");
    let message = Lab::of(&model).refuses_to_prune("--keep 4");
    assert!(message.contains("config.json: has no number of experts (num_local_experts)"), "{message}");
}

#[test]
fn random_orders_differ_by_seed_and_layer_and_need_no_pretrained_checkpoint() {
    let lab = Lab::of(&family("mixtral"));
    let kept = |seed: u64| {
        let out = format!("out{seed}");
        lab.does(&format!("prune nowhere tuned --keep 4 --by random --seed {seed} --out {out}"));
        let layers = lab.json(&format!("{out}/prune.json"))["layers"].clone();
        [0, 1].map(|layer: usize| layers[layer]["kept"].clone())
    };
    let all: Vec<[Value; 2]> = (0..4).map(kept).collect();
    assert!(all.iter().any(|layers| layers[0] != layers[1]) && all.iter().any(|layers| layers != &all[0]));
}
