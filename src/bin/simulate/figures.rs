//! Figures on disk, beside the rows that they are drawn from.

use crate::args::FigureFormat;
use anyhow::Context;
use moe_theory::report::Results;
use moe_theory::report::charts::figures;
use std::fs;
use std::path::Path;

/// The folder of figures in a result folder.
pub const FOLDER: &str = "figures";

/// Draws the figures of a result folder into its folder `figures`; those of an earlier run are removed.
pub fn draw(dir: &Path, results: &Results, format: FigureFormat) -> anyhow::Result<()> {
    let folder = dir.join(FOLDER);
    if folder.is_dir() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for figure in figures(results) {
        let path = folder.join(format!("{}.{}", figure.name, format.word()));
        fs::write(&path, figure.svg).with_context(|| path.display().to_string())?;
    }
    Ok(())
}
