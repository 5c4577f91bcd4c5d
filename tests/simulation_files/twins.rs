//! Points with the same parameters, however they are written, are refused where runs would be counted twice.

use crate::{accepted, refused};

/// A claim on slopes over these values of d.
fn sweep(values: &str) -> String {
    format!("[grid]\n\"data.patterns\" = [{values}]\n[[claim]]\nid = \"T1b\"\n")
}

fn twin(of: &str, key: &str, [first, second]: [&str; 2], value: &str, numbers: [usize; 2]) -> String {
    let rounding = if key.contains("patterns") || key.contains("batch") { "; integers are rounded" } else { "" };
    let [a, b] = numbers;
    format!(
        "{of} {key} = {second}: must differ from {first} on the same axis: both are {value}, so that points {a} and {b} \
         have the same runs{rounding}"
    )
}

#[test]
fn fails_on_values_of_one_axis_that_resolve_to_one() {
    let file = "sims/x.toml: grid:";
    for (values, texts, value, numbers) in [
        ("20, \"2*10\", 24, 28, 32", ["20", "\"2*10\""], "20", [0, 1]),
        ("20, 24, 28, 32, \"2*16\"", ["32", "\"2*16\""], "32", [3, 4]),
        ("\"15.6\", \"16.4\", 20, 24, 28", ["\"15.6\"", "\"16.4\""], "16", [0, 1]),
        ("\"tokens+14\", 24, 28, 32, \"20\"", ["\"tokens+14\"", "\"20\""], "20", [0, 4]),
    ] {
        let text = format!("data.tokens = 6\n{}", sweep(values));
        assert_eq!(refused(&text, &[]), twin(file, "data.patterns", texts, value, numbers));
    }
    let reals = |values: &str| format!("[grid]\n\"pretrained.gauge_relevant\" = [{values}]\n");
    for (values, texts, value) in [
        ("0, \"-0\"", ["0", "\"-0\""], "0"),
        ("0.5, \"1/2\"", ["0.5", "\"1/2\""], "0.5"),
        ("0.25, \"1/8 + 1/8\"", ["0.25", "\"1/8 + 1/8\""], "0.25"),
    ] {
        assert_eq!(refused(&reals(values), &[]), twin(file, "pretrained.gauge_relevant", texts, value, [0, 1]));
    }
    accepted(&reals("0, \"1e-300\", 0.1, \"0.1+1e-16\""), &[]);
}

#[test]
fn fails_on_lists_of_one_axis_that_ask_for_the_same() {
    let lists = |key: &str, values: &str| refused(&format!("[grid]\n\"pruning.{key}\" = [{values}]"), &[]);
    let file = "sims/x.toml: grid:";
    assert_eq!(
        lists("finetune_kept", "[4, 8], [8, 4, 4]"),
        twin(file, "pruning.finetune_kept", ["[4, 8]", "[8, 4, 4]"], "[8, 4, 4]", [0, 1])
    );
    let words = "[\"random\", \"router-norm\"], [\"router-norm\", \"random\"]";
    assert!(
        lists("criteria", words)
            .starts_with("sims/x.toml: grid: pruning.criteria = [router-norm, random]: must differ")
    );
}

#[test]
fn fails_on_twins_of_a_case_and_of_an_override_and_names_where_they_stand() {
    let case = "[[case]]\nname = \"a\"\ngrid = { \"data.patterns\" = [20, \"10+10\"] }";
    assert_eq!(
        refused(case, &[]),
        twin("sims/x.toml: case \"a\": grid:", "data.patterns", ["20", "\"10+10\""], "20", [0, 1])
    );
    assert_eq!(
        refused("", &["data.patterns=[20, 24, \"2*10\"]"]),
        twin("--set", "data.patterns", ["20", "\"2*10\""], "20", [0, 2])
    );
    // Two values that are one at some values of another key only.
    let grid = "[grid]\n\"data.patterns\" = [32, 64]\n\"training.batch\" = [16, \"patterns/4\"]";
    assert_eq!(
        refused(grid, &[]),
        twin("sims/x.toml: grid:", "training.batch", ["16", "\"patterns/4\""], "16", [2, 3])
    );
    accepted(grid, &["data.patterns=[32, 128]"]);
}

#[test]
fn fails_on_one_claim_at_two_cases_with_the_same_parameters() {
    let cases = "[grid]\n\"data.patterns\" = [32, 64]\n[[case]]\nname = \"small\"\nset = { \"training.batch\" = 16 }\n\
                 [[case]]\nname = \"grows\"\nset = { \"training.batch\" = \"patterns/4\" }\n";
    let claim = |case: &str| format!("[[claim]]\nid = \"T0\"\n{case}\n");
    assert_eq!(
        refused(&format!("{cases}{}", claim("")), &[]),
        "sims/x.toml: claim T0: point 1 of case \"small\" and point 3 of case \"grows\" have the same parameters \
         (batch = 16, patterns = 64), hence the same runs: one claim must not be judged at both; give it a case"
    );
    // Claims of their own are told apart by their cases, and without a claim nothing is counted.
    accepted(&format!("{cases}{}{}", claim("case = \"small\""), claim("case = \"grows\"")), &[]);
    accepted(cases, &[]);
    // The same d, and another batch.
    accepted(&format!("{cases}{}", claim("")), &["data.patterns=[32, 128]"]);
}

#[test]
fn twins_among_many_points_are_found() {
    let numbers: Vec<String> = (1..10_000).map(|number| format!("{}", f64::from(number) / 1e5)).collect();
    let text = format!("[grid]\n\"training.router_rate\" = [{}, \"1/100000\"]", numbers.join(","));
    assert_eq!(
        refused(&text, &[]),
        twin("sims/x.toml: grid:", "training.router_rate", ["1e-5", "\"1/100000\""], "1e-5", [0, 9999])
    );
}
