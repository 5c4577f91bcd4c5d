//! Cases: settings, grids and runs of their own.

use crate::{NAME, accepted, columns, refused, swept};
use moe_theory::sim::{MOST_POINTS, Overrides, Simulation};

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

const OWN_GRIDS: &str = r#"
seeds = 7
[grid]
"data.noise" = [0, 0.1]
[[case]]
name = "plain"
[[case]]
name = "wide"
seeds = 3
set = { "training.router_rate" = 0.4 }
grid = { "data.patterns" = { from = 32, to = 64, steps = 2 }, "training.batch" = ["patterns/2", 8] }
[[case]]
name = "narrow"
set.training.batch = 5
grid.training.iterations = [1, 2]
"#;

#[test]
fn a_case_sweeps_keys_of_its_own_inside_the_files_grid() {
    let (_, points) = accepted(OWN_GRIDS, &[]);
    assert_eq!(points.iter().map(|point| point.index).collect::<Vec<_>>(), (0..14).collect::<Vec<_>>());
    let cases = swept(&points, "case");
    assert_eq!(["plain", "wide", "narrow"].map(|name| cases.iter().filter(|case| *case == name).count()), [2, 8, 4]);
    assert_eq!(swept(&points[2..10], "noise").join(" "), "0 0 0 0 0.1 0.1 0.1 0.1");
    assert_eq!(swept(&points[2..10], "patterns").join(" "), "32 32 64 64 32 32 64 64");
    assert_eq!(swept(&points[2..10], "batch").join(" "), "16 8 32 8 16 8 32 8");
    assert_eq!(points[9].parameters.training.batch, 8);
    let paths: Vec<&str> = points[9].grid.iter().map(|value| value.path).collect();
    assert_eq!(paths, ["data.noise", "data.patterns", "training.batch"]);
}

#[test]
fn every_point_has_the_columns_of_every_case() {
    let (_, points) = accepted(OWN_GRIDS, &[]);
    for point in &points {
        assert_eq!(columns(point), ["case", "router_rate", "batch", "noise", "patterns", "iterations"]);
    }
    // A key that this case neither sets nor sweeps has its value all the same.
    assert_eq!(swept(&points[..1], "patterns"), ["128"]);
    assert_eq!(swept(&points[12..], "batch"), ["5", "5"]);
    assert_eq!(swept(&points[10..], "iterations"), ["1", "2", "1", "2"]);
}

#[test]
fn a_case_has_its_own_number_of_runs_unless_the_command_line_gives_one() {
    let seeds = |given| {
        let overrides = Overrides { set: &[], seeds: given };
        let read = Simulation::parse("x.toml", &format!("{NAME}{OWN_GRIDS}"), &overrides);
        let points = read.and_then(|simulation| simulation.points()).expect("legal");
        points.iter().map(|point| point.seeds).collect::<Vec<_>>()
    };
    assert_eq!(seeds(None), [7, 7, 3, 3, 3, 3, 3, 3, 3, 3, 7, 7, 7, 7]);
    assert_eq!(seeds(Some(2)), [2; 14]);
    assert_eq!(
        refused("[[case]]\nname = \"a\"\nseeds = 1.5", &[]),
        "sims/x.toml: case \"a\": seeds = 1.5: must be an integer from 1 to 1000000000"
    );
}

#[test]
fn an_override_changes_keys_that_no_case_gives() {
    let (_, points) = accepted(OWN_GRIDS, &["data.noise=[0.2]", "data.tokens=[4, 6, 8]"]);
    assert_eq!(points.len(), 21);
    assert!(points.iter().all(|point| point.parameters.data.noise == 0.2));
    assert_eq!(refused(OWN_GRIDS, &["data.patterns=64"]), "--set data.patterns: case \"wide\" sets this key itself");
    assert_eq!(
        refused(OWN_GRIDS, &["training.batch=[64]"]),
        "--set training.batch: case \"wide\" sets this key itself"
    );
}

#[test]
fn fails_on_a_case_grid_that_cannot_be_read_or_collides() {
    let case = |text: &str| refused(&format!("[[case]]\nname = \"a\"\n{text}"), &[]);
    assert_eq!(case("grid = 3"), "sims/x.toml: case \"a\": grid = 3: must be a table");
    assert_eq!(
        case("grid = { \"data.paterns\" = [3] }"),
        "sims/x.toml: unknown key data.paterns in case \"a\": grid; the nearest key is data.patterns"
    );
    assert_eq!(
        case("grid = { \"data.patterns\" = [3] }"),
        "sims/x.toml: case \"a\": grid: data.patterns = 3: must be an integer from 4 to 65536"
    );
    assert_eq!(
        case("grid = { \"data.patterns\" = { from = 8, to = 9 } }"),
        "sims/x.toml: case \"a\": grid: data.patterns: steps is missing: must be an integer from 2 to 100000"
    );
    assert_eq!(
        case("grid = { \"data.tokens\" = [8, 3] }"),
        "sims/x.toml: model.tokens_per_expert = 4: must be from 2 to 3, because data.tokens = 3; at case \"a\", tokens = 3"
    );
    assert_eq!(
        case("set = { \"data.patterns\" = 64 }\ngrid = { \"data.patterns\" = [32] }"),
        "sims/x.toml: data.patterns: case \"a\" both sets and sweeps it"
    );
    assert_eq!(
        case("grid = { \"data.patterns\" = [32] }\n[grid]\n\"data.patterns\" = [64]"),
        "sims/x.toml: data.patterns: is set by both [grid] and case \"a\""
    );
}

#[test]
fn the_most_points_are_counted_over_all_cases() {
    let case = |name, steps| {
        format!("[[case]]\nname = \"{name}\"\ngrid.training.router_rate = {{ from = 0.1, to = 1, steps = {steps} }}\n")
    };
    assert_eq!(
        refused(&(case("a", MOST_POINTS) + &case("b", 2)), &[]),
        format!("sims/x.toml: the grid has {} points: must be at most {MOST_POINTS}", MOST_POINTS + 2)
    );
    let (_, points) = accepted(&(case("a", 300) + &case("b", 2)), &[]);
    assert_eq!(points.len(), 302);
}
