//! `simulate verify`: runs trained again are the rows of a folder, and whatever was edited is found.

mod cli_common;

use cli_common::{Bench, Done, TINY, column};
use moe_theory::record::manifest::sha256;

const TABLES: [&str; 4] = ["runs.csv", "experts.csv", "trajectory.csv", "pruning.csv"];

/// Puts `new` in the place of a table, with a fitting hash in the manifest.
fn forge(bench: &Bench, folder: &str, table: &str, new: &str) {
    let path = format!("{folder}/{table}");
    let old = sha256(bench.read(&path).as_bytes());
    bench.write(&path, new);
    let manifest = bench.read(&format!("{folder}/manifest.json"));
    assert!(manifest.contains(&old));
    bench.write(&format!("{folder}/manifest.json"), manifest.replace(&old, &sha256(new.as_bytes())));
}

/// Another text for a cell, of the same kind.
fn edited(cell: &str) -> String {
    let digit = |c: char| c.is_ascii_digit();
    match cell {
        "" => "1".to_owned(),
        "true" => "false".to_owned(),
        "false" => "true".to_owned(),
        "relevant" | "misaligned" => "irrelevant".to_owned(),
        "irrelevant" => "ambiguous".to_owned(),
        "ambiguous" => "irrelevant".to_owned(),
        // The last digit: with another first one a seed may leave its 64 bits.
        number if number.contains(digit) => {
            let at = number.rfind(digit).expect("a digit");
            let next = if &number[at..=at] == "9" { "8" } else { "9" };
            format!("{}{next}{}", &number[..at], &number[at + 1..])
        }
        word => format!("{word}x"),
    }
}

/// A table with the cell in this row and column edited.
fn with_edited_cell(text: &str, row: usize, column: usize) -> String {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut writer = csv::Writer::from_writer(Vec::new());
    for (number, record) in reader.records().enumerate() {
        let record = record.expect("a row");
        let cells = record.iter().enumerate();
        let cells = cells.map(|(at, cell)| if (number, at) == (row, column) { edited(cell) } else { cell.to_owned() });
        writer.write_record(cells).expect("a row");
    }
    String::from_utf8(writer.into_inner().expect("a table")).expect("UTF-8")
}

/// Verifies a folder, which must be as its runs are.
fn verifies(bench: &Bench, arguments: &str) -> String {
    let before = bench.files_below("");
    let done = bench.simulate(&format!("verify {arguments}"));
    assert_eq!(done.status, Some(0), "{done:?}");
    assert!(bench.files_below("") == before, "{arguments} wrote something");
    assert!(done.stdout.contains("cells are the same."), "{done:?}");
    done.stdout
}

#[test]
fn a_folder_as_it_was_written_is_verified() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --set training.batch=[20,24] --out made");
    let printed = verifies(&bench, "made --sample 5 --seed 3");
    assert!(
        printed.starts_with("made: all 12 runs are there, and claims.csv is what they give.\n5 of them"),
        "{printed}"
    );
    assert!(printed.contains("Not checked: the other 7 runs (--sample all), the column seconds"), "{printed}");
    assert!(verifies(&bench, "made --sample all").contains("\n12 of them trained again"));
    assert!(verifies(&bench, "made").contains("\n12 of them trained again"), "20 are more than there are");
    // Another number of threads draws and finds the same.
    assert_eq!(verifies(&bench, "made --sample 5 --seed 3 --threads 3"), printed);
}

#[test]
fn a_draw_is_told_and_can_be_repeated() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --seeds 40 --out made");
    // Only the drawn runs are looked at: with one forged run of 40, draws of 20 find it about every second time.
    let runs = bench.read("made/experts.csv");
    let delta = runs.lines().next().expect("a header").split(',').position(|name| name == "delta").expect("delta");
    forge(&bench, "made", "experts.csv", &with_edited_cell(&runs, 1, delta));
    let statuses: Vec<Option<i32>> =
        (0..12).map(|seed| bench.simulate(&format!("verify made --sample 20 --seed {seed}")).status).collect();
    assert!(statuses.contains(&Some(0)) && statuses.contains(&Some(1)), "{statuses:?}");
    let told = bench.simulate("verify made --sample 20");
    let seed = told.stderr.split("--seed ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a seed");
    let again = bench.simulate(&format!("verify made --sample 20 --seed {seed}"));
    assert_eq!((again.status, again.stdout, again.stderr), (told.status, told.stdout, told.stderr.clone()));
    let other = bench.simulate("verify made --sample 20");
    assert_ne!(other.stderr, told.stderr, "chance gave the same seed twice");
}

#[test]
fn an_edited_cell_of_any_column_is_found_though_the_hash_fits() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --seeds 2 --set training.batch=[20,24] --set record.half_batches=true --out made");
    let manifest = bench.read("made/manifest.json");
    let mut refused = Vec::new();
    for table in TABLES {
        let path = format!("made/{table}");
        let text = bench.read(&path);
        let columns: Vec<&str> = text.lines().next().expect("a header").split(',').collect();
        for (place, column) in columns.iter().enumerate() {
            // The third row, so that rows before and behind it are there.
            forge(&bench, "made", table, &with_edited_cell(&text, 3, place));
            let Done { status, stdout, stderr } = bench.simulate("verify made --sample all --seed 0");
            match (status, *column) {
                // The time that a run took is of no run but that one.
                (Some(0), "seconds") => {}
                (Some(1), _) => {
                    assert!(stderr.contains(&format!("\n  {table}, line 4 (")), "{table} {column}: {stderr}");
                    assert!(stderr.contains(&format!("), {column}: ")), "{table} {column}: {stderr}");
                    assert_eq!(stdout, "");
                }
                // The rows are then not those of a run in its place, or hold no such word or number.
                (Some(2), _) => refused.push(format!("{table}:{column}")),
                _ => panic!("{table} {column}: {status:?} {stderr}"),
            }
            bench.write(&path, &text);
            bench.write("made/manifest.json", &manifest);
        }
    }
    let expected = "runs.csv:point runs.csv:run runs.csv:stop_reason runs.csv:certificate runs.csv:certificate_subsets \
                    experts.csv:point experts.csv:run experts.csv:expert trajectory.csv:point trajectory.csv:run \
                    pruning.csv:point pruning.csv:run pruning.csv:criterion pruning.csv:kept pruning.csv:certificate";
    assert_eq!(refused.join(" "), expected);
    verifies(&bench, "made --sample all");
}

#[test]
fn a_cell_of_every_run_is_looked_at() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --out made");
    let manifest = bench.read("made/manifest.json");
    let text = bench.read("made/runs.csv");
    let place = text.lines().next().expect("a header").split(',').position(|name| name == "gamma").expect("gamma");
    for row in 1..=6 {
        forge(&bench, "made", "runs.csv", &with_edited_cell(&text, row, place));
        let done = bench.simulate("verify made --sample all");
        assert_eq!(done.status, Some(1));
        let run = format!("runs.csv, line {} (run {} of point 0), gamma: ", row + 1, row - 1);
        assert!(done.stderr.contains(&run), "{}", done.stderr);
        assert!(done.stderr.contains("made: 1 cell is not what training gives, in 1 of 6 runs"), "{}", done.stderr);
        bench.write("made/runs.csv", &text);
        bench.write("made/manifest.json", &manifest);
    }
}

#[test]
fn a_wrong_hash_is_said_before_anything_is_trained() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --out made");
    let text = bench.read("made/pruning.csv");
    bench.write("made/pruning.csv", text.replacen(",50,", ",51,", 1));
    let done = bench.simulate("verify made");
    assert_eq!((done.status, done.stdout.as_str()), (Some(2), ""));
    assert_eq!(done.stderr, "simulate: made/pruning.csv: changed since the run (its SHA-256 is not the manifest's)\n");
}

#[test]
fn runs_that_were_taken_away_are_missed_by_verify_and_by_judge() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --out made");
    for table in TABLES {
        let text = bench.read(&format!("made/{table}"));
        let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("0,5,")).collect();
        forge(&bench, "made", table, &format!("{}\n", kept.join("\n")));
    }
    for verb in ["verify", "judge"] {
        let done = bench.simulate(&format!("{verb} made"));
        assert_eq!(done.status, Some(2), "{done:?}");
        assert_eq!(done.stderr, "simulate: made/runs.csv: has no run 5 of point 0\n");
    }
}

#[test]
fn verdicts_that_do_not_follow_from_the_runs_are_found() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --out made");
    let claims = bench.read("made/claims.csv");
    forge(&bench, "made", "claims.csv", &claims.replacen("INCONCLUSIVE (too few)", "SUPPORTED", 1));
    let done = bench.simulate("verify made");
    assert_eq!((done.status, done.stdout.as_str()), (Some(1), ""));
    assert!(done.stderr.ends_with("made/claims.csv: holds other findings than its CSVs give now\n"), "{done:?}");
}

#[test]
fn runs_of_another_master_seed_are_not_these() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --out made");
    let manifest = bench.read("made/manifest.json");
    bench.write("made/manifest.json", manifest.replace("\"master_seed\": 0", "\"master_seed\": 1"));
    let done = bench.simulate("verify made");
    assert_eq!(done.status, Some(1));
    assert!(done.stderr.contains("runs.csv, line 2 (run 0 of point 0), seed: "), "{}", done.stderr);
    assert!(done.stderr.contains("\n  and ") && done.stderr.contains(" in 6 of 6 runs"), "{}", done.stderr);
}

#[test]
fn another_program_is_named() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --out made");
    let manifest = bench.read("made/manifest.json");
    let version = env!("CARGO_PKG_VERSION");
    bench.write("made/manifest.json", manifest.replace(&format!("\"{version}\""), "\"0.0.9\""));
    let done = bench.simulate("verify made");
    assert_eq!(done.status, Some(0));
    assert!(done.stderr.starts_with("simulate: made: the program is version 0.0.9 ("), "{}", done.stderr);
    assert!(done.stderr.contains(": numbers may differ for that alone\n"), "{}", done.stderr);
}

#[test]
fn an_engine_that_is_none_is_refused() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --set data.noise=0.1 --out made");
    let manifest = bench.read("made/manifest.json");
    for (engine, problem) in
        [("abacus", "engine = \"abacus\": must be \"auto\", \"pattern\" or \"dense\""), ("pattern", "data.noise = 0.1")]
    {
        bench.write(
            "made/manifest.json",
            manifest.replace("\"engine\": \"auto\"", &format!("\"engine\": \"{engine}\"")),
        );
        let done = bench.simulate("verify made");
        assert_eq!(done.status, Some(2));
        assert!(done.stderr.starts_with("simulate: made/manifest.json: ") && done.stderr.contains(problem), "{done:?}");
    }
}

#[test]
fn folders_of_every_kind_are_verified() {
    let bench = Bench::new();
    bench.write("measured.toml", TINY.replace("roles = \"built\"\n", ""));
    let cases = "[[case]]\nname = \"a\"\nset = { \"training.router_rate\" = 0.0 }\n[[case]]\nname = \"b\"\n[[claim]]";
    bench.write("cases.toml", TINY.replacen("[[claim]]", cases, 1));
    for (number, arguments) in [
        "tiny.toml --until-decided --seeds 60",
        "tiny.toml --engine dense",
        "tiny.toml --timings",
        "tiny.toml --set data.noise=0.1 --set training.iterations=5 --seed 9",
        "tiny.toml --set pruning.criteria=all --seeds 2",
        "tiny.toml --set model.routing=token-choice --set model.experts_per_token=2",
        "tiny.toml --set training.router_rate=1e6 --set training.expert_rate=1e6 --seeds 3",
        "tiny.toml --set certificate.nodes=20 --seeds 2",
        "measured.toml --set pretrained.kind=upstream --set pretrained.upstream_tasks=4",
        "cases.toml",
    ]
    .into_iter()
    .enumerate()
    {
        let run = bench.simulate(&format!("run {arguments} --quiet --out made{number}"));
        assert_eq!(run.status, Some(0), "{arguments}: {}", run.stderr);
        verifies(&bench, &format!("made{number} --sample 2"));
    }
}

#[test]
fn a_cell_may_be_infinite_and_every_reader_takes_it() {
    let bench = Bench::new();
    let zero = "--set pretrained.neuron_scale=0.0 --set training.expert_rate=0.0";
    bench.succeeds(&format!("run tiny.toml {zero} --set pruning.criteria=[\"aimer\"] --out made"));
    assert!(column(&bench.rows("made/experts.csv"), "aimer").iter().all(|&cell| cell == "inf"));
    bench.succeeds("judge made");
    bench.succeeds("report made");
    verifies(&bench, "made");
}

#[test]
fn shards_and_what_they_are_merged_to_are_verified() {
    let bench = Bench::new();
    for index in 1..=3 {
        bench.succeeds(&format!("run tiny.toml --seeds 7 --shard {index}/3 --out shards/{index}"));
    }
    let printed = verifies(&bench, "shards/2 --sample all");
    assert!(printed.starts_with("shards/2: all 2 runs are there.\n"), "{printed}");
    bench.succeeds("merge shards --out made");
    assert!(verifies(&bench, "made").starts_with("made: all 7 runs are there, and claims.csv"));
}

#[test]
fn a_sample_is_a_number_or_all() {
    let bench = Bench::new();
    for wrong in ["0", "-1", "some", "1.5"] {
        let done = bench.simulate(&format!("verify made --sample={wrong}"));
        assert_eq!(done.status, Some(2));
        assert!(done.stderr.contains("must be a whole number from 1 on, or all"), "{}", done.stderr);
    }
}
