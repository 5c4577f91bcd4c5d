//! Branch and bound over which tokens an input holds.

use super::evaluate::{Enclosure, Input, margin};
use super::extremes::sum_bound;
use super::leaf::{Leaf, leaf};
use super::local::{descend, rounded};
use super::occurrences::Occurrences;
use super::relaxation::{Pass, Prices, Relaxation};
use super::table::ModelTable;
use crate::patterns::Class;
use crate::sim::words::words;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

words! {
    /// What a certificate says.
    pub enum Verdict {
        /// Proved: every input of the support is classified correctly.
        Certified = "CERTIFIED",
        /// Refuted by an input.
        Counterexample = "COUNTEREXAMPLE",
        /// Neither, within the budget.
        Undecided = "UNDECIDED",
    }
}

/// How much work a certificate may take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Nodes of the search, the root among them, for each class.
    pub nodes: usize,
    /// Passes over the experts at the root.
    pub root_passes: usize,
    /// Passes over the experts at every other node.
    pub node_passes: usize,
    /// The search goes on until the proven bound exceeds this, 0 or more, or the nodes are used up.
    pub target: f64,
}

/// Passes at the root before inputs are looked at: most models that can be certified are so by then.
const FIRST_PASSES: usize = 25;

/// A search may be given up as hopeless after its nodes divided by this: bounds can stand still for a while, then leap.
const PATIENCE: usize = 8;

impl Budget {
    /// This many nodes, with the usual number of passes.
    pub fn nodes(nodes: usize) -> Self {
        Self { nodes, root_passes: 400, node_passes: 40, target: 0.0 }
    }
}

/// What is known of the margin of one class.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// The verdict.
    pub verdict: Verdict,
    /// Proven: y f(x) is at least this for every input.
    pub margin_lower: f64,
    /// The sum bound alone: each expert at its own worst tokens.
    pub sum_bound: f64,
    /// The input of smallest margin that was met, with its margin; `None` if none was looked for.
    pub worst: Option<(Input, Enclosure)>,
    /// Nodes that were made.
    pub nodes: usize,
}

impl Certificate {
    /// Of two classes, or of none: what holds of all.
    pub(crate) fn join(certificates: impl IntoIterator<Item = Certificate>) -> Certificate {
        let none = Certificate {
            verdict: Verdict::Certified,
            margin_lower: f64::INFINITY,
            sum_bound: f64::INFINITY,
            worst: None,
            nodes: 0,
        };
        certificates.into_iter().fold(none, |a, b| Certificate {
            verdict: match (a.verdict, b.verdict) {
                (Verdict::Counterexample, _) | (_, Verdict::Counterexample) => Verdict::Counterexample,
                (Verdict::Undecided, _) | (_, Verdict::Undecided) => Verdict::Undecided,
                _ => Verdict::Certified,
            },
            margin_lower: a.margin_lower.min(b.margin_lower),
            sum_bound: a.sum_bound.min(b.sum_bound),
            worst: smaller(a.worst, b.worst),
            nodes: a.nodes + b.nodes,
        })
    }
}

/// The input of smaller margin.
fn smaller(a: Option<(Input, Enclosure)>, b: Option<(Input, Enclosure)>) -> Option<(Input, Enclosure)> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.1.high < a.1.high { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// A node that is not closed yet. Ordered so that the smallest bound is the largest node.
struct Node {
    occurrences: Occurrences,
    prices: Prices,
    pass: Pass,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Node {}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Node {
    fn cmp(&self, other: &Self) -> Ordering {
        other.pass.bound.total_cmp(&self.pass.bound)
    }
}

/// The certificate of the model that keeps the experts `kept`, on the inputs of one class. `prices` are where the search
/// starts and are left where its root ended.
pub(crate) fn certify_class(
    table: &ModelTable,
    kept: &[usize],
    class: Class,
    prices: &mut Prices,
    budget: Budget,
) -> Certificate {
    let sum = sum_bound(table, kept, class);
    let mut search = Search {
        table,
        kept,
        class,
        relaxation: Relaxation::new(table, kept, class),
        closed: f64::INFINITY,
        worst: None,
        nodes: 0,
    };
    let margin_lower = if sum > budget.target || budget.nodes == 0 { sum } else { search.run(prices, budget).max(sum) };
    let verdict = match (margin_lower > 0.0, search.is_refuted()) {
        (true, _) => Verdict::Certified,
        (false, true) => Verdict::Counterexample,
        (false, false) => Verdict::Undecided,
    };
    Certificate { verdict, margin_lower, sum_bound: sum, worst: search.worst, nodes: search.nodes }
}

/// A search in progress.
struct Search<'a> {
    table: &'a ModelTable,
    kept: &'a [usize],
    class: Class,
    relaxation: Relaxation<'a>,
    /// The smallest bound of the nodes that were closed.
    closed: f64,
    worst: Option<(Input, Enclosure)>,
    nodes: usize,
}

impl Search<'_> {
    /// The bound that was proved. What is done does not depend on the target, which only says when it is enough, so that a
    /// higher target, like more nodes, never gives less.
    fn run(&mut self, prices: &mut Prices, budget: Budget) -> f64 {
        let positive = self.make_positive(prices, budget);
        if positive <= 0.0 || positive > budget.target {
            return positive;
        }
        let root = self.relaxation.pass(&Occurrences::all(self.table), prices);
        self.look_near(&root);
        // No bound exceeds a margin that was met, so this is what the prices aim at.
        let met = self.worst.as_ref().map_or(positive, |(_, enclosure)| enclosure.high);
        positive.max(self.branch(prices, budget.root_passes, met, budget.target, budget))
    }

    /// Looks for a positive bound, or for a counterexample.
    fn make_positive(&mut self, prices: &mut Prices, budget: Budget) -> f64 {
        let all = Occurrences::all(self.table);
        let first = self.relaxation.raise(&all, prices, FIRST_PASSES.min(budget.root_passes), 0.0);
        if first.bound <= 0.0 {
            self.look_near(&first);
        }
        if first.bound > 0.0 || self.is_refuted() {
            self.nodes = 1;
            return first.bound;
        }
        let rest = budget.root_passes.saturating_sub(FIRST_PASSES);
        first.bound.max(self.branch(prices, rest, 0.0, 0.0, budget))
    }

    /// Splits the node of smallest bound until all exceed `target`. Each is raised until it exceeds `enough`, the root in
    /// `passes`. Returns the largest bound of all inputs on the way.
    fn branch(&mut self, prices: &mut Prices, passes: usize, enough: f64, target: f64, budget: Budget) -> f64 {
        let mut open = BinaryHeap::new();
        self.closed = f64::INFINITY;
        self.visit(Occurrences::all(self.table), prices, passes, enough, &mut open);
        let start = open.peek().map_or(0.0, |root| root.pass.bound);
        let (mut highest, mut proven) = (start, f64::NEG_INFINITY);
        while let Some(node) = open.pop() {
            highest = highest.max(node.pass.bound);
            proven = proven.max(node.pass.bound.min(self.closed));
            // The smallest margin itself is known where a closed node is the lowest.
            let is_exact = self.closed > 0.0 && self.closed <= node.pass.bound;
            let is_over = self.nodes >= budget.nodes || self.is_hopeless(start, highest, budget);
            if proven > target || is_exact || is_over || self.is_refuted() {
                return proven;
            }
            for child in self.children(&node) {
                self.visit(child, &mut node.prices.clone(), budget.node_passes, enough, &mut open);
            }
        }
        proven.max(self.closed)
    }

    /// Bounds a node, closes it if that is enough, else opens it and looks at inputs near its consensus.
    fn visit(
        &mut self,
        occurrences: Occurrences,
        prices: &mut Prices,
        passes: usize,
        enough: f64,
        open: &mut BinaryHeap<Node>,
    ) {
        self.nodes += 1;
        let pass = self.relaxation.raise(&occurrences, prices, passes, enough);
        if pass.bound > enough {
            self.closed = self.closed.min(pass.bound);
            return;
        }
        match leaf(self.table, self.kept, self.class, &occurrences) {
            Leaf::Not => {
                self.look_near(&pass);
                open.push(Node { occurrences, prices: prices.clone(), pass });
            }
            Leaf::Known(input, low, enclosure) => {
                self.closed = self.closed.min(low.max(pass.bound));
                self.worst = smaller(self.worst.take(), Some((input, enclosure)));
            }
            Leaf::Open => self.closed = self.closed.min(pass.bound),
        }
    }

    /// Whether the smallest bound, which rises ever more slowly, will not reach 0 within the budget even if it goes on as so far.
    fn is_hopeless(&self, start: f64, now: f64, budget: Budget) -> bool {
        let share = self.nodes as f64 / budget.nodes as f64;
        PATIENCE * self.nodes >= budget.nodes && start + (now - start) / share < 0.0
    }

    fn is_refuted(&self) -> bool {
        self.worst.as_ref().is_some_and(|(_, enclosure)| enclosure.high <= 0.0)
    }

    /// Descends from the tokens that most experts want.
    fn look_near(&mut self, pass: &Pass) {
        let input = descend(self.table, self.kept, self.class, &rounded(self.table, &pass.consensus));
        let enclosure = margin(self.table, self.kept, &input);
        self.worst = smaller(self.worst.take(), Some((input, enclosure)));
    }

    /// The two halves of a node: a pattern that the experts disagree about occurs at most so often, or more often.
    fn children(&self, node: &Node) -> Vec<Occurrences> {
        let Occurrences { least, most } = &node.occurrences;
        let mut best: Option<(f64, usize, u32)> = None;
        for pattern in 0..least.len() {
            if least[pattern] == most[pattern] {
                continue;
            }
            let share = node.pass.consensus[pattern].clamp(f64::from(least[pattern]), f64::from(most[pattern]));
            let limit = (share as u32).min(most[pattern] - 1);
            let fraction = share - f64::from(limit);
            let score = fraction.min(1.0 - fraction) + 1e-3 * share;
            if best.is_none_or(|(highest, _, _)| score > highest) {
                best = Some((score, pattern, limit));
            }
        }
        let Some((_, pattern, limit)) = best else { return Vec::new() };
        let mut fewer = node.occurrences.clone();
        fewer.most[pattern] = limit;
        let mut more = node.occurrences.clone();
        more.least[pattern] = limit + 1;
        [fewer, more].into_iter().filter_map(|child| child.tightened(self.table.tokens - 1)).collect()
    }
}

impl Occurrences {
    /// With what follows from the number of tokens; `None` if no input is left.
    fn tightened(mut self, tokens: usize) -> Option<Self> {
        let least: usize = self.least.iter().map(|&count| count as usize).sum();
        let most: usize = self.most.iter().map(|&count| count as usize).sum();
        match (least.cmp(&tokens), most.cmp(&tokens)) {
            (Ordering::Greater, _) | (_, Ordering::Less) => return None,
            (Ordering::Equal, _) => self.most.clone_from(&self.least),
            (_, Ordering::Equal) => self.least.clone_from(&self.most),
            _ => {}
        }
        Some(self)
    }
}
