//! Prices on tokens: a lower bound of the margin that makes the experts agree on the tokens that they all see.
//!
//! For any numbers λ_{s,q} (the prices), with S the irrelevant tokens of x,
//!
//! ```text
//! min_x y f(x) ≥ Σ_s min_S [ y f_s(S) − Σ_{q∈S} λ_{s,q} ] + min_S Σ_{q∈S} Σ_s λ_{s,q}
//! ```
//!
//! (Lagrangian decomposition). Each minimum is bounded from below by itself, those of the experts in
//! `expert_bound`. The bound is sound for all prices, however they were found.

use super::cells::Choice;
use super::expert_bound::ExpertBound;
use super::extremes::extreme;
use super::occurrences::Occurrences;
use super::selection::Smallest;
use super::table::ModelTable;
use crate::patterns::Class;

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

/// Bounds the margin of one class by prices. Reusable scratch space.
#[derive(Debug)]
pub struct Relaxation<'a> {
    table: &'a ModelTable,
    kept: Vec<usize>,
    expert: ExpertBound<'a>,
    list: Smallest,
    totals: Vec<f64>,
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
    pub(crate) fn without(mut self, place: usize) -> Self {
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
            kept: kept.to_vec(),
            expert: ExpertBound::new(table, class),
            list: Smallest::default(),
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
    pub(crate) fn pass(&mut self, node: &Occurrences, prices: &mut Prices) -> Pass {
        let (mut bound, mut error) = (0.0, 0.0);
        let mut pass = Pass { bound: 0.0, consensus: vec![0.0; self.table.irrelevant], choices: Vec::new() };
        self.totals.clear();
        self.totals.resize(self.table.irrelevant, 0.0);
        let share = 1.0 / self.kept.len().max(1) as f64;
        let mut largest: f64 = 0.0;
        // A sum with a number that is none would prove nothing, and might seem to.
        if prices.prices.iter().chain(&prices.references).flatten().any(|number| number.is_nan() || number.abs() > HUGE)
        {
            return Pass { bound: f64::NEG_INFINITY, ..pass };
        }
        for place in 0..self.kept.len() {
            let own = &self.table.experts[self.kept[place]];
            let lambda = &prices.prices[place];
            for (&pattern, &price) in own.patterns.iter().zip(lambda) {
                self.totals[pattern as usize] += price;
                largest = largest.max(price.abs());
            }
            let references = &mut prices.references[place];
            let Some(least) = self.expert.least(own, node, lambda, references) else {
                return Pass { bound: f64::INFINITY, ..pass };
            };
            bound += least.value;
            error += least.error + f64::EPSILON * bound.abs();
            for &(rank, copies) in &least.tokens {
                pass.consensus[own.patterns[rank as usize] as usize] += share * f64::from(copies);
            }
            pass.choices.push(least.tokens);
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
}
