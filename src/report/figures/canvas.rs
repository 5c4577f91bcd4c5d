//! Frame, axes, markers and legend, on the drawing library.

use super::figure::FigureError;
use super::scale::Scale;
use plotters::coord::Shift;
use plotters::element::{DashedPathElement, PathElement, Polygon};
use plotters::prelude::{
    Circle, Color, DrawingArea, IntoDrawingArea, RGBColor, Rectangle, SVGBackend, ShapeStyle, Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontTransform, IntoFont, TextStyle};

/// Pixels from one line of the legend to the next.
pub(super) const LINE: i32 = 20;

/// Width of every figure.
const WIDTH: i32 = 860;
/// Left, top and right of the frame.
pub(super) const FRAME: (i32, i32, i32) = (100, 56, 620);
/// Height of the frame if nothing asks for another.
pub(super) const HEIGHT: i32 = 374;
/// Pixels below the frame, for its labels.
pub(super) const FOOT: i32 = 90;
/// The font, and what stands in where it is missing.
const FONT: &str = "DejaVu Sans, Verdana, sans-serif";
pub(super) const INK: RGBColor = RGBColor(30, 30, 30);
const GRID: RGBColor = RGBColor(225, 225, 225);

/// Colours that are safe for the colour-blind (Okabe and Ito), in the order of roles, criteria or series.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(70, 70, 70),
    RGBColor(204, 121, 167),
    RGBColor(0, 158, 115),
    RGBColor(230, 159, 0),
    RGBColor(140, 140, 140),
];

/// How a series looks: colour, marker and dashes.
#[derive(Clone, Copy)]
pub(super) struct Look(pub usize);

impl Look {
    /// The colour.
    pub(crate) fn colour(self) -> RGBColor {
        COLOURS[self.0 % COLOURS.len()]
    }

    /// Length of dash and gap; `None`: a solid line.
    fn dash(self) -> Option<(i32, i32)> {
        [None, Some((8, 4)), Some((2, 3)), Some((12, 3)), Some((5, 2)), Some((3, 6)), Some((14, 8))]
            [self.0 % COLOURS.len()]
    }
}

/// A figure in the making.
pub(super) struct Canvas<'a> {
    pub(super) area: DrawingArea<SVGBackend<'a>, Shift>,
    pub(super) bottom: i32,
    x: Scale,
    y: Scale,
    /// Lines of the legend so far.
    pub(super) entries: i32,
}

pub(super) fn refused(error: impl std::fmt::Display) -> FigureError {
    FigureError::Drawing(error.to_string())
}

pub(super) fn font(size: i32, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    (FONT, size).into_font().color(&INK).pos(Pos::new(horizontal, vertical))
}

pub(super) type Drawn = Result<(), FigureError>;

impl<'a> Canvas<'a> {
    /// Frame, grid, ticks and labels.
    pub(crate) fn new(
        buffer: &'a mut String,
        title: &str,
        x: (&str, Scale),
        y: (&str, Scale),
    ) -> Result<Self, FigureError> {
        Self::sized(buffer, (HEIGHT, 0), title, x, y)
    }

    /// The same with a frame of another height, and with that many lines of text below.
    pub(crate) fn sized(
        buffer: &'a mut String,
        (height, lines): (i32, i32),
        title: &str,
        x: (&str, Scale),
        y: (&str, Scale),
    ) -> Result<Self, FigureError> {
        let (left, top, right) = FRAME;
        let bottom = top + height;
        let size = (WIDTH as u32, (bottom + FOOT + LINE * lines) as u32);
        let area = SVGBackend::with_string(buffer, size).into_drawing_area();
        area.fill(&RGBColor(255, 255, 255)).map_err(refused)?;
        let canvas = Self { area, bottom, x: x.1, y: y.1, entries: 0 };
        let centre = (left + right) / 2;
        // A long title gets smaller letters, so that it stays within the figure.
        let letters = (1200 / title.chars().count().max(1) as i32).clamp(11, 19);
        canvas.write(title, (centre, 22), font(letters, HPos::Center, VPos::Center))?;
        canvas.write(x.0, (centre, bottom + 52), font(16, HPos::Center, VPos::Center))?;
        let upright = font(16, HPos::Center, VPos::Center).transform(FontTransform::Rotate270);
        canvas.write(y.0, (26, (top + bottom) / 2), upright)?;
        for (value, label) in &canvas.y.ticks {
            let y = canvas.place(0.0, *value).1;
            canvas.path(&[(left, y), (right, y)], GRID.stroke_width(1))?;
            canvas.write(label, (left - 8, y), font(14, HPos::Right, VPos::Center))?;
        }
        for (value, label) in &canvas.x.ticks {
            let x = canvas.place(*value, 0.0).0;
            canvas.path(&[(x, bottom), (x, bottom + 5)], INK.stroke_width(1))?;
            for (line, text) in label.lines().enumerate() {
                canvas.write(text, (x, bottom + 16 + 16 * line as i32), font(14, HPos::Center, VPos::Center))?;
            }
        }
        canvas.path(&[(left, top), (left, bottom), (right, bottom)], INK.stroke_width(1))?;
        Ok(canvas)
    }

    /// Ends the figure.
    pub(crate) fn finish(self) -> Drawn {
        self.area.present().map_err(refused)
    }

    /// The pixel of a value.
    pub(crate) fn place(&self, x: f64, y: f64) -> (i32, i32) {
        let ((left, top, right), bottom) = (FRAME, self.bottom);
        let on =
            |share: f64, from: i32, to: i32| from + libm::round(share.clamp(0.0, 1.0) * f64::from(to - from)) as i32;
        (on(self.x.share(x), left, right), on(self.y.share(y), bottom, top))
    }

    pub(super) fn write(&self, text: &str, at: (i32, i32), style: TextStyle) -> Drawn {
        self.area.draw(&Text::new(text.to_owned(), at, style)).map_err(refused)
    }

    pub(super) fn path(&self, pixels: &[(i32, i32)], style: ShapeStyle) -> Drawn {
        self.area.draw(&PathElement::new(pixels.to_vec(), style)).map_err(refused)
    }

    /// A solid line through values.
    pub(crate) fn thin(&self, values: &[(f64, f64)], look: Look, width: u32) -> Drawn {
        let pixels: Vec<_> = values.iter().map(|value| self.place(value.0, value.1)).collect();
        self.path(&pixels, look.colour().stroke_width(width))
    }

    pub(super) fn dashed(&self, pixels: Vec<(i32, i32)>, look: Look) -> Drawn {
        let style = look.colour().stroke_width(2);
        match look.dash() {
            Some((size, gap)) => self.area.draw(&DashedPathElement::new(pixels, size, gap, style)).map_err(refused),
            None => self.path(&pixels, style),
        }
    }

    /// A line through values, in the look's dashes.
    pub(crate) fn line(&self, values: &[(f64, f64)], look: Look) -> Drawn {
        self.dashed(values.iter().map(|value| self.place(value.0, value.1)).collect(), look)
    }

    /// A vertical line from end to end of the frame.
    pub(crate) fn upright(&self, x: f64, look: Look) -> Drawn {
        let x = self.place(x, 0.0).0;
        self.dashed(vec![(x, self.bottom), (x, FRAME.1)], look)
    }

    /// A band between lower and upper values: (x, low, high).
    pub(crate) fn band(&self, values: &[(f64, f64, f64)], look: Look) -> Drawn {
        let mut outline: Vec<_> = values.iter().map(|value| self.place(value.0, value.1)).collect();
        outline.extend(values.iter().rev().map(|value| self.place(value.0, value.2)));
        self.area.draw(&Polygon::new(outline, look.colour().mix(0.18))).map_err(refused)
    }

    /// An outlined box between two corners.
    pub(crate) fn outline(&self, from: (f64, f64), to: (f64, f64), look: Look) -> Drawn {
        let corners = [self.place(from.0, from.1), self.place(to.0, to.1)];
        self.area.draw(&Rectangle::new(corners, look.colour().mix(0.18).filled())).map_err(refused)?;
        self.area.draw(&Rectangle::new(corners, look.colour().stroke_width(2))).map_err(refused)
    }

    /// A marker at a value; `open`: only its outline.
    pub(crate) fn marker(&self, x: f64, y: f64, look: Look, size: i32, open: bool) -> Drawn {
        self.marker_at(self.place(x, y), look, size, open)
    }

    pub(super) fn marker_at(&self, (x, y): (i32, i32), look: Look, size: i32, open: bool) -> Drawn {
        let style = if open { look.colour().stroke_width(2) } else { look.colour().mix(0.75).filled() };
        let closed = |mut corners: Vec<(i32, i32)>| {
            if open {
                corners.extend(corners.first().copied());
                self.path(&corners, style)
            } else {
                self.area.draw(&Polygon::new(corners, style)).map_err(refused)
            }
        };
        match look.0 % COLOURS.len() {
            0 => self.area.draw(&Circle::new((x, y), size, style)).map_err(refused),
            1 => closed(vec![(x, y - size), (x + size, y + size), (x - size, y + size)]),
            2 => self.area.draw(&Rectangle::new([(x - size, y - size), (x + size, y + size)], style)).map_err(refused),
            3 => closed(vec![(x, y - size - 1), (x + size + 1, y), (x, y + size + 1), (x - size - 1, y)]),
            4 => closed(vec![(x, y + size), (x + size, y - size), (x - size, y - size)]),
            _ => {
                let cross = look.colour().stroke_width(2);
                self.path(&[(x - size, y - size), (x + size, y + size)], cross)?;
                self.path(&[(x - size, y + size), (x + size, y - size)], cross)
            }
        }
    }

    /// A filled box between two corners, without an outline.
    pub(crate) fn cell(&self, from: (f64, f64), to: (f64, f64), colour: RGBColor) -> Drawn {
        let corners = [self.place(from.0, from.1), self.place(to.0, to.1)];
        self.area.draw(&Rectangle::new(corners, colour.filled())).map_err(refused)
    }

    /// Thin light lines that tell cells of one colour apart.
    pub(crate) fn seams(&self, lines: impl IntoIterator<Item = [(f64, f64); 2]>) -> Drawn {
        let mut lines = lines.into_iter().map(|line| line.map(|(x, y)| self.place(x, y)));
        lines.try_for_each(|line| self.path(&line, RGBColor(255, 255, 255).mix(0.6).stroke_width(1)))
    }

    /// Letters centred at a value.
    pub(crate) fn letters(&self, text: &str, at: (f64, f64), size: i32, colour: RGBColor) -> Drawn {
        let style = font(size, HPos::Center, VPos::Center).color(&colour);
        self.write(text, self.place(at.0, at.1), style)
    }

    /// Black lines through values on light margins, so that they stand out on any colour.
    pub(crate) fn haloed(&self, lines: &[[(f64, f64); 2]], width: u32) -> Drawn {
        for style in [RGBColor(255, 255, 255).stroke_width(width + 3), RGBColor(0, 0, 0).stroke_width(width)] {
            for line in lines {
                self.path(&line.map(|(x, y)| self.place(x, y)), style)?;
            }
        }
        Ok(())
    }

    /// A light dot with a black outline, which stands out on any colour.
    pub(crate) fn dot(&self, x: f64, y: f64) -> Drawn {
        self.dot_at(self.place(x, y))
    }

    pub(super) fn dot_at(&self, at: (i32, i32)) -> Drawn {
        self.area.draw(&Circle::new(at, 5, RGBColor(255, 255, 255).filled())).map_err(refused)?;
        self.area.draw(&Circle::new(at, 5, RGBColor(0, 0, 0).stroke_width(2))).map_err(refused)
    }
}
