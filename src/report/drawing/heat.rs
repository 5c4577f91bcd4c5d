//! Cells in a frame, with the boundary between them.

use super::palette::{LIMIT, ink, ramp};
use super::scale::Scale;
use super::view::{Flip, Heat};
use super::{Frame, path, px};
use maud::{Markup, html};

/// Between two cells: each is a category of its own, whatever the distance of their values.
const GAP: f64 = 1.6;

/// Largest and smallest letters of a cell.
const LETTERS: [f64; 2] = [10.0, 6.5];

/// The cells, and over them where the claim flips.
pub(super) fn draw(heat: &Heat, scales: (&Scale, &Scale), frame: Frame) -> Markup {
    let width = (frame.right - frame.left) / heat.xs.len().max(1) as f64;
    let height = (frame.bottom - frame.top) / heat.ys.len().max(1) as f64;
    let longest = heat.cells.iter().map(|cell| cell.text.chars().count()).max().unwrap_or(1).max(3) as f64;
    let size = (width / (0.66 * longest)).min(0.72 * height).min(LETTERS[0]);
    html! {
        g.marks.cells stroke="none" {
            @for cell in &heat.cells {
                @let (x, y) = frame.at(scales, (cell.place.0 as f64, cell.place.1 as f64 + 1.0));
                @let gap = GAP.min(0.2 * width).min(0.2 * height);
                @let (across, down) = (px(width - gap), px(height - gap));
                path fill=(ramp(cell.shade)) d=(format!("M{} {}h{across}v{down}h-{across}z", px(x + gap / 2.0), px(y + gap / 2.0))) {}
            }
        }
        (boundary(&heat.boundary, scales, frame))
        @if size >= LETTERS[1] {
            g.letters font-size=(px(size)) text-anchor="middle" pointer-events="none" {
                @for cell in heat.cells.iter().filter(|cell| !cell.text.is_empty()) {
                    @let (x, y) = frame.at(scales, (cell.place.0 as f64 + 0.5, cell.place.1 as f64 + 0.5));
                    @let (x, y) = (px(x), px(y + 0.36 * size));
                    // In the colour of the cell, so that no line of the boundary runs through the letters.
                    @if !heat.boundary.is_empty() { text x=(x) y=(y) fill="none" stroke=(ramp(cell.shade)) stroke-width="3" stroke-linejoin="round" aria-hidden="true" { (cell.text) } }
                    text x=(x) y=(y) fill=(ink(cell.shade)) { (cell.text) }
                }
            }
        }
    }
}

/// Whether the letters of cells can be read.
pub(super) fn is_lettered(columns: usize, frame_width: f64) -> bool {
    frame_width / columns.max(1) as f64 / (0.66 * 3.0) >= LETTERS[1]
}

/// One line through the estimates, and their brackets as a band.
fn boundary(flips: &[Flip], scales: (&Scale, &Scale), frame: Frame) -> Markup {
    let at = |x: f64, y: f64| frame.at(scales, (x, y));
    let (mut line, mut band) = (String::new(), String::new());
    for rows in flips.chunk_by(|a, b| a.row + 1 == b.row) {
        let steps = |x: fn(&Flip) -> f64| {
            let ends = move |flip: &Flip| [(x(flip), flip.row as f64), (x(flip), flip.row as f64 + 1.0)];
            rows.iter().flat_map(ends).map(|(x, y)| at(x, y)).collect::<Vec<_>>()
        };
        line += &path(steps(|flip| flip.at));
        let back = steps(|flip| flip.bracket[1]).into_iter().rev();
        band += &(path(steps(|flip| flip.bracket[0]).into_iter().chain(back)) + "Z");
    }
    html! { @if !flips.is_empty() {
        g.boundary fill="none" stroke-linejoin="round" pointer-events="none" {
            path stroke="#ffffff" stroke-width="2.2" d=(band) {}
            path stroke="#000000" stroke-width="1" stroke-dasharray="3 2" d=(band) {}
            path stroke="#ffffff" stroke-width="5" d=(line) {}
            path stroke="#000000" stroke-width="2.4" d=(line) {}
        }
    } }
}

/// The scale of colours with its ends in words, and how high it is.
pub(super) fn key(heat: &Heat, left: f64, top: f64) -> (Markup, f64) {
    const STEPS: usize = 30;
    const STEP: f64 = 4.0;
    let from = left + 6.4 * heat.ends[0].chars().count() as f64 + 6.0;
    let to = from + STEP * STEPS as f64;
    let drawn = html! {
        g.ramp font-size="10.5" {
            text x=(px(left)) y=(px(top + 9.0)) { (heat.ends[0]) }
            @for step in 0..STEPS {
                @let share = step as f64 / (STEPS - 1) as f64;
                rect x=(px(from + STEP * step as f64)) y=(px(top)) width=(px(STEP + 0.3)) height="10" fill=(ramp(share)) {}
            }
            text x=(px(to + 6.0)) y=(px(top + 9.0)) { (heat.ends[1]) }
            @if let Some((level, words)) = &heat.level {
                @let x = from + level.clamp(0.0, 1.0) * (to - from);
                g.c8 stroke=(LIMIT.paint()) { path fill="none" stroke-width="1.6" d=(path([(x, top - 2.0), (x, top + 13.0)])) {} }
                text x=(px(x)) y=(px(top + 24.0)) text-anchor="middle" { (words) }
            }
        }
    };
    (drawn, if heat.level.is_some() { 34.0 } else { 20.0 })
}
