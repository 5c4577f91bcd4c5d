//! The four tables of a small simulation, separated by zero bytes, and a letter that says of which: verdicts and the table
//! of criteria, or a refusal. So `judge`, `merge` and `criteria` read them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moe_theory::claims::Analysis;
use moe_theory::record::design::Design;
use moe_theory::report::criteria::{RunRows, CriterionTally, table};
use moe_theory::report::text;
use moe_theory::record::columns::{Kind, by_file};
use moe_theory::record::{RunReader, check_record};
use moe_theory::sim::{Overrides, Point, Simulation};
use std::sync::LazyLock;

static SIMULATIONS: LazyLock<[(Simulation, Vec<Point>); 3]> = LazyLock::new(|| {
    let texts = [include_str!("../simulation.toml"), include_str!("../criteria.toml"), include_str!("../upstream.toml")];
    texts.map(|text| {
        let simulation = Simulation::parse("fuzzed.toml", text, &Overrides { set: &[], seeds: None }).expect("legal");
        let points = simulation.points().expect("points");
        (simulation, points)
    })
});

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.split(|&byte| byte == 0);
    let inputs = [(); 4].map(|()| parts.next().unwrap_or_default());
    let (simulation, points) = match parts.next() {
        Some(b"c") => &SIMULATIONS[1],
        Some(b"u") => &SIMULATIONS[2],
        _ => &SIMULATIONS[0],
    };
    let swept: Vec<String> = points[0].swept.iter().map(|(name, _)| name.clone()).collect();
    let Ok(mut reader) = RunReader::new(inputs, &swept, 1 << 12) else { return };
    let mut analysis = Analysis::new(simulation, points, Design::Fixed);
    let mut standings = CriterionTally::default();
    while let Ok(Some(lines)) = reader.next_run() {
        let Ok(record) = lines.record(reader.headers()) else { return };
        if check_record(&record, points).is_err() {
            return;
        }
        analysis.add(lines.point, lines.run, &record.run.body, &record.experts, &record.pruning, &record.trajectory);
        standings.add(&RunRows { experts: &record.experts, pruning: &record.pruning });
    }
    let findings = analysis.findings();
    for (file, bytes) in findings.files().expect("rows are flat") {
        check_words(file, &bytes);
    }
    text::findings(&findings);
    let claims: Vec<_> = findings.claims.iter().collect();
    table(&standings.finish(&claims));
});

/// Whatever the numbers of the runs are, the words, names and counts that are made of them are those of the columns.
fn check_words(file: &str, bytes: &[u8]) {
    let columns = by_file().into_iter().find(|columns| columns[0].file == file).expect("a file that has columns");
    for row in csv::Reader::from_reader(bytes).records() {
        for (column, cell) in columns.iter().zip(&row.expect("a row")) {
            let measured = matches!(column.kind, Kind::Number | Kind::NonNegative | Kind::Share | Kind::Extended);
            assert!(measured || column.admits(cell), "{file}: {} = {cell}", column.name);
        }
    }
}
