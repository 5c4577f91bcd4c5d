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
        let number = |column: &str| row[column].parse::<f64>().unwrap_or_else(|_| panic!("{column}: {row:?}"));
        assert!(number("sum_bound") <= number("margin_lower"), "{row:?}");
        // What a search met is an input, so that it lies on the other side of the smallest margin.
        assert!(number("margin_lower") <= number("margin_met"), "{row:?}");
        assert_eq!(row["certificate"] == "COUNTEREXAMPLE", number("margin_met") <= 0.0, "{row:?}");
    }
    let certified = rows.iter().filter(|row| row["certificate"] == "CERTIFIED").count();
    let claims = bench.rows("made/claims.csv");
    assert_eq!(claims[0]["holds"], certified.to_string());
    assert!(certified > 0);
}

#[test]
fn the_unpruned_model_can_be_certified_alone() {
    let bench = Bench::new();
    bench.variant("exact.toml", "[[claim]]\nid = \"T0\"", "[certificate]\nnodes = 50\n[[claim]]\nid = \"T0x\"");
    let arguments = "run exact.toml --set training.iterations=300 --set pretrained.neuron_scale=0.05";
    bench.succeeds(&format!("{arguments} --out all"));
    bench.succeeds(&format!("{arguments} --set certificate.pruned=false --out alone"));
    let certified = |folder: &str| {
        let rows = bench.rows(&format!("{folder}/pruning.csv"));
        rows.iter().filter(|row| !row["certificate"].is_empty()).map(|row| row["kept"].clone()).collect::<Vec<_>>()
    };
    assert!(certified("alone").iter().all(|kept| kept == "6") && !certified("alone").is_empty());
    assert!(certified("all").iter().any(|kept| kept == "5"));
    for (all, alone) in bench.rows("all/runs.csv").iter().zip(bench.rows("alone/runs.csv")) {
        assert_eq!((&all["certificate"], &all["margin_met"]), (&alone["certificate"], &alone["margin_met"]));
        assert!(alone["certificate_subsets"].is_empty());
    }
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
    bench.variant(
        "exact.toml",
        "[[claim]]\nid = \"T0\"",
        "[certificate]\nnodes = 5\npruned = false\n[[claim]]\nid = \"T2ax\"",
    );
    assert_eq!(
        bench.refuses("run exact.toml"),
        "exact.toml: certificate.pruned = false: must be true, because claim T2ax is judged here"
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
