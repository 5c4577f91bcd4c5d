//! A drawn figure.

/// Figures are drawn of this many grid points at most, the first ones.
pub const MAX_POINTS: usize = 12;

/// A figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// File name without ending: `norm-change`, or `norm-change-point-3` if there are several grid points.
    pub name: String,
    /// The figure as SVG.
    pub svg: String,
}

/// Why a figure could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    /// The drawing library refused.
    #[error("cannot draw: {0}")]
    Drawing(String),
    /// The SVG could not be read when it was to become PNG.
    #[error("cannot read the SVG: {0}")]
    Svg(String),
    /// The PNG could not be written.
    #[error("cannot write the PNG: {0}")]
    Png(String),
}
