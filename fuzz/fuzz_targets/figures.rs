//! Three tables, separated by zero bytes: figures, or a refusal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moe_theory::record::{TrajectoryRow, tables};
use moe_theory::report::figures::figures;
use moe_theory::report::{DrawnExpert, DrawnModel};

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.split(|&byte| byte == 0);
    let mut next = || parts.next().unwrap_or_default();
    let (experts, pruning, trajectory) = (next(), next(), next());
    let Ok(experts) = tables::read::<DrawnExpert>(experts) else { return };
    let Ok(pruning) = tables::read::<DrawnModel>(pruning) else { return };
    let Ok(trajectory) = tables::read::<TrajectoryRow>(trajectory) else { return };
    let _ = figures(&experts, &pruning, &trajectory, |_| None);
});
