//! The legend beside the frame, and text around it.

use super::canvas::{Canvas, Drawn, FOOT, FRAME, INK, LINE, Look, font, refused};
use super::names::percent;
use plotters::prelude::{Color, RGBColor, Rectangle};
use plotters::style::text_anchor::{HPos, VPos};

impl Canvas<'_> {
    /// The next line of the legend: a marker, a line, or both, or neither; a line break continues the text.
    pub(crate) fn entry(&mut self, text: &str, look: Look, line: bool, marker: Option<bool>) -> Drawn {
        let left = FRAME.2 + 18;
        let y = self.next_line();
        if line {
            self.dashed(vec![(left, y), (left + 34, y)], look)?;
        }
        if let Some(open) = marker {
            self.marker_at((left + 17, y), look, 4, open)?;
        }
        self.words(text, left + 44)
    }

    /// Text in the legend without a sign.
    pub(crate) fn note(&mut self, text: &str) -> Drawn {
        self.words(text, FRAME.2 + 18)
    }

    /// Height of the next line of the legend.
    fn next_line(&self) -> i32 {
        FRAME.1 + 12 + LINE * self.entries
    }

    fn words(&mut self, text: &str, x: i32) -> Drawn {
        for line in text.lines() {
            self.write(line, (x, self.next_line()), font(13, HPos::Left, VPos::Center))?;
            self.entries += 1;
        }
        Ok(())
    }

    /// The sign of a flip and its bracket in the legend.
    pub(crate) fn flip_entry(&mut self, text: &str) -> Drawn {
        let (left, y) = (FRAME.2 + 18, self.next_line());
        self.path(&[(left, y), (left + 34, y)], RGBColor(0, 0, 0).stroke_width(2))?;
        for end in [left, left + 34] {
            self.path(&[(end, y - 4), (end, y + 4)], RGBColor(0, 0, 0).stroke_width(2))?;
        }
        self.dot_at((left + 17, y))?;
        self.words(text, left + 44)
    }

    /// The sign of a plain black line in the legend.
    pub(crate) fn line_entry(&mut self, text: &str) -> Drawn {
        let (left, y) = (FRAME.2 + 18, self.next_line());
        self.path(&[(left, y), (left + 34, y)], RGBColor(0, 0, 0).stroke_width(3))?;
        self.words(text, left + 44)
    }

    /// A bar of the colours of all shares in the legend, with a tick at `level`.
    pub(crate) fn colour_bar(&mut self, colour: impl Fn(f64) -> RGBColor, level: f64) -> Drawn {
        const STEPS: i32 = 70;
        let (left, right) = (FRAME.2 + 18, FRAME.2 + 44);
        let bottom = self.next_line() + 2 * STEPS;
        for step in 0..STEPS {
            let corners = [(left, bottom - 2 * (step + 1)), (right, bottom - 2 * step)];
            let fill = colour(f64::from(step) / f64::from(STEPS - 1)).filled();
            self.area.draw(&Rectangle::new(corners, fill)).map_err(refused)?;
        }
        let height = |share: f64| bottom - libm::round(share.clamp(0.0, 1.0) * f64::from(2 * STEPS)) as i32;
        let ends = [(0.0, "0 %".to_owned(), height(0.0)), (1.0, "100 %".to_owned(), height(1.0))];
        // The level's label gives way to those of the ends.
        let beside = height(level).clamp(height(1.0) + 16, height(0.0) - 16);
        for (share, text, y) in ends.into_iter().chain([(level, format!("level {}", percent(level)), beside)]) {
            self.path(&[(right, height(share)), (right + 5, height(share))], INK.stroke_width(1))?;
            self.write(&text, (right + 10, y), font(13, HPos::Left, VPos::Center))?;
        }
        self.path(&[(left - 5, height(level)), (right + 5, height(level))], INK.stroke_width(2))?;
        self.entries += 2 * STEPS / LINE + 1;
        Ok(())
    }

    /// Letters beside the frame, from a height downwards.
    pub(crate) fn beside(&self, text: &str, y: f64) -> Drawn {
        let (_, y) = self.place(0.0, y);
        for (line, text) in text.lines().enumerate() {
            let size = if line == 0 { 14 } else { 12 };
            self.write(text, (FRAME.2 + 12, y + 17 * line as i32), font(size, HPos::Left, VPos::Center))?;
        }
        Ok(())
    }

    /// Lines of text below the label of the x axis.
    pub(crate) fn below(&self, text: &str) -> Drawn {
        for (line, text) in text.lines().enumerate() {
            let y = self.bottom + FOOT - 10 + LINE * line as i32;
            self.write(text, (FRAME.0, y), font(13, HPos::Left, VPos::Center))?;
        }
        Ok(())
    }
}
