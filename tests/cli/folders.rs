//! Result folders that the program keeps.

use crate::cli_common::Bench;
use crate::made;

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
    assert_eq!(bench.files_below("made").len(), 7);
}
