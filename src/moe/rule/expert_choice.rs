//! Expert choice.

use super::{Routers, RoutingRule, TokenBlocks, normalise};
use crate::moe::routing::choose_tokens;
use crate::moe::{Pair, Routed};
use crate::patterns::Pattern;

/// A block for each expert: its l best tokens, ties by position.
pub(super) fn route(
    rule: &RoutingRule,
    routers: Routers,
    tokens: &[Pattern],
    _blocks: &mut TokenBlocks,
    routed: &mut Routed,
) {
    let mut scores = std::mem::take(&mut routed.scores);
    for expert in 0..rule.experts {
        scores.clear();
        scores.extend(tokens.iter().map(|&token| routers.score(expert, token)));
        choose_tokens(&scores, rule.tokens_per_expert, &mut routed.chosen);
        let start = routed.pairs.len();
        for &position in &routed.chosen {
            let pattern = tokens[position];
            routed.pairs.push(Pair { expert, position, pattern, gate: scores[position], carries: true });
        }
        normalise(&mut routed.pairs[start..]);
        routed.end_block();
    }
    routed.scores = scores;
}
