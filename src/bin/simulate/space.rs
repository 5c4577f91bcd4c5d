//! Whether the disk has room for the results.

use crate::output;
use moe_theory::record::{Headers, Shard};
use moe_theory::run::criteria;
use moe_theory::run::trajectory::recorded_iterations;
use moe_theory::sim::Point;
use std::path::Path;

/// Bytes of a cell with its comma, on average: most are 64-bit numbers.
const CELL: u64 = 15;

/// Bytes that the results take while they are made: every row stands in the journal and in its table.
pub fn estimated_bytes(points: &[Point], headers: &Headers, shard: Option<Shard>) -> u64 {
    let [run, expert, trajectory, pruning] = headers.columns.each_ref().map(|columns| columns.len() as u64 * CELL);
    let of_point = |point: &Point| {
        let parameters = &point.parameters;
        let experts = parameters.model.experts as u64;
        let record = &parameters.record;
        let recorded = recorded_rows(parameters.training.iterations, record.record_every) * experts * trajectory;
        let finetuned = parameters.pruning.finetune_kept.numbers(parameters.model.experts).len() as u64;
        let pruned = (experts + finetuned) * criteria(parameters).len() as u64;
        let every_run = run + experts * expert + pruned * pruning;
        let first_runs = point.seeds.min(record.trajectory_runs as u64);
        point.seeds.saturating_mul(every_run).saturating_add(first_runs.saturating_mul(recorded))
    };
    let all = points.iter().map(of_point).fold(0, u64::saturating_add);
    all.saturating_mul(2) / shard.map_or(1, |shard| shard.count)
}

fn recorded_rows(iterations: usize, record_every: usize) -> u64 {
    match record_every {
        0 => recorded_iterations(iterations, 0).len() as u64,
        every => (iterations / every) as u64 + 2,
    }
}

/// Warns if the results may not find room in `folder`. Nobody is stopped: the estimate is rough, and a run that ends for
/// want of space can be resumed.
pub fn warn(folder: &Path, needed: u64) {
    let Ok(free) = fs4::available_space(folder) else { return };
    if needed > free {
        let (needed, free) = (shown(needed), shown(free));
        output::tell(format!(
            "simulate: warning: {}: the results take about {needed}, and {free} are free",
            folder.display()
        ));
    }
}

/// Bytes with a unit.
fn shown(bytes: u64) -> String {
    let bytes = bytes as f64;
    let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let unit = units.iter().find(|(unit, _)| bytes >= *unit);
    unit.map_or_else(|| format!("{bytes} bytes"), |(unit, name)| format!("{:.1} {name}", bytes / unit))
}
