//! The file as a whole: its text, its name, unknown keys, hostile text.

use crate::{NAME, accepted, message, read, refused};
use moe_theory::sim::{KEYS, On, Overrides, RoleSource, Simulation, Verdict};
use proptest::prelude::*;

const DESIGN_EXAMPLE: &str = r#"
name = "default"
aims = "Theorems 1 and 2 in regime, at one point"
seeds = 500
[data]
patterns = 128
tokens = 16
replacement = false
noise = 0.0
class_share = 0.5
basis = "canonical"
[model]
experts = 16
neurons = 16
tokens_per_expert = 4
routing = "expert-choice"
[pretrained]
kind = "constructed"
relevant_per_class = 2
misaligned = 0
specialisation = 0.5
router_scale = 1.0
router_noise = "0.05*sqrt(128/patterns)"
neuron_scale = 0.2
[training]
router_rate = 0.2
expert_rate = 1.6
batch = 128
iterations = 300
[pruning]
criterion = "router-norm-change"
finetune_iterations = 50
[grid]
"data.patterns" = [128]
[roles]
relevant_min = 0.5
irrelevant_max = 0.02
[[claim]]
id = "T1a"
threshold = 0.1
on = "met"
expect = "SUPPORTED"
"#;

#[test]
fn the_example_of_the_contract_is_read() {
    let simulation = read(DESIGN_EXAMPLE, &[]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((simulation.name.as_str(), simulation.seeds), ("default", 500));
    let claim = &simulation.claims[0];
    assert_eq!((claim.id.name(), claim.threshold(), claim.level), ("T1a", Some(0.1), 0.95));
    assert_eq!((claim.on, claim.roles, claim.expect), (On::Met, RoleSource::Measured, Some(Verdict::Supported)));
    let points = simulation.points().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(points.len(), 1);
    assert_eq!(points[0].swept, [("patterns".to_string(), "128".to_string())]);
}

#[test]
fn the_defaults_are_the_setting_of_the_contracts_example() {
    let example = read(DESIGN_EXAMPLE, &[]).and_then(|simulation| simulation.points());
    let (_, defaults) = accepted("", &[]);
    assert_eq!(example.map(|points| points[0].parameters.clone()), Ok(defaults[0].parameters.clone()));
    assert!(defaults[0].swept.is_empty());
}

#[test]
fn fails_on_a_syntax_error_with_line_and_column() {
    let text = "name = \"x\"\n[data]\npatterns = = 3\n";
    assert_eq!(message(text, &[]), "sims/x.toml:3:12: extra `=`, expected nothing");
    assert_eq!(message("[data]\n[data]\n", &[]), "sims/x.toml:2:2: duplicate key");
    assert_eq!(message("aims = \"ä\" §", &[]), "sims/x.toml:1:12: unexpected key or value, expected newline, `#`");
}

#[test]
fn names_the_file_in_full_and_on_one_line() {
    let file = format!("{}\n.toml", "long/".repeat(100));
    let error = Simulation::parse(&file, "name = 3", &Overrides::default()).map_err(|error| error.to_string());
    assert!(error.is_err_and(|line| line.starts_with(&format!("{}: name = 3: must", file.replace('\n', " ")))));
}

#[test]
fn fails_on_an_unknown_key_with_the_nearest() {
    for (text, key) in [
        ("[data]\npaterns = 3", "data.paterns; the nearest key is data.patterns"),
        ("[trainng]\nbatch = 3", "trainng; the nearest key is training"),
        ("patterns = 3", "patterns; the nearest key is data.patterns"),
        ("sedes = 3", "sedes; the nearest key is seeds"),
        ("[[phas]]", "phas; the nearest key is phase"),
        ("[[phase]]\nclaim = 3", "claim in phase 1; the nearest key is claims"),
        ("[data]\nxyzzy = 3", "data.xyzzy"),
        ("[grid]\n\"data.paterns\" = [3]", "data.paterns in grid; the nearest key is data.patterns"),
        ("[grid.data]\npaterns = [3]", "data.paterns in grid; the nearest key is data.patterns"),
        ("[grid]\npatterns = [3]", "patterns in grid; the nearest key is data.patterns"),
        ("[[case]]\nnam = \"x\"", "nam in case 1; the nearest key is name"),
        (
            "[[case]]\nname = \"a\"\nset = { \"training.bach\" = 3 }",
            "training.bach in case \"a\"; the nearest key is training.batch",
        ),
        ("[[claim]]\nid = \"T0\"\ntreshold = 1", "treshold in claim 1; the nearest key is threshold"),
        (
            "[grid]\n\"data.patterns\" = { from = 4, to = 8, step = 3 }",
            "step in grid: data.patterns; the nearest key is steps",
        ),
    ] {
        assert_eq!(refused(text, &[]), format!("sims/x.toml: unknown key {key}"));
    }
    assert_eq!(refused("", &["data.paterns=3"]), "--set unknown key data.paterns; the nearest key is data.patterns");
}

#[test]
fn fails_on_a_name_that_is_no_folder_name() {
    let legal = "must be 1 to 64 of A-Z a-z 0-9 . _ - and not start with a dot";
    assert_eq!(message("seeds = 3", &[]), format!("sims/x.toml: name is missing: {legal}"));
    for name in ["", ".hidden", "a/b", "..", "a b", "ä", &"x".repeat(65)] {
        let text = format!("name = \"{name}\"");
        assert_eq!(message(&text, &[]), format!("sims/x.toml: name = \"{name}\": {legal}"));
    }
    assert!(read(&format!("name = \"{}\"", "x".repeat(64)), &[]).is_ok());
    assert_eq!(refused("[[case]]\nname = \"a,b\"", &[]), format!("sims/x.toml: case 1: name = \"a,b\": {legal}"));
    assert_eq!(refused("[[case]]", &[]), format!("sims/x.toml: case 1: name is missing: {legal}"));
}

#[test]
fn hostile_files_are_refused_in_one_line() {
    for text in [
        "[".repeat(100_000),
        format!("x = {}", "[".repeat(100_000)),
        format!("{NAME}[training]\nbatch = \"{}\"", "(".repeat(900)),
        format!("{NAME}\"a\\nb\" = 3"),
        format!("{NAME}[data]\npatterns = \"\"\"\n\n1\n+\"\"\""),
        "name = 99999999999999999999999".into(),
        "\u{feff}".into(),
        String::new(),
    ] {
        let found = message(&text, &[]);
        assert!(!found.contains('\n') && found.len() < 600, "{found}");
    }
    let found = refused("", &[&format!("data.patterns={}", "[".repeat(100_000))]);
    assert!(!found.contains('\n') && found.len() < 600, "{found}");
}

/// The book's pages that show parts of simulation files.
const EXAMPLES: [&str; 4] = [
    include_str!("../../docs/use/simulation.md"),
    include_str!("../../docs/use/claim.md"),
    include_str!("../../docs/use/maps.md"),
    include_str!("../../docs/reference/language.md"),
];

#[test]
fn the_examples_of_the_document_are_accepted() {
    let blocks: Vec<&str> = EXAMPLES
        .iter()
        .flat_map(|page| page.split("```toml\n").skip(1))
        .filter_map(|rest| rest.split("```").next())
        .collect();
    let [whole, grid, cases, claim, own_claim, phase, own] = blocks[..] else { panic!("{} examples", blocks.len()) };
    assert_eq!(read(whole, &[]).and_then(|simulation| simulation.points()).map(|points| points.len()).ok(), Some(2));
    assert_eq!(accepted(own_claim, &[]).1.len(), 1);
    assert_eq!(accepted(grid, &[]).1.len(), 30);
    assert_eq!(accepted(&format!("{cases}{claim}"), &[]).1.len(), 7);
    assert_eq!(accepted(&format!("[grid]\n\"data.patterns\" = [64, 128]\n{own}"), &[]).1.len(), 2);
    let (simulation, points) = accepted(phase, &[]);
    assert_eq!((simulation.phases[0].maps(&points).len(), points.len()), (1, 30));
}

/// Lines that look like lines of a simulation file.
fn line() -> impl Strategy<Value = String> {
    let key = prop::sample::select(KEYS).prop_map(|key| key.path.to_string());
    let name = prop_oneof![
        key,
        Just("id".into()),
        Just("set".into()),
        Just("name".into()),
        Just("claims".into()),
        Just("x".into()),
        "[a-z\".]{0,6}"
    ];
    let value = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:?}").to_lowercase()),
        (0..100u32).prop_map(|number| number.to_string()),
        Just("[1, 2]".into()),
        Just("{ from = 4, to = 9, steps = 3 }".into()),
        Just("\"T2b\"".into()),
        Just("\"T1d\"".into()),
        Just("[{ id = \"T1b\", threshold = 1 }]".into()),
        Just("{ training.batch = \"patterns\" }".into()),
        r#""[-a-z0-9+*/^(),._ ]{0,12}""#,
        r"\PC{0,8}",
    ];
    let header = prop_oneof![
        Just("[grid]"),
        Just("[[case]]"),
        Just("[[claim]]"),
        Just("[[phase]]"),
        Just("[case.grid]"),
        Just("[data]"),
        Just("[training]")
    ];
    prop_oneof![(name, value).prop_map(|(name, value)| format!("{name} = {value}")), header.prop_map(String::from)]
}

proptest! {
    #[test]
    fn no_file_makes_the_reader_panic_and_every_message_is_one_line(
        lines in prop::collection::vec(line(), 0..12),
        set in prop::collection::vec(line(), 0..2),
    ) {
        let set: Vec<String> = set.iter().map(|line| line.replace(" = ", "=")).collect();
        let text = format!("{NAME}{}", lines.join("\n"));
        if let Err(error) = Simulation::parse("x.toml", &text, &Overrides { set: &set, seeds: None }) {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(text in r"(\PC|\n|[\[\]={}.\x22]){0,60}") {
        if let Err(error) = Simulation::parse("x.toml", &text, &Overrides::default()) {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }
}
