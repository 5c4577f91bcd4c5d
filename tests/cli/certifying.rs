//! `simulate certify` on stored models: what it refuses, what rounding leaves open, how far it goes.

use crate::cli_common::Bench;
use serde_json::{Map, Value, json};
use std::fs;

/// A file of `tests/data`, with these keys of its metadata.
fn stored(bench: &Bench, name: &str, metadata: &[(&str, &str)]) {
    let path = format!("{}/tests/data/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
    let bytes = fs::read(path).expect("a stored model");
    bench.write(
        "model.safetensors",
        rewritten(&bytes, |header| {
            for (key, value) in metadata {
                header["__metadata__"][*key] = json!(value);
            }
        }),
    );
}

/// The bytes of a safetensors file with another header.
fn rewritten(bytes: &[u8], change: impl FnOnce(&mut Map<String, Value>)) -> Vec<u8> {
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
    let mut header = serde_json::from_slice(&bytes[8..8 + length]).expect("a header");
    change(&mut header);
    let mut text = serde_json::to_vec(&header).expect("JSON");
    text.resize(text.len().next_multiple_of(8), b' ');
    [&(text.len() as u64).to_le_bytes()[..], &text, &bytes[8 + length..]].concat()
}

/// Certificates are about noise-free inputs unless they are asked to count noise: of a noisy run that is said.
#[test]
fn a_trace_of_a_noisy_run_says_how_its_noise_is_counted() {
    let bench = Bench::new();
    bench.succeeds("trace tiny.toml --set data.noise=0.05 --set training.iterations=300 --out noisy.safetensors");
    let hint = "The run of this file had token noise ξ = 0.05, which is not counted; --noise 0.05 counts it.";
    assert!(bench.succeeds("certify noisy.safetensors --nodes 5").contains(hint));
    assert!(!bench.succeeds("certify noisy.safetensors --nodes 5 --noise 0.05").contains(hint));
}

#[test]
fn fails_on_a_tensor_of_another_shape() {
    let bench = Bench::new();
    bench.succeeds("trace tiny.toml --out good.safetensors");
    let good = fs::read(bench.path("good.safetensors")).expect("a trace");
    // k = 6, m = 4, d = 20. The numbers are the same bytes under another shape.
    let refusals = [
        ("signs", json!([2, 3]), "tensor signs has shape [2, 3]: must be [k], each at least 1"),
        ("routers_t", json!([20, 6]), "tensor routers_t has shape [20, 6]: must be [k, d] with k = 6"),
        ("routers_t", json!([120]), "tensor routers_t has shape [120]: must be [k, d] with k = 6"),
        ("neurons_t", json!([6, 20, 4]), "tensor neurons_t has shape [6, 20, 4]: must be [k, m, d] with k = 6, d = 20"),
        ("neurons_t", json!([4, 6, 20]), "tensor neurons_t has shape [4, 6, 20]: must be [k, m, d] with k = 6, d = 20"),
        ("neurons_t", json!([24, 20]), "tensor neurons_t has shape [24, 20]: must be [k, m, d] with k = 6, d = 20"),
        ("basis", json!([10, 40]), "tensor basis has shape [10, 40]: must be [d, d] with d = 20"),
    ];
    for (name, shape, refusal) in refusals {
        bench.write("bad.safetensors", rewritten(&good, |header| header[name]["shape"] = shape));
        assert_eq!(bench.refuses("certify bad.safetensors"), format!("bad.safetensors: {refusal}"));
    }
    for (key, value, size) in [("experts", "3", "k = 6"), ("neurons", "8", "m = 4"), ("patterns", "40", "d = 20")] {
        bench.write("bad.safetensors", rewritten(&good, |header| header["__metadata__"][key] = json!(value)));
        let refusal = format!("bad.safetensors: metadata {key} = {value}: the tensors have {size}");
        assert_eq!(bench.refuses("certify bad.safetensors"), refusal);
    }
}

/// The class pattern scores 470 above all others, which are all that one expert sees of half of the inputs. Every margin is 1.
#[test]
fn a_wide_gap_of_scores_is_decided() {
    let bench = Bench::new();
    stored(&bench, "right-everywhere-gap-470", &[]);
    let text = bench.succeeds("certify model.safetensors --target 0.99");
    assert!(text.contains("\nCERTIFIED\n") && text.contains("y f(x) ≥ 9.999999999"), "{text}");
}

/// f is exactly 0 on every input; no float can tell.
#[test]
fn what_rounding_leaves_open_is_no_error() {
    let bench = Bench::new();
    stored(&bench, "right-everywhere-gap-470", &[]);
    let mut bytes = fs::read(bench.path("model.safetensors")).expect("a model");
    // Both experts have the weights of the first one, and opposite signs.
    let numbers = bytes.len() - 208;
    for (first, size) in [(16, 48), (112, 48)] {
        bytes.copy_within(numbers + first..numbers + first + size, numbers + first + size);
    }
    bench.write("model.safetensors", &bytes);
    let text = bench.succeeds("certify model.safetensors");
    assert!(text.contains("\nUNDECIDED\n"), "{text}");
    let sampled =
        "  0 errors in 100000 samples, 100000 not decided by rounding: an error rate from 0.0e0 to 1.0e0 (95 %)\n";
    assert!(text.contains(sampled), "{text}");
}

/// On the basis that these models are stored on rounding decides which of equal scores is chosen. In 60 digits the smallest
/// margins are 0.06618… (input `1 3 4 5`) and 0.36507…
#[test]
fn a_tie_on_a_stored_basis_refutes_nothing() {
    let bench = Bench::new();
    stored(&bench, "tied-on-a-basis-59", &[]);
    let text = bench.succeeds("certify model.safetensors");
    assert!(text.contains("\nUNDECIDED\n  y f(x) ≥ -5.2297382"), "{text}");
    let open =
        text.lines().find(|line| line.contains("where rounding decides a tie")).unwrap_or_else(|| panic!("{text}"));
    let ends = open.split(['[', ']']).nth(1).and_then(|ends| ends.split_once(", ")).expect("an interval");
    let [low, high] = [ends.0, ends.1].map(|end| end.parse::<f64>().expect("a number"));
    assert!(low < 0.0 && high > 0.066183620035951, "{open}");
    assert!(
        text.contains("  label -1, patterns 1 3 4 5\n") && text.contains("  0 errors in 100000 samples, "),
        "{text}"
    );
    stored(&bench, "tied-on-a-basis-141", &[]);
    let text = bench.succeeds("certify model.safetensors");
    assert!(text.contains("\nUNDECIDED\n") && text.contains("decides a tie"), "{text}");
}

/// Where labels are random every input is a counterexample, by the label that the model does not say.
#[test]
fn a_tie_names_no_label_as_the_wrong_one() {
    let bench = Bench::new();
    // f = +0.365… on every order of the only tokens of class One, and −0.468 where rounding turns the tie round.
    stored(&bench, "tied-on-a-basis-141", &[("labels", "independent"), ("class_share", "0.5")]);
    let text = bench.succeeds("certify model.safetensors");
    assert!(text.contains("\nCOUNTEREXAMPLE\n") && text.contains("  label 1 or -1, patterns 0 "), "{text}");
    stored(&bench, "right-everywhere-gap-470", &[("labels", "independent")]);
    let text = bench.succeeds("certify model.safetensors");
    assert!(text.contains("\n  label -1, patterns 0 2 3\n"), "{text}");
    stored(&bench, "right-everywhere-gap-470", &[("labels", "Independent")]);
    let refusal = "model.safetensors: metadata labels = Independent: must be class or independent";
    assert_eq!(bench.refuses("certify model.safetensors"), refusal);
}

#[test]
fn a_target_is_gone_for_beyond_a_positive_bound() {
    let bench = Bench::new();
    bench.succeeds("trace tiny.toml --set training.iterations=300 --out good.safetensors");
    let numbers = |target: f64| {
        let text = bench.succeeds(&format!("certify good.safetensors --target {target}"));
        let number = |line: &str| {
            let line = text.lines().find_map(|found| found.split_once(line)).map(|(_, rest)| rest)?;
            line.split(' ').next()?.parse::<f64>().ok()
        };
        (number("y f(x) ≥ ").unwrap_or_else(|| panic!("{text}")), number("smallest margin met without noise "))
    };
    let bounds = [0.0, 0.4, 0.8, 0.9, 5.0].map(numbers);
    assert!(bounds.is_sorted_by_key(|(bound, _)| *bound), "{bounds:?}");
    // The sum bound is 0.733…, the smallest margin 0.961…
    assert!(bounds[0].0 < 0.74 && bounds[2].0 > 0.8 && bounds[3].0 > 0.9, "{bounds:?}");
    let (bound, met) = bounds[4];
    assert!(met.is_some_and(|met| met < 1.0 && bound > met - 1e-9), "{bounds:?}");
}
