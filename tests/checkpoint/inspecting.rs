//! `inspect`, and files that are damaged, incomplete or hostile.

use crate::Lab;
use crate::cli_common::Bench;
use crate::fixtures::{self, Cut, HIDDEN, family, write_file};
use safetensors::Dtype;
use serde_json::json;
use std::fs;

fn lab() -> Lab {
    Lab { bench: Bench::new() }
}

/// A file whose header is this text, followed by this many zero bytes.
fn write_header(lab: &Lab, header: &str, data: usize) {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.resize(file.len() + data, 0);
    lab.bench.write("base/model.safetensors", file);
}

#[test]
fn a_config_that_counts_other_experts_than_the_files_is_refused_with_key_and_both_numbers() {
    let mut model = family("mixtral");
    model.config["num_local_experts"] = 6.into();
    let message = Lab::of(&model).refuses("inspect base");
    assert!(message.contains("config.json: num_local_experts = 6, but layer 0 has 8 experts"), "{message}");
}

#[test]
fn two_keys_of_one_count_that_disagree_are_refused() {
    let mut model = family("qwen3_moe");
    model.config["num_experts"] = 6.into();
    let message = Lab::of(&model).refuses("inspect base");
    assert!(message.contains("num_experts = 6, but num_local_experts = 8: must be equal"), "{message}");
}

#[test]
fn a_tensor_that_its_shard_lacks_is_named_with_the_shard() {
    let lab = lab();
    family("mixtral").write(&lab.bench.path("base"), 3);
    let path = lab.bench.path("base/model.safetensors.index.json");
    let text = fs::read_to_string(&path).expect("an index");
    fs::write(path, text.replacen("model.embed_tokens.weight", "lm_head.weight", 1)).expect("an index");
    let message = lab.refuses("inspect base");
    assert!(
        message.contains("tensor lm_head.weight is not in its shard model-00001-of-00003.safetensors"),
        "{message}"
    );
}

#[test]
fn a_shard_that_is_missing_is_named_and_no_zeros_take_its_place() {
    let lab = lab();
    let model = family("mixtral");
    model.write(&lab.bench.path("base"), 3);
    model.finetuned().write(&lab.bench.path("tuned"), 3);
    fs::remove_file(lab.bench.path("tuned/model-00002-of-00003.safetensors")).expect("a shard");
    for command in ["inspect tuned", "rank base tuned", "prune base tuned --keep 4 --out out"] {
        let message = lab.refuses(command);
        assert!(
            message.contains("1 of 3 shards are missing: model-00002-of-00003.safetensors; incomplete download?"),
            "{message}"
        );
    }
}

#[cfg(unix)]
#[test]
fn shards_that_are_links_are_followed_and_dangling_links_are_missing() {
    let lab = lab();
    family("mixtral").write(&lab.bench.path("blobs"), 3);
    fs::create_dir(lab.bench.path("base")).expect("a folder");
    for entry in fs::read_dir(lab.bench.path("blobs")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let link = lab.bench.path("base").join(path.file_name().expect("a name"));
        std::os::unix::fs::symlink(&path, link).expect("a link");
    }
    assert_eq!(lab.inspected("base")["experts"], 8);
    fs::remove_file(lab.bench.path("blobs/model-00003-of-00003.safetensors")).expect("a shard");
    let done = lab.bench.simulate("inspect base");
    assert!(done.status == Some(2) && done.stderr.contains("1 of 3 shards are missing"), "{}", done.stderr);
}

#[test]
fn absent_empty_and_null_metadata_are_read() {
    let model = family("mixtral");
    for metadata in [None, Some("{}"), Some("null")] {
        let lab = Lab::of(&model);
        let path = lab.bench.path("tuned/model.safetensors");
        write_file(&path, &model.finetuned().tensors, None);
        if let Some(metadata) = metadata {
            let bytes = fs::read(&path).expect("a file");
            let length = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
            let header = String::from_utf8(bytes[8..8 + length].to_vec()).expect("UTF-8");
            let header = header.replacen('{', &format!("{{\"__metadata__\":{metadata},"), 1);
            let mut file = (header.len() as u64).to_le_bytes().to_vec();
            file.extend(header.as_bytes());
            file.extend(&bytes[8 + length..]);
            fs::write(&path, file).expect("a file");
        }
        lab.prunes("--keep 4");
        let bytes = fs::read(lab.bench.path("out/model.safetensors")).expect("a file");
        let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).expect("legal");
        let metadata = header.metadata().clone().unwrap_or_default();
        assert_eq!(metadata.get("format").map(String::as_str), Some("pt"));
    }
}

#[test]
fn a_header_of_a_trillion_bytes_takes_no_memory() {
    let lab = lab();
    lab.bench.write("base/model.safetensors", 1_000_000_000_000u64.to_le_bytes());
    let message = lab.refuses("inspect base");
    assert!(message.contains("header of 1000000000000 bytes: must be at most 100000000"), "{message}");
    lab.bench.write("base/model.safetensors", 1_000_000u64.to_le_bytes());
    assert!(lab.refuses("inspect base").contains("header of 1000000 bytes in a file of 8 bytes"));
    lab.bench.write("base/model.safetensors", [1, 2, 3]);
    assert!(lab.refuses("inspect base").contains("base/model.safetensors"));
}

#[test]
fn headers_that_lie_are_refused_with_the_tensor() {
    let lab = lab();
    let entry = |name: &str, shape: &str, offsets: &str| {
        format!("\"{name}\":{{\"dtype\":\"F32\",\"shape\":{shape},\"data_offsets\":{offsets}}}")
    };
    for (header, data, problem) in [
        (
            format!("{{{},{}}}", entry("a", "[2]", "[0,8]"), entry("b", "[2]", "[4,12]")),
            12,
            "tensor b: begins at byte 4 and overlaps",
        ),
        (
            format!("{{{}}}", entry("a", "[3000000000,3000000000]", "[0,8]")),
            8,
            "tensor a: shape [3000000000, 3000000000]",
        ),
        (format!("{{{}}}", entry("a", "[3]", "[0,8]")), 8, "tensor a: shape [3] of F32 takes 12 bytes"),
        (format!("{{{}}}", entry("a", "[2]", "[0,8]")), 5, "take 8 bytes, but 5 bytes follow"),
        (format!("{{{}}}", entry("a", "[-2]", "[0,8]")), 8, "header: "),
        ("[]".to_owned(), 0, "header: "),
        ("{\"a\"".to_owned(), 0, "header: "),
        ("\u{fffd}".to_owned(), 0, "header: "),
    ] {
        write_header(&lab, &header, data);
        let message = lab.refuses("inspect base");
        assert!(message.contains("base/model.safetensors") && message.contains(problem), "{message}");
    }
}

#[test]
fn an_index_cant_reach_out_of_its_folder() {
    let lab = lab();
    lab.bench.write("base/model.safetensors.index.json", r#"{"weight_map":{"a":"../../secret.safetensors"}}"#);
    assert!(lab.refuses("inspect base").contains("weight_map.a"));
    lab.bench.write("base/model.safetensors.index.json", "{\"weight_map\":");
    assert!(lab.refuses("inspect base").contains("model.safetensors.index.json"));
}

#[test]
fn a_hundred_thousand_tensors_are_read() {
    let lab = lab();
    let mut model = family("mixtral");
    for number in 0..100_000 {
        model.add(format!("model.more.{number}.weight"), Dtype::U8, &[1], Cut::Whole);
    }
    model.write(&lab.bench.path("base"), 1);
    assert_eq!(lab.inspected("base")["tensors"], 100_000 + family("mixtral").tensors.len());
}

#[test]
fn an_expert_that_is_not_there_is_named() {
    let mut model = family("mixtral");
    model.tensors.retain(|tensor| tensor.name != "model.layers.1.block_sparse_moe.experts.5.w2.weight");
    let message = Lab::of(&model).refuses("inspect base");
    assert!(message.contains("layer 1") && message.contains("expert 5 lacks .w2.weight"), "{message}");
}

#[test]
fn a_vector_of_experts_that_nobody_names_is_an_error() {
    let mut model = family("mixtral");
    model.add("model.layers.0.block_sparse_moe.gate.mystery_bias", Dtype::F32, &[8], Cut::Whole);
    let lab = Lab::of(&model);
    let message = lab.refuses_to_prune("--keep 4");
    assert!(
        message.contains("model.layers.0.block_sparse_moe.gate.mystery_bias: has one entry for each of 8 experts"),
        "{message}"
    );
    // It does not keep anybody from ranking.
    lab.does("rank base tuned");
}

#[test]
fn trunk_and_head_may_store_experts_differently() {
    let mut model = family("mixtral");
    model.router("mtp.layers.0.block_sparse_moe.gate.weight", Dtype::F32, 8, 0);
    model.add("mtp.layers.0.block_sparse_moe.experts.gate_up_proj", Dtype::F32, &[8, 4, HIDDEN], Cut::Axis(0, 1));
    model.add("mtp.layers.0.block_sparse_moe.experts.down_proj", Dtype::F32, &[8, HIDDEN, 2], Cut::Axis(0, 1));
    let lab = Lab::of(&model);
    let summary = lab.inspected("base");
    let stored: Vec<&str> =
        summary["layers"].as_array().expect("layers").iter().filter_map(|layer| layer["stored"].as_str()).collect();
    assert_eq!(stored, ["numbered", "numbered", "stacked"]);
    assert_eq!(summary["mtp"], 1);
    lab.prunes("--keep 4");
    assert_eq!(lab.inspected("out")["experts"], 4);
}

#[test]
fn an_unknown_type_is_detected_by_shape_and_used_only_when_confirmed() {
    let mut model = family("qwen3_moe");
    model.config = json!({"model_type": "novel", "num_experts": 8, "num_experts_per_tok": 2});
    let lab = Lab::of(&model);
    for command in ["inspect base", "rank base tuned"] {
        let message = lab.refuses(command);
        assert!(
            message.contains("model_type novel: unknown") && message.contains("layers.{l}.mlp.gate.weight (2 layers)"),
            "{message}"
        );
    }
    let pattern = "--router-pattern layers.{l}.mlp.gate.weight";
    lab.does(&format!("rank base tuned {pattern}"));
    lab.prunes(&format!("--keep 4/8 {pattern}"));
    assert_eq!(lab.json("out/config.json")["num_experts"], 4);
}

#[test]
fn a_family_of_the_users_own_is_used() {
    let mut model = family("qwen3_moe");
    model.config = json!({"model_type": "novel", "experts_here": 8});
    let lab = Lab::of(&model);
    lab.bench.write(
        "my.toml",
        "[[family]]\nmodel_type = [\"novel\"]\nexperts = [\"experts_here\"]\nblock = [\"layers.{l}.mlp\"]\n",
    );
    lab.prunes("--keep 4/8 --family my.toml");
    assert_eq!(lab.json("out/config.json")["experts_here"], 4);
    lab.bench.write("my.toml", "[[family]]\nmodel_type = [\"novel\"]\nblocks = [\"layers.{l}.mlp\"]\n");
    assert!(lab.refuses("inspect base --family my.toml").contains("my.toml"));
}

#[test]
fn pickles_and_orbax_are_never_read_and_the_refusal_says_how_to_export() {
    let lab = lab();
    lab.bench.write("pickle/pytorch_model.bin", "cos\nsystem\n(S'touch hacked'\ntR.");
    let message = lab.refuses("inspect pickle");
    assert!(
        message.contains("runs code") && message.contains("save_file") && message.contains("weights_only=True"),
        "{message}"
    );
    lab.bench.write("orbax/manifest.ocdbt", "");
    let message = lab.refuses("inspect orbax");
    assert!(
        message.contains("OCDBT") && message.contains("orbax.checkpoint") && message.contains("numpy.savez"),
        "{message}"
    );
    assert!(lab.refuses("inspect nowhere").contains("nowhere"));
    lab.bench.write("empty/README", "");
    assert!(lab.refuses("inspect empty").contains("holds no checkpoint"));
}

#[test]
fn a_layer_routed_by_a_table_is_said() {
    let mut model = family("deepseek_v4");
    model.add("layers.0.ffn.gate.tid2eid", Dtype::I64, &[5, 2], Cut::Whole);
    let lab = Lab::of(&model);
    let notes = lab.inspected("base")["notes"].to_string();
    assert!(notes.contains("layer 0: routed by a table of tokens"), "{notes}");
    assert!(lab.refuses_to_prune("--keep 4").contains("layers.0.ffn.gate.tid2eid: names experts by number"));
}

#[test]
fn a_fixture_is_what_the_reference_implementation_reads() {
    let lab = Lab::of(&family("gpt_oss"));
    assert_eq!(fixtures::read(&lab.bench.path("base")).len(), family("gpt_oss").tensors.len());
}
