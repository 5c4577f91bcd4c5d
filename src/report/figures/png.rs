//! SVG → PNG, with the embedded font: no font of the system is looked at.

use super::figure::FigureError;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

/// DejaVu Sans; origin and licence: data/README.md.
const FONT: &[u8] = include_bytes!("../../../data/DejaVuSans.ttf");

/// Pixels per unit of the SVG: 300 to an inch, as a unit is 1/96 of one.
const SCALE: f32 = 3.125;

/// The PNG of an SVG, at 300 pixels an inch.
///
/// # Errors
/// If the text is not an SVG, or too large.
pub fn png(svg: &str) -> Result<Vec<u8>, FigureError> {
    let mut options = Options { font_family: "DejaVu Sans".to_owned(), ..Options::default() };
    let fonts = options.fontdb_mut();
    fonts.load_font_data(FONT.to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    let tree = Tree::from_str(svg, &options).map_err(|error| FigureError::Svg(error.to_string()))?;
    let size = tree.size();
    let (width, height) = ((size.width() * SCALE).ceil() as u32, (size.height() * SCALE).ceil() as u32);
    let mut pixels = Pixmap::new(width, height).ok_or_else(|| FigureError::Png(format!("{width} × {height}")))?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| FigureError::Png(error.to_string()))
}
