//! Prices on tokens: a lower bound of the margin that makes the experts agree on the tokens that they all see.
//!
//! For any numbers λ_{s,q} (the prices), with S the irrelevant tokens of x,
//!
//! ```text
//! min_x y f(x) ≥ Σ_s min_S [ y f_s(S) − Σ_{q∈S} λ_{s,q} ] + min_S Σ_{q∈S} Σ_s λ_{s,q}
//! ```
//!
//! (Lagrangian decomposition). Each minimum is bounded from below by itself. For expert s let e = y a_s, C its chosen
//! irrelevant tokens, and μ any number; then y f_s = eμ + D/W with D = Σ e w(σ − μ) and W = Σ w over the chosen tokens,
//! and D/W ≥ min(D/W₋, D/W₊) for W₋ ≤ W ≤ W₊. Both are sums over tokens, so the best C for each lowest chosen score is
//! a selection of smallest keys, and the best left-out tokens are those of largest price below it. Choices are split into
//! cells by how many tokens of the upper tier are chosen, so that [W₋, W₊] is narrow, and each cell has its own μ, near
//! the value that its choices reach; the bound is sound for every μ and every λ, however they were found.

use super::extremes::extreme;
use super::selection::Smallest;
use super::table::{ExpertTable, ModelTable};
use crate::patterns::Class;

/// How often each irrelevant pattern must and may occur in the inputs of a node of the search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrences {
    /// At least so often, `[d − 2]`.
    pub least: Vec<u32>,
    /// At most so often, `[d − 2]`.
    pub most: Vec<u32>,
}

impl Occurrences {
    /// Of all inputs.
    pub fn all(table: &ModelTable) -> Self {
        Self { least: vec![0; table.irrelevant], most: vec![table.capacity(); table.irrelevant] }
    }
}

/// Smallest total weight that is divided by; below it an expert's output is bounded by its activations alone.
const LIGHT: f64 = 1e-200;

/// Prices beyond this prove nothing.
const HUGE: f64 = 1e100;

/// The prices and the references μ, which make the bound.
#[derive(Clone, Debug)]
pub struct Prices {
    /// λ, by kept expert and rank.
    prices: Vec<Vec<f64>>,
    /// μ, by kept expert and cell.
    references: Vec<Vec<f64>>,
}

/// A choice of tokens that attains an expert's bound: (rank, copies).
type Choice = Vec<(u32, u32)>;

/// What a pass over the experts gives.
#[derive(Clone, Debug, Default)]
pub struct Pass {
    /// The lower bound of the margin; infinite if no input is left.
    pub bound: f64,
    /// Share of the experts whose worst tokens hold each irrelevant pattern (with its copies), `[d − 2]`.
    pub consensus: Vec<f64>,
    /// Each kept expert's worst tokens.
    choices: Vec<Choice>,
}

/// One way to choose: how many irrelevant tokens of which tier, with or without the class pattern.
#[derive(Clone, Copy, Debug)]
struct Cell {
    /// Whether the class pattern is chosen.
    with_class: bool,
    /// Chosen tokens of the upper tier; all of them if `upper_only`.
    upper: usize,
    /// Whether the lowest chosen token is of the upper tier.
    upper_only: bool,
}

/// Bounds the margin of one class by prices. Reusable scratch space.
#[derive(Debug)]
pub struct Relaxation<'a> {
    table: &'a ModelTable,
    class: Class,
    kept: Vec<usize>,
    least: Vec<u32>,
    most: Vec<u32>,
    forced_before: Vec<usize>,
    suffixes: [Vec<f64>; 2],
    keys: Vec<f64>,
    list: Smallest,
    other: Smallest,
    totals: Vec<f64>,
}

/// The best of an expert's cells.
#[derive(Clone, Copy, Debug)]
struct Best {
    value: f64,
    cell: Cell,
    number: usize,
    scale: f64,
    cut: usize,
}

impl Prices {
    /// No prices: the bound is then about the sum bound.
    pub fn none(table: &ModelTable, kept: &[usize], class: Class) -> Self {
        let cells = 2 * (table.chosen + 1);
        let reference = |&expert: &usize| {
            let vote = table.experts[expert].vote(class);
            let value = vote * extreme(table, expert, class, vote).value;
            vec![if value.is_finite() { value } else { 0.0 }; cells]
        };
        Self {
            prices: kept.iter().map(|&expert| vec![0.0; table.experts[expert].scores.len()]).collect(),
            references: kept.iter().map(reference).collect(),
        }
    }

    /// Without the expert at this place of the kept ones.
    pub fn without(mut self, place: usize) -> Self {
        self.prices.remove(place);
        self.references.remove(place);
        self
    }

    /// Moves the prices along the disagreement of the experts about the tokens, by `step`: what an expert wants more
    /// than the others becomes dearer to it.
    fn adjust(&mut self, table: &ModelTable, kept: &[usize], pass: &Pass, step: f64) {
        for ((prices, &expert), choice) in self.prices.iter_mut().zip(kept).zip(&pass.choices) {
            let own = &table.experts[expert];
            for (pattern, &share) in pass.consensus.iter().enumerate() {
                if share > 0.0 {
                    prices[own.ranks[pattern] as usize] += step * share;
                }
            }
            for &(rank, copies) in choice {
                prices[rank as usize] -= step * f64::from(copies);
            }
        }
    }
}

impl Pass {
    /// Σ_s Σ_q (consensus − own copies)²: 0 if all experts want the same tokens.
    fn disagreement(&self) -> f64 {
        let experts = self.choices.len() as f64;
        let own: f64 = self.choices.iter().flatten().map(|&(_, copies)| f64::from(copies * copies)).sum();
        own - experts * self.consensus.iter().map(|share| share * share).sum::<f64>()
    }
}

impl<'a> Relaxation<'a> {
    /// For the model that keeps the experts `kept`, on inputs of `class`.
    pub fn new(table: &'a ModelTable, kept: &[usize], class: Class) -> Self {
        Self {
            table,
            class,
            kept: kept.to_vec(),
            least: Vec::new(),
            most: Vec::new(),
            forced_before: Vec::new(),
            suffixes: [Vec::new(), Vec::new()],
            keys: Vec::new(),
            list: Smallest::default(),
            other: Smallest::default(),
            totals: Vec::new(),
        }
    }

    /// Moves the prices to raise the bound over the inputs that `node` leaves, until it exceeds `enough` or `passes` passes are
    /// made. Returns the best pass; `prices` are then those of it.
    pub fn raise(&mut self, node: &Occurrences, prices: &mut Prices, passes: usize, enough: f64) -> Pass {
        let mut best = self.pass(node, prices);
        let mut best_prices = prices.clone();
        let mut last = best.clone();
        let mut consensus = best.consensus.clone();
        // The step aims at a bound that is higher by `hope`, which shrinks when it is not reached.
        let mut hope = (enough - best.bound).max(0.05 * (best.bound.abs() + enough.abs()));
        let mut failures = 0;
        for _ in 1..passes {
            if best.bound > enough || !best.bound.is_finite() || !last.bound.is_finite() {
                break;
            }
            let disagreement = last.disagreement();
            if disagreement < 1e-9 {
                break;
            }
            let step = (best.bound + hope - last.bound) / disagreement;
            prices.adjust(self.table, &self.kept, &last, step);
            last = self.pass(node, prices);
            consensus.iter_mut().zip(&last.consensus).for_each(|(mean, share)| *mean = 0.8 * *mean + 0.2 * share);
            if last.bound > best.bound {
                if last.bound > best.bound + 0.1 * hope {
                    failures = 0;
                }
                best = last.clone();
                best_prices.clone_from(prices);
            } else {
                failures += 1;
                if failures >= 5 {
                    hope *= 0.6;
                    failures = 0;
                    last = best.clone();
                    prices.clone_from(&best_prices);
                }
            }
        }
        *prices = best_prices;
        best.consensus = consensus;
        best
    }

    /// The bound at these prices.
    pub fn pass(&mut self, node: &Occurrences, prices: &mut Prices) -> Pass {
        let (mut bound, mut error) = (0.0, 0.0);
        let mut pass = Pass { bound: 0.0, consensus: vec![0.0; self.table.irrelevant], choices: Vec::new() };
        self.totals.clear();
        self.totals.resize(self.table.irrelevant, 0.0);
        let share = 1.0 / self.kept.len().max(1) as f64;
        let mut largest: f64 = 0.0;
        // A sum with a number that is none would prove nothing, and might seem to.
        if prices.prices.iter().chain(&prices.references).flatten().any(|number| !(number.abs() <= HUGE)) {
            return Pass { bound: f64::NEG_INFINITY, ..pass };
        }
        for place in 0..self.kept.len() {
            let own = &self.table.experts[self.kept[place]];
            let lambda = &prices.prices[place];
            for (&pattern, &price) in own.patterns.iter().zip(lambda) {
                self.totals[pattern as usize] += price;
                largest = largest.max(price.abs());
            }
            let Some((value, expert_error, choice)) = self.expert(own, node, lambda, &mut prices.references[place])
            else {
                return Pass { bound: f64::INFINITY, ..pass };
            };
            bound += value;
            error += expert_error + f64::EPSILON * bound.abs();
            for &(rank, copies) in &choice {
                pass.consensus[own.patterns[rank as usize] as usize] += share * f64::from(copies);
            }
            pass.choices.push(choice);
        }
        let rest = self.cheapest(node);
        // Each total is a sum of one price an expert, and n − 1 of them are added.
        let rounded = (self.kept.len() * self.table.tokens * (self.kept.len() + self.table.tokens)) as f64 * largest;
        error += f64::EPSILON * (rounded + rest.abs());
        pass.bound = bound + rest - 1.01 * error;
        pass
    }

    /// min_S Σ_{q∈S} Σ_s λ_{s,q}.
    fn cheapest(&mut self, node: &Occurrences) -> f64 {
        let mut forced = 0.0;
        let mut room = self.table.tokens - 1;
        for (pattern, &least) in node.least.iter().enumerate() {
            if least > 0 {
                forced += f64::from(least) * self.totals[pattern];
                room = room.saturating_sub(least as usize);
            }
        }
        self.list.reset(room);
        for (pattern, &total) in self.totals.iter().enumerate() {
            self.list.put(total, pattern, node.most[pattern] - node.least[pattern]);
        }
        forced + self.list.sum(room)
    }

    /// min_S [y f_s(S) − Σ λ] from below up to rounding, the bound of that rounding, and the tokens that attain it; `None` if no
    /// input is left.
    fn expert(
        &mut self,
        own: &ExpertTable,
        node: &Occurrences,
        prices: &[f64],
        references: &mut [f64],
    ) -> Option<(f64, f64, Choice)> {
        self.gather(own, node);
        let (n, l) = (self.table.tokens, self.table.chosen);
        self.fill_suffixes(prices, n - l);
        let vote = own.vote(self.class);
        let mut best: Option<Best> = None;
        let mut error: f64 = 0.0;
        for with_class in [true, false] {
            let picks = if with_class { l - 1 } else { l };
            if !with_class && n - 1 < l {
                continue;
            }
            for upper in 0..=picks {
                let cell = Cell { with_class, upper, upper_only: upper == picks };
                if (upper > 0 && own.upper == 0) || (upper == picks && own.upper == 0) {
                    continue;
                }
                let number = if with_class { upper } else { l + 1 + upper };
                let reference = references[number];
                let (light, heavy) = self.weight_range(own, cell, picks);
                let (scales, spread) = if light > LIGHT {
                    // Outward: the scales enclose 1/W.
                    let outward = 1e-12 + 2.0 * own.weight_error;
                    ([(1.0 + outward) / light, (1.0 - outward) / heavy], heavy / light * (1.0 + 1e-9 + 4.0 * outward))
                } else {
                    ([0.0, 0.0], 1.0)
                };
                let scales = if scales[0] > 0.0 { &scales[..] } else { &scales[..1] };
                let size = own.largest_activation + reference.abs();
                let relative = 2.0 * own.weight_error + (2 * n + 24) as f64 * f64::EPSILON;
                let cell_error = spread * (size * relative + 2.0 * own.activation_error);
                for &scale in scales {
                    if let Some((value, cut)) = self.cell(own, cell, picks, scale, reference, vote, prices)
                        && best.is_none_or(|best| value < best.value)
                    {
                        best = Some(Best { value, cell, number, scale, cut });
                        error = error.max(cell_error);
                    }
                }
                error = error.max(cell_error);
            }
        }
        let best = best?;
        let choice = self.choice(own, best, references[best.number], vote, prices);
        let reached = self.reached(own, best.cell, &choice);
        if reached.is_finite() {
            references[best.number] = reached;
        }
        let largest = prices.iter().fold(0.0, |largest: f64, price| largest.max(price.abs()));
        let rounded = (n * (n + 8)) as f64 * f64::EPSILON * largest;
        Some((best.value, error + rounded + own.slack, merge(choice)))
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

    /// Bounds of W over the choices of a cell.
    fn weight_range(&self, own: &ExpertTable, cell: Cell, picks: usize) -> (f64, f64) {
        let all = own.weights.len();
        let left = self.table.tokens - 1 - picks;
        // Without replacement the lowest ranks are left out, as many as are left at least.
        let lowest = if own.overlaps { all - 1 } else { all.saturating_sub(left + 1) };
        let class = if cell.with_class { own.class[self.class.pattern()].weight } else { 0.0 };
        let (upper, lower) = (cell.upper as f64, (picks - cell.upper) as f64);
        let of_upper = if own.upper > 0 { (own.weights[own.upper - 1], own.weights[0]) } else { (0.0, 0.0) };
        let highest_lower = own.weights[own.upper.min(all - 1)];
        let of_lower = (own.weights[lowest.max(own.upper.min(all - 1))], highest_lower);
        (class + upper * of_upper.0 + lower * of_lower.0, class + upper * of_upper.1 + lower * of_lower.1)
    }

    /// The smallest value over the choices of a cell, with the cut that attains it; `None` if it has no choice.
    #[allow(clippy::too_many_arguments)] // The numbers of one cell; a struct for them would be used once.
    fn cell(
        &mut self,
        own: &ExpertTable,
        cell: Cell,
        picks: usize,
        scale: f64,
        reference: f64,
        vote: f64,
        prices: &[f64],
    ) -> Option<(f64, usize)> {
        let Some(mut fixed) = self.prepare(own, cell, scale, reference, vote, prices) else { return None };
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
    fn prepare(
        &mut self,
        own: &ExpertTable,
        cell: Cell,
        scale: f64,
        reference: f64,
        vote: f64,
        prices: &[f64],
    ) -> Option<f64> {
        let end = if cell.upper_only { own.upper } else { own.scores.len() };
        let scaled = scale * vote;
        self.keys.clear();
        let tokens = own.weights[..end].iter().zip(&own.activations).zip(prices);
        self.keys
            .extend(tokens.map(|((weight, activation), price)| scaled * weight * (activation - reference) - price));
        if scale == 0.0 {
            return Some(if vote > 0.0 { 0.0 } else { -own.largest_activation });
        }
        let class = own.class[self.class.pattern()];
        let of_class = if cell.with_class { scaled * class.weight * (class.activation - reference) } else { 0.0 };
        Some(vote * reference + of_class)
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
    fn choice(&mut self, own: &ExpertTable, best: Best, reference: f64, vote: f64, prices: &[f64]) -> (Choice, Choice) {
        let (n, l) = (self.table.tokens, self.table.chosen);
        let Best { cell, scale, cut, .. } = best;
        let picks = if cell.with_class { l - 1 } else { l };
        let mut chosen = Vec::new();
        let _ = self.prepare(own, cell, scale, reference, vote, prices);
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

/// The ranks that the lowest chosen token of a cell can have.
fn cell_ranks(own: &ExpertTable, cell: Cell) -> (usize, usize) {
    if cell.upper_only && own.upper > 0 { (0, own.upper) } else { (own.upper, own.scores.len()) }
}

/// One list of both.
fn merge((mut chosen, left): (Choice, Choice)) -> Choice {
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
