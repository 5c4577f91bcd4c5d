//! Nodes of the search whose tokens are all known.

use super::evaluate::{Enclosure, Input, has_ties, margin};
use super::local::input;
use super::occurrences::Occurrences;
use super::table::{ExpertTable, ModelTable};
use crate::patterns::{Class, Pattern};

/// Samples of at most this many tokens are tried in every order where ties make the order matter.
const MOST_ORDERED: usize = 7;

/// What is known of a node as a leaf.
pub(super) enum Leaf {
    /// More than one set of tokens is left.
    Not,
    /// The only set of tokens, in its worst order: a lower bound of its margin, and the margin.
    Known(Input, f64, Enclosure),
    /// One set of tokens is left, but ties make its order matter and there are too many orders.
    Open,
}

/// Looks whether a node leaves one set of tokens, and evaluates it.
pub(super) fn leaf(table: &ModelTable, kept: &[usize], class: Class, node: &Occurrences) -> Leaf {
    if node.least != node.most {
        return Leaf::Not;
    }
    let counted = node.least.iter().enumerate();
    let tokens: Vec<u32> =
        counted.flat_map(|(pattern, &copies)| std::iter::repeat_n(pattern as u32, copies as usize)).collect();
    let first = input(class, &tokens);
    let mut worst = margin(table, kept, &first);
    if !has_ties(table, kept, &first) {
        // Token noise may lower the margin further; the input itself is one without noise.
        let slack: f64 = kept.iter().map(|&expert| table.experts[expert].slack).sum();
        let low = worst.low - slack * (1.0 + 1e-12);
        return Leaf::Known(first, low, worst);
    }
    let any = |is: &dyn Fn(&ExpertTable) -> bool| kept.iter().any(|&expert| is(&table.experts[expert]));
    // The margin holds for every order that rounding leaves open, but not for those that token noise does.
    if any(&|own| own.tie > own.rounding) {
        return Leaf::Open;
    }
    if any(&|own| own.rounding > 0.0) {
        return Leaf::Known(first, worst.low, worst);
    }
    if first.tokens.len() > MOST_ORDERED {
        return Leaf::Open;
    }
    let mut input = first.clone();
    let mut best = first;
    let mut low = worst.low;
    permute(&mut input.tokens.clone(), 0, &mut |order| {
        input.tokens.copy_from_slice(order);
        let enclosure = margin(table, kept, &input);
        low = low.min(enclosure.low);
        if enclosure.high < worst.high {
            (worst, best) = (enclosure, input.clone());
        }
    });
    Leaf::Known(best, low, worst)
}

/// Visits every order.
fn permute(tokens: &mut [Pattern], from: usize, visit: &mut impl FnMut(&[Pattern])) {
    if from + 1 >= tokens.len() {
        visit(tokens);
        return;
    }
    for place in from..tokens.len() {
        tokens.swap(from, place);
        permute(tokens, from + 1, visit);
        tokens.swap(from, place);
    }
}
