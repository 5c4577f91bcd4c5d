//! Configurations and arguments that the program refuses.

use crate::cli_common::Bench;
use crate::made;

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
        "other.toml: claim 1: id = \"T1q\": must be one of T0, T0x, T1a, T1b, T1c, T1c-D, T1c-Δᶜ, T1d, T1d-λ, T2a, T2ax, T2b, S3, C1, C2, \
         Q1, Q2, Q3, Q4; the nearest is T1a"
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
    let tail = "no simulation, claim, assumption, lemma, criterion, word, key or column";
    assert_eq!(
        bench.refuses("explain data.paterns"),
        format!("data.paterns: {tail}; the nearest is data.patterns; `simulate list` shows all")
    );
    assert_eq!(bench.refuses("explain zzz"), format!("zzz: {tail}; `simulate list` shows all"));
}

#[test]
fn a_name_that_is_the_beginning_of_several_is_answered_by_all_of_them() {
    let bench = Bench::new();
    let line = bench.refuses("run theorem");
    assert!(line.ends_with(" nor a file; the nearest are theorem1 and theorem2"), "{line}");
    let line = bench.refuses("run world");
    assert!(
        line.contains("; the nearest are world-aligned, world-duplicates, ") && line.contains("world-rare"),
        "{line}"
    );
    assert!(bench.refuses("run theorem3").ends_with("; the nearest are theorem1 and theorem2"));
    assert!(bench.refuses("run defualt").ends_with("; the nearest is default"));
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
