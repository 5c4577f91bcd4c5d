//! Judging again, and `--check`.

use crate::cli_common::{Bench, TINY};
use crate::{made, too_wide};
use moe_theory::record::manifest::sha256;

#[test]
fn judge_repeats_the_verdicts_of_the_run() {
    let bench = Bench::new();
    let printed = bench.succeeds("run tiny.toml --out made");
    let before = bench.files();
    let judged = bench.succeeds("judge made");
    let table = judged.strip_suffix("\nThe same as in made/claims.csv.\n").expect(&judged);
    assert!(printed.contains(table) && table.contains("T1a"), "{judged}");
    assert_eq!(bench.succeeds("judge made --against tiny.toml"), judged);
    assert!(bench.files() == before);
}

#[test]
fn judge_refuses_a_table_that_was_tampered_with_and_names_it() {
    for (table, from, to) in [
        ("runs.csv", ",finished,30,", ",finished,31,"),
        ("experts.csv", "relevant", "irrelevant"),
        ("pruning.csv", ",50,", ",51,"),
        ("trajectory.csv", "0,0,0,0,", "0,0,0,1,"),
        ("claims.csv", "INCONCLUSIVE (too few)", "SUPPORTED"),
    ] {
        let bench = made();
        bench.tamper(&format!("made/{table}"), from, to);
        assert_eq!(
            bench.refuses("judge made"),
            format!("made/{table}: changed since the run (its SHA-256 is not the manifest's)")
        );
    }
}

#[test]
fn judge_refuses_a_table_that_is_missing_or_cut_and_names_it() {
    for table in ["runs.csv", "experts.csv", "pruning.csv", "trajectory.csv", "claims.csv"] {
        let bench = made();
        let text = bench.read(&format!("made/{table}"));
        bench.write(&format!("made/{table}"), &text[..text.len() - 1]);
        assert!(bench.refuses("judge made").starts_with(&format!("made/{table}: changed since the run")));
        std::fs::remove_file(bench.path(&format!("made/{table}"))).expect("a file");
        assert!(bench.refuses("judge made").starts_with(&format!("made/{table}: ")));
    }
}

#[test]
fn judge_refuses_claims_that_were_tampered_with_in_the_manifest() {
    let bench = made();
    bench.tamper("made/manifest.json", "\"threshold\": 0.1", "\"threshold\": 0.05");
    assert_eq!(bench.refuses("judge made"), "made/manifest.json: the claims have changed since the run");
}

#[test]
fn judge_refuses_a_simulation_text_that_was_tampered_with_in_the_manifest() {
    let bench = made();
    bench.tamper("made/manifest.json", "threshold = 0.1", "threshold = 0.05");
    assert_eq!(bench.refuses("judge made"), "made/manifest.json: the simulation text has changed since the run");
}

#[test]
fn judge_refuses_claims_that_are_not_those_of_the_simulation_text() {
    let bench = made();
    let text = bench.read("made/manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    manifest["claims"][1]["threshold"] = serde_json::json!(0.05);
    let claims = serde_json::to_vec(&(&manifest["claims"], &manifest["phases"])).expect("JSON");
    manifest["claims_sha256"] = sha256(&claims).into();
    bench.write("made/manifest.json", manifest.to_string());
    let line = bench.refuses("judge made");
    assert!(line.starts_with("made/manifest.json: not what its simulation says: claim T1a is "), "{line}");
}

#[test]
fn judge_refuses_a_folder_without_a_manifest() {
    let bench = made();
    std::fs::remove_file(bench.path("made/manifest.json")).expect("a file");
    assert!(bench.refuses("judge made").starts_with("made/manifest.json: "));
    assert!(bench.refuses("judge none").starts_with("none/manifest.json: "));
    assert!(bench.refuses("judge tiny.toml").starts_with("tiny.toml/manifest.json: "));
}

#[test]
fn judge_refuses_a_manifest_that_cannot_be_read() {
    let bench = made();
    for garbage in ["", "{", "[]", "null", "{\"format\": 1}", "\u{0}\u{1}"] {
        bench.write("made/manifest.json", garbage);
        assert!(bench.refuses("judge made").starts_with("made/manifest.json: "), "{garbage}");
    }
}

#[test]
fn judge_says_if_tables_with_fitting_hashes_give_other_verdicts() {
    let bench = made();
    bench.succeeds("run tiny.toml --set training.router_rate=0.0 --out frozen");
    let (own, frozen) = (bench.read("made/experts.csv"), bench.read("frozen/experts.csv"));
    bench.write("made/experts.csv", &frozen);
    bench.tamper("made/manifest.json", &sha256(own.as_bytes()), &sha256(frozen.as_bytes()));
    let done = bench.simulate("judge made");
    assert_eq!(done.status, Some(1));
    assert_eq!(done.stderr, "simulate: made/claims.csv: holds other findings than its CSVs give now\n");
}

#[test]
fn judge_against_another_simulation_says_what_differs() {
    let bench = made();
    bench.variant("threshold.toml", "threshold = 0.1", "threshold = 0.2");
    bench.variant("batch.toml", "batch = 20", "batch = 24");
    bench.variant("name.toml", "name = \"tiny\"", "name = \"small\"");
    let line = bench.refuses("judge made --against threshold.toml");
    assert!(line.starts_with("made: not a run of threshold.toml: claim T1a is "), "{line}");
    assert!(line.contains("\"threshold\":0.1") && line.contains("\"threshold\":0.2"), "{line}");
    assert_eq!(
        bench.refuses("judge made --against batch.toml"),
        "made: not a run of batch.toml: training.batch at point 0 is 20 there and 24 here"
    );
    assert_eq!(
        bench.refuses("judge made --against name.toml"),
        "made: not a run of name.toml: name is tiny there and small here"
    );
    assert!(bench.refuses("judge made --against none.toml").starts_with("none.toml: "));
}

#[test]
fn judge_repeats_a_run_with_overrides_cases_and_a_grid() {
    let bench = Bench::new();
    let cases =
        "[[case]]\nname = \"frozen\"\nset = { \"training.router_rate\" = 0.0 }\n[[case]]\nname = \"moving\"\n[[claim]]";
    bench.write("cases.toml", TINY.replacen("[[claim]]", cases, 1));
    bench.succeeds("run cases.toml --set training.batch=[20,24] --seeds 4 --out made");
    let judged = bench.succeeds("judge made");
    assert!(judged.ends_with("\nThe same as in made/claims.csv.\n"), "{judged}");
    assert_eq!(too_wide(&judged), Vec::<&str>::new());
}

#[test]
fn check_names_the_claim_that_is_not_as_expected_and_exits_3() {
    let bench = Bench::new();
    bench.write("other.toml", TINY.replacen("id = \"T0\"", "id = \"T0\"\nexpect = \"SUPPORTED\"", 1));
    let run = "run other.toml --set data.labels=independent --check --out made";
    let done = bench.simulate(run);
    assert_eq!(done.status, Some(3));
    assert_eq!(done.stderr, "simulate: not as expected: tiny T0: REFUTED in place of SUPPORTED\n");
    assert!(
        done.stdout.contains("EXPECTED SUPPORTED") && done.stdout.contains("0 of 1 verdicts as expected."),
        "{done:?}"
    );
    assert_eq!(bench.rows("made/claims.csv").len(), 2, "the results are kept");

    let quiet = bench.simulate(&format!("{run} --quiet"));
    assert_eq!((quiet.status, quiet.stdout.as_str(), quiet.stderr), (Some(3), "", done.stderr));
}

#[test]
fn a_verdict_that_is_not_as_expected_exits_0_without_check() {
    let bench = Bench::new();
    bench.write("other.toml", TINY.replacen("id = \"T0\"", "id = \"T0\"\nexpect = \"SUPPORTED\"", 1));
    bench.succeeds("run other.toml --set data.labels=independent --out made");
}

#[test]
fn check_exits_0_if_every_verdict_is_as_expected_or_nothing_is_expected() {
    let bench = Bench::new();
    bench.write("other.toml", TINY.replacen("id = \"T0\"", "id = \"T0\"\nexpect = \"REFUTED\"", 1));
    let printed = bench.succeeds("run other.toml --set data.labels=independent --check --out made");
    assert!(printed.contains("1 of 1 verdicts as expected."), "{printed}");
    bench.succeeds("run tiny.toml --check --out free");
}

#[test]
fn too_few_runs_are_foretold_and_told_apart_from_what_is_not_as_expected() {
    let bench = Bench::new();
    bench.write("few.toml", TINY.replace("on = \"all\"", "on = \"all\"\nexpect = \"SUPPORTED\""));
    let foretold = bench.succeeds("run few.toml --dry-run");
    let warning = "TOO FEW: 2 of 2 claims can't come out SUPPORTED with these seeds; from ";
    let rest = foretold.replace('\n', " ");
    let rest = rest.split(warning).nth(1).unwrap_or_else(|| panic!("{foretold}"));
    let least: u64 = rest.split(' ').next().and_then(|number| number.parse().ok()).expect("a number");

    let done = bench.simulate("run few.toml --set training.iterations=200 --check --verbose --out made");
    let words = done.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.find(warning) < words.find("it takes"), "{}", done.stdout);
    assert_eq!(done.status, Some(3));
    assert_eq!(done.stderr, "simulate: too few runs to decide: tiny T0, tiny T1a\n");
    for piece in [
        format!("0 of 2 verdicts as expected. 2 not decided: too few runs; from {least} judged runs a point on"),
        format!("too few runs: SUPPORTED needs at least {least} judged ones at each point"),
    ] {
        assert!(words.contains(&piece), "{piece}: {}", done.stdout);
    }
    assert!(!words.contains("EXPECTED"), "{}", done.stdout);
    assert_eq!(too_wide(&done.stdout), Vec::<&str>::new());

    let enough =
        bench.succeeds(&format!("run few.toml --set training.iterations=200 --seeds {least} --check --out enough"));
    assert!(!enough.contains("TOO FEW") && enough.contains("2 of 2 verdicts as expected.\n"), "{enough}");
}

/// A claim that is to be REFUTED needs fewer runs than one that is to be SUPPORTED: nothing is said of it.
#[test]
fn nothing_is_foretold_of_claims_that_are_expected_to_be_refuted() {
    let bench = Bench::new();
    bench.write("other.toml", TINY.replace("on = \"all\"", "on = \"all\"\nexpect = \"REFUTED\""));
    let foretold = bench.succeeds("run other.toml --dry-run");
    assert!(!foretold.contains("TOO FEW: "), "{foretold}");
}
