//! What a file may not say, each as a sentence.

use crate::simulation;

fn refusal(lines: &str) -> String {
    match simulation(lines) {
        Ok(_) => panic!("accepted: {lines}"),
        Err(error) => error.to_string(),
    }
}

/// The first line of the refusal of a claim with these keys, without the name of the file.
fn of_claim(keys: &str) -> String {
    let text = refusal(&format!("[[claim]]\nid = \"mine\"\n{keys}"));
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("own.toml: ").unwrap_or(first).to_owned()
}

#[test]
fn an_expression_is_shown_with_a_caret() {
    let text = refusal("[[claim]]\nid = \"mine\"\nholds = \"min(detla where relevant) > 0\"");
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("own.toml: claim mine: holds: unknown variable detla; the nearest is delta; columns of ")
    );
    assert_eq!(lines[1..], ["  min(detla where relevant) > 0", "      ^^^^^"]);
}

#[test]
fn what_a_claim_may_not_say_is_refused_with_the_reason() {
    for (keys, problem) in [
        ("holds = \"min(delta where norm_0) > 0\"", "claim mine: holds: `where` needs a condition; this is a number"),
        ("holds = \"min(delta)\"", "claim mine: holds: a condition is needed here; this is a number"),
        (
            "holds = \"min(delta) > 0\"\nfigure = \"true\"",
            "claim mine: figure: a number is needed here; this is a condition",
        ),
        (
            "holds = \"iterations > 1\"",
            "claim mine: holds: iterations is training.iterations or runs.iterations: write which",
        ),
        (
            "holds = \"min(delta) > threshold\"",
            "claim mine: threshold is missing: the claim names it, so that it must be a number",
        ),
        (
            "holds = \"min(delta) > 0\"\nthreshold = 1",
            "claim mine: threshold = 1: no formula of the claim names threshold",
        ),
        (
            "statement = \"nothing\"",
            "claim mine: holds is missing: a claim of your own says what has to be true of a run, or has a slope",
        ),
        (
            "holds = \"true\"\nmissing = \"ignored\"",
            "claim mine: missing = \"ignored\": must be one of \"fails\", \"set-aside\"",
        ),
        ("holds = \"any(errors of reap = 0)\"", "pruning.criteria = []: must hold reap, because claim mine reads it"),
        ("holds = \"max(reap) > 0\"", "pruning.criteria = []: must hold reap, because claim mine reads it"),
        (
            "holds = \"max(trajectory.delta) > 0\"",
            "record.trajectory_runs = 0: must be at least 1000, the seeds, because claim mine reads trajectories",
        ),
        (
            "holds = \"max(noise_squared) > 0\"",
            "record.half_batches = false: must be true, because claim mine is judged here",
        ),
        ("holds = \"bits_rare > 1\"", "pruning.fewest_bits = false: must be true, because claim mine is judged here"),
        (
            "holds = \"certificate = 'CERTIFIED'\"",
            "certificate.nodes = 0: must be at least 1, because claim mine is judged here",
        ),
        (
            "slope = { of = \"max(delta)\", on = \"log(patterns * experts)\", at_least = 1 }",
            "claim mine: slope.on: a slope is over one key, such as log(patterns)",
        ),
        (
            "slope = { of = \"max(delta)\", on = \"log(patterns)\", at_least = 1 }",
            "claim mine: needs a line of points with at least 2 values of data.patterns, alike in every other swept key: there is none",
        ),
    ] {
        assert_eq!(of_claim(keys), problem, "{keys}");
    }
}

#[test]
fn an_assumption_is_a_function_of_what_is_known_at_the_start() {
    let with = |met: &str| {
        format!(
            "[[claim]]\nid = \"mine\"\nholds = \"true\"\nassumes = [\"own\"]\n[[assumption]]\nid = \"own\"\nmet = \"{met}\""
        )
    };
    assert!(simulation(&with("batch <= patterns and max(norm_0 where relevant) <= 2")).is_ok());
    let refused = refusal(&with("min(delta) > 0"));
    assert!(
        refused.starts_with("own.toml: assumption own: met: delta (experts.csv) is known only at T: an assumption is "),
        "{refused}"
    );
}

#[test]
fn names_are_the_files_own_and_stand_once() {
    for (lines, problem) in [
        (
            "[[claim]]\nid = \"T0\"\nholds = \"true\"",
            "is a claim of the theory, which no file defines; choose another id",
        ),
        ("[[claim]]\nid = \"1st\"\nholds = \"true\"", "must be 1 to 32 of A-Z a-z 0-9 - and begin with a letter"),
        ("[[claim]]\nid = \"a\"\nholds = \"true\"\n[[claim]]\nid = \"a\"\nholds = \"false\"", "is already claim 1"),
        ("[[assumption]]\nid = \"A-roles\"\nmet = \"true\"", "is an assumption of the theory, which no file defines"),
        ("[[assumption]]\nid = \"a\"\nmet = \"true\"\n[[assumption]]\nid = \"a\"\nmet = \"true\"", "a stands twice"),
        ("[[claim]]\nid = \"a\"\nholds = \"true\"\nassumes = [\"A-rols\"]", "the nearest is A-roles"),
        ("[[claim]]\nid = \"a\"\nholds = \"true\"\nassumes = [\"A-roles\", \"A-roles\"]", "stands twice"),
    ] {
        let refused = refusal(lines);
        assert!(refused.contains(problem), "{lines}: {refused}");
    }
}
