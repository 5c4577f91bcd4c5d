//! What the program prints.

use crate::cli_common::{Bench, TINY};
use crate::too_wide;
use moe_theory::claims::DEFINITIONS;

#[test]
fn quiet_prints_nothing() {
    let bench = Bench::new();
    assert_eq!(bench.succeeds("run tiny.toml --quiet --out made"), "");
    assert_eq!(bench.files_below("made").len(), 7);
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

/// A sweep over d with claims and half-batches, and all criteria: everything that a terminal can show.
const SWEEP: &str = "run sweep.toml --set data.patterns=[20,24,32,48] --set record.half_batches=true";

#[test]
fn the_summary_has_a_line_a_claim_and_details_are_asked_for() {
    let bench = Bench::new();
    let claims = "[[claim]]\nid = \"T1d\"\non = \"all\"\n[[claim]]\nid = \"C1\"\nagainst = \"oracle\"\n[[claim]]\nid = \"C1\"\nagainst = \"loo-loss\"\n";
    let text =
        TINY.replace("name = \"tiny\"", "name = \"sweep\"").replace("[pruning]\n", "[pruning]\ncriteria = \"all\"\n");
    bench.write("sweep.toml", text + claims);
    let printed = bench.succeeds(&format!("{SWEEP} --out made"));
    let table: Vec<&str> =
        printed.lines().skip_while(|line| !line.starts_with('─')).skip(1).take_while(|line| !line.is_empty()).collect();
    let names: Vec<&str> = table.iter().map(|line| line.split("  ").next().unwrap_or_default()).collect();
    assert_eq!(names, ["T0", "T1a", "T1d", "C1 ×2"], "{printed}");
    // In the words of the sweep, and slopes with what a slope needs.
    assert!(table[0].contains("d = ") && table[2].contains("≤ "), "{printed}");
    assert!(printed.contains("95 % interval") && !printed.contains('@'), "{printed}");
    let verbose = bench.succeeds("judge made --verbose");
    for piece in
        ["Exponents of d", "What moves irrelevant routers", "  d = 24", "the fine-tuned, unpruned model generalizes"]
    {
        assert!(verbose.contains(piece) && !printed.contains(piece), "{piece}: {verbose}");
    }
    assert!(verbose.lines().count() > 2 * bench.succeeds("judge made").lines().count());
    assert_eq!([too_wide(&printed), too_wide(&verbose)], [const { Vec::<&str>::new() }; 2]);
}

#[test]
fn advice_fits_the_folder() {
    let bench = Bench::new();
    let printed = bench.succeeds("run tiny.toml --out made");
    assert!(printed.contains("simulate explain T0") && printed.contains("run controls"), "{printed}");
    bench.write("control.toml", TINY.replace("on = \"all\"", "on = \"all\"\nexpect = \"REFUTED\""));
    assert!(!bench.succeeds("run control.toml --out control").contains("run controls"));
}

#[test]
fn no_line_of_a_dry_run_is_wider_than_80_columns() {
    let bench = Bench::new();
    let (before, after) = TINY.split_once("aims = \"").expect("it aims at something");
    bench.write("long.toml", format!("{before}aims = \"{}{after}", "At a long line. ".repeat(8)));
    for file in ["tiny.toml", "long.toml"] {
        assert_eq!(too_wide(&bench.succeeds(&format!("run {file} --dry-run"))), Vec::<&str>::new());
    }
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
    let claims = moe_theory::sim::CLAIM_KEYS.iter().map(|claim| claim.id.name());
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

#[test]
fn a_column_is_explained_in_every_file_that_has_it() {
    let bench = Bench::new();
    let text = bench.succeeds("explain displacement");
    for part in ["(experts.csv)", "(trajectory.csv)", "a number, at least 0", "diverged"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let one = bench.succeeds("explain experts.csv:displacement");
    assert!(one.contains("(experts.csv)") && !one.contains("(trajectory.csv)"), "{one}");
    for column in moe_theory::record::columns::all() {
        let text = bench.succeeds(&format!("explain {}:{}", column.file, column.name));
        assert!(text.starts_with(column.name), "{text}");
        assert_eq!(too_wide(&text), Vec::<&str>::new());
    }
}

#[test]
fn words_that_people_type_are_explained() {
    let bench = Bench::new();
    for (word, part) in [
        ("γ", "Share of irrelevant experts"),
        ("gamma", "Share of irrelevant experts"),
        ("Δ", "‖w_s^T‖ − ‖w_s⁰‖"),
        ("delta", "‖w_s^T‖ − ‖w_s⁰‖"),
        ("c₁", "Threshold of claim T1a"),
        ("c1", "Threshold of claim T1a"),
        ("ρ", "1 − kept/k"),
        ("rho", "1 − kept/k"),
        ("λ", "P[o_v is among the l tokens"),
        ("lambda", "P[o_v is among the l tokens"),
        ("ambiguous", "neither relevant nor misaligned nor irrelevant"),
        ("relevant", "roles.relevant_min"),
        ("irrelevant", "roles.irrelevant_max"),
        ("misaligned", "for the other class"),
        ("SUPPORTED", "opposite of the claim is rejected"),
        ("refuted", "at least 0.95"),
        ("Inconclusive", "too few"),
        ("seeds", "Runs per grid point"),
        ("expect", "exit status 3"),
        ("AUC", "ranks a relevant expert above an irrelevant one"),
        ("knee", "within 0.01"),
        ("t1c", "T1c: "),
        ("a-labels", "A-labels: "),
        ("Default", "name = \"default\""),
        ("η_r", "training.router_rate (η_r)"),
        ("d", "data.patterns (d)"),
        ("c", "pretrained.router_scale"),
        ("token-choice", "model.routing"),
        ("CERTIFIED", "proved"),
    ] {
        let text = bench.succeeds(&format!("explain {word}"));
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(part), "{word}: {text}");
        if word != "Default" {
            assert_eq!(too_wide(&text), Vec::<&str>::new());
        }
    }
    // A symbol says what it is, and which columns hold it.
    let gamma = bench.succeeds("explain gamma");
    assert!(gamma.starts_with("γ (gamma): ") && gamma.contains("gamma (runs.csv)"), "{gamma}");
}

#[test]
fn a_section_is_explained_by_its_keys() {
    let bench = Bench::new();
    for section in moe_theory::sim::KEYS.iter().map(|key| key.section()) {
        let text = bench.succeeds(&format!("explain {section}"));
        for key in moe_theory::sim::KEYS.iter().filter(|key| key.section() == section) {
            assert!(text.contains(key.path), "{}: {text}", key.path);
        }
        assert_eq!(too_wide(&text), Vec::<&str>::new());
    }
}

#[test]
fn each_audit_column_explains_its_own_assumption() {
    let bench = Bench::new();
    for assumption in moe_theory::claims::assumptions::Assumption::ALL {
        let column = assumption.name().replacen("A-", "meets_", 1);
        let text = bench.succeeds(&format!("explain {column}"));
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(&format!("{}: {}.", assumption.name(), assumption.statement())), "{text}");
        for other in moe_theory::claims::assumptions::Assumption::ALL {
            assert!(other == assumption || !text.contains(other.name()), "{column}: {text}");
        }
    }
}

#[test]
fn one_kind_is_listed_alone() {
    let bench = Bench::new();
    let whole = bench.succeeds("list");
    for (kind, name) in [
        ("simulations", "theorem1"),
        ("claims", "T2a"),
        ("assumptions", "A-gauge"),
        ("lemmas", "L10"),
        ("criteria", "reap"),
        ("words", "knee"),
        ("keys", "training.batch"),
        ("columns", "runs.csv"),
    ] {
        let text = bench.succeeds(&format!("list {kind}"));
        assert!(text.lines().any(|line| line.starts_with(&format!("  {name} "))), "{kind}: {text}");
        let own: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
        assert!(whole.contains(&own.join("\n")) && own.len() > 2, "{kind}");
        assert_eq!(text.lines().filter(|line| !line.starts_with(' ') && !line.is_empty()).count(), 2, "{text}");
    }
}

#[test]
fn thresholds_are_explained_with_range_default_and_source() {
    let bench = Bench::new();
    let gauge = bench.succeeds("explain A-gauge");
    assert!(gauge.contains("assumptions.norm_max = 2.0") && gauge.contains("source"), "{gauge}");
    let claim = bench.succeeds("explain T1a");
    assert!(claim.contains("c₁") && claim.contains("1000") && claim.contains("source"), "{claim}");
    for (lemma, page) in [("L8", "lemmas"), ("L12", "gauge"), ("L13", "lemmas"), ("S1", "stochastic-lemmas")] {
        assert!(bench.succeeds(&format!("explain {lemma}")).contains(&format!("docs/theory/{page}.md")), "{lemma}");
    }
}

#[test]
fn completions_and_man_page_know_every_command() {
    let bench = Bench::new();
    let commands = ["run", "list", "explain", "judge", "report", "merge", "trace", "certify", "falsify"];
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = bench.succeeds(&format!("completions {shell}"));
        assert!(commands.iter().all(|command| text.contains(command)), "{shell}");
    }
    let page = bench.succeeds("man");
    assert!(page.contains(".TH simulate 1"), "{page}");
    assert!(commands.iter().all(|command| page.contains(&format!("simulate\\-{command}(1)"))), "{page}");
    bench.succeeds("man --out pages");
    assert!(bench.read("pages/simulate-run.1").contains("until\\-decided"));
}

#[test]
fn a_run_says_how_long_it_takes_and_what_to_look_at() {
    let bench = Bench::new();
    let printed = bench.succeeds("run tiny.toml --out made --threads 2");
    assert!(printed.lines().any(|line| line.starts_with("it takes ") && line.ends_with(" threads")), "{printed}");
    for part in
        ["Median norm change Δ", "relevant", "Mean accuracy as experts are pruned", "made/report.html", "explain T0"]
    {
        assert!(printed.contains(part), "{part}: {printed}");
    }
}

#[test]
fn a_claim_is_explained_by_the_tests_that_it_has() {
    let bench = Bench::new();
    for definition in &DEFINITIONS {
        let id = definition.id.name();
        let text = bench.succeeds(&format!("explain {}", id));
        let (slopes, compares) = (id.starts_with("T1b") || id.starts_with("T1d"), id.starts_with('C'));
        let slopes = slopes || matches!(id, "T1a" | "T2b");
        assert_eq!(text.contains("Slopes:"), slopes, "{text}");
        assert_eq!(text.contains("binomial test"), !compares && !id.starts_with("T1d"), "{text}");
        // One rule for the probability or the comparison, one for slopes.
        let rules = if slopes && !id.starts_with("T1d") { 2 } else { 1 };
        assert_eq!(
            text.split_whitespace().collect::<Vec<_>>().join(" ").matches("SUPPORTED if").count(),
            rules,
            "{text}"
        );
    }
}

/// A page names a folder and a claim to search only if they are its own.
#[test]
fn the_page_names_a_search_for_a_claim_that_it_has() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --out made");
    let page = bench.read("made/report.html");
    assert!(page.contains("simulate falsify T0 --budget 60s --out FOLDER/falsify-T0.toml"));
    assert!(!page.contains("results/tiny") && !page.contains("falsify T1c"));
}

#[test]
fn the_values_of_a_column_are_explained() {
    let values = [
        ("explain against", "a criterion's name"),
        ("explain tied", "an integer, at least 0"),
        ("explain claims.csv:feature", "common, rare"),
        ("explain stop_reason", "finished, zero-loss, diverged, underflow"),
        ("explain experts.csv:aimer", "a number, or inf"),
    ];
    for (command, values) in values {
        let text = Bench::new().succeeds(command);
        assert!(text.contains(&format!("values              {values}\n")), "{text}");
    }
}
