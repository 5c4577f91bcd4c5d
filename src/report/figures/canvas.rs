//! Frame, axes, markers and legend, on the drawing library.

use super::FigureError;
use super::scale::Scale;
use plotters::coord::Shift;
use plotters::element::{DashedPathElement, PathElement, Polygon};
use plotters::prelude::{
    Circle, Color, DrawingArea, IntoDrawingArea, RGBColor, Rectangle, SVGBackend, ShapeStyle, Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontTransform, IntoFont, TextStyle};

/// Width and height of every figure.
const SIZE: (i32, i32) = (860, 520);
/// Left, top, right, bottom of the frame.
const FRAME: (i32, i32, i32, i32) = (100, 56, 620, 430);
/// The font, and what stands in where it is missing.
const FONT: &str = "DejaVu Sans, Verdana, sans-serif";
const INK: RGBColor = RGBColor(30, 30, 30);
const GRID: RGBColor = RGBColor(225, 225, 225);

/// Colours that are safe for the colour-blind (Okabe and Ito), in the order of roles and criteria.
const COLOURS: [RGBColor; 4] =
    [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(70, 70, 70), RGBColor(204, 121, 167)];

/// How a series looks: colour, marker and dashes.
#[derive(Clone, Copy)]
pub(super) struct Look(pub usize);

impl Look {
    /// The colour.
    pub fn colour(self) -> RGBColor {
        COLOURS[self.0 % COLOURS.len()]
    }

    /// Length of dash and gap; `None`: a solid line.
    fn dash(self) -> Option<(i32, i32)> {
        [None, Some((8, 4)), Some((2, 3)), Some((12, 3))][self.0 % COLOURS.len()]
    }
}

/// A figure in the making.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    x: Scale,
    y: Scale,
    entries: i32,
}

fn refused(error: impl std::fmt::Display) -> FigureError {
    FigureError::Drawing(error.to_string())
}

fn font(size: i32, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    (FONT, size).into_font().color(&INK).pos(Pos::new(horizontal, vertical))
}

type Drawn = Result<(), FigureError>;

impl<'a> Canvas<'a> {
    /// Frame, grid, ticks and labels.
    pub fn new(buffer: &'a mut String, title: &str, x: (&str, Scale), y: (&str, Scale)) -> Result<Self, FigureError> {
        let area = SVGBackend::with_string(buffer, (SIZE.0 as u32, SIZE.1 as u32)).into_drawing_area();
        area.fill(&RGBColor(255, 255, 255)).map_err(refused)?;
        let canvas = Self { area, x: x.1, y: y.1, entries: 0 };
        let (left, top, right, bottom) = FRAME;
        let centre = (left + right) / 2;
        canvas.write(title, (centre, 22), font(19, HPos::Center, VPos::Center))?;
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
    pub fn finish(self) -> Drawn {
        self.area.present().map_err(refused)
    }

    /// The pixel of a value.
    pub fn place(&self, x: f64, y: f64) -> (i32, i32) {
        let (left, top, right, bottom) = FRAME;
        let on =
            |share: f64, from: i32, to: i32| from + libm::round(share.clamp(0.0, 1.0) * f64::from(to - from)) as i32;
        (on(self.x.share(x), left, right), on(self.y.share(y), bottom, top))
    }

    fn write(&self, text: &str, at: (i32, i32), style: TextStyle) -> Drawn {
        self.area.draw(&Text::new(text.to_owned(), at, style)).map_err(refused)
    }

    fn path(&self, pixels: &[(i32, i32)], style: ShapeStyle) -> Drawn {
        self.area.draw(&PathElement::new(pixels.to_vec(), style)).map_err(refused)
    }

    /// A solid line through values.
    pub fn thin(&self, values: &[(f64, f64)], look: Look, width: u32) -> Drawn {
        let pixels: Vec<_> = values.iter().map(|value| self.place(value.0, value.1)).collect();
        self.path(&pixels, look.colour().stroke_width(width))
    }

    fn dashed(&self, pixels: Vec<(i32, i32)>, look: Look) -> Drawn {
        let style = look.colour().stroke_width(2);
        match look.dash() {
            Some((size, gap)) => self.area.draw(&DashedPathElement::new(pixels, size, gap, style)).map_err(refused),
            None => self.path(&pixels, style),
        }
    }

    /// A line through values, in the look's dashes.
    pub fn line(&self, values: &[(f64, f64)], look: Look) -> Drawn {
        self.dashed(values.iter().map(|value| self.place(value.0, value.1)).collect(), look)
    }

    /// A vertical line from end to end of the frame.
    pub fn upright(&self, x: f64, look: Look) -> Drawn {
        let x = self.place(x, 0.0).0;
        self.dashed(vec![(x, FRAME.3), (x, FRAME.1)], look)
    }

    /// A band between lower and upper values: (x, low, high).
    pub fn band(&self, values: &[(f64, f64, f64)], look: Look) -> Drawn {
        let mut outline: Vec<_> = values.iter().map(|value| self.place(value.0, value.1)).collect();
        outline.extend(values.iter().rev().map(|value| self.place(value.0, value.2)));
        self.area.draw(&Polygon::new(outline, look.colour().mix(0.18))).map_err(refused)
    }

    /// An outlined box between two corners.
    pub fn outline(&self, from: (f64, f64), to: (f64, f64), look: Look) -> Drawn {
        let corners = [self.place(from.0, from.1), self.place(to.0, to.1)];
        self.area.draw(&Rectangle::new(corners, look.colour().mix(0.18).filled())).map_err(refused)?;
        self.area.draw(&Rectangle::new(corners, look.colour().stroke_width(2))).map_err(refused)
    }

    /// A marker at a value; `open`: only its outline.
    pub fn marker(&self, x: f64, y: f64, look: Look, size: i32, open: bool) -> Drawn {
        self.marker_at(self.place(x, y), look, size, open)
    }

    fn marker_at(&self, (x, y): (i32, i32), look: Look, size: i32, open: bool) -> Drawn {
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
            _ => closed(vec![(x, y - size - 1), (x + size + 1, y), (x, y + size + 1), (x - size - 1, y)]),
        }
    }

    /// The next line of the legend: a marker, a line, or both, or neither; a line break continues the text.
    pub fn entry(&mut self, text: &str, look: Look, line: bool, marker: Option<bool>) -> Drawn {
        let left = FRAME.2 + 18;
        let y = FRAME.1 + 12 + 20 * self.entries;
        if line {
            self.dashed(vec![(left, y), (left + 34, y)], look)?;
        }
        if let Some(open) = marker {
            self.marker_at((left + 17, y), look, 4, open)?;
        }
        self.words(text, left + 44)
    }

    /// Text in the legend without a sign.
    pub fn note(&mut self, text: &str) -> Drawn {
        self.words(text, FRAME.2 + 18)
    }

    fn words(&mut self, text: &str, x: i32) -> Drawn {
        for line in text.lines() {
            self.write(line, (x, FRAME.1 + 12 + 20 * self.entries), font(13, HPos::Left, VPos::Center))?;
            self.entries += 1;
        }
        Ok(())
    }
}
