//! Configurations of transformers 5, and numbers of experts that differ by layer.

use crate::Lab;
use crate::fixtures::{Cut, HIDDEN, Model, family, read};
use safetensors::Dtype;
use serde_json::{Value, json};

/// The configuration of Mixtral as transformers 5 writes it.
fn of_transformers_5() -> Value {
    json!({
        "architectures": ["MixtralForCausalLM"], "dtype": "bfloat16", "hidden_act": "silu", "hidden_size": HIDDEN,
        "layer_types": ["full_attention", "full_attention"], "model_type": "mixtral", "num_experts_per_tok": 2,
        "num_hidden_layers": 2, "num_local_experts": 8, "output_router_logits": false,
        "rope_parameters": {"rope_theta": 1000000.0, "rope_type": "default"}, "transformers_version": "5.24.0"
    })
}

#[test]
fn what_transformers_5_writes_is_kept_but_for_the_count() {
    let mut model = family("mixtral");
    model.config = of_transformers_5();
    let lab = Lab::of(&model);
    lab.prunes("--keep 6/8");
    let mut expected = of_transformers_5();
    expected["num_local_experts"] = 6.into();
    assert_eq!(lab.json("out/config.json"), expected);
    // In the same order too, as a diff shows it.
    assert_eq!(lab.bench.read("out/config.json"), serde_json::to_string_pretty(&expected).expect("JSON") + "\n");
}

#[test]
fn names_that_transformers_5_has_in_memory_are_read_too() {
    // save_pretrained(save_original_format=False): experts fused, and block_sparse_moe is mlp.
    for word in ["mixtral", "minimax", "phimoe", "minimax_m2"] {
        let mut model = Model::new(of_transformers_5(), 8);
        model.config["model_type"] = word.into();
        for layer in 0..2 {
            let block = format!("model.layers.{layer}.mlp");
            model.router(format!("{block}.gate.weight"), Dtype::BF16, 8, 0);
            model.add(format!("{block}.experts.gate_up_proj"), Dtype::BF16, &[8, 6, HIDDEN], Cut::Axis(0, 1));
            model.add(format!("{block}.experts.down_proj"), Dtype::BF16, &[8, HIDDEN, 3], Cut::Axis(0, 1));
        }
        let lab = Lab::of(&model);
        assert_eq!(lab.inspected("base")["layers"][1]["stored"], "stacked", "{word}");
        lab.prunes("--keep 4/8");
        let written = read(&lab.bench.path("out"));
        let expected = model.finetuned().pruned(&model.kept(4));
        for (name, tensor) in &expected {
            assert_eq!((&written[name].1, &written[name].2), (&tensor.shape, &tensor.bytes), "{word}: {name}");
        }
    }
}

#[test]
fn a_pair_may_be_stored_by_different_versions() {
    // The router alone decides, whatever the block is called; the weights of experts can't be compared then.
    let model = family("mixtral");
    let lab = Lab::of(&model);
    let mut renamed = model.finetuned();
    for tensor in &mut renamed.tensors {
        tensor.name = tensor.name.replace(".block_sparse_moe.", ".mlp.");
    }
    renamed.write(&lab.bench.path("renamed"), 1);
    let orders = |text: String| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(orders(lab.does("rank base renamed")), orders(lab.does("rank base tuned")));
}

#[test]
fn a_count_of_its_own_for_a_layer_is_checked_and_refused_before_it_is_cut() {
    let mut model = family("mixtral");
    model.config["per_layer_config"] = json!({"1": {"num_local_experts": 5}});
    let message = Lab::of(&model).refuses("inspect base");
    assert!(message.contains("per_layer_config.1.num_local_experts = 5, but layer 1 has 8 experts"), "{message}");
    model.config["per_layer_config"] = json!({"1": {"num_local_experts": 8}, "0": {"sliding_window": 4}});
    let lab = Lab::of(&model);
    assert_eq!(lab.inspected("base")["experts"], 8);
    let message = lab.refuses_to_prune("--keep 4");
    assert!(message.contains("per_layer_config.1.num_local_experts = 8: numbers of single layers"), "{message}");
    lab.prunes("--keep 4 --semantics zero");
}

#[test]
fn layers_may_keep_different_numbers_where_the_config_can_say_so() {
    let model = family("hunyuan_v1_moe");
    for count in [json!([8, 8]), json!(8)] {
        let mut model = model.clone();
        model.config["num_experts"] = count;
        let lab = Lab::of(&model);
        lab.bench.write("keep.json", r#"{"0": [1, 4, 6], "1": [0, 2, 3, 5, 7]}"#);
        let text = lab.prunes("--keep-list keep.json");
        assert!(text.contains("layers keep different numbers of experts"), "{text}");
        assert_eq!(lab.json("out/config.json")["num_experts"], json!([3, 5]));
        let written = read(&lab.bench.path("out"));
        let rows = |layer: usize| written[&format!("model.layers.{layer}.mlp.gate.wg.weight")].1[0];
        assert_eq!((rows(0), rows(1)), (3, 5));
        // What was written is a checkpoint that can be pruned again.
        let layers = lab.inspected("out")["layers"].clone();
        assert_eq!((&layers[0]["experts"], &layers[1]["experts"]), (&3.into(), &5.into()));
        lab.bench.write("again.json", r#"{"0": [0, 2], "1": [0, 4]}"#);
        lab.does("prune nowhere out --keep-list again.json --out again");
        assert_eq!(lab.json("again/config.json")["num_experts"], json!([2, 2]));
        lab.does("prune base tuned --keep 5 --layers 1 --out one");
        assert_eq!(lab.json("one/config.json")["num_experts"], json!([8, 5]));
    }
    let mut wrong = model;
    wrong.config["num_experts"] = json!([8, 7]);
    let message = Lab::of(&wrong).refuses("inspect base");
    assert!(message.contains("num_experts = 7, but layer 1 has 8 experts"), "{message}");
    wrong.config["num_experts"] = json!([8, 8, 7]);
    assert_eq!(Lab::of(&wrong).inspected("base")["experts"], 8);
    wrong.config["num_experts"] = json!([7]);
    assert!(Lab::of(&wrong).refuses("inspect base").contains("num_experts = 7, but layer 0 has 8 experts"));
}
