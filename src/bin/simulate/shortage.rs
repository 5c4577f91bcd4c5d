//! Claims whose seeds are too few, told before the first run.

use crate::load::Loaded;
use moe_theory::claims::judge::{ClaimTests, Shortage};
use moe_theory::record::Design;
use std::io::Write;

/// Says before the first run how many claims its seeds are too few for, if there are such claims.
pub fn warn(loaded: &Loaded, design: Design, out: &mut impl Write) -> std::io::Result<()> {
    let Loaded { simulation, points, .. } = loaded;
    let Some(Shortage { short, claims, from }) = ClaimTests::new(simulation, points, design).shortage(points) else {
        return Ok(());
    };
    let what = format!(
        "TOO FEW: {short} of {claims} claims can't come out SUPPORTED with these seeds; from {from} seeds a point on \
         they can."
    );
    writeln!(out, "{}", textwrap::fill(&what, moe_theory::report::WIDTH))
}
