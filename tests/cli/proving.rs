//! `simulate certify` and `simulate falsify`.

use crate::cli_common::Bench;

#[test]
fn a_traced_model_is_certified_or_refuted() {
    let bench = Bench::new();
    bench.succeeds(
        "trace tiny.toml --set training.iterations=300 --set pretrained.neuron_scale=0.05 --out good.safetensors",
    );
    let text = bench.succeeds("certify good.safetensors --check");
    assert!(text.contains("CERTIFIED") && text.contains("for every input"), "{text}");
    // Experts of one sign never say the other class (L8).
    let text = bench.succeeds("certify good.safetensors --keep 0,2");
    assert!(text.contains("COUNTEREXAMPLE") && text.contains("label -1, patterns 1 "), "{text}");
    assert_eq!(bench.simulate("certify good.safetensors --keep 0,2 --check").status, Some(3));
}

#[test]
fn certificates_fill_their_columns_and_are_judged() {
    let bench = Bench::new();
    bench.variant("exact.toml", "[[claim]]\nid = \"T0\"", "[certificate]\nnodes = 50\n[[claim]]\nid = \"T0x\"");
    bench.succeeds("run exact.toml --set training.iterations=300 --set pretrained.neuron_scale=0.05 --out made");
    let rows = bench.rows("made/runs.csv");
    for row in &rows {
        assert!(["CERTIFIED", "COUNTEREXAMPLE", "UNDECIDED"].contains(&row["certificate"].as_str()), "{row:?}");
        assert!(row["margin_lower"].parse::<f64>().is_ok() && row["sum_bound"].parse::<f64>().is_ok(), "{row:?}");
    }
    let certified = rows.iter().filter(|row| row["certificate"] == "CERTIFIED").count();
    let claims = bench.rows("made/claims.csv");
    assert_eq!(claims[0]["holds"], certified.to_string());
    assert!(certified > 0);
}

#[test]
fn fails_without_a_model_or_with_one_that_lacks_a_tensor() {
    let bench = Bench::new();
    assert!(bench.refuses("certify none.safetensors").starts_with("none.safetensors: "));
    bench.write("bad.safetensors", "no tensors");
    assert!(bench.refuses("certify bad.safetensors").contains("no safetensors file"));
    bench.succeeds("trace tiny.toml --out good.safetensors");
    assert!(bench.refuses("certify good.safetensors --keep 6").contains("experts are numbered from 0 to 5"));
    assert!(bench.refuses("certify good.safetensors --noise 0.1 --failure 0").contains("must be from 1e-300"));
    assert!(bench.refuses("certify good.safetensors --noise-radius nan").contains("must be a number from 0"));
}

#[test]
fn fails_on_exact_claims_without_certificates() {
    let bench = Bench::new();
    bench.variant("exact.toml", "id = \"T0\"", "id = \"T0x\"");
    assert_eq!(
        bench.refuses("run exact.toml"),
        "exact.toml: certificate.nodes = 0: must be at least 1, because claim T0x is judged here"
    );
}

#[test]
fn fails_on_a_claim_a_budget_or_a_region_that_makes_no_sense() {
    let bench = Bench::new();
    assert!(bench.refuses("falsify T9").contains("T9: no claim that can be searched"));
    assert!(bench.refuses("falsify T1c --budget soon").contains("must be a time such as 60s or 5m"));
    bench.write("region.toml", "[region]\n\"data.labels\" = 3\n");
    assert!(bench.refuses("falsify T1c --within region.toml").contains("data.labels is no numeric key"));
}
