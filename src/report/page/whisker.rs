//! A dot with a whisker against a threshold: an estimate as a reader sees it, in the text of the page.

use crate::claims::verdict_changes::is_lower_bound;
use crate::record::ClaimRow;
use crate::report::numbers::{bare_percent, significant};
use crate::sim::Part;
use maud::{Markup, html};

/// Width of a drawing, and of the labels beside its axis.
const WIDTH: f64 = 340.0;
const LABELS: f64 = 86.0;

/// Least distance of two labels below the axis.
const APART: f64 = 56.0;

/// Height of a row.
const ROW: f64 = 17.0;

/// Rows that one drawing has at most; a claim with more parts shows those nearest to the other side of their threshold.
pub(crate) const MOST_ROWS: usize = 12;

/// One estimate.
pub(crate) struct Mark<'a> {
    /// What it is of; may be empty.
    pub label: String,
    /// The row.
    pub row: &'a ClaimRow,
}

/// The drawing of probabilities on an axis from `low` to 1.
pub(crate) fn probabilities(marks: &[Mark], low: f64) -> Markup {
    let levels: Vec<f64> = marks.iter().filter_map(|mark| mark.row.level).collect();
    let threshold = |row: &ClaimRow| row.level;
    let text = |value: f64| format!("{} %", bare_percent(value).trim_end_matches(".0"));
    drawing(marks, (low, 1.0), &levels, threshold, text)
}

/// The drawing of slopes.
pub(crate) fn slopes(marks: &[Mark]) -> Markup {
    let numbers = || {
        let of = |mark: &Mark| [mark.row.ci_low, mark.row.ci_high, mark.row.estimate, mark.row.threshold];
        marks.iter().flat_map(of).flatten().filter(|value| value.is_finite())
    };
    let (low, high) = (numbers().fold(f64::INFINITY, f64::min), numbers().fold(f64::NEG_INFINITY, f64::max));
    if low > high {
        return html! {};
    }
    let pad = 0.12 * (high - low).max(0.02);
    // A difference of shares lies between −1 and 1.
    let end = if marks.iter().all(|mark| mark.row.part == Part::Paired) { 1.0 } else { f64::INFINITY };
    let thresholds: Vec<f64> = marks.iter().filter_map(|mark| mark.row.threshold).collect();
    drawing(
        marks,
        ((low - pad).max(-end), (high + pad).min(end)),
        &thresholds,
        |row| row.threshold,
        |value| significant(value).replace('-', "−"),
    )
}

fn drawing(
    marks: &[Mark],
    (low, high): (f64, f64),
    thresholds: &[f64],
    threshold: impl Fn(&ClaimRow) -> Option<f64>,
    text: impl Fn(f64) -> String,
) -> Markup {
    let (left, right) = (if marks.iter().any(|mark| !mark.label.is_empty()) { LABELS } else { 6.0 }, WIDTH - 12.0);
    let x = |value: f64| left + (right - left) * ((value - low) / (high - low)).clamp(0.0, 1.0);
    let bottom = 4.0 + ROW * marks.len() as f64;
    let mut shown: Vec<f64> = thresholds.to_vec();
    shown.sort_by(f64::total_cmp);
    shown.dedup();
    html! {
        svg.whisker viewBox=(format!("0 0 {WIDTH} {}", bottom + 18.0)) width=(WIDTH) height=(bottom + 18.0) role="img" aria-label=(marks.iter().map(|mark| words(mark, &text)).collect::<Vec<_>>().join("; ")) {
            line.axis x1=(left) x2=(right) y1=(bottom) y2=(bottom) {}
            @for (place, value) in ends(low, high, &shown, &x).into_iter().enumerate() {
                line.axis x1=(x(value)) x2=(x(value)) y1=(bottom) y2=(bottom + 4.0) {}
                text.tick x=(x(value)) y=(bottom + 15.0) text-anchor=(if place == 0 && value == low { "start" } else if value == high { "end" } else { "middle" }) { (text(value)) }
            }
            @for (place, mark) in marks.iter().enumerate() {
                @let y = 4.0 + ROW * (place as f64 + 0.5);
                g {
                    title { (words(mark, &text)) }
                    text.label x="0" y=(y + 4.0) { (clip(&mark.label)) }
                    @if let Some(threshold) = threshold(mark.row) {
                        line.threshold x1=(x(threshold)) x2=(x(threshold)) y1=(y - ROW / 2.0) y2=(y + ROW / 2.0) {}
                    }
                    @if let (Some(from), Some(to)) = (mark.row.ci_low, mark.row.ci_high) {
                        line.interval x1=(x(from)) x2=(x(to)) y1=(y) y2=(y) {}
                        @for end in [from, to] {
                            line.interval x1=(x(end)) x2=(x(end)) y1=(y - 4.0) y2=(y + 4.0) {}
                        }
                    }
                    @if let Some(estimate) = mark.row.estimate {
                        circle.dot cx=(x(estimate)) cy=(y) r="4.5" {}
                    }
                }
            }
        }
    }
}

/// The values under the axis: the thresholds, and the ends where there is room.
fn ends(low: f64, high: f64, thresholds: &[f64], x: &impl Fn(f64) -> f64) -> Vec<f64> {
    let free = |value: f64, taken: &[f64]| taken.iter().all(|other| (x(*other) - x(value)).abs() > APART);
    let mut shown: Vec<f64> = Vec::new();
    for &threshold in thresholds {
        if free(threshold, &shown) {
            shown.push(threshold);
        }
    }
    for end in [low, high] {
        if free(end, &shown) {
            shown.push(end);
        }
    }
    shown.sort_by(f64::total_cmp);
    shown
}

fn words(mark: &Mark, text: &impl Fn(f64) -> String) -> String {
    let row = mark.row;
    let label = if mark.label.is_empty() { String::new() } else { format!("{}: ", mark.label) };
    let Some(estimate) = row.estimate else { return format!("{label}no estimate") };
    let interval = match (row.ci_low, row.ci_high) {
        (Some(low), Some(high)) => format!(", interval {} to {}", text(low), text(high)),
        _ => String::new(),
    };
    let needed = match (row.level, row.threshold) {
        (Some(level), _) => format!(", needed {}", text(level)),
        (None, Some(threshold)) if is_lower_bound(row) => format!(", needed above {}", text(threshold)),
        (None, Some(threshold)) => format!(", needed at most {}", text(threshold)),
        _ => String::new(),
    };
    format!("{label}{}{interval}{needed}", text(estimate))
}

/// What fits beside the axis.
fn clip(label: &str) -> String {
    const MOST: usize = 13;
    if label.chars().count() <= MOST {
        return label.to_owned();
    }
    let start: String = label.chars().take(MOST - 1).collect();
    format!("{start}…")
}
