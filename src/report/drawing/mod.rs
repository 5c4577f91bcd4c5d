//! Values → SVG: each figure is laid out once, for the page, for a file and for print. The same values give the same bytes.
//!
//! | file | concept |
//! |---|---|
//! | `view` | what a drawing shows, as data |
//! | `scale` | values → places on an axis, ticks |
//! | `palette` | colours, markers, dashes |
//! | `layout` | title, axes, legend, notes around a frame |
//! | `series` | points, bands, bars, boxes and lines in it |
//! | `heat` | cells in it, with a boundary |
//!
//! Colours are attributes, so that a file needs no style; classes let the page's style replace them in the dark.

mod heat;
mod layout;
pub(in crate::report) mod palette;
pub(in crate::report) mod scale;
mod series;
pub(in crate::report) mod view;

pub(in crate::report) use layout::draw;

use scale::Scale;

/// Width of a drawing in units: a column of a two-column paper, 85 mm, where the letters have 7 points.
const WIDTH: f64 = 360.0;
/// Width of a drawing of many columns: both columns of the paper.
const WIDE: f64 = 740.0;
/// Millimetres of a unit on paper.
const MILLIMETRES: f64 = 85.0 / WIDTH;

/// The rectangle in which values are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Frame {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Frame {
    fn x(&self, place: f64) -> f64 {
        self.left + place * (self.right - self.left)
    }

    fn y(&self, place: f64) -> f64 {
        self.bottom - place * (self.bottom - self.top)
    }

    /// Where a pair of values lies.
    fn at(&self, (x, y): (&Scale, &Scale), value: (f64, f64)) -> (f64, f64) {
        (self.x(x.place(value.0)), self.y(y.place(value.1)))
    }
}

/// A length with one decimal, which is finer than any eye.
fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// The path through points.
fn path(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let mut text = String::new();
    for (x, y) in points {
        text.push(if text.is_empty() { 'M' } else { 'L' });
        text += &format!("{} {}", px(x), px(y));
    }
    text
}
