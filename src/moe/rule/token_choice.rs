//! Token choice, with raw or renormalised gates, and with or without a limit to the room of an expert.

use super::{Routers, RoutingRule, TokenBlocks, normalise};
use crate::moe::routing::choose_tokens;
use crate::moe::{Pair, Routed};
use crate::patterns::Pattern;
use crate::sim::parameters::Gates;

/// A block for each token and group. What a token chooses depends on its pattern alone.
pub(super) fn route(
    rule: &RoutingRule,
    routers: Routers,
    tokens: &[Pattern],
    blocks: &mut TokenBlocks,
    routed: &mut Routed,
) {
    for (number, group) in rule.groups.iter().enumerate() {
        let first = routed.ends.len();
        for (position, &token) in tokens.iter().enumerate() {
            let block = blocks.of(number * routers.patterns + token as usize, |block| {
                choose_experts(rule, group, routers, token, block);
            });
            routed.pairs.extend(block.iter().map(|&pair| Pair { position, ..pair }));
            routed.end_block();
        }
        if let Some(capacity) = &rule.capacity {
            capacity.limit(routed, first, rule.experts);
        }
    }
}

/// The block of a token of this pattern in one group: its c best experts, ties to the smallest number, in descending
/// order of score; with raw gates the others behind them.
fn choose_experts(rule: &RoutingRule, group: &[usize], routers: Routers, pattern: Pattern, block: &mut Vec<Pair>) {
    let scores: Vec<f64> = group.iter().map(|&expert| routers.score(expert, pattern)).collect();
    let listed = if rule.gates == Gates::Raw { group.len() } else { rule.experts_per_token };
    let mut chosen = Vec::new();
    choose_tokens(&scores, listed, &mut chosen);
    block.extend(chosen.iter().enumerate().map(|(rank, &place)| Pair {
        expert: group[place],
        position: 0,
        pattern,
        gate: scores[place],
        carries: rank < rule.experts_per_token,
    }));
    normalise(block);
}
