//! Every family of the table: inspected, ranked and pruned as its row says.

use crate::Lab;
use crate::fixtures::{self, Model};
use moe_theory::checkpoint::Families;
use std::collections::BTreeMap;

type Bytes = BTreeMap<String, (safetensors::Dtype, Vec<usize>, Vec<u8>)>;

fn expected(model: &Model, kept: &[usize]) -> Bytes {
    let pruned = model.finetuned().pruned(kept);
    pruned.into_iter().map(|(name, tensor)| (name, (tensor.dtype, tensor.shape, tensor.bytes))).collect()
}

/// The first difference of two checkpoints.
pub fn assert_equal(word: &str, written: &Bytes, expected: &Bytes) {
    let names = |tensors: &Bytes| tensors.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(written), names(expected), "{word}");
    for (name, tensor) in expected {
        assert_eq!(&written[name], tensor, "{word}: {name}");
    }
}

#[test]
fn every_family_is_cut_byte_for_byte_and_its_config_counts_what_is_left() {
    for (word, model) in fixtures::families() {
        let lab = Lab::of(&model);
        let before = lab.inspected("base");
        assert_eq!((&before["experts"], &before["top_k"].is_null()), (&8.into(), &before["top_k"].is_null()), "{word}");
        lab.prunes("--keep 4/8");
        let kept = model.kept(4);
        assert_equal(word, &fixtures::read(&lab.bench.path("out")), &expected(&model, &kept));
        let after = lab.inspected("out");
        assert_eq!(after["experts"], 4, "{word}");
        assert_eq!(after["layers"].as_array().map(Vec::len), before["layers"].as_array().map(Vec::len), "{word}");
        let (old, new) = (lab.bench.read("tuned/config.json"), lab.bench.read("out/config.json"));
        assert!(!new.contains("_experts\": 8") && new.contains('4') && old != new, "{word}: {new}");
        let vision = lab.json("out/config.json");
        assert!(vision["vision_config"].is_null() || vision["vision_config"]["num_experts"] == 3, "{word}");
    }
}

#[test]
fn every_family_is_ranked_by_the_growth_of_its_rows() {
    for (word, model) in fixtures::families() {
        let lab = Lab::of(&model);
        lab.does("rank base tuned --csv rank.csv");
        for row in lab.bench.rows("rank.csv") {
            let expert: usize = row["expert"].parse().expect("a number");
            assert_eq!(row["place"], fixtures::ORDER[expert].to_string(), "{word} {row:?}");
            let delta: f64 = row["delta"].parse().expect("a number");
            let growth = f64::from(fixtures::growth(expert)) - 1.0;
            assert!((delta - growth).abs() < 0.01, "{word} {row:?}");
        }
    }
}

#[test]
fn zero_keeps_every_shape_and_silences_the_pruned_experts_alone() {
    for (word, model) in fixtures::families() {
        let lab = Lab::of(&model);
        lab.prunes("--keep 4/8 --semantics zero");
        let (old, new) = (fixtures::read(&lab.bench.path("tuned")), fixtures::read(&lab.bench.path("out")));
        assert_eq!(lab.bench.read("tuned/config.json"), lab.bench.read("out/config.json"), "{word}");
        let kept = model.kept(4);
        let mut silenced = 0;
        for (name, (dtype, shape, bytes)) in &old {
            let written = &new[name];
            assert_eq!((dtype, shape), (&written.0, &written.1), "{word}: {name}");
            if bytes == &written.2 {
                continue;
            }
            let is_output = ["down_proj", "w2", "wo", "fc2", "output_linear"].iter().any(|word| name.contains(word));
            assert!(is_output && !name.contains("scale"), "{word}: {name} changed");
            silenced += 1;
            // What is kept is the same, what is not is 0.
            let tensor = model.tensors.iter().find(|tensor| &tensor.name == name).expect("a tensor");
            let part = match tensor.cut {
                fixtures::Cut::Expert(expert) => {
                    assert!(!kept.contains(&expert), "{word}: {name}");
                    bytes.len()
                }
                _ => bytes.len() / 8,
            };
            for (expert, (old, new)) in bytes.chunks(part).zip(written.2.chunks(part)).enumerate() {
                let stays = part < bytes.len() && kept.contains(&expert);
                assert!(if stays { old == new } else { new.iter().all(|&byte| byte == 0) }, "{word}: {name} {expert}");
            }
        }
        assert!(silenced > 0, "{word}: nothing was silenced");
    }
}

#[test]
fn every_type_of_the_table_has_a_fixture_or_a_reason() {
    // These share every name with a fixture's family, or are refused.
    let alike = [
        "qwen3_5_moe_text",
        "qwen3_vl_moe_text",
        "kimi_k2",
        "deepseek_v32",
        "glm_moe_dsa",
        "glm4_moe_lite",
        "glm4v_moe",
        "glm4v_moe_text",
        "mimo_v2_flash",
        "bailing_moe",
        "llama4_text",
        "hunyuan",
        "gemma4",
        "aria",
        "ernie4_5_moe_vl",
        "ernie4_5_vl_moe",
        "doge",
        "vmoe",
    ];
    let fixtures = fixtures::families();
    let families = Families::known().expect("legal");
    let missing: Vec<&str> = families
        .model_types()
        .filter(|word| !alike.contains(word) && !fixtures.iter().any(|(name, _)| name == word))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn families_that_cant_be_cut_are_refused_with_the_reason() {
    for (word, reason) in [("doge", "no row an expert"), ("ernie4_5_vl_moe", "share one range")] {
        let mut model = fixtures::family("mixtral");
        model.config["model_type"] = word.into();
        let lab = Lab::of(&model);
        assert!(lab.refuses("inspect base").contains(reason));
        assert!(lab.refuses_to_prune("--keep 4").contains(reason));
    }
}
