//! Every cell of every file is one of the values that its column is said to have, and is empty only where the column may be.

use moe_theory::claims::Analysis;
use moe_theory::record::RunTable;
use moe_theory::record::columns::{Column, by_file};
use moe_theory::record::design::Design;
use moe_theory::record::{Headers, RunLines};
use moe_theory::run::run;
use moe_theory::sgd::EngineChoice;
use moe_theory::sim::{Overrides, Simulation};
use std::collections::BTreeSet;

const SMALL: [&str; 13] = [
    "data.tokens=6",
    "model.experts=8",
    "model.neurons=3",
    "model.tokens_per_expert=3",
    "pretrained.relevant_per_class=1",
    "pretrained.neuron_scale=0.4",
    "training.batch=24",
    "training.iterations=30",
    "training.expert_rate=0.4",
    "evaluation.samples=60",
    "pruning.calibration_samples=40",
    "pruning.finetune_iterations=3",
    "roles.proficiency_samples=40",
];

/// Slopes, maps, terms and certificates over a sweep, the trajectory of some runs.
const SWEEP: &str = r#"
[grid]
"data.patterns" = [16, 24, 32, 48]
[[claim]]
id = "T0x"
[[claim]]
id = "T1a"
threshold = 0.01
[[claim]]
id = "T1b"
on = "all"
expect = "SUPPORTED"
[[claim]]
id = "T1d"
on = "all"
[[claim]]
id = "S3"
range = 1.0
lambda = 0.5
on = "all"
[[phase]]
claims = [{ id = "T2a" }, { id = "T1a", threshold = 0.2 }]
"#;

/// Every criterion, bits and comparisons where features are rare.
const RARE: &str = r#"
[[case]]
name = "rare"
set = { "data.features" = 2, "data.rare_share" = 0.3, "pretrained.rare_per_class" = 1 }
[[claim]]
id = "C1"
against = "reap"
feature = "rare"
on = "all"
[[claim]]
id = "C2"
against = "random"
on = "all"
[[claim]]
id = "Q2"
on = "all"
"#;

/// A learned start, whose assumptions are counted.
const UPSTREAM: &str = r#"
[[claim]]
id = "T1a"
threshold = 0.1
on = "all"
"#;

/// Checks the cells of all files of a simulation of this text, and adds the files that have rows to `seen`.
fn check(text: &str, settings: &[&str], seen: &mut BTreeSet<String>) {
    let key = |setting: &str| setting.split('=').next().unwrap_or_default().to_owned();
    let is_given = |own: &&str| settings.iter().any(|setting| key(setting) == key(own));
    let own = SMALL.into_iter().filter(|own| !is_given(own));
    let set: Vec<String> = own.chain(settings.iter().copied()).map(str::to_owned).collect();
    let text = format!("name = \"cells\"\nseeds = 4\n{text}");
    let simulation = Simulation::parse("cells", &text, &Overrides { set: &set, seeds: None }).expect("legal");
    let points = simulation.points().expect("points");
    let swept: Vec<String> = points[0].swept.iter().map(|(name, _)| name.clone()).collect();
    let headers = Headers::new(&swept);
    let mut analysis = Analysis::new(&simulation, &points, Design::Fixed);
    for point in &points {
        for index in 0..point.seeds {
            let record = run(point, index, 1, EngineChoice::Auto);
            let lines = RunLines::new(&record).expect("lines");
            assert_eq!(lines.record(&headers).expect("what was written"), record);
            for (&table, lines) in RunTable::ALL.iter().zip(&lines.tables) {
                let file = [headers.line(table).expect("a header"), lines.clone()].concat();
                check_file(table.name(), &file, &swept, seen);
            }
            analysis.add(point.index, index, &record.run.body, &record.experts, &record.pruning, &record.trajectory);
        }
    }
    for (file, bytes) in analysis.findings().files().expect("rows") {
        check_file(file, &bytes, &[], seen);
    }
}

fn check_file(file: &str, bytes: &[u8], swept: &[String], seen: &mut BTreeSet<String>) {
    let own = by_file().into_iter().find(|columns| columns[0].file == file).expect("a file that has columns");
    let mut columns: Vec<Option<Column>> = own.iter().copied().map(Some).collect();
    if let Some(place) = own.iter().position(Column::is_swept) {
        columns.splice(place..=place, vec![None; swept.len()]);
    }
    let mut reader = csv::Reader::from_reader(bytes);
    let names: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    assert_eq!(names.len(), columns.len(), "{file}: {names:?}");
    for row in reader.records() {
        let row = row.expect("a row");
        seen.insert(file.to_owned());
        for ((name, column), cell) in names.iter().zip(&columns).zip(&row) {
            if let Some(column) = column {
                assert_eq!(name, column.name);
                let empty = column.empty;
                let values = column.kind.in_words();
                assert!(column.admits(cell), "{file}: {name} = {cell:?}: {values}; empty: {empty}");
            }
        }
    }
}

#[test]
fn every_cell_is_one_of_the_values_of_its_column() {
    let mut seen = BTreeSet::new();
    let sweep = ["record.half_batches=true", "record.trajectory_runs=1", "certificate.nodes=4"];
    check(SWEEP, &sweep, &mut seen);
    check(RARE, &["data.patterns=24", "pruning.criteria=all", "pruning.fewest_bits=true"], &mut seen);
    let upstream = ["data.patterns=24", "pretrained.kind=upstream", "pretrained.upstream_iterations=5"];
    check(UPSTREAM, &upstream, &mut seen);
    let pictures = ["data.images=digits", "data.patterns=16", "data.tokens=8", "data.replacement=true"];
    check(UPSTREAM, &pictures, &mut seen);
    let all: BTreeSet<String> = by_file().iter().map(|columns| columns[0].file.to_owned()).collect();
    assert_eq!(seen, all);
}

#[test]
fn runs_that_diverge_and_experts_without_weights_have_their_cells_too() {
    let mut seen = BTreeSet::new();
    let claim = "[[claim]]\nid = \"T0\"\non = \"all\"\n";
    check(claim, &["data.patterns=24", "training.expert_rate=1e6", "training.router_rate=1e6"], &mut seen);
    let weightless = ["data.patterns=24", "pretrained.neuron_scale=0", "training.iterations=0", "pruning.criteria=all"];
    check(claim, &weightless, &mut seen);
    assert!(seen.contains("experts.csv"));
}
