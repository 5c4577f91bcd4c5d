//! The four tables of a small simulation, separated by zero bytes: verdicts, or a refusal. So `judge` and `merge` read them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moe_theory::claims::Analysis;
use moe_theory::claims::judge::Design;
use moe_theory::report::text;
use moe_theory::run::{RunReader, check_record};
use moe_theory::sim::{Overrides, Point, Simulation};
use std::sync::LazyLock;

static SIMULATION: LazyLock<(Simulation, Vec<Point>)> = LazyLock::new(|| {
    let text = include_str!("../simulation.toml");
    let simulation = Simulation::parse("simulation.toml", text, &Overrides { set: &[], seeds: None }).expect("legal");
    let points = simulation.points().expect("points");
    (simulation, points)
});

fuzz_target!(|bytes: &[u8]| {
    let (simulation, points) = &*SIMULATION;
    let mut parts = bytes.split(|&byte| byte == 0);
    let inputs = [(); 4].map(|()| parts.next().unwrap_or_default());
    let swept: Vec<String> = points[0].swept.iter().map(|(name, _)| name.clone()).collect();
    let Ok(mut reader) = RunReader::new(inputs, &swept, 1 << 12) else { return };
    let mut analysis = Analysis::new(simulation, points, Design::Fixed);
    while let Ok(Some(lines)) = reader.next_run() {
        let Ok(record) = lines.record(reader.headers()) else { return };
        if check_record(&record, points).is_err() {
            return;
        }
        analysis.add(lines.point, lines.run, &record.run.body, &record.experts, &record.pruning);
    }
    let findings = analysis.findings();
    findings.files().expect("rows are flat");
    text::findings(&findings);
});
