//! What the program writes.

use crate::cli_common::{Bench, TINY, column};
use crate::made;
use moe_theory::record::manifest::sha256;

/// Whether the documented columns stand in this order, with or without others between them.
fn has_in_order(header: &[String], documented: &str) -> bool {
    let mut rest = header.iter();
    documented.split([',', ' ', '\n']).filter(|name| !name.is_empty()).all(|name| rest.any(|column| column == name))
}

#[test]
fn every_table_has_the_documented_columns_in_order() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --set training.batch=[20,24] --out made");
    for (table, documented) in [
        (
            "runs.csv",
            "point run seed batch stop_reason error meets_labels meets_balance meets_roles meets_batch meets_gauge \
             meets_activation meets_travel meets_rate meets_growth meets_aligned accuracy_pretrained accuracy_finetuned certificate margin_lower \
             sum_bound certificate_subsets gamma min_delta_relevant max_abs_delta_irrelevant max_displacement_irrelevant seconds",
        ),
        (
            "experts.csv",
            "point run expert sign built_role role learned norm_0 norm_t delta delta_centred displacement max_range \
             lambda1_0 lambda2_0 lambda_max p1_0 p1_t p2_0 p2_t router-norm-change router-displacement random",
        ),
        ("trajectory.csv", "point run iteration expert norm delta displacement p1 p2"),
        (
            "pruning.csv",
            "point run criterion kept ratio finetuned accuracy errors samples certificate margin_lower sum_bound",
        ),
        (
            "claims.csv",
            "claim part point on runs set_aside holds estimate ci_low ci_high threshold level p_holm verdict expected",
        ),
    ] {
        let header = bench.header(&format!("made/{table}"));
        assert!(has_in_order(&header, documented), "{table}: {header:?}");
        assert!(bench.read(&format!("made/{table}")).ends_with('\n'), "{table}");
    }
}

#[test]
fn swept_keys_and_cases_are_columns_of_runs() {
    let bench = Bench::new();
    let cases =
        "[[case]]\nname = \"frozen\"\nset = { \"training.router_rate\" = 0.0 }\n[[case]]\nname = \"moving\"\n[[claim]]";
    bench.write("cases.toml", TINY.replacen("[[claim]]", cases, 1));
    bench.succeeds("run cases.toml --set data.tokens=[5,6] --seeds 1 --out made");
    let header = bench.header("made/runs.csv");
    assert_eq!(header[..7], ["point", "run", "seed", "case", "router_rate", "tokens", "stop_reason"]);
    let rows = bench.rows("made/runs.csv");
    assert_eq!(column(&rows, "case"), ["frozen", "frozen", "moving", "moving"]);
    assert_eq!(column(&rows, "router_rate"), ["0", "0", "0.2", "0.2"]);
    assert_eq!(column(&rows, "tokens"), ["5", "6", "5", "6"]);
}

#[test]
fn every_run_has_its_rows() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --set training.batch=[20,24] --seeds 5 --out made");
    let runs = bench.rows("made/runs.csv");
    let place = |row: &std::collections::BTreeMap<String, String>| (row["point"].clone(), row["run"].clone());
    let expected: Vec<(String, String)> = (0..10).map(|row| ((row / 5).to_string(), (row % 5).to_string())).collect();
    assert_eq!(runs.iter().map(place).collect::<Vec<_>>(), expected);
    assert_eq!(bench.rows("made/experts.csv").len(), 10 * 6);
    let pruning = bench.rows("made/pruning.csv");
    assert_eq!(pruning.len(), 10 * (6 + 2));
    assert_eq!(column(&pruning, "kept")[..8], ["6", "5", "4", "3", "2", "1", "3", "2"]);
    assert_eq!(column(&pruning, "finetuned").iter().filter(|cell| **cell == "true").count(), 20);
    // Two claims at two points, and for each the conjunction.
    let claims = bench.rows("made/claims.csv");
    assert_eq!(column(&claims, "point"), ["0", "1", "", "0", "1", ""]);
    assert_eq!(column(&claims, "part")[..3], ["probability", "probability", "all"]);
}

#[test]
fn trajectories_are_recorded_for_the_first_runs_alone() {
    let bench = made();
    let rows = bench.rows("made/trajectory.csv");
    let mut runs = column(&rows, "run");
    runs.dedup();
    assert_eq!(runs, ["0", "1"]);
    let mut iterations: Vec<u32> =
        column(&rows, "iteration").iter().map(|cell| cell.parse().expect("a number")).collect();
    iterations.truncate(iterations.len() / 2);
    assert!(iterations.is_sorted());
    assert_eq!((iterations.first(), iterations.last()), (Some(&0), Some(&30)));
    bench.succeeds("run tiny.toml --set record.trajectory_runs=0 --out none");
    assert!(bench.rows("none/trajectory.csv").is_empty());
    assert_eq!(bench.header("none/trajectory.csv"), bench.header("made/trajectory.csv"));
}

#[test]
fn what_was_not_measured_is_empty() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --set data.noise=0.1 --out made");
    let empty = |table: &str, name: &str| column(&bench.rows(table), name).iter().all(|cell| cell.is_empty());
    for (table, name) in [
        ("made/runs.csv", "seconds"),
        ("made/runs.csv", "error"),
        ("made/runs.csv", "certificate"),
        ("made/runs.csv", "margin_lower"),
        ("made/pruning.csv", "certificate"),
        ("made/experts.csv", "learned"),
        ("made/experts.csv", "lambda_max"),
        ("made/claims.csv", "expected"),
    ] {
        assert!(empty(table, name), "{table} {name}");
    }
    assert!(!empty("made/experts.csv", "norm_t"));
    assert_eq!(column(&bench.rows("made/claims.csv"), "threshold"), ["", "0.1"]);
}

#[test]
fn a_run_without_relevant_experts_has_no_figure_of_them() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --set pretrained.relevant_per_class=0 --set roles.relevant_min=1.0 --out made");
    let experts = bench.rows("made/experts.csv");
    assert!(column(&experts, "built_role").iter().all(|role| *role == "irrelevant"));
    for run in bench.rows("made/runs.csv") {
        let relevant = experts.iter().filter(|row| row["run"] == run["run"] && row["role"] == "relevant").count();
        assert_eq!(run["min_delta_relevant"].is_empty(), relevant == 0, "{run:?}");
    }
}

#[test]
fn seconds_are_filled_with_timings_and_nothing_else_changes() {
    let bench = made();
    bench.succeeds("run tiny.toml --timings --out timed");
    let (mut plain, mut timed) = (bench.rows("made/runs.csv"), bench.rows("timed/runs.csv"));
    let seconds: Vec<String> = timed.iter_mut().filter_map(|row| row.remove("seconds")).collect();
    assert!(seconds.iter().all(|cell| cell.parse::<f64>().is_ok_and(|seconds| seconds > 0.0)), "{seconds:?}");
    plain.iter_mut().for_each(|row| drop(row.remove("seconds")));
    assert_eq!(plain, timed);
}

#[test]
fn a_dry_run_shows_points_time_memory_and_seeds_and_writes_nothing() {
    let bench = Bench::new();
    let before = bench.files();
    let printed = bench.succeeds("run tiny.toml --set training.batch=[20,24] --dry-run --out made");
    assert!(bench.files() == before);
    for piece in [
        "points: 2, runs: 12\n",
        "  point 0 x 6: batch = 20\n",
        "  point 1 x 6: batch = 24\n",
        "\ntime: ",
        "memory: about ",
        "  T0: at least ",
        "  T1a: at least ",
        "TOO FEW",
    ] {
        assert!(printed.contains(piece), "{piece}: {printed}");
    }
}

#[test]
fn the_seeds_of_a_dry_run_are_the_fewest_that_support_a_claim() {
    let bench = Bench::new();
    bench.write("one.toml", TINY.split("[[claim]]\nid = \"T1a\"").next().unwrap_or_default());
    let printed = bench.succeeds("run one.toml --dry-run");
    let least = printed.split("T0: at least ").nth(1).and_then(|rest| rest.split(' ').next()).expect(&printed);
    let least: u64 = least.parse().expect("a number");
    // With enough training the claim holds in every run, so the verdict hangs on the number of runs alone.
    for (seeds, verdict) in [(least, "SUPPORTED"), (least - 1, "INCONCLUSIVE (too few)")] {
        bench.succeeds(&format!("run one.toml --set training.iterations=200 --seeds {seeds} --out {seeds}"));
        let claims = bench.rows(&format!("{seeds}/claims.csv"));
        assert_eq!(claims[0]["holds"], claims[0]["runs"]);
        assert_eq!(claims[0]["verdict"], verdict);
    }
}

#[test]
fn the_largest_legal_rates_give_finite_rows_or_rows_marked_as_diverged() {
    let bench = Bench::new();
    bench.succeeds(
        "run tiny.toml --out made --set training.router_rate=1000000 --set training.expert_rate=1000000 \
         --set pretrained.neuron_scale=1000 --set pretrained.router_scale=1000 --set data.noise=1000",
    );
    let experts = bench.rows("made/experts.csv");
    for run in bench.rows("made/runs.csv") {
        let diverged = run["stop_reason"] == "diverged";
        assert_eq!(run["error"].is_empty(), !diverged, "{run:?}");
        assert_eq!(run["accuracy_finetuned"].is_empty(), diverged, "{run:?}");
        for expert in experts.iter().filter(|row| row["run"] == run["run"]) {
            let norm = expert["norm_t"].parse::<f64>();
            assert!(if diverged { norm.is_err() } else { norm.is_ok_and(f64::is_finite) }, "{expert:?}");
        }
    }
    let text = bench.read("made/experts.csv") + &bench.read("made/runs.csv") + &bench.read("made/trajectory.csv");
    assert!(!text.contains("NaN") && !text.contains("inf,"), "{text}");
}

#[test]
fn until_decided_stops_at_the_first_look_at_which_everything_is_decided() {
    let bench = Bench::new();
    let printed = bench.succeeds("run tiny.toml --seeds 400 --until-decided --set data.labels=independent --out made");
    let claims = bench.rows("made/claims.csv");
    assert_eq!(column(&claims, "verdict"), ["REFUTED", "REFUTED"]);
    assert_eq!(column(&claims, "runs"), ["25", "25"]);
    assert_eq!(bench.rows("made/runs.csv").len(), 25);
    let judged = bench.succeeds("judge made");
    let table = judged.strip_suffix("\nThe same as in made/claims.csv.\n").expect(&judged);
    assert!(printed.contains(table), "{printed}");
}

#[test]
fn until_decided_says_how_many_runs_it_made() {
    let bench = Bench::new();
    let printed = bench.succeeds("run tiny.toml --seeds 400 --until-decided --set data.labels=independent --out made");
    assert!(printed.contains("\n25 runs in "), "{printed}");
}

#[test]
fn until_decided_makes_every_run_if_nothing_is_decided() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --seeds 30 --until-decided --out made");
    assert_eq!(bench.rows("made/runs.csv").len(), 30);
    let claims = bench.rows("made/claims.csv");
    assert!(column(&claims, "verdict").iter().all(|verdict| verdict.starts_with("INCONCLUSIVE")));
    bench.succeeds("judge made");
}

#[test]
fn several_simulations_get_a_folder_each() {
    let bench = Bench::new();
    bench.variant("other.toml", "name = \"tiny\"", "name = \"small\"");
    let printed = bench.succeeds("run tiny.toml other.toml --out both");
    assert!(printed.contains("Results: both/tiny\n") && printed.contains("Results: both/small\n"), "{printed}");
    bench.succeeds("judge both/tiny --against tiny.toml");
    bench.succeeds("judge both/small --against other.toml");
}

#[test]
fn nothing_half_made_is_left_beside_the_results() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml");
    let names: Vec<String> = bench.files_below("results").into_keys().map(|path| path.display().to_string()).collect();
    let tables =
        ["claims.csv", "experts.csv", "manifest.json", "pruning.csv", "report.html", "runs.csv", "trajectory.csv"];
    let expected: Vec<String> =
        std::iter::once("tiny".to_owned()).chain(tables.map(|table| format!("tiny/{table}"))).collect();
    assert_eq!(names, expected);
}

#[test]
fn the_manifest_tells_what_was_run() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --seed 5 --seeds 3 --set training.batch=[20,24] --out made");
    let manifest: serde_json::Value = serde_json::from_str(&bench.read("made/manifest.json")).expect("JSON");
    assert_eq!(manifest["simulation"], TINY);
    assert_eq!(manifest["overrides"], serde_json::json!(["training.batch=[20,24]"]));
    assert_eq!((&manifest["master_seed"], &manifest["seeds"]), (&5.into(), &3.into()));
    assert_eq!(manifest["points"][1]["parameters"]["training.batch"], "24");
    for table in ["claims.csv", "experts.csv", "pruning.csv", "runs.csv", "trajectory.csv"] {
        let hash = sha256(bench.read(&format!("made/{table}")).as_bytes());
        assert_eq!(manifest["files_sha256"][table], hash, "{table}");
    }
    // Neither the machine nor the time is part of a result.
    assert!(!bench.read("made/manifest.json").contains(&bench.path("").display().to_string()));
}
