//! Which tokens meet which experts, with which gates, under any routing: the definition, for one noise-free sample. Each
//! routing is a file here, with a function `route`, and a row of the catalogue of routings.
//!
//! All routings are kept in one form. A sample is cut into **blocks** of pairs (token, expert), each with the softmax of
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
use super::routing::softmax;
use crate::catalogue::files;
use crate::catalogue::routings::routings;
use crate::patterns::Pattern;
use crate::sim::parameters::{Gates, ModelParameters, Routing};

routings!(files[ROUTE: fn(&RoutingRule, Routers, &[Pattern], &mut TokenBlocks, &mut Routed) = route]);

/// The routers u of all experts.
#[derive(Clone, Copy)]
struct Routers<'a> {
    /// `[k, d]`.
    rows: &'a [f64],
    /// d.
    patterns: usize,
}

impl Routers<'_> {
    /// The score of a token of this pattern at an expert.
    fn score(self, expert: usize, token: Pattern) -> f64 {
        self.rows[expert * self.patterns + token as usize]
    }
}

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
    /// k.
    experts: usize,
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
            capacity: (model.capacity > 0.0).then(|| Capacity::new(model, tokens, size)),
            experts: model.experts,
        }
    }

    /// The rule of a model of other experts, of which number i stands where expert `stands_for[i]` of this one stood.
    pub fn subset(&self, stands_for: &[usize]) -> Self {
        let places =
            |group: &Vec<usize>| (0..stands_for.len()).filter(|&new| group.contains(&stands_for[new])).collect();
        Self { experts: stands_for.len(), groups: self.groups.iter().map(places).collect(), ..self.clone() }
    }

    /// The same with another c.
    pub(crate) fn with_experts_per_token(&self, experts_per_token: usize) -> Self {
        Self { experts_per_token, ..self.clone() }
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
        ROUTE[self.routing as usize](self, Routers { rows: routers, patterns }, tokens, blocks, routed);
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
