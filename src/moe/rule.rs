//! Which tokens meet which experts, with which gates, under either routing: the definition, for one noise-free sample.
//!
//! Both routings are kept in one form. A sample is cut into **blocks** of pairs (token, expert), each with the softmax of
//! its scores:
//!
//! - expert choice: a block for each expert, over the l tokens that it chose;
//! - token choice, renormalised gates: a block for each token and group, over the c experts that it chose;
//! - token choice, raw gates: a block for each token and group, over all experts of the group; those that the token did
//!   not choose carry nothing.
//!
//! f(x) = (1/M) Σ over the pairs that carry of G·a_s·σ_s(x⁽ʲ⁾). With V = a_s σ_s for a pair that carries and 0 for one that
//! does not, ∂f/∂z_i = (1/M) G_i (V_i − Σ_block G V) for every pair i of a block: one formula for all routings.

use super::capacity::Capacity;
use super::routed::{Pair, Routed};
use super::routing::{choose_tokens, softmax};
use crate::patterns::Pattern;
use crate::sim::parameters::{Gates, ModelParameters, Removal, Routing};

/// How a model routes.
#[derive(Clone, Debug, PartialEq)]
pub struct RoutingRule {
    routing: Routing,
    gates: Gates,
    /// l.
    tokens_per_expert: usize,
    /// c.
    experts_per_token: usize,
    /// The experts of each group, ascending, `[M]`.
    groups: Vec<Vec<usize>>,
    capacity: Option<Capacity>,
    /// Whether an expert's output counts, `[k]`; false for one that was pruned while its router stays.
    live: Vec<bool>,
}

impl RoutingRule {
    /// The rule of an unpruned model for samples of `tokens` tokens. Groups are blocks of k/M experts.
    pub fn new(model: &ModelParameters, tokens: usize) -> Self {
        let size = model.experts / model.groups;
        Self {
            routing: model.routing,
            gates: model.gates,
            tokens_per_expert: model.tokens_per_expert,
            experts_per_token: model.experts_per_token,
            groups: (0..model.groups).map(|group| (group * size..(group + 1) * size).collect()).collect(),
            capacity: (model.routing == Routing::TokenChoice && model.capacity > 0.0)
                .then(|| Capacity::new(model.capacity, model.experts_per_token, tokens, size, model.priority)),
            live: vec![true; model.experts],
        }
    }

    /// The rule of the model that keeps the experts `kept`. With [`Removal::ZeroSlot`] all keep their numbers, else expert
    /// number i of it is number `kept[i]` of this one.
    pub fn pruned(&self, kept: &[usize], removal: Removal) -> Self {
        match removal {
            Removal::ZeroSlot => {
                let live = (0..self.live.len()).map(|expert| self.live[expert] && kept.contains(&expert)).collect();
                Self { live, ..self.clone() }
            }
            _ => {
                let places = |group: &Vec<usize>| (0..kept.len()).filter(|&new| group.contains(&kept[new])).collect();
                Self {
                    groups: self.groups.iter().map(places).collect(),
                    live: kept.iter().map(|&expert| self.live[expert]).collect(),
                    ..self.clone()
                }
            }
        }
    }

    /// k.
    pub(crate) fn experts(&self) -> usize {
        self.live.len()
    }

    /// M.
    pub(crate) fn groups(&self) -> &[Vec<usize>] {
        &self.groups
    }

    /// Whether experts choose tokens or tokens experts.
    pub(crate) fn routing(&self) -> Routing {
        self.routing
    }

    /// c.
    pub(crate) fn experts_per_token(&self) -> usize {
        self.experts_per_token
    }

    /// Routes one sample by the routers u, `[k, d]`.
    pub fn route(&self, routers: &[f64], patterns: usize, tokens: &[Pattern], routed: &mut Routed) {
        self.route_with(routers, patterns, tokens, &mut TokenBlocks::default(), routed);
    }

    /// As [`RoutingRule::route`]; `blocks` remembers what tokens choose from one sample to the next, and must be told to
    /// forget it when routers move.
    pub(crate) fn route_with(
        &self,
        routers: &[f64],
        patterns: usize,
        tokens: &[Pattern],
        blocks: &mut TokenBlocks,
        routed: &mut Routed,
    ) {
        routed.clear();
        let score = |expert: usize, token: Pattern| routers[expert * patterns + token as usize];
        match self.routing {
            Routing::ExpertChoice => self.route_experts(score, tokens, routed),
            Routing::TokenChoice => {
                for (number, group) in self.groups.iter().enumerate() {
                    let first = routed.ends.len();
                    for (position, &token) in tokens.iter().enumerate() {
                        let block = blocks.of(number * patterns + token as usize, |block| {
                            self.choose_experts(group, |expert| score(expert, token), token, block);
                        });
                        routed.pairs.extend(block.iter().map(|&pair| Pair { position, ..pair }));
                        routed.end_block();
                    }
                    if let Some(capacity) = &self.capacity {
                        capacity.limit(routed, first, self.experts());
                    }
                }
            }
        }
        for pair in &mut routed.pairs {
            pair.carries &= self.live[pair.expert];
        }
    }

    /// A block for each expert: its l best tokens, ties by position.
    fn route_experts(&self, score: impl Fn(usize, Pattern) -> f64, tokens: &[Pattern], routed: &mut Routed) {
        let mut scores = std::mem::take(&mut routed.scores);
        for expert in 0..self.experts() {
            scores.clear();
            scores.extend(tokens.iter().map(|&token| score(expert, token)));
            choose_tokens(&scores, self.tokens_per_expert, &mut routed.chosen);
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

    /// The block of a token of this pattern in one group: its c best experts, ties to the smallest number, in descending
    /// order of score; with raw gates the others behind them.
    fn choose_experts(&self, group: &[usize], score: impl Fn(usize) -> f64, pattern: Pattern, block: &mut Vec<Pair>) {
        let scores: Vec<f64> = group.iter().map(|&expert| score(expert)).collect();
        let listed = if self.gates == Gates::Raw { group.len() } else { self.experts_per_token };
        let mut chosen = Vec::new();
        choose_tokens(&scores, listed, &mut chosen);
        block.extend(chosen.iter().enumerate().map(|(rank, &place)| Pair {
            expert: group[place],
            position: 0,
            pattern,
            gate: scores[place],
            carries: rank < self.experts_per_token,
        }));
        normalise(block);
    }
}

/// What tokens choose in token-choice routing, by group and pattern: without regard to room it depends on nothing else.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenBlocks {
    blocks: Vec<Vec<Pair>>,
    known: Vec<bool>,
}

impl TokenBlocks {
    /// Forgets everything; to be called when routers move.
    pub(crate) fn forget(&mut self) {
        self.known.fill(false);
    }

    /// The block at this place, made by `make` if it is not known.
    fn of(&mut self, place: usize, make: impl FnOnce(&mut Vec<Pair>)) -> &[Pair] {
        if place >= self.known.len() {
            self.known.resize(place + 1, false);
            self.blocks.resize(place + 1, Vec::new());
        }
        if !self.known[place] {
            self.known[place] = true;
            self.blocks[place].clear();
            make(&mut self.blocks[place]);
        }
        &self.blocks[place]
    }
}

/// Turns the scores of a block into their softmax.
fn normalise(block: &mut [Pair]) {
    // A block of up to a few hundred pairs; the softmax of the definition.
    let mut gates: Vec<f64> = block.iter().map(|pair| pair.gate).collect();
    softmax(&mut gates);
    block.iter_mut().zip(gates).for_each(|(pair, gate)| pair.gate = gate);
}

/// p_{s|v} = softmax over the experts of a group of the scores of one pattern, in the order of the group; defined under
/// either routing.
pub(crate) fn soft_gates(group: &[usize], routers: &[f64], patterns: usize, pattern: usize) -> Vec<f64> {
    let mut scores: Vec<f64> = group.iter().map(|&expert| routers[expert * patterns + pattern]).collect();
    softmax(&mut scores);
    scores
}
