//! Figures on disk: rows read back from the draft, figures written beside them.

use crate::args::FigureFormat;
use crate::folder::Draft;
use anyhow::Context;
use moe_theory::record::{BoundaryRow, ExpertRow, PhaseRow, PruningRow, ScalingRow, TermRow, TrajectoryRow, tables};
use moe_theory::report::figures::{SweptPoint, figures, phase_figures, png, scaling_figures};
use serde::de::DeserializeOwned;
use std::fs::{self, File};

/// Draws the figures of a draft whose tables are complete.
pub fn draw(draft: &Draft, format: FigureFormat) -> anyhow::Result<()> {
    let experts: Vec<ExpertRow> = read(draft, "experts.csv")?;
    let pruning: Vec<PruningRow> = read(draft, "pruning.csv")?;
    let trajectory: Vec<TrajectoryRow> = read(draft, "trajectory.csv")?;
    let (phase, boundary): (Vec<PhaseRow>, Vec<BoundaryRow>) =
        (read_if_there(draft, "phase.csv")?, read_if_there(draft, "boundary.csv")?);
    let (scaling, terms): (Vec<ScalingRow>, Vec<TermRow>) =
        (read_if_there(draft, "scaling.csv")?, read_if_there(draft, "terms.csv")?);
    let points: Vec<SweptPoint> = if scaling.is_empty() { Vec::new() } else { read(draft, "runs.csv")? };
    let mut drawn = figures(&experts, &pruning, &trajectory)?;
    drawn.extend(phase_figures(&phase, &boundary)?);
    drawn.extend(scaling_figures(&scaling, &terms, &points, &experts)?);
    let folder = draft.path().join("figures");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for figure in drawn {
        let (ending, bytes) = match format {
            FigureFormat::Svg => ("svg", figure.svg.into_bytes()),
            FigureFormat::Png => ("png", png(&figure.svg)?),
        };
        let path = folder.join(format!("{}.{ending}", figure.name));
        fs::write(&path, bytes).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Rows of a table that only some simulations have.
fn read_if_there<T: DeserializeOwned>(draft: &Draft, name: &str) -> anyhow::Result<Vec<T>> {
    if draft.path().join(name).exists() { read(draft, name) } else { Ok(Vec::new()) }
}

fn read<T: DeserializeOwned>(draft: &Draft, name: &str) -> anyhow::Result<Vec<T>> {
    let path = draft.path().join(name);
    let file = File::open(&path).with_context(|| path.display().to_string())?;
    tables::read(file).with_context(|| path.display().to_string())
}
