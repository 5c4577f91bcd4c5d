//! Rows → figures: SVG text, and PNG bytes of it. The same rows give the same bytes.
//!
//! | file | concept |
//! |---|---|
//! | `scale` | values → pixels: linear, or symmetric-logarithmic |
//! | `canvas` | frame, axes, lines, markers |
//! | `legend` | the legend, and text around the frame |
//! | `roles` | one quantity of every expert, by role |
//! | `pruning` | accuracy against the pruning ratio |
//! | `trajectory` | Δ^t over the iterations, by role |
//! | `figure` | a drawn figure |
//! | `map` | rows of phase maps → maps with their flips |
//! | `phase` | the figures of these maps |
//! | `heat` | a claim over two parameters: coloured cells |
//! | `curves` | claims over one parameter: a panel each |
//! | `series` | rows → quantities over d, with their fits |
//! | `scaling` | these quantities on logarithmic axes |
//! | `ramp` | shares → colours |
//! | `names` | axis labels, short numbers, file names |
//! | `print` | the size on paper |
//! | `png` | SVG → PNG with an embedded font |

mod canvas;
mod curves;
mod figure;
pub(in crate::report) mod heat;
mod legend;
pub(in crate::report) mod map;
pub(in crate::report) mod names;
mod phase;
mod png;
mod print;
pub(in crate::report) mod pruning;
pub(in crate::report) mod ramp;
mod roles;
pub(in crate::report) mod scale;
mod scaling;
pub(in crate::report) mod series;
mod trajectory;

pub use figure::FigureError;
pub use figure::{Figure, MAX_POINTS};
pub use phase::phase_figures;
pub use png::png;
pub use print::for_paper;
pub(in crate::report) use scale::Scale;
pub use scaling::scaling_figures;

use super::drawn::{DrawnExpert, DrawnModel};
use crate::record::TrajectoryRow;
use std::collections::BTreeSet;

/// The figures of the rows of one simulation, by grid point; a figure without data is left out. `part` says of which runs
/// a point's rows are, if not of all.
///
/// # Errors
/// What the drawing library reports.
pub fn figures(
    experts: &[DrawnExpert],
    pruning: &[DrawnModel],
    trajectory: &[TrajectoryRow],
    part: impl Fn(usize) -> Option<String>,
) -> Result<Vec<Figure>, FigureError> {
    let points: BTreeSet<usize> =
        experts.iter().map(|row| row.point).chain(pruning.iter().map(|row| row.point)).collect();
    let several = points.len() > 1;
    let mut drawn = Vec::new();
    for point in points.into_iter().take(MAX_POINTS) {
        let experts: Vec<&DrawnExpert> = experts.iter().filter(|row| row.point == point).collect();
        let pruning: Vec<&DrawnModel> = pruning.iter().filter(|row| row.point == point).collect();
        let trajectory: Vec<&TrajectoryRow> = trajectory.iter().filter(|row| row.point == point).collect();
        let part = part(point).map(|part| format!(", {part}")).unwrap_or_default();
        let title = |what: &str| if several { format!("{what}, point {point}{part}") } else { format!("{what}{part}") };
        let figures = [
            ("norm-change", roles::norm_change(&title("Router norm change by role"), &experts)?),
            ("displacement", roles::displacement(&title("Router displacement by role"), &experts)?),
            ("delta-displacement", roles::scatter(&title("Norm change against displacement"), &experts)?),
            ("pruning", pruning::draw(&title("Accuracy after pruning"), &experts, &pruning)?),
            (
                "trajectory",
                trajectory::norm_change(&title("Router norm change during training"), &experts, &trajectory)?,
            ),
            ("proficiency", trajectory::proficiency(&title("Proficiency during training"), &experts, &trajectory)?),
        ];
        for (name, svg) in figures {
            let name = if several { format!("{name}-point-{point}") } else { name.to_owned() };
            drawn.extend(svg.map(|svg| Figure { name, svg }));
        }
    }
    Ok(drawn)
}
