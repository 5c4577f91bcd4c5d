//! Figures on disk, beside the rows that they are drawn from.

use crate::args::FigureFormat;
use anyhow::Context;
use moe_theory::report::Results;
use moe_theory::report::figures::{figures, for_paper, phase_figures, png, scaling_figures};
use std::fs;
use std::path::Path;

/// The folder of figures in a result folder.
pub const FOLDER: &str = "figures";

/// Draws the figures of a result folder into its folder `figures`; those of an earlier run are removed.
pub fn draw(dir: &Path, results: &Results, format: FigureFormat) -> anyhow::Result<()> {
    let runs = &results.runs;
    let of_point = |point: usize| runs.points.get(&point)?.part_drawn();
    let mut drawn = figures(&runs.experts, &runs.pruning, &runs.trajectory, of_point)?;
    drawn.extend(phase_figures(&results.phase, &results.boundary)?);
    let (points, part) = (results.swept_points(), runs.part_drawn());
    drawn.extend(scaling_figures(&results.scaling, &results.terms, &points, &runs.experts, part.as_deref())?);
    let folder = dir.join(FOLDER);
    if folder.is_dir() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for figure in drawn {
        let bytes = match format {
            FigureFormat::Svg => for_paper(&figure.svg).into_bytes(),
            FigureFormat::Png => png(&for_paper(&figure.svg))?,
        };
        let path = folder.join(format!("{}.{}", figure.name, format.word()));
        fs::write(&path, bytes).with_context(|| path.display().to_string())?;
    }
    Ok(())
}
