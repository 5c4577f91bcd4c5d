//! Simulation files, overrides and grids: what is accepted, and what is refused with which one line.

use moe_theory::sim::parameters::{Basis, Criterion, Labels, Parameters};
use moe_theory::sim::{
    CLAIM_IDS, KEYS, Kind, MOST_POINTS, On, Overrides, Point, RoleSource, Simulation, SimulationError, Verdict,
    resolved_keys,
};
use proptest::prelude::*;

const NAME: &str = "name = \"x\"\n";

fn read(text: &str, set: &[&str]) -> Result<Simulation, SimulationError> {
    let set: Vec<String> = set.iter().map(ToString::to_string).collect();
    Simulation::parse("sims/x.toml", text, &Overrides { set: &set, seeds: None })
}

/// The simulation of a file that has a name and this text.
fn accepted(text: &str, set: &[&str]) -> (Simulation, Vec<Point>) {
    let simulation = read(&format!("{NAME}{text}"), set).unwrap_or_else(|error| panic!("refused: {error}"));
    let points = simulation.points().unwrap_or_else(|error| panic!("points refused: {error}"));
    (simulation, points)
}

/// The message for a file that has a name and this text.
fn refused(text: &str, set: &[&str]) -> String {
    message(&format!("{NAME}{text}"), set)
}

fn message(text: &str, set: &[&str]) -> String {
    match read(text, set) {
        Ok(simulation) => panic!("accepted: {simulation:?}"),
        Err(error) => error.to_string(),
    }
}

fn swept(points: &[Point], column: &str) -> Vec<String> {
    let value = |point: &Point| point.swept.iter().find(|(name, _)| name == column).map(|(_, value)| value.clone());
    points.iter().filter_map(value).collect()
}

fn columns(point: &Point) -> Vec<&str> {
    point.swept.iter().map(|(name, _)| name.as_str()).collect()
}

// ---------------------------------------------------------------------------------------------- what is accepted

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
    assert_eq!((claim.id.as_str(), claim.threshold, claim.level), ("T1a", Some(0.1), 0.95));
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
fn every_field_of_the_parameters_is_a_key_and_every_key_a_field() {
    let (_, points) = accepted("", &[]);
    let fields: Vec<String> = resolved_keys(&points[0].parameters).into_iter().map(|(path, _)| path).collect();
    assert_eq!(fields, KEYS.iter().map(|key| key.path.to_string()).collect::<Vec<_>>());
}

#[test]
fn every_word_of_every_choice_is_a_variant_of_the_parameters() {
    for key in KEYS {
        let Kind::Choice(words) = key.kind else { continue };
        for word in words {
            let (_, points) = accepted("", &[&format!("{}={word}", key.path)]);
            let resolved = resolved_keys(&points[0].parameters);
            assert!(resolved.contains(&(key.path.to_string(), word.to_string())), "{} = {word}", key.path);
        }
    }
}

#[test]
fn scales_follow_the_general_scale_unless_they_are_set() {
    let (_, points) = accepted("[pretrained]\nneuron_scale = 0.3\nrouter_scale = 2\nneuron_scale_relevant = 0.7", &[]);
    let pretrained = &points[0].parameters.pretrained;
    assert_eq!((pretrained.neuron_scale_misaligned, pretrained.router_scale_relevant), (0.3, 2.0));
    assert_eq!(pretrained.neuron_scale_relevant, 0.7);
}

#[test]
fn an_expression_follows_each_point_and_an_integer_takes_the_nearest() {
    let text = "[training]\nbatch = \"patterns^2/1000\"\niterations = \"60/router_rate\"\n\
                [grid]\n\"data.patterns\" = [64, 128, 256]";
    let (_, points) = accepted(text, &[]);
    let batches: Vec<usize> = points.iter().map(|point| point.parameters.training.batch).collect();
    assert_eq!(batches, [4, 16, 66]);
    assert!(points.iter().all(|point| point.parameters.training.iterations == 300));
}

#[test]
fn expressions_may_use_expressions() {
    let (_, points) = accepted("[training]\nbatch = \"2*tokens\"\niterations = \"batch+1\"\n[data]\ntokens = 5", &[]);
    assert_eq!(points[0].parameters.training.iterations, 11);
}

#[test]
fn a_grid_is_walked_with_its_last_key_fastest() {
    let (_, points) = accepted("[grid]\n\"data.patterns\" = [64, 128]\n\"training.router_rate\" = [0.1, 0.2]", &[]);
    assert_eq!(swept(&points, "patterns"), ["64", "64", "128", "128"]);
    assert_eq!(swept(&points, "router_rate"), ["0.1", "0.2", "0.1", "0.2"]);
    assert_eq!(points.iter().map(|point| point.index).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(points[3].parameters.training.router_rate, 0.2);
}

#[test]
fn cases_come_before_the_grid_and_every_point_has_the_same_columns() {
    let text = r#"
[grid]
"data.patterns" = [64, 128]
[[case]]
name = "base"
[[case]]
name = "frozen"
set = { "training.router_rate" = 0.0, "pretrained.neuron_scale" = 1.0 }
[[case]]
name = "nested"
set.training.router_rate = 0.5
"#;
    let (_, points) = accepted(text, &[]);
    assert_eq!(swept(&points, "case"), ["base", "base", "frozen", "frozen", "nested", "nested"]);
    assert_eq!(swept(&points, "router_rate"), ["0.2", "0.2", "0", "0", "0.5", "0.5"]);
    assert_eq!(swept(&points, "neuron_scale"), ["0.2", "0.2", "1", "1", "0.2", "0.2"]);
    for point in &points {
        assert_eq!(columns(point), ["case", "router_rate", "neuron_scale", "patterns"]);
    }
}

#[test]
fn ranges_have_exact_ends_and_clean_values_between_them() {
    let range = |text: &str| {
        let (_, points) = accepted(&format!("[grid]\n{text}"), &[]);
        points.iter().map(|point| point.swept[0].1.clone()).collect::<Vec<_>>()
    };
    let log = r#""data.patterns" = { from = 64, to = 1024, steps = 5, scale = "log" }"#;
    assert_eq!(range(log), ["64", "128", "256", "512", "1024"]);
    assert_eq!(
        range(r#""training.router_rate" = { from = 0.1, to = 0.5, steps = 5 }"#).join(" "),
        "0.1 0.2 0.3 0.4 0.5"
    );
    let falling = r#""training.router_rate" = { from = 1, to = 0.01, steps = 3, scale = "log" }"#;
    assert_eq!(range(falling), ["1", "0.1", "0.01"]);
}

#[test]
fn keys_of_every_kind_can_be_swept() {
    let text = r#"[grid]
"data.basis" = ["canonical", "haar"]
"data.replacement" = [true, false]
"training.batch" = ["patterns", 64]
"pruning.finetune_kept" = ["all", [4, 8], []]
"#;
    let (_, points) = accepted(text, &[]);
    assert_eq!(points.len(), 24);
    assert_eq!(points[12].parameters.data.basis, Basis::Haar);
    assert_eq!(swept(&points[..3], "finetune_kept"), ["all", "[4, 8]", "[]"]);
    assert_eq!(points[0].parameters.pruning.finetune_kept.numbers(3), [3, 2, 1]);
    assert_eq!(points[1].swept[2], ("batch".into(), "128".into()));
}

#[test]
fn overrides_replace_values_words_expressions_and_lists() {
    let set =
        ["data.patterns=64", "pruning.criterion=random", "training.batch=2*patterns", "data.labels = \"independent\""];
    let (_, points) = accepted("[data]\npatterns = 256", &set);
    let parameters = &points[0].parameters;
    assert_eq!((parameters.data.patterns, parameters.training.batch), (64, 128));
    assert_eq!((parameters.pruning.criterion, parameters.data.labels), (Criterion::Random, Labels::Independent));
    let (_, points) = accepted("", &["pruning.finetune_kept=[4, 6]"]);
    assert_eq!(points[0].parameters.pruning.finetune_kept.numbers(16), [6, 4]);
}

#[test]
fn an_override_takes_its_key_out_of_the_grid() {
    let grid = "[grid]\n\"data.patterns\" = [64, 128]\n\"training.batch\" = [8, 16]";
    let (_, points) = accepted(grid, &["data.patterns=32"]);
    assert_eq!(points.iter().map(columns).collect::<Vec<_>>(), [["batch"], ["batch"]]);
    assert!(points.iter().all(|point| point.parameters.data.patterns == 32));
}

#[test]
fn an_override_by_a_list_sweeps_its_key_in_the_old_place() {
    let grid = "[grid]\n\"data.patterns\" = [64, 128]\n\"training.batch\" = [8, 16]";
    let (_, points) = accepted(grid, &["data.patterns=[32]", "data.noise=[0, 0.1]"]);
    assert_eq!(columns(&points[0]), ["patterns", "batch", "noise"]);
    assert_eq!(points.len(), 4);
    let (_, points) = accepted("", &["data.patterns={ from = 32, to = 64, steps = 2 }"]);
    assert_eq!(swept(&points, "patterns"), ["32", "64"]);
}

#[test]
fn the_seeds_of_the_command_line_win() {
    let text = format!("{NAME}seeds = 5");
    let seeds = |seeds| Simulation::parse("x.toml", &text, &Overrides { set: &[], seeds }).map(|read| read.seeds);
    assert_eq!((seeds(None), seeds(Some(7))), (Ok(5), Ok(7)));
}

#[test]
fn a_claim_is_named_by_an_alias_and_given_once_for_each_role_and_case() {
    let text = r#"
[[case]]
name = "a"
[[claim]]
id = "T1c-DeltaC"
[[claim]]
id = "T1c-centred"
on = "all"
[[claim]]
id = "T1c-Δᶜ"
on = "all"
roles = "built"
case = "a"
level = 0.9
expect = "REFUTED"
"#;
    let (simulation, _) = accepted(text, &[]);
    assert!(simulation.claims.iter().all(|claim| claim.id == "T1c-Δᶜ"));
    assert!(simulation.claims[2].applies_to(Some("a")) && !simulation.claims[2].applies_to(Some("b")));
    assert!(simulation.claims[0].applies_to(None));
}

#[test]
fn every_claim_id_is_read() {
    for claim in CLAIM_IDS {
        let threshold = if claim.id == "T2b" || claim.id == "T1a" { "threshold = 3" } else { "" };
        let (simulation, _) =
            accepted(&format!("[[claim]]\nid = \"{}\"\n{threshold}", claim.id), &["pruning.finetune_kept=[3]"]);
        assert_eq!(simulation.claims[0].id, claim.id);
    }
}

#[test]
fn verdicts_are_upper_case_words_for_people_and_files() {
    for (verdict, word) in
        [(Verdict::Supported, "SUPPORTED"), (Verdict::Refuted, "REFUTED"), (Verdict::Inconclusive, "INCONCLUSIVE")]
    {
        assert_eq!(verdict.to_string(), word);
        assert_eq!(serde_json::to_value(verdict).ok(), Some(word.into()));
        assert_eq!(serde_json::from_value(word.into()).ok(), Some(verdict));
    }
}

#[test]
fn a_simulation_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Simulation>();
    shared::<SimulationError>();
}

// ----------------------------------------------------------------------------------------------- what is refused

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
fn fails_on_a_value_outside_its_range_or_of_the_wrong_type() {
    for (text, problem) in [
        ("[data]\npatterns = 3", "data.patterns = 3: must be an integer from 4 to 65536"),
        ("[data]\npatterns = 12.5", "data.patterns = 12.5: must be an integer from 4 to 65536"),
        ("[data]\npatterns = -1", "data.patterns = -1: must be an integer from 4 to 65536"),
        ("[data]\npatterns = true", "data.patterns = true: must be an integer from 4 to 65536"),
        ("[data.patterns]\nx = 1", "data.patterns = {…}: must be an integer from 4 to 65536"),
        ("[training]\nrouter_rate = -0.1", "training.router_rate = -0.1: must be a number from 0 to 1000000"),
        ("[training]\nrouter_rate = nan", "training.router_rate = nan: must be a number from 0 to 1000000"),
        ("[data]\nreplacement = 1", "data.replacement = 1: must be true or false"),
        ("[data]\nbasis = \"har\"", "data.basis = \"har\": must be one of \"canonical\", \"haar\""),
        ("[model]\nrouting = \"token-choice\"", "model.routing = \"token-choice\": must be \"expert-choice\""),
        (
            "[pruning]\nfinetune_kept = [0]",
            "pruning.finetune_kept = [0]: must be \"all\" or a list of numbers of experts, each from 1 to model.experts",
        ),
        (
            "[model]\ntokens_per_expert = 1",
            "model.tokens_per_expert = 1: must be an integer from 2 to 4096 (with l = 1 the gate is constant and the \
             router never moves)",
        ),
        ("seeds = 0", "seeds = 0: must be an integer from 1 to 1000000000"),
        ("aims = 3", "aims = 3: must be a string"),
        ("data = 3", "data = 3: must be a table"),
        ("grid = 3", "grid = 3: must be a table"),
        ("claim = 3", "claim = 3: must be tables [[claim]]"),
        ("case = [3]", "case 1 = 3: must be a table"),
    ] {
        assert_eq!(refused(text, &[]), format!("sims/x.toml: {problem}"));
    }
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
fn fails_on_an_expression_that_cannot_be_read() {
    assert_eq!(
        refused("[training]\nbatch = \"patern^2\"", &[]),
        "sims/x.toml: training.batch = \"patern^2\": unknown variable patern; the nearest is patterns"
    );
    assert_eq!(
        refused("[training]\nbatch = \"basis\"", &[]),
        "sims/x.toml: training.batch = \"basis\": basis is not a number"
    );
    assert_eq!(
        refused("", &["training.batch=2*"]),
        "--set training.batch = \"2*\": the expression ends where a number, a key's last part or a parenthesis was \
         expected"
    );
}

#[test]
fn fails_on_expressions_that_form_a_cycle_and_names_it() {
    assert_eq!(
        refused("[data]\npatterns = \"4*tokens\"\ntokens = \"batch/8\"\n[training]\nbatch = \"patterns\"", &[]),
        "sims/x.toml: data.patterns = \"4*tokens\": the expressions form a cycle: patterns -> tokens -> batch -> patterns"
    );
    assert_eq!(
        refused("", &["training.batch=batch+1"]),
        "--set training.batch = \"batch+1\": the expressions form a cycle: batch -> batch"
    );
    assert_eq!(
        refused("[pretrained]\nneuron_scale = \"neuron_scale_relevant\"", &[]),
        "sims/x.toml: pretrained.neuron_scale = \"neuron_scale_relevant\": the expressions form a cycle: neuron_scale \
         -> neuron_scale_relevant -> neuron_scale"
    );
}

#[test]
fn fails_on_an_expression_whose_value_is_illegal_and_names_the_point() {
    assert_eq!(
        refused("[training]\nbatch = \"patterns^2/0\"", &[]),
        "sims/x.toml: training.batch = \"patterns^2/0\" = inf: must be an integer from 1 to 1000000"
    );
    assert_eq!(
        refused("[training]\nbatch = \"patterns^2\"\n[grid]\n\"data.patterns\" = [64, 1024]", &[]),
        "sims/x.toml: training.batch = \"patterns^2\" = 1048576: must be an integer from 1 to 1000000; at patterns = 1024"
    );
}

#[test]
fn fails_on_keys_that_contradict_each_other() {
    for (set, problem) in [
        ("model.experts=7", "model.experts = 7: must be even, half of each sign"),
        ("model.tokens_per_expert=17", "model.tokens_per_expert = 17: must be from 2 to 16, because data.tokens = 16"),
        (
            "data.patterns=16",
            "data.patterns = 16: must be at least 17, because data.tokens = 16 and data.replacement = false",
        ),
        (
            "pretrained.relevant_per_class=9",
            "pretrained.relevant_per_class = 9: must be from 0 to 8, because model.experts = 16",
        ),
        (
            "pretrained.misaligned=13",
            "pretrained.misaligned = 13: must be from 0 to 12, because pretrained.relevant_per_class = 2 and \
             model.experts = 16",
        ),
        (
            "pretrained.special_patterns=127",
            "pretrained.special_patterns = 127: must be from 0 to 126, because data.patterns = 128",
        ),
        (
            "pruning.finetune_kept=[4, 17]",
            "pruning.finetune_kept = [4, 17]: must hold numbers from 1 to 16, because model.experts = 16",
        ),
    ] {
        assert_eq!(refused("", &[set]), format!("--set {problem}"));
    }
    assert!(read(&format!("{NAME}[data]\nreplacement = true\npatterns = 16"), &[]).is_ok());
}

#[test]
fn fails_on_a_run_that_needs_too_much_memory() {
    assert_eq!(
        refused("[data]\npatterns = 65536\n[model]\nneurons = 1024", &[]),
        "sims/x.toml: model.neurons = 1024: must leave the state of one run within 8 GiB (it would take 24.1 GiB), \
         because model.experts = 16 and data.patterns = 65536"
    );
    assert_eq!(
        refused("[training]\nbatch = 1000000\n[data]\nnoise = 0.5", &[]),
        "sims/x.toml: training.batch = 1000000: must leave the noise of one batch within 8 GiB (it would take 15.3 GiB), \
         because data.tokens = 16, data.patterns = 128 and data.noise = 0.5"
    );
    assert_eq!(
        refused("[data]\npatterns = 65536\nbasis = \"haar\"", &[]),
        "sims/x.toml: data.patterns = 65536: must leave the basis within 8 GiB (it would take 32.0 GiB), because \
         data.basis = haar"
    );
}

#[test]
fn fails_on_a_contradiction_in_a_case_or_at_a_point() {
    let text = "[[case]]\nname = \"odd\"\nset = { \"model.experts\" = 5 }\n[grid]\n\"data.patterns\" = [64]";
    assert_eq!(
        refused(text, &[]),
        "sims/x.toml: case \"odd\": model.experts = 5: must be even, half of each sign; at case \"odd\", patterns = 64"
    );
    assert_eq!(
        refused("[grid]\n\"data.tokens\" = [8, 3]", &[]),
        "sims/x.toml: model.tokens_per_expert = 4: must be from 2 to 3, because data.tokens = 3; at tokens = 3"
    );
    assert_eq!(
        refused("[grid]\n\"data.tokens\" = [8, 3]\n\"training.batch\" = [\"patterns\", 7]", &[]),
        "sims/x.toml: model.tokens_per_expert = 4: must be from 2 to 3, because data.tokens = 3; at tokens = 3, batch = \
         \"patterns\""
    );
}

#[test]
fn fails_on_a_grid_that_cannot_be_read() {
    let shape = "must be a list of 1 to 100000 values";
    for (text, problem) in [
        ("\"data.patterns\" = [3]", "= 3: must be an integer from 4 to 65536".to_string()),
        ("\"data.patterns\" = 64", format!("= 64: {shape} or {{ from, to, steps, scale }}")),
        ("\"data.patterns\" = []", format!("= []: {shape} or {{ from, to, steps, scale }}")),
        ("\"data.patterns\" = [64, 64]", "= 64: must not stand twice on one axis (integers are rounded)".into()),
        (
            "\"data.patterns\" = { from = 4, to = 6, steps = 5 }",
            "= 5: must not stand twice on one axis (integers are rounded)".into(),
        ),
        ("\"data.patterns\" = { from = 1, to = 6, steps = 2 }", "= 1: must be an integer from 4 to 65536".into()),
    ] {
        assert_eq!(refused(&format!("[grid]\n{text}"), &[]), format!("sims/x.toml: grid: data.patterns {problem}"));
    }
    assert_eq!(
        refused("[grid]\n\"data.basis\" = { from = 1 }", &[]),
        format!("sims/x.toml: grid: data.basis = {{…}}: {shape}")
    );
    assert_eq!(
        refused("[grid]\n\"data.patterns\" = [64]\ndata.patterns = [32]", &[]),
        "sims/x.toml: data.patterns: is set twice"
    );
}

#[test]
fn fails_on_a_range_that_cannot_be_read() {
    for (range, problem) in [
        ("to = 6, steps = 2", "from is missing: must be a number"),
        ("from = 4, steps = 2", "to is missing: must be a number"),
        ("from = 4, to = 6", "steps is missing: must be an integer from 2 to 100000"),
        ("from = 4, to = 6, steps = 1", "steps = 1: must be an integer from 2 to 100000"),
        ("from = 4, to = 6, steps = 1e9", "steps = 1000000000.0: must be an integer from 2 to 100000"),
        ("from = 0, to = 6, steps = 2, scale = \"log\"", "from = 0: must be a number above 0 on a log scale"),
        ("from = nan, to = 6, steps = 2", "from = nan: must be a number"),
        ("from = 4, to = 6, steps = 2, scale = \"lin\"", "scale = \"lin\": must be one of \"linear\", \"log\""),
    ] {
        assert_eq!(
            refused(&format!("[grid]\n\"data.patterns\" = {{ {range} }}"), &[]),
            format!("sims/x.toml: grid: data.patterns: {problem}")
        );
    }
}

#[test]
fn fails_on_more_points_than_one_simulation_may_have() {
    let range = |key| format!("\"{key}\" = {{ from = 0.1, to = 1, steps = 1000 }}\n");
    let text = format!("[grid]\n{}{}", range("training.router_rate"), range("training.expert_rate"));
    assert_eq!(refused(&text, &[]), format!("sims/x.toml: the grid has 1000000 points: must be at most {MOST_POINTS}"));
}

#[test]
fn fails_on_cases_that_collide() {
    assert_eq!(
        refused("[[case]]\nname = \"a\"\n[[case]]\nname = \"a\"", &[]),
        "sims/x.toml: case 2: the name \"a\" stands twice"
    );
    let frozen = "[[case]]\nname = \"x\"\nset = { \"training.router_rate\" = 0.0 }\n";
    assert_eq!(
        refused(&format!("{frozen}[grid]\n\"training.router_rate\" = [0.1]"), &[]),
        "sims/x.toml: training.router_rate: is set by both [grid] and case \"x\""
    );
    assert_eq!(
        refused(frozen, &["training.router_rate=0.1"]),
        "--set training.router_rate: case \"x\" sets this key itself"
    );
    assert_eq!(
        refused("[[case]]\nname = \"x\"\nset = { \"training.router_rate\" = -1 }", &[]),
        "sims/x.toml: case \"x\": training.router_rate = -1: must be a number from 0 to 1000000"
    );
    assert_eq!(refused("[[case]]\nname = \"x\"\nset = 3", &[]), "sims/x.toml: case \"x\": set = 3: must be a table");
}

#[test]
fn fails_on_an_override_that_cannot_be_applied() {
    for (set, problem) in [
        (vec!["data.patterns"], "data.patterns: must be written key=value"),
        (vec!["data.patterns=64", "data.patterns=32"], "data.patterns: is given twice"),
        (
            vec!["data.patterns="],
            "data.patterns = \"\": the expression ends where a number, a key's last part or a \
                                  parenthesis was expected",
        ),
        (vec!["data.patterns=3"], "data.patterns = 3: must be an integer from 4 to 65536"),
        (vec!["data.patterns=[3]"], "data.patterns = 3: must be an integer from 4 to 65536"),
        (vec!["data.basis=[]"], "data.basis = []: must be a list of 1 to 100000 values"),
        (vec!["seeds=3"], "unknown key seeds"),
        (vec!["a\nb=3"], "unknown key a b"),
    ] {
        assert_eq!(refused("", &set), format!("--set {problem}"));
    }
    let seeds = Simulation::parse("x.toml", NAME, &Overrides { set: &[], seeds: Some(0) });
    let expected = "--seeds: seeds = 0: must be an integer from 1 to 1000000000";
    assert_eq!(seeds.map_err(|error| error.to_string()), Err(expected.into()));
}

#[test]
fn fails_on_a_claim_that_cannot_be_read() {
    let ids = "must be one of T0, T1a, T1c, T1c-D, T1c-Δᶜ, T2a, T2b";
    let meaning = "c₁, which the smallest norm change of a relevant expert must reach";
    for (claim, problem) in [
        ("on = \"all\"", format!("claim 1: id is missing: {ids}")),
        ("id = 3", format!("claim 1: id = 3: {ids}")),
        ("id = \"T1q\"", format!("claim 1: id = \"T1q\": {ids}; the nearest is T1a")),
        ("id = \"T1c-Delta\"", format!("claim 1: id = \"T1c-Delta\": {ids}; the nearest is T1c-Δᶜ")),
        ("id = \"theorem\"", format!("claim 1: id = \"theorem\": {ids}")),
        (
            "id = \"T1a\"",
            format!("claim T1a: threshold is missing: must be a number above 0 and at most 1000 ({meaning})"),
        ),
        (
            "id = \"T1a\"\nthreshold = 0",
            format!("claim T1a: threshold = 0: must be a number above 0 and at most 1000 ({meaning})"),
        ),
        ("id = \"T0\"\nthreshold = 1", "claim T0: threshold = 1: claim T0 takes no threshold".into()),
        ("id = \"T0\"\nlevel = 0.5", "claim T0: level = 0.5: must be a number above 0.5 and below 1".into()),
        ("id = \"T0\"\nlevel = nan", "claim T0: level = nan: must be a number above 0.5 and below 1".into()),
        ("id = \"T0\"\non = \"some\"", "claim T0: on = \"some\": must be one of \"met\", \"all\"".into()),
        ("id = \"T0\"\nroles = 1", "claim T0: roles = 1: must be one of \"measured\", \"built\"".into()),
        (
            "id = \"T0\"\nexpect = \"supported\"",
            "claim T0: expect = \"supported\": must be one of \"SUPPORTED\", \"REFUTED\", \"INCONCLUSIVE\"".into(),
        ),
        ("id = \"T0\"\ncase = \"a\"", "claim T0: case = \"a\": the file has no [[case]]".into()),
    ] {
        assert_eq!(refused(&format!("[[claim]]\n{claim}"), &[]), format!("sims/x.toml: {problem}"));
    }
    assert_eq!(
        refused("[[case]]\nname = \"frozen\"\n[[claim]]\nid = \"T0\"\ncase = \"frosen\"", &[]),
        "sims/x.toml: claim T0: case = \"frosen\": there is no such case; the nearest is frozen"
    );
    assert_eq!(
        refused("[[claim]]\nid = \"T0\"\n[[claim]]\nid = \"T2a\"\n[[claim]]\nid = \"T0\"\nlevel = 0.9", &[]),
        "sims/x.toml: claim 3: T0 on met by measured roles is already claim 1; change id, case, on or roles"
    );
}

#[test]
fn fails_on_claim_t2b_without_the_measurements_that_it_needs() {
    let claim = |threshold| format!("[[claim]]\nid = \"T2b\"\nthreshold = {threshold}\n");
    let kept = "pruning.finetune_kept=[2, 8]";
    for (threshold, set, problem) in [
        (
            "4",
            vec![kept],
            "sims/x.toml: claim T2b: threshold = 4: must be less than 4, because pretrained.relevant_per_class = 2",
        ),
        (
            "1.5",
            vec![kept],
            "sims/x.toml: claim T2b: threshold = 1.5: must be an integer from 1 to 4096 (c, the number of experts kept that must suffice)",
        ),
        (
            "2",
            vec![],
            "sims/x.toml: pruning.finetune_kept = []: must hold a number of at least 2, because claim T2b has threshold = 2",
        ),
        (
            "3",
            vec!["pruning.finetune_kept=[2]"],
            "--set pruning.finetune_kept = [2]: must hold a number of at least 3, because claim T2b has threshold = 3",
        ),
        (
            "2",
            vec![kept, "pruning.finetune_iterations=0"],
            "--set pruning.finetune_iterations = 0: must be at least 1, because claim T2b has threshold = 2",
        ),
    ] {
        assert_eq!(refused(&claim(threshold), &set), problem);
    }
    accepted(&claim("2"), &["pruning.finetune_kept=all"]);
}

#[test]
fn claim_t2b_is_checked_at_the_points_of_its_case_alone() {
    let text = r#"
[pruning]
finetune_kept = [2]
[[case]]
name = "none"
set = { "pretrained.relevant_per_class" = 1 }
[[case]]
name = "two"
[[claim]]
id = "T2b"
threshold = 2
"#;
    accepted(&format!("{text}case = \"two\""), &[]);
    assert_eq!(
        refused(text, &[]),
        "sims/x.toml: claim T2b: threshold = 2: must be less than 2, because pretrained.relevant_per_class = 1; at case \
         \"none\""
    );
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

// ------------------------------------------------------------------------------------------------------ properties

/// Lines that look like lines of a simulation file.
fn line() -> impl Strategy<Value = String> {
    let key = prop::sample::select(KEYS).prop_map(|key| key.path.to_string());
    let name = prop_oneof![key, Just("id".into()), Just("set".into()), Just("name".into()), "[a-z\".]{0,6}"];
    let value = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:?}").to_lowercase()),
        (0..100u32).prop_map(|number| number.to_string()),
        Just("[1, 2]".into()),
        Just("{ from = 4, to = 9, steps = 3 }".into()),
        Just("\"T2b\"".into()),
        Just("{ training.batch = \"patterns\" }".into()),
        r#""[-a-z0-9+*/^(),._ ]{0,12}""#,
        r"\PC{0,8}",
    ];
    let header = prop_oneof![Just("[grid]"), Just("[[case]]"), Just("[[claim]]"), Just("[data]"), Just("[training]")];
    prop_oneof![(name, value).prop_map(|(name, value)| format!("{name} = {value}")), header.prop_map(String::from)]
}

/// Parameters of a point whose keys have legal values that do not contradict each other.
fn legal_settings() -> impl Strategy<Value = Vec<String>> {
    let rates = (0.0..1e6f64, 1e-9..1.0f64, -1e3..1e3f64, 0.0..=1.0f64);
    let sizes = (2..40usize, 1..20usize, 1..100usize, 0..100_000_000usize);
    (rates, sizes, any::<bool>(), prop::sample::select(vec!["canonical", "haar"])).prop_map(
        |((router, expert, scale, share), (tokens, half, neurons, iterations), replacement, basis)| {
            vec![
                format!("training.router_rate={router}"),
                format!("training.expert_rate={expert}"),
                format!("pretrained.router_scale={scale}"),
                format!("data.class_share={share}"),
                format!("data.tokens={tokens}"),
                "model.tokens_per_expert=2".into(),
                format!("model.experts={}", 2 * half),
                format!("pretrained.relevant_per_class={}", half / 2),
                format!("model.neurons={neurons}"),
                format!("training.iterations={iterations}"),
                format!("data.replacement={replacement}"),
                format!("data.basis={basis}"),
            ]
        },
    )
}

fn parameters(set: &[String]) -> Result<Parameters, String> {
    let simulation = Simulation::parse("x.toml", NAME, &Overrides { set, seeds: None });
    let points = simulation.and_then(|simulation| simulation.points()).map_err(|error| error.to_string())?;
    Ok(points[0].parameters.clone())
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

    #[test]
    fn legal_values_are_read_and_their_resolved_keys_give_them_again(set in legal_settings()) {
        let first = parameters(&set);
        prop_assert!(first.is_ok(), "{first:?}");
        let resolved: Vec<String> = first.iter().flat_map(resolved_keys).map(|(key, value)| format!("{key}={value}")).collect();
        prop_assert_eq!(parameters(&resolved), first);
    }

    #[test]
    fn a_number_outside_its_range_is_refused(key in prop::sample::select(KEYS), excess in 1.0..1e6f64) {
        let (low, high) = match key.kind {
            Kind::Integer { low, high } => (low as f64, high as f64),
            Kind::Real { low, high, .. } => (low, high),
            _ => return Ok(()),
        };
        for number in [low - excess, high + excess] {
            let set = [format!("{}={number:?}", key.path)];
            let found = parameters(&set);
            prop_assert!(found.as_ref().is_err_and(|message| message.contains(&key.legal())), "{:?} {:?}", set, found);
        }
    }
}
