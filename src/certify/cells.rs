//! The cells that an expert's choices of tokens are split into, so that their total weights lie close together.

use super::table::{ExpertTable, ModelTable};
use crate::patterns::Class;

/// A choice of tokens: (rank, copies).
pub(super) type Choice = Vec<(u32, u32)>;

/// One way to choose: how many irrelevant tokens of which tier, with or without the class pattern.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    /// Whether the class pattern is chosen.
    pub(super) with_class: bool,
    /// Chosen tokens of the upper tier; all of them if `upper_only`.
    pub(super) upper: usize,
    /// Whether the lowest chosen token is of the upper tier.
    pub(super) upper_only: bool,
}

/// The cells of an expert: number, irrelevant tokens chosen, cell.
pub(super) fn cells(own: &ExpertTable, n: usize, l: usize) -> impl Iterator<Item = (usize, usize, Cell)> {
    let tiers = own.upper > 0;
    [true, false].into_iter().filter(move |&with_class| with_class || l < n).flat_map(move |with_class| {
        let (picks, first) = if with_class { (l - 1, 0) } else { (l, l + 1) };
        // With one tier only the cell without upper tokens has any choice.
        let last = if tiers { picks } else { 0 };
        (0..=last).map(move |upper| (first + upper, picks, Cell { with_class, upper, upper_only: upper == picks }))
    })
}

/// The ranks that the lowest chosen token of a cell can have.
pub(super) fn cell_ranks(own: &ExpertTable, cell: Cell) -> (usize, usize) {
    if cell.upper_only && own.upper > 0 { (0, own.upper) } else { (own.upper, own.scores.len()) }
}

/// One list of both.
pub(super) fn merge((mut chosen, left): (Choice, Choice)) -> Choice {
    chosen.extend(left);
    chosen.sort_unstable();
    let mut merged: Choice = Vec::with_capacity(chosen.len());
    for (rank, copies) in chosen {
        match merged.last_mut() {
            Some(last) if last.0 == rank => last.1 += copies,
            _ => merged.push((rank, copies)),
        }
    }
    merged
}

/// Bounds of W over the choices of a cell.
pub(super) fn weight_range(
    table: &ModelTable,
    class: Class,
    own: &ExpertTable,
    cell: Cell,
    picks: usize,
) -> (f64, f64) {
    let all = own.weights.len();
    let left = table.tokens - 1 - picks;
    // Without replacement the lowest ranks are left out, as many as are left at least.
    let lowest = if own.overlaps { all - 1 } else { all.saturating_sub(left + 1) };
    let class = if cell.with_class { own.class[class.pattern()].weight } else { 0.0 };
    let (upper, lower) = (cell.upper as f64, (picks - cell.upper) as f64);
    let of_upper = if own.upper > 0 { (own.weights[own.upper - 1], own.weights[0]) } else { (0.0, 0.0) };
    let highest_lower = own.weights[own.upper.min(all - 1)];
    let of_lower = (own.weights[lowest.max(own.upper.min(all - 1))], highest_lower);
    (class + upper * of_upper.0 + lower * of_lower.0, class + upper * of_upper.1 + lower * of_lower.1)
}
