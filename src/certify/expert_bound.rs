//! The least that one expert can add to the margin at given prices, from below.
//!
//! For expert s let e = y a_s, C its chosen irrelevant tokens, and μ any number; then y f_s = eμ + D/W with D = Σ e w(σ − μ)
//! and W = Σ w over the chosen tokens, and D/W ≥ min(D/W₋, D/W₊) for W₋ ≤ W ≤ W₊. Both are sums over tokens, so the best C
//! for each lowest chosen score is a selection of smallest keys, and the best left-out tokens are those of largest price
//! below it. Choices are split into cells by how many tokens of the upper tier are chosen, so that [W₋, W₊] is narrow, and
//! each cell has its own μ, near the value that its choices reach; the bound is sound for every μ.

use super::cells::{Cell, Choice, cell_ranks, cells, merge, weight_range};
use super::occurrences::Occurrences;
use super::selection::Smallest;
use super::table::{ExpertTable, LIGHT, ModelTable};
use crate::patterns::Class;

/// The least of y f_s(S) − Σ_{q∈S} λ_q.
pub(super) struct Least {
    /// The least, up to `error`.
    pub(super) value: f64,
    /// Bound of the rounding of `value`, and of what token noise may do.
    pub(super) error: f64,
    /// Tokens that attain it.
    pub(super) tokens: Choice,
}

/// What makes the keys of a cell's tokens.
#[derive(Clone, Copy, Debug)]
struct Keys {
    cell: Cell,
    /// Irrelevant tokens chosen.
    picks: usize,
    /// 1/W₋ or 1/W₊, outward; 0 where the weights are too light to divide by.
    scale: f64,
    /// μ.
    reference: f64,
    /// e.
    vote: f64,
}

/// The best of an expert's cells.
#[derive(Clone, Copy, Debug)]
struct Best {
    value: f64,
    keys: Keys,
    /// Number of the cell's reference.
    number: usize,
    cut: usize,
}

/// Scratch space for the bounds of experts on the inputs of one class.
#[derive(Debug)]
pub(super) struct ExpertBound<'a> {
    table: &'a ModelTable,
    class: Class,
    least: Vec<u32>,
    most: Vec<u32>,
    forced_before: Vec<usize>,
    suffixes: [Vec<f64>; 2],
    keys: Vec<f64>,
    list: Smallest,
    other: Smallest,
}

impl<'a> ExpertBound<'a> {
    pub(super) fn new(table: &'a ModelTable, class: Class) -> Self {
        Self {
            table,
            class,
            least: Vec::new(),
            most: Vec::new(),
            forced_before: Vec::new(),
            suffixes: [Vec::new(), Vec::new()],
            keys: Vec::new(),
            list: Smallest::default(),
            other: Smallest::default(),
        }
    }

    /// The least over the inputs that `node` leaves; `None` if no input is left. The references μ, by cell, move to what the
    /// best choice reaches.
    pub(super) fn least(
        &mut self,
        own: &ExpertTable,
        node: &Occurrences,
        prices: &[f64],
        references: &mut [f64],
    ) -> Option<Least> {
        self.gather(own, node);
        let (n, l) = (self.table.tokens, self.table.chosen);
        self.fill_suffixes(prices, n - l);
        let mut best: Option<Best> = None;
        let mut error: f64 = 0.0;
        for (number, picks, cell) in cells(own, n, l) {
            let (scales, spread) = self.scales(own, cell, picks);
            error = error.max(self.cell_error(own, spread, references[number]));
            for &scale in &scales[..if scales[0] > 0.0 { 2 } else { 1 }] {
                let keys = Keys { cell, picks, scale, reference: references[number], vote: own.vote(self.class) };
                if let Some((value, cut)) = self.cell(own, keys, prices)
                    && best.is_none_or(|best| value < best.value)
                {
                    best = Some(Best { value, keys, number, cut });
                }
            }
        }
        let best = best?;
        let choice = self.choice(own, best, prices);
        let reached = self.reached(own, best.keys.cell, &choice);
        if reached.is_finite() {
            references[best.number] = reached;
        }
        let largest = prices.iter().fold(0.0, |largest: f64, price| largest.max(price.abs()));
        // At most n prices are added, each with the rounding of its sum.
        let rounded = (n * (n + 8)) as f64 * f64::EPSILON * largest;
        Some(Least { value: best.value, error: error + rounded + own.slack, tokens: merge(choice) })
    }

    /// 1/W₋ and 1/W₊, outward, and a bound of W₊/W₋; zeros where the weights are too light to divide by.
    fn scales(&self, own: &ExpertTable, cell: Cell, picks: usize) -> ([f64; 2], f64) {
        let (light, heavy) = weight_range(self.table, self.class, own, cell, picks);
        if light <= LIGHT {
            return ([0.0, 0.0], 1.0);
        }
        let outward = 1e-12 + 2.0 * own.weight_error;
        ([(1.0 + outward) / light, (1.0 - outward) / heavy], heavy / light * (1.0 + 1e-9 + 4.0 * outward))
    }

    /// Bound of the rounding of a cell's keys and of their sum: scale·Σw is at most `spread`, each key is off by the errors
    /// of its weight and activation and some ε, and at most n of them are added.
    fn cell_error(&self, own: &ExpertTable, spread: f64, reference: f64) -> f64 {
        let size = own.largest_activation + reference.abs();
        let relative = 2.0 * own.weight_error + (2 * self.table.tokens + 24) as f64 * f64::EPSILON;
        spread * (size * relative + 2.0 * own.activation_error)
    }

    /// The node's occurrences by the expert's ranks.
    fn gather(&mut self, own: &ExpertTable, node: &Occurrences) {
        self.least.clear();
        self.most.clear();
        // Where a token can be both chosen and left out, what must occur is left open: a weaker bound.
        if own.overlaps {
            self.least.resize(own.patterns.len(), 0);
        } else {
            self.least.extend(own.patterns.iter().map(|&pattern| node.least[pattern as usize]));
        }
        self.most.extend(own.patterns.iter().map(|&pattern| node.most[pattern as usize]));
        self.forced_before.clear();
        self.forced_before.push(0);
        let mut sum = 0;
        for &least in &self.least {
            sum += least as usize;
            self.forced_before.push(sum);
        }
    }

    /// The smallest −Σ λ over `left` tokens (and over one fewer) of the ranks from each one on.
    fn fill_suffixes(&mut self, prices: &[f64], left: usize) {
        let all = prices.len();
        let forced_in_all = self.forced_before[all];
        for suffixes in &mut self.suffixes {
            suffixes.clear();
            suffixes.resize(all + 1, f64::INFINITY);
        }
        let mut list = std::mem::take(&mut self.list);
        list.reset(left);
        let (mut forced, mut sums) = (0.0, [f64::INFINITY; 2]);
        let mut fresh = true;
        for rank in (0..=all).rev() {
            if rank < all {
                let (least, most) = (self.least[rank], self.most[rank]);
                if least > 0 {
                    forced -= f64::from(least) * prices[rank];
                    fresh = true;
                }
                fresh |= list.put(-prices[rank], rank, most - least);
            }
            if fresh {
                let count = forced_in_all - self.forced_before[rank];
                for (fewer, sum) in sums.iter_mut().enumerate() {
                    let free = left.checked_sub(fewer + count);
                    *sum = free.map_or(f64::INFINITY, |free| forced + list.sum(free));
                }
                fresh = false;
            }
            self.suffixes[0][rank] = sums[0];
            self.suffixes[1][rank] = sums[1];
        }
        self.list = list;
    }

    /// The smallest value over the choices of a cell, with the cut that attains it; `None` if it has no choice.
    fn cell(&mut self, own: &ExpertTable, keys: Keys, prices: &[f64]) -> Option<(f64, usize)> {
        let Keys { cell, picks, .. } = keys;
        let mut fixed = self.prepare(own, keys, prices);
        let (first, last) = cell_ranks(own, cell);
        let lower = picks - if cell.upper_only { 0 } else { cell.upper };
        self.list.reset(lower);
        if !cell.upper_only {
            fixed += self.upper_part(own, cell.upper)?;
        }
        let class = own.class[self.class.pattern()];
        let below_class = if cell.with_class { own.first_at_most(class.score) } else { 0 };
        let last = if cell.with_class { last } else { last.min(own.count_at_least(class.score)) };
        let forced_first = self.forced_before[first];
        let mut forced = 0.0;
        let mut next = first;
        let mut fresh = true;
        let (mut chosen, mut best) = (f64::INFINITY, None);
        let suffixes = &self.suffixes[usize::from(!cell.with_class)];
        for cut in first..last {
            let end = own.chosen_end[cut].min(if cell.upper_only { own.upper } else { own.scores.len() });
            while next < end {
                let (least, most) = (self.least[next], self.most[next]);
                if least > 0 {
                    forced += f64::from(least) * self.keys[next];
                    fresh = true;
                }
                fresh |= self.list.put(self.keys[next], next, most - least);
                next += 1;
            }
            if fresh {
                let count = self.forced_before[next] - forced_first;
                chosen = lower.checked_sub(count).map_or(f64::INFINITY, |free| forced + self.list.sum(free));
                fresh = false;
            }
            let start = own.left_start[cut].max(below_class);
            // What must occur between the chosen and the left-out tokens can be neither.
            let lost = start > next && self.forced_before[start] > self.forced_before[next];
            let value = chosen + suffixes[start];
            if !lost && best.is_none_or(|(smallest, _)| value < smallest) && value < f64::INFINITY {
                best = Some((value, cut));
            }
        }
        best.map(|(value, cut)| (fixed + value, cut))
    }

    /// Fills the keys of a cell and returns the part of its value that is the same for every choice.
    fn prepare(&mut self, own: &ExpertTable, keys: Keys, prices: &[f64]) -> f64 {
        let Keys { cell, scale, reference, vote, .. } = keys;
        let end = if cell.upper_only { own.upper } else { own.scores.len() };
        let scaled = scale * vote;
        self.keys.clear();
        let tokens = own.weights[..end].iter().zip(&own.activations).zip(prices);
        self.keys
            .extend(tokens.map(|((weight, activation), price)| scaled * weight * (activation - reference) - price));
        if scale == 0.0 {
            return if vote > 0.0 { 0.0 } else { -own.largest_activation };
        }
        let class = own.class[self.class.pattern()];
        let of_class = if cell.with_class { scaled * class.weight * (class.activation - reference) } else { 0.0 };
        vote * reference + of_class
    }

    /// The smallest keys of the upper tier, `count` of them, with those that must occur.
    fn upper_part(&mut self, own: &ExpertTable, count: usize) -> Option<f64> {
        let forced_count = self.forced_before[own.upper];
        let free = count.checked_sub(forced_count)?;
        self.other.reset(free);
        let mut forced = 0.0;
        for rank in 0..own.upper {
            forced += f64::from(self.least[rank]) * self.keys[rank];
            self.other.put(self.keys[rank], rank, self.most[rank] - self.least[rank]);
        }
        let sum = forced + self.other.sum(free);
        sum.is_finite().then_some(sum)
    }

    /// The tokens that attain the best value: chosen ones first, then those left out.
    fn choice(&mut self, own: &ExpertTable, best: Best, prices: &[f64]) -> (Choice, Choice) {
        let Best { keys, cut, .. } = best;
        let Keys { cell, picks, .. } = keys;
        let n = self.table.tokens;
        let mut chosen = Vec::new();
        self.prepare(own, keys, prices);
        let forced_in = |least: &[u32], from: usize, to: usize| -> Choice {
            (from..to).filter(|&rank| least[rank] > 0).map(|rank| (rank as u32, least[rank])).collect()
        };
        let (first, _) = cell_ranks(own, cell);
        let mut lower = picks;
        if !cell.upper_only {
            lower -= cell.upper;
            let _ = self.upper_part(own, cell.upper);
            chosen.extend(forced_in(&self.least, 0, own.upper));
            chosen.extend(self.other.first(usize::MAX).iter().map(|&rank| (rank, 1)));
        }
        let end = own.chosen_end[cut].min(if cell.upper_only { own.upper } else { own.scores.len() });
        let free = lower.saturating_sub(self.forced_before[end] - self.forced_before[first]);
        self.list.reset(free);
        for rank in first..end {
            self.list.put(self.keys[rank], rank, self.most[rank] - self.least[rank]);
        }
        chosen.extend(forced_in(&self.least, first, end));
        chosen.extend(self.list.first(free).iter().map(|&rank| (rank, 1)));
        let class = own.class[self.class.pattern()];
        let below_class = if cell.with_class { own.first_at_most(class.score) } else { 0 };
        let start = own.left_start[cut].max(below_class);
        let all = own.scores.len();
        let free = (n - 1 - picks).saturating_sub(self.forced_before[all] - self.forced_before[start]);
        self.list.reset(free);
        for rank in (start..all).rev() {
            self.list.put(-prices[rank], rank, self.most[rank] - self.least[rank]);
        }
        let mut left = forced_in(&self.least, start, all);
        left.extend(self.list.first(free).iter().map(|&rank| (rank, 1)));
        (chosen, left)
    }

    /// Σ w σ / Σ w of a choice.
    fn reached(&self, own: &ExpertTable, cell: Cell, (chosen, _): &(Choice, Choice)) -> f64 {
        let class = own.class[self.class.pattern()];
        let mut sums = if cell.with_class { (class.weight * class.activation, class.weight) } else { (0.0, 0.0) };
        for &(rank, copies) in chosen {
            let weight = f64::from(copies) * own.weights[rank as usize];
            sums = (sums.0 + weight * own.activations[rank as usize], sums.1 + weight);
        }
        sums.0 / sums.1
    }
}
