//! Figures on disk: rows read back from the draft, figures written beside them.

use crate::args::FigureFormat;
use crate::folder::Draft;
use anyhow::Context;
use moe_theory::record::{ExpertRow, PruningRow, TrajectoryRow, tables};
use moe_theory::report::figures::{figures, png};
use serde::de::DeserializeOwned;
use std::fs::{self, File};

/// Draws the figures of a draft whose tables are complete.
pub fn draw(draft: &Draft, format: FigureFormat) -> anyhow::Result<()> {
    let experts: Vec<ExpertRow> = read(draft, "experts.csv")?;
    let pruning: Vec<PruningRow> = read(draft, "pruning.csv")?;
    let trajectory: Vec<TrajectoryRow> = read(draft, "trajectory.csv")?;
    let folder = draft.path().join("figures");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for figure in figures(&experts, &pruning, &trajectory)? {
        let (ending, bytes) = match format {
            FigureFormat::Svg => ("svg", figure.svg.into_bytes()),
            FigureFormat::Png => ("png", png(&figure.svg)?),
        };
        let path = folder.join(format!("{}.{ending}", figure.name));
        fs::write(&path, bytes).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn read<T: DeserializeOwned>(draft: &Draft, name: &str) -> anyhow::Result<Vec<T>> {
    let path = draft.path().join(name);
    let file = File::open(&path).with_context(|| path.display().to_string())?;
    tables::read(file).with_context(|| path.display().to_string())
}
