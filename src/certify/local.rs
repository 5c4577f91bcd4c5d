//! Local search for the input of smallest margin: it finds counterexamples, and says how far a bound may be from the truth.

use super::evaluate::Input;
use super::table::{ModelTable, Seen};
use crate::patterns::{Class, Pattern};

/// Sweeps over all exchanges of one token; each must lower the margin.
const SWEEPS: usize = 12;

/// Descends from the irrelevant patterns `start` (minus 2, n − 1 of them) by exchanging one token at a time, in whatever way
/// lowers the margin most. Ties between scores are broken by rank.
pub(crate) fn descend(table: &ModelTable, kept: &[usize], class: Class, start: &[u32]) -> Input {
    let mut tokens = start.to_vec();
    let mut value = of_tokens(table, kept, class, &tokens);
    for _ in 0..SWEEPS {
        let before = value;
        for place in 0..tokens.len() {
            let (best, pattern) = best_exchange(table, kept, class, &tokens, place);
            if best < value - 1e-12 {
                (value, tokens[place]) = (best, pattern);
            }
        }
        if value >= before {
            break;
        }
    }
    input(class, &tokens)
}

/// The input that shows the class pattern first.
pub(crate) fn input(class: Class, tokens: &[u32]) -> Input {
    let class_token = class.pattern() as Pattern;
    Input { class, tokens: std::iter::once(class_token).chain(tokens.iter().map(|&pattern| pattern + 2)).collect() }
}

/// The n − 1 patterns that stand first when patterns are sorted by descending `weight`, with copies if these are whole
/// numbers above 1 and patterns may repeat.
pub(crate) fn rounded(table: &ModelTable, weight: &[f64]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..table.irrelevant as u32).collect();
    order.sort_by(|&a, &b| weight[b as usize].total_cmp(&weight[a as usize]));
    let mut tokens = Vec::with_capacity(table.tokens);
    let capacity = table.capacity();
    for pattern in order {
        let copies = (weight[pattern as usize].round() as u32).clamp(1, capacity);
        for _ in 0..copies {
            if tokens.len() + 1 < table.tokens {
                tokens.push(pattern);
            }
        }
    }
    // With replacement there may be fewer patterns than places.
    while tokens.len() + 1 < table.tokens {
        tokens.push(tokens[0]);
    }
    tokens
}

fn of_tokens(table: &ModelTable, kept: &[usize], class: Class, tokens: &[u32]) -> f64 {
    kept.iter()
        .map(|&expert| {
            let own = &table.experts[expert];
            let mut seen: Vec<Seen> =
                tokens.iter().map(|&token| own.seen(own.ranks[token as usize] as usize)).collect();
            seen.push(own.class[class.pattern()]);
            seen.sort_by(|a, b| b.score.total_cmp(&a.score));
            own.vote(class) * mean(&seen[..table.chosen])
        })
        .sum()
}

fn mean(seen: &[Seen]) -> f64 {
    let sums =
        seen.iter().fold((0.0, 0.0), |sums, token| (sums.0 + token.weight * token.activation, sums.1 + token.weight));
    sums.0 / sums.1
}

/// The best pattern for one place, with the margin that it gives.
fn best_exchange(table: &ModelTable, kept: &[usize], class: Class, tokens: &[u32], place: usize) -> (f64, u32) {
    let mut values = vec![0.0; table.irrelevant];
    let mut seen: Vec<Seen> = Vec::with_capacity(tokens.len() + 1);
    for &expert in kept {
        let own = &table.experts[expert];
        seen.clear();
        let others = tokens.iter().enumerate().filter(|&(other, _)| other != place);
        seen.extend(others.map(|(_, &token)| own.seen(own.ranks[token as usize] as usize)));
        seen.push(own.class[class.pattern()]);
        seen.sort_by(|a, b| b.score.total_cmp(&a.score));
        let vote = own.vote(class);
        let l = table.chosen;
        let sums = |seen: &[Seen]| {
            seen.iter().fold((0.0, 0.0), |sums, t| (sums.0 + t.weight * t.activation, sums.1 + t.weight))
        };
        let fewer = sums(&seen[..l - 1]);
        // The l-th of the others stays chosen unless the new token beats it.
        let last = seen.get(l - 1);
        let full = last.map(|last| vote * (fewer.0 + last.weight * last.activation) / (fewer.1 + last.weight));
        for (rank, &pattern) in own.patterns.iter().enumerate() {
            let value = match (last, full) {
                (Some(last), Some(full)) if own.scores[rank] <= last.score => full,
                _ => vote * (fewer.0 + own.weights[rank] * own.activations[rank]) / (fewer.1 + own.weights[rank]),
            };
            values[pattern as usize] += value;
        }
    }
    if !table.replacement {
        tokens.iter().enumerate().filter(|&(other, _)| other != place).for_each(|(_, &token)| {
            values[token as usize] = f64::INFINITY;
        });
    }
    let mut best = (f64::INFINITY, tokens[place]);
    for (pattern, &value) in values.iter().enumerate() {
        if value < best.0 {
            best = (value, pattern as u32);
        }
    }
    best
}
