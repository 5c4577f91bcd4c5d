//! Arguments in place of what the file says.

use crate::{NAME, accepted, columns, refused, swept};
use moe_theory::sim::parameters::{Criterion, Labels};
use moe_theory::sim::{Overrides, Simulation};

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
fn fails_on_an_override_that_cannot_be_applied() {
    for (set, problem) in [
        (vec!["data.patterns"], "data.patterns: must be written key=value"),
        (vec!["data.patterns=64", "data.patterns=32"], "data.patterns: is given twice"),
        (
            vec!["data.patterns="],
            "data.patterns = \"\": the expression ends where a number, a name or a \
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
