//! The program as a user meets it: what it prints, writes and refuses, and with which exit status.

mod cli_common;

use cli_common::{Bench, Done, Files, TINY, column};
use moe_theory::record::manifest::sha256;

impl Bench {
    fn files(&self) -> Files {
        self.files_below("")
    }

    /// The header of a CSV.
    fn header(&self, name: &str) -> Vec<String> {
        let text = self.read(name);
        text.lines().next().unwrap_or_default().split(',').map(str::to_owned).collect()
    }

    /// Runs the program, which must refuse in one line, with status 2, without output or any change on the disk; the
    /// line.
    fn refuses(&self, arguments: &str) -> String {
        let before = self.files();
        let Done { status, stdout, stderr } = self.simulate(arguments);
        assert_eq!((status, stdout.as_str()), (Some(2), ""), "{arguments}: {stderr}");
        assert!(self.files() == before, "{arguments} wrote something");
        let line = stderr.strip_suffix('\n').unwrap_or_else(|| panic!("no line: {stderr:?}"));
        assert!(!line.contains('\n'), "{stderr}");
        line.strip_prefix("simulate: ").unwrap_or_else(|| panic!("{line:?}")).to_owned()
    }

    /// `tiny.toml` with a piece of its text replaced, under another file name.
    fn variant(&self, name: &str, from: &str, to: &str) {
        assert!(TINY.contains(from), "{from}");
        self.write(name, TINY.replace(from, to));
    }

    /// Replaces a piece of a file's text.
    fn tamper(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name}: {from}");
        self.write(name, text.replacen(from, to, 1));
    }
}

/// A bench with the results of `tiny.toml` in `made`.
fn made() -> Bench {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --out made");
    bench
}

fn too_wide(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.chars().count() > 80).collect()
}

// ------------------------------------------------------------------------------------- configurations it refuses

/// The line for `tiny.toml` with a piece of its text replaced.
fn refused(from: &str, to: &str) -> String {
    let bench = Bench::new();
    bench.variant("other.toml", from, to);
    bench.refuses("run other.toml")
}

#[test]
fn fails_with_the_nearest_key_on_an_unknown_key() {
    assert_eq!(
        refused("patterns = 20", "paterns = 20"),
        "other.toml: unknown key data.paterns; the nearest key is data.patterns"
    );
    assert_eq!(refused("[training]", "[trainng]"), "other.toml: unknown key trainng; the nearest key is training");
}

#[test]
fn fails_on_a_value_of_the_wrong_type() {
    assert_eq!(
        refused("patterns = 20", "patterns = true"),
        "other.toml: data.patterns = true: must be an integer from 4 to 65536"
    );
}

#[test]
fn fails_with_the_range_on_a_value_out_of_range() {
    assert_eq!(
        refused("expert_rate = 0.4", "expert_rate = -0.4"),
        "other.toml: training.expert_rate = -0.4: must be a number from 0 to 1000000"
    );
    assert_eq!(
        refused("batch = 20", "batch = 0"),
        "other.toml: training.batch = 0: must be an integer from 1 to 1000000"
    );
    assert_eq!(refused("seeds = 6", "seeds = 0"), "other.toml: seeds = 0: must be an integer from 1 to 1000000000");
}

#[test]
fn fails_if_an_expert_chooses_more_tokens_than_there_are() {
    assert_eq!(
        refused("tokens_per_expert = 2", "tokens_per_expert = 6"),
        "other.toml: model.tokens_per_expert = 6: must be from 2 to 5, because data.tokens = 5"
    );
}

#[test]
fn fails_if_an_expert_chooses_one_token_because_its_router_would_never_move() {
    assert_eq!(
        refused("tokens_per_expert = 2", "tokens_per_expert = 1"),
        "other.toml: model.tokens_per_expert = 1: must be an integer from 2 to 4096 (with l = 1 the gate is constant \
         and the router never moves)"
    );
}

#[test]
fn fails_on_too_few_patterns_without_replacement() {
    assert_eq!(
        refused("patterns = 20", "patterns = 5"),
        "other.toml: data.patterns = 5: must be at least 6, because data.tokens = 5 and data.replacement = false"
    );
}

#[test]
fn fails_on_more_relevant_experts_than_experts() {
    assert_eq!(
        refused("relevant_per_class = 1", "relevant_per_class = 4"),
        "other.toml: pretrained.relevant_per_class = 4: must be from 0 to 3, because model.experts = 6"
    );
}

#[test]
fn fails_on_an_odd_number_of_experts() {
    assert_eq!(refused("experts = 6", "experts = 7"), "other.toml: model.experts = 7: must be even, half of each sign");
}

#[test]
fn fails_on_text_that_is_no_toml_with_line_and_column() {
    assert!(refused("patterns = 20", "patterns = = 20").starts_with("other.toml:5:12: "));
}

#[test]
fn fails_on_bytes_that_are_no_text() {
    let bench = Bench::new();
    bench.write("other.toml", [0xff, 0xfe, 0x00]);
    assert!(bench.refuses("run other.toml").starts_with("other.toml: "));
}

#[test]
fn fails_on_a_name_that_leads_out_of_the_results() {
    assert_eq!(
        refused("name = \"tiny\"", "name = \"../tiny\""),
        "other.toml: name = \"../tiny\": must be 1 to 64 of A-Z a-z 0-9 . _ - and not start with a dot"
    );
}

#[test]
fn fails_on_a_claim_t2b_that_needs_as_many_experts_as_are_relevant() {
    assert_eq!(
        refused("id = \"T0\"", "id = \"T2b\"\nthreshold = 2"),
        "other.toml: claim T2b: threshold = 2: must be less than 2, because pretrained.relevant_per_class = 1"
    );
}

#[test]
fn fails_on_an_unknown_claim_with_the_nearest() {
    assert_eq!(
        refused("id = \"T0\"", "id = \"T1q\""),
        "other.toml: claim 1: id = \"T1q\": must be one of T0, T1a, T1c, T1c-D, T1c-Δᶜ, T2a, T2b; the nearest is T1a"
    );
}

#[test]
fn fails_on_a_bad_point_before_any_other_point_runs() {
    let bench = Bench::new();
    assert_eq!(
        bench.refuses("run tiny.toml --set data.patterns=[20,5]"),
        "other: data.patterns = 5: must be at least 6, because data.tokens = 5 and data.replacement = false; at \
         patterns = 5"
            .replace("other:", "--set")
    );
}

#[test]
fn fails_on_a_bad_second_simulation_before_the_first_runs() {
    let bench = Bench::new();
    bench.variant("other.toml", "batch = 20", "batch = 0");
    assert!(bench.refuses("run tiny.toml other.toml --out made").starts_with("other.toml: training.batch = 0"));
}

// ------------------------------------------------------------------------------------------ arguments it refuses

#[test]
fn fails_on_an_unknown_simulation_with_the_nearest() {
    let line = Bench::new().refuses("run defalt");
    assert!(line.starts_with("defalt: neither a shipped simulation (default, smoke, "), "{line}");
    assert!(line.ends_with(") nor a file; the nearest is default"), "{line}");
    assert!(Bench::new().refuses("run xyzzy").ends_with(") nor a file"));
}

#[test]
fn fails_on_a_missing_file_and_names_it() {
    assert!(Bench::new().refuses("run none.toml").starts_with("none.toml: "));
    assert!(Bench::new().refuses("trace sub/none --out run.safetensors").starts_with("sub/none: "));
}

#[test]
fn fails_on_a_folder_in_place_of_a_simulation_file() {
    let bench = made();
    assert!(bench.refuses("run ./made").starts_with("./made: "));
}

#[test]
fn fails_on_an_override_of_an_unknown_key_with_the_nearest() {
    assert_eq!(
        Bench::new().refuses("run tiny.toml --set training.bach=3"),
        "--set unknown key training.bach; the nearest key is training.batch"
    );
}

#[test]
fn fails_on_an_override_that_is_no_key_and_value() {
    assert_eq!(Bench::new().refuses("run tiny.toml --set batch"), "--set batch: must be written key=value");
    let bench = Bench::new();
    let line = bench.refuses("run tiny.toml --set training.batch=2*");
    assert!(line.starts_with("--set training.batch = \"2*\": the expression ends where"), "{line}");
}

#[test]
fn fails_on_no_runs_at_all() {
    assert_eq!(
        Bench::new().refuses("run tiny.toml --seeds 0"),
        "--seeds: seeds = 0: must be an integer from 1 to 1000000000"
    );
}

#[test]
fn fails_on_arguments_that_do_not_exist_or_have_illegal_values() {
    let bench = Bench::new();
    let before = bench.files();
    for arguments in [
        "run tiny.toml --sedes 3",
        "run tiny.toml --threads 0",
        "run tiny.toml --seeds -1",
        "run tiny.toml --engine fast",
        "run tiny.toml --figures bmp",
        "rum tiny.toml",
        "judge",
        "trace tiny.toml",
        "explain",
    ] {
        let done = bench.simulate(arguments);
        assert_eq!((done.status, done.stdout.as_str()), (Some(2), ""), "{arguments}");
        assert!(done.stderr.starts_with("error: "), "{arguments}: {}", done.stderr);
    }
    assert!(bench.files() == before);
}

#[test]
fn fails_if_the_pattern_engine_meets_token_noise() {
    let message = "--engine pattern: data.noise = 0.1 at point 0: the pattern engine needs data.noise = 0; use auto or \
                   dense";
    let bench = Bench::new();
    assert_eq!(bench.refuses("run tiny.toml --engine pattern --set data.noise=0.1"), message);
    assert_eq!(bench.refuses("trace tiny.toml --engine pattern --set data.noise=0.1 --out run.safetensors"), message);
}

#[test]
fn fails_to_explain_an_unknown_name_and_gives_the_nearest() {
    let bench = Bench::new();
    let tail = "no simulation, claim, assumption, lemma, criterion or key";
    assert_eq!(
        bench.refuses("explain data.paterns"),
        format!("data.paterns: {tail}; the nearest is data.patterns; `simulate list` shows all")
    );
    assert_eq!(bench.refuses("explain zzz"), format!("zzz: {tail}; `simulate list` shows all"));
}

#[test]
fn fails_to_trace_a_point_out_of_range() {
    let bench = Bench::new();
    assert_eq!(
        bench.refuses("trace tiny.toml --point 2 --set training.batch=[20,24] --out run.safetensors"),
        "--point 2: must be from 0 to 1"
    );
}

#[test]
fn fails_to_trace_onto_an_existing_file_and_leaves_it_intact() {
    let bench = Bench::new();
    bench.write("run.safetensors", "precious");
    assert_eq!(
        bench.refuses("trace tiny.toml --out run.safetensors"),
        "run.safetensors: exists already; nothing was written"
    );
    assert_eq!(bench.read("run.safetensors"), "precious");
}

#[test]
fn fails_to_trace_into_a_folder_that_does_not_exist() {
    let line = Bench::new().refuses("trace tiny.toml --out none/run.safetensors");
    assert!(line.starts_with("none/run.safetensors: "), "{line}");
}

// --------------------------------------------------------------------------------------- result folders it keeps

const ADVICE: &str = "nothing was written; give another folder with --out, or remove this one";

#[test]
fn an_existing_folder_of_another_config_is_never_overwritten() {
    let bench = made();
    bench.variant("threshold.toml", "threshold = 0.1", "threshold = 0.2");
    bench.variant("claims.toml", "[[claim]]\nid = \"T0\"\non = \"all\"\nroles = \"built\"\n", "");
    let other = |difference: &str| format!("made: holds results of another configuration: {difference}; {ADVICE}");
    for (arguments, difference) in [
        ("tiny.toml --set training.batch=24", "training.batch at point 0 is 20 there and 24 here"),
        ("tiny.toml --set evaluation.samples=51", "evaluation.samples at point 0 is 50 there and 51 here"),
        ("tiny.toml --set training.batch=[20,24]", "the number of points is 1 there and 2 here"),
        ("tiny.toml --seeds 7", "seeds is 6 there and 7 here"),
        ("tiny.toml --seed 1", "the master seed is 0 there and 1 here"),
        ("tiny.toml --engine dense", "the engine is auto there and dense here"),
        ("tiny.toml --until-decided", "the sequential block is none there and 25 here"),
        ("claims.toml", "there are 2 claims there and 1 here"),
    ] {
        assert_eq!(bench.refuses(&format!("run {arguments} --out made")), other(difference));
    }
    let line = bench.refuses("run threshold.toml --out made");
    assert!(line.starts_with("made: holds results of another configuration: claim T1a is "), "{line}");
    assert!(line.contains("\"threshold\":0.1") && line.contains("\"threshold\":0.2"), "{line}");
}

#[test]
fn the_default_folder_is_not_overwritten_either() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml");
    let line = bench.refuses("run tiny.toml --seeds 7");
    assert!(line.starts_with("results/tiny: holds results of another configuration: seeds is 6"), "{line}");
}

#[test]
fn fails_on_two_simulations_that_would_share_a_folder() {
    let bench = Bench::new();
    bench.variant("other.toml", "seeds = 6", "seeds = 7");
    let line = bench.refuses("run tiny.toml other.toml --out made");
    assert!(line.contains("tiny"), "{line}");
}

#[test]
fn fails_on_a_folder_with_foreign_files() {
    let bench = Bench::new();
    bench.write("made/notes.txt", "mine");
    assert_eq!(
        bench.refuses("run tiny.toml --out made"),
        format!("made: the folder holds files but no manifest.json; {ADVICE}")
    );
    bench.refuses("run tiny.toml --out .");
}

#[test]
fn fails_on_a_folder_whose_manifest_is_not_readable() {
    let bench = Bench::new();
    bench.write("made/manifest.json", "{}");
    let line = bench.refuses("run tiny.toml --out made");
    assert!(line.starts_with("made/manifest.json: "), "{line}");
}

#[test]
fn fails_on_a_file_in_the_folders_place() {
    let bench = Bench::new();
    bench.write("made", "mine");
    assert_eq!(bench.refuses("run tiny.toml --out made"), format!("made: there is a file of this name; {ADVICE}"));
}

/// Not by [`Bench::refuses`]: the announcement may be out before the disk refuses.
#[test]
fn fails_where_no_folder_can_be_made() {
    let bench = Bench::new();
    bench.write("file", "mine");
    let before = bench.files();
    for out in ["file/made", "file/deep/made"] {
        let done = bench.simulate(&format!("run tiny.toml --out {out}"));
        assert_eq!(done.status, Some(2), "{out}");
        assert!(
            done.stderr.starts_with("simulate: file/") && done.stderr.ends_with("; nothing was written\n"),
            "{done:?}"
        );
        assert!(bench.files() == before, "{out}");
    }
}

#[test]
fn the_same_configuration_into_the_same_folder_gives_the_same_bytes() {
    let bench = made();
    let first = bench.files();
    bench.succeeds("run tiny.toml --out made --threads 3");
    assert!(bench.files() == first);
    bench.write("made/experts.csv", "broken");
    bench.succeeds("run tiny.toml --out made");
    assert!(bench.files() == first);
}

#[test]
fn a_rerun_keeps_what_else_is_in_the_folder() {
    let bench = made();
    bench.write("made/notes.txt", "mine");
    bench.succeeds("run tiny.toml --out made");
    assert_eq!(bench.read("made/notes.txt"), "mine");
}

#[test]
fn an_empty_folder_is_filled() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("made")).expect("a folder");
    bench.succeeds("run tiny.toml --out made");
    assert_eq!(bench.files_below("made").len(), 6);
}

// ------------------------------------------------------------------------------------------------------- judging

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
    let claims = serde_json::to_vec(&manifest["claims"]).expect("JSON");
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
    assert_eq!(done.stderr, "simulate: made/claims.csv: holds other verdicts than its CSVs give now\n");
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

// -------------------------------------------------------------------------------------------------- expectations

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

// -------------------------------------------------------------------------------------------------- what it prints

#[test]
fn quiet_prints_nothing() {
    let bench = Bench::new();
    assert_eq!(bench.succeeds("run tiny.toml --quiet --out made"), "");
    assert_eq!(bench.files_below("made").len(), 6);
}

#[test]
fn no_progress_bar_without_a_terminal() {
    // `succeeds` compares stderr with nothing.
    let printed = Bench::new().succeeds("run tiny.toml --out made");
    assert!(!printed.contains(['\r', '\u{1b}']), "{printed:?}");
    assert!(
        printed
            .starts_with("tiny: Every part of the program in milliseconds\n6 runs at 1 grid point; claims T0, T1a\n")
    );
    assert!(printed.contains("Results: made\n"), "{printed}");
}

#[test]
fn no_line_of_a_run_is_wider_than_80_columns() {
    let bench = Bench::new();
    for arguments in ["", " --set training.batch=[20,24]", " --set data.labels=independent --seeds 30"] {
        let printed = bench.succeeds(&format!("run tiny.toml{arguments} --out made{}", arguments.len()));
        assert_eq!(too_wide(&printed), Vec::<&str>::new());
    }
}

#[test]
fn no_line_of_a_dry_run_is_wider_than_80_columns() {
    let printed = Bench::new().succeeds("run tiny.toml --dry-run");
    assert_eq!(too_wide(&printed), Vec::<&str>::new());
}

#[test]
fn no_line_of_list_is_wider_than_80_columns() {
    assert_eq!(too_wide(&Bench::new().succeeds("list")), Vec::<&str>::new());
}

/// The names that `simulate list` prints, by section.
fn listed(bench: &Bench) -> Vec<(String, String)> {
    let mut section = String::new();
    let mut names = Vec::new();
    for line in bench.succeeds("list").lines() {
        if !line.starts_with([' ', '`']) && !line.is_empty() {
            section = line.to_owned();
        } else if let Some(name) = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')) {
            names.push((section.clone(), name.split(' ').next().unwrap_or_default().to_owned()));
        }
    }
    names
}

#[test]
fn everything_listed_is_explained_within_80_columns() {
    let bench = Bench::new();
    let keys = moe_theory::sim::KEYS.iter().map(|key| (String::new(), key.path.to_owned()));
    let others = listed(&bench).into_iter().filter(|(section, _)| !section.starts_with("Keys"));
    let names: Vec<(String, String)> = others.chain(keys).collect();
    assert!(names.len() > 50, "{names:?}");
    for (section, name) in names {
        let text = bench.succeeds(&format!("explain {name}"));
        if section.starts_with("Simulations") {
            assert!(text.contains(&format!("name = \"{name}\"")), "{text}");
        } else {
            assert!(text.starts_with(&name), "{name}: {text}");
            assert_eq!(too_wide(&text), Vec::<&str>::new());
        }
    }
}

#[test]
fn every_key_and_claim_of_the_program_is_listed() {
    let names: Vec<String> = listed(&Bench::new()).into_iter().map(|(_, name)| name).collect();
    let keys = moe_theory::sim::KEYS.iter().map(|key| key.path);
    let claims = moe_theory::sim::CLAIM_IDS.iter().map(|claim| claim.id);
    let shipped = moe_theory::sim::SHIPPED.iter().map(|shipped| shipped.name);
    for name in keys.chain(claims).chain(shipped) {
        assert!(names.iter().any(|listed| listed == name), "{name}");
    }
}

#[test]
fn help_names_every_command_and_what_happens_without_one() {
    let help = Bench::new().succeeds("--help");
    for command in ["run", "list", "explain", "judge", "trace"] {
        assert!(help.lines().any(|line| line.starts_with(&format!("  {command} "))), "{command}: {help}");
    }
    assert!(help.contains("Without a command: runs the simulation `default`"), "{help}");
    assert!(Bench::new().succeeds("run --help").contains("[default: default]"));
}

#[test]
fn every_flag_of_run_and_trace_has_an_example() {
    for command in ["run", "trace"] {
        let help = Bench::new().succeeds(&format!("{command} --help"));
        let flags = help.split("\n\n").filter(|block| block.trim_start().starts_with("--"));
        let without: Vec<&str> = flags.filter(|block| !block.contains("xample:")).collect();
        assert_eq!(without, Vec::<&str>::new());
    }
}

// -------------------------------------------------------------------------------------------------- what it writes

/// Whether the documented columns stand in this order, with or without others between them.
fn has_in_order(header: &[String], documented: &str) -> bool {
    let mut rest = header.iter();
    documented.split([',', ' ', '\n']).filter(|name| !name.is_empty()).all(|name| rest.any(|column| column == name))
}

#[test]
fn every_table_has_the_documented_columns_in_order() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --set training.batch=[20,24] --out made");
    for (table, documented) in [
        (
            "runs.csv",
            "point run seed batch stop_reason error meets_labels meets_balance meets_roles meets_batch meets_gauge \
             meets_activation meets_travel meets_rate accuracy_pretrained accuracy_finetuned certificate margin_lower \
             gamma min_delta_relevant max_abs_delta_irrelevant max_displacement_irrelevant seconds",
        ),
        (
            "experts.csv",
            "point run expert sign built_role role learned norm_0 norm_t delta delta_centred displacement max_range \
             lambda1_0 lambda2_0 lambda_max p1_0 p1_t p2_0 p2_t router-norm-change router-displacement random",
        ),
        ("trajectory.csv", "point run iteration expert norm delta displacement p1 p2"),
        ("pruning.csv", "point run criterion kept ratio finetuned accuracy errors samples certificate margin_lower"),
        (
            "claims.csv",
            "claim part point on runs set_aside holds estimate ci_low ci_high threshold level p_holm verdict expected",
        ),
    ] {
        let header = bench.header(&format!("made/{table}"));
        assert!(has_in_order(&header, documented), "{table}: {header:?}");
        assert!(bench.read(&format!("made/{table}")).ends_with('\n'), "{table}");
    }
}

#[test]
fn swept_keys_and_cases_are_columns_of_runs() {
    let bench = Bench::new();
    let cases =
        "[[case]]\nname = \"frozen\"\nset = { \"training.router_rate\" = 0.0 }\n[[case]]\nname = \"moving\"\n[[claim]]";
    bench.write("cases.toml", TINY.replacen("[[claim]]", cases, 1));
    bench.succeeds("run cases.toml --set data.tokens=[5,6] --seeds 1 --out made");
    let header = bench.header("made/runs.csv");
    assert_eq!(header[..7], ["point", "run", "seed", "case", "router_rate", "tokens", "stop_reason"]);
    let rows = bench.rows("made/runs.csv");
    assert_eq!(column(&rows, "case"), ["frozen", "frozen", "moving", "moving"]);
    assert_eq!(column(&rows, "router_rate"), ["0", "0", "0.2", "0.2"]);
    assert_eq!(column(&rows, "tokens"), ["5", "6", "5", "6"]);
}

#[test]
fn every_run_has_its_rows() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --set training.batch=[20,24] --seeds 5 --out made");
    let runs = bench.rows("made/runs.csv");
    let place = |row: &std::collections::BTreeMap<String, String>| (row["point"].clone(), row["run"].clone());
    let expected: Vec<(String, String)> = (0..10).map(|row| ((row / 5).to_string(), (row % 5).to_string())).collect();
    assert_eq!(runs.iter().map(place).collect::<Vec<_>>(), expected);
    assert_eq!(bench.rows("made/experts.csv").len(), 10 * 6);
    let pruning = bench.rows("made/pruning.csv");
    assert_eq!(pruning.len(), 10 * (6 + 2));
    assert_eq!(column(&pruning, "kept")[..8], ["6", "5", "4", "3", "2", "1", "3", "2"]);
    assert_eq!(column(&pruning, "finetuned").iter().filter(|cell| **cell == "true").count(), 20);
    // Two claims at two points, and for each the conjunction.
    let claims = bench.rows("made/claims.csv");
    assert_eq!(column(&claims, "point"), ["0", "1", "", "0", "1", ""]);
    assert_eq!(column(&claims, "part")[..3], ["probability", "probability", "all"]);
}

#[test]
fn trajectories_are_recorded_for_the_first_runs_alone() {
    let bench = made();
    let rows = bench.rows("made/trajectory.csv");
    let mut runs = column(&rows, "run");
    runs.dedup();
    assert_eq!(runs, ["0", "1"]);
    let mut iterations: Vec<u32> =
        column(&rows, "iteration").iter().map(|cell| cell.parse().expect("a number")).collect();
    iterations.truncate(iterations.len() / 2);
    assert!(iterations.is_sorted());
    assert_eq!((iterations.first(), iterations.last()), (Some(&0), Some(&30)));
    bench.succeeds("run tiny.toml --set record.trajectory_runs=0 --out none");
    assert!(bench.rows("none/trajectory.csv").is_empty());
    assert_eq!(bench.header("none/trajectory.csv"), bench.header("made/trajectory.csv"));
}

#[test]
fn what_was_not_measured_is_empty() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --set data.noise=0.1 --out made");
    let empty = |table: &str, name: &str| column(&bench.rows(table), name).iter().all(|cell| cell.is_empty());
    for (table, name) in [
        ("made/runs.csv", "seconds"),
        ("made/runs.csv", "error"),
        ("made/runs.csv", "certificate"),
        ("made/runs.csv", "margin_lower"),
        ("made/pruning.csv", "certificate"),
        ("made/experts.csv", "learned"),
        ("made/experts.csv", "lambda_max"),
        ("made/claims.csv", "expected"),
    ] {
        assert!(empty(table, name), "{table} {name}");
    }
    assert!(!empty("made/experts.csv", "norm_t"));
    assert_eq!(column(&bench.rows("made/claims.csv"), "threshold"), ["", "0.1"]);
}

#[test]
fn a_run_without_relevant_experts_has_no_figure_of_them() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --set pretrained.relevant_per_class=0 --set roles.relevant_min=1.0 --out made");
    let experts = bench.rows("made/experts.csv");
    assert!(column(&experts, "built_role").iter().all(|role| *role == "irrelevant"));
    for run in bench.rows("made/runs.csv") {
        let relevant = experts.iter().filter(|row| row["run"] == run["run"] && row["role"] == "relevant").count();
        assert_eq!(run["min_delta_relevant"].is_empty(), relevant == 0, "{run:?}");
    }
}

#[test]
fn seconds_are_filled_with_timings_and_nothing_else_changes() {
    let bench = made();
    bench.succeeds("run tiny.toml --timings --out timed");
    let (mut plain, mut timed) = (bench.rows("made/runs.csv"), bench.rows("timed/runs.csv"));
    let seconds: Vec<String> = timed.iter_mut().filter_map(|row| row.remove("seconds")).collect();
    assert!(seconds.iter().all(|cell| cell.parse::<f64>().is_ok_and(|seconds| seconds > 0.0)), "{seconds:?}");
    plain.iter_mut().for_each(|row| drop(row.remove("seconds")));
    assert_eq!(plain, timed);
}

#[test]
fn a_dry_run_shows_points_time_memory_and_seeds_and_writes_nothing() {
    let bench = Bench::new();
    let before = bench.files();
    let printed = bench.succeeds("run tiny.toml --set training.batch=[20,24] --dry-run --out made");
    assert!(bench.files() == before);
    for piece in [
        "points x runs: 2 x 6 = 12\n",
        "  point 0: batch = 20\n",
        "  point 1: batch = 24\n",
        "time: about ",
        "memory: about ",
        "  T0: at least ",
        "  T1a: at least ",
        "TOO FEW",
    ] {
        assert!(printed.contains(piece), "{piece}: {printed}");
    }
}

#[test]
fn the_seeds_of_a_dry_run_are_the_fewest_that_support_a_claim() {
    let bench = Bench::new();
    bench.write("one.toml", TINY.split("[[claim]]\nid = \"T1a\"").next().unwrap_or_default());
    let printed = bench.succeeds("run one.toml --dry-run");
    let least = printed.split("T0: at least ").nth(1).and_then(|rest| rest.split(' ').next()).expect(&printed);
    let least: u64 = least.parse().expect("a number");
    // With enough training the claim holds in every run, so the verdict hangs on the number of runs alone.
    for (seeds, verdict) in [(least, "SUPPORTED"), (least - 1, "INCONCLUSIVE (too few)")] {
        bench.succeeds(&format!("run one.toml --set training.iterations=200 --seeds {seeds} --out {seeds}"));
        let claims = bench.rows(&format!("{seeds}/claims.csv"));
        assert_eq!(claims[0]["holds"], claims[0]["runs"]);
        assert_eq!(claims[0]["verdict"], verdict);
    }
}

#[test]
fn the_largest_legal_rates_give_finite_rows_or_rows_marked_as_diverged() {
    let bench = Bench::new();
    bench.succeeds(
        "run tiny.toml --out made --set training.router_rate=1000000 --set training.expert_rate=1000000 \
         --set pretrained.neuron_scale=1000 --set pretrained.router_scale=1000 --set data.noise=1000",
    );
    let experts = bench.rows("made/experts.csv");
    for run in bench.rows("made/runs.csv") {
        let diverged = run["stop_reason"] == "diverged";
        assert_eq!(run["error"].is_empty(), !diverged, "{run:?}");
        assert_eq!(run["accuracy_finetuned"].is_empty(), diverged, "{run:?}");
        for expert in experts.iter().filter(|row| row["run"] == run["run"]) {
            let norm = expert["norm_t"].parse::<f64>();
            assert!(if diverged { norm.is_err() } else { norm.is_ok_and(f64::is_finite) }, "{expert:?}");
        }
    }
    let text = bench.read("made/experts.csv") + &bench.read("made/runs.csv") + &bench.read("made/trajectory.csv");
    assert!(!text.contains("NaN") && !text.contains("inf,"), "{text}");
}

#[test]
fn until_decided_stops_at_the_first_look_at_which_everything_is_decided() {
    let bench = Bench::new();
    let printed = bench.succeeds("run tiny.toml --seeds 400 --until-decided --set data.labels=independent --out made");
    let claims = bench.rows("made/claims.csv");
    assert_eq!(column(&claims, "verdict"), ["REFUTED", "REFUTED"]);
    assert_eq!(column(&claims, "runs"), ["25", "25"]);
    assert_eq!(bench.rows("made/runs.csv").len(), 25);
    let judged = bench.succeeds("judge made");
    let table = judged.strip_suffix("\nThe same as in made/claims.csv.\n").expect(&judged);
    assert!(printed.contains(table), "{printed}");
}

#[test]
fn until_decided_says_how_many_runs_it_made() {
    let bench = Bench::new();
    let printed = bench.succeeds("run tiny.toml --seeds 400 --until-decided --set data.labels=independent --out made");
    assert!(printed.contains("\n25 runs in "), "{printed}");
}

#[test]
fn until_decided_makes_every_run_if_nothing_is_decided() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --seeds 30 --until-decided --out made");
    assert_eq!(bench.rows("made/runs.csv").len(), 30);
    let claims = bench.rows("made/claims.csv");
    assert!(column(&claims, "verdict").iter().all(|verdict| verdict.starts_with("INCONCLUSIVE")));
    bench.succeeds("judge made");
}

#[test]
fn several_simulations_get_a_folder_each() {
    let bench = Bench::new();
    bench.variant("other.toml", "name = \"tiny\"", "name = \"small\"");
    let printed = bench.succeeds("run tiny.toml other.toml --out both");
    assert!(printed.contains("Results: both/tiny\n") && printed.contains("Results: both/small\n"), "{printed}");
    bench.succeeds("judge both/tiny --against tiny.toml");
    bench.succeeds("judge both/small --against other.toml");
}

#[test]
fn nothing_half_made_is_left_beside_the_results() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml");
    let names: Vec<String> = bench.files_below("results").into_keys().map(|path| path.display().to_string()).collect();
    let tables = ["claims.csv", "experts.csv", "manifest.json", "pruning.csv", "runs.csv", "trajectory.csv"];
    let expected: Vec<String> =
        std::iter::once("tiny".to_owned()).chain(tables.map(|table| format!("tiny/{table}"))).collect();
    assert_eq!(names, expected);
}

#[test]
fn the_manifest_tells_what_was_run() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --seed 5 --seeds 3 --set training.batch=[20,24] --out made");
    let manifest: serde_json::Value = serde_json::from_str(&bench.read("made/manifest.json")).expect("JSON");
    assert_eq!(manifest["simulation"], TINY);
    assert_eq!(manifest["overrides"], serde_json::json!(["training.batch=[20,24]"]));
    assert_eq!((&manifest["master_seed"], &manifest["seeds"]), (&5.into(), &3.into()));
    assert_eq!(manifest["points"][1]["parameters"]["training.batch"], "24");
    for table in ["claims.csv", "experts.csv", "pruning.csv", "runs.csv", "trajectory.csv"] {
        let hash = sha256(bench.read(&format!("made/{table}")).as_bytes());
        assert_eq!(manifest["files_sha256"][table], hash, "{table}");
    }
    // Neither the machine nor the time is part of a result.
    assert!(!bench.read("made/manifest.json").contains(&bench.path("").display().to_string()));
}
