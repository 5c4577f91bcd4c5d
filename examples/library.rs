//! The library as a crate: trains runs, looks into one, judges a claim. `cargo run --release --example library`

use moe_theory::claims::Analysis;
use moe_theory::record::design::Design;
use moe_theory::run::run;
use moe_theory::sgd::EngineChoice;
use moe_theory::sim::{Overrides, Simulation, shipped};
use std::error::Error;
use std::io::Write;

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout();
    let file = shipped("smoke").ok_or("the simulation `smoke` is shipped")?;
    let simulation = Simulation::parse(file.file, file.text, &Overrides { set: &[], seeds: Some(100) })?;
    let points = simulation.points()?;

    // One run: its experts, and its pruned models.
    let record = run(&points[0], 0, 7, EngineChoice::Auto);
    for expert in &record.experts {
        writeln!(out, "expert {:>2} {:<12} Δ = {:?}", expert.expert, format!("{:?}", expert.role), expert.delta)?;
    }
    for pruned in &record.pruning {
        writeln!(out, "{:>2} kept, fine-tuned {}: accuracy {:?}", pruned.kept, pruned.finetuned, pruned.accuracy)?;
    }

    // All runs, judged.
    let mut analysis = Analysis::new(&simulation, &points, Design::Fixed);
    for point in &points {
        for index in 0..point.seeds {
            let record = run(point, index, 7, EngineChoice::Auto);
            analysis.add(point.index, index, &record.run.body, &record.experts, &record.pruning, &record.trajectory);
        }
    }
    for row in analysis.findings().claims {
        writeln!(out, "{} ({}): {} in {:?} of {} runs", row.claim, row.part, row.verdict, row.holds, row.runs)?;
    }
    Ok(())
}
