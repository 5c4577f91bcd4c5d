//! PEER, a mixture of many small experts behind product keys (He 2024, arXiv 2407.04153; detailed notes and a third party's
//! code were read).
//!
//! The experts are the cells (a, b) of a grid. The router of a cell is w_(a,b) = [c_a; c′_b]: one key for its row and one
//! for its column, each of half the length, so that ‖w_(a,b)‖² = ‖c_a‖² + ‖c′_b‖² and the norms of k routers are 2√k
//! numbers. A token takes the c cells of largest ⟨c_a, x₁⟩ + ⟨c′_b, x₂⟩, x₁ and x₂ being the halves of the token x, with the
//! softmax over the chosen; they are found among the c² pairs of the best c rows and the best c columns, which is exact
//! ([`best_cells`]). f is the sum over the tokens of a sample of Σ_s p_s a_s σ_s(v), with the ReLU neurons of the paper's
//! model in pattern coordinates.
//!
//! With one column nothing is chosen there, the row's key is the whole router, and the grid is ordinary token choice.
//!
//! Start: a constructed model of the paper's, with as many experts as the grid has rows, stands on the diagonal: row a and
//! column a have the halves of its router a, and cell (a, a) its role. The neurons of a relevant cell are |N(0, s₀²)| on its
//! pattern; all others are N(0, (s₀/2)²). With `placement = "one-row"` the relevant cells are (0, 0), (0, 1), … in place of
//! the diagonal ones; row 0 then has the sum of their first halves.
//!
//! Over a token's chosen cells, with V_s = a_s σ_s(v), or 0 of a pruned expert whose router stays: the gradient of its gate
//! is that of an ordinary router, g_s = p_s (V_s − Σ_i p_i V_i) x, and ∂f/∂c_a is the first half of Σ_b g_(a,b).

use super::rows::{OnRows, Rows};
use super::tokenwise::{Routed, Tokenwise, TokenwiseEngine, for_each_routed, product};
use super::{Setting, StartingPoint, UpstreamDiverged};
use crate::moe::routing::{choose_tokens, softmax};
use crate::moe::{BuiltRole, Pretrained};
use crate::patterns::streams::{Purpose, stream};
use crate::patterns::{Batch, StandardNormal, Vocabulary};
use crate::prune::routed::RoutedSample;
use crate::sgd::{Engine, Rates};
use crate::sim::parameters::{ModelParameters, Parameters, Placement};
use rand::distr::Distribution;
use std::sync::Arc;

/// A grid of experts.
#[derive(Clone, Debug)]
pub struct Peer {
    /// x of every pattern, `[d, d]`.
    tokens: Arc<Vec<f64>>,
    patterns: usize,
    columns: usize,
    /// c.
    experts_per_token: usize,
    /// Routers [c_a; c′_b] `[k, d]` and neurons `[k, m, d]`.
    /// An expert's number is that of its cell, a·columns + b.
    rows: Rows,
}

/// A grid of experts in training.
pub type PeerEngine = TokenwiseEngine<Peer>;

/// The grid of a run.
pub(super) fn start(setting: &Setting) -> (StartingPoint, Option<UpstreamDiverged>) {
    let (system, roles) = Peer::new(setting.parameters, setting.seed);
    let is_built = |role: &BuiltRole| matches!(role, BuiltRole::Relevant | BuiltRole::Misaligned);
    let features = roles.iter().map(|role| is_built(role).then_some(0)).collect();
    (StartingPoint { system: Box::new(system), roles, features }, None)
}

/// The `count` cells a·C + b of largest `rows[a] + columns[b]`, C the number of columns, in descending order; of equals the
/// smallest number. Only cells of the best `count` rows and columns are looked at: of every other there are `count` cells,
/// in its row or its column, that are at least as good.
///
/// Two sums that are equal after rounding alone may be taken in the other order.
pub fn best_cells(rows: &[f64], columns: &[f64], count: usize) -> Vec<usize> {
    let (mut best_rows, mut best_columns, mut chosen) = (Vec::new(), Vec::new(), Vec::new());
    choose_tokens(rows, count, &mut best_rows);
    choose_tokens(columns, count, &mut best_columns);
    let mut cells: Vec<usize> =
        best_rows.iter().flat_map(|a| best_columns.iter().map(move |b| a * columns.len() + b)).collect();
    // In the order of their numbers, in which ties are decided.
    cells.sort_unstable();
    let sums: Vec<f64> = cells.iter().map(|cell| rows[cell / columns.len()] + columns[cell % columns.len()]).collect();
    choose_tokens(&sums, count, &mut chosen);
    chosen.into_iter().map(|place| cells[place]).collect()
}

/// The sign of expert number `number`: +1 for even ones, −1 for odd ones.
fn alternating(number: usize) -> f64 {
    if number.is_multiple_of(2) { 1.0 } else { -1.0 }
}

impl Peer {
    /// At t = 0, with the role that each expert was built for.
    pub fn new(parameters: &Parameters, seed: u64) -> (Self, Vec<BuiltRole>) {
        let Parameters { data, model, pretrained, .. } = parameters;
        let (k, d, columns) = (model.experts, data.patterns, model.grid_columns);
        let on_diagonal = Parameters {
            model: ModelParameters { experts: k / columns, neurons: 1, ..model.clone() },
            ..parameters.clone()
        };
        let diagonal = Pretrained::constructed(&on_diagonal, seed);
        let relevant: Vec<usize> =
            (0..k / columns).filter(|&number| diagonal.roles[number] == BuiltRole::Relevant).collect();
        let vocabulary = Vocabulary::new(d, data.basis, seed);
        let identity: Vec<f64> = (0..d * d).map(|place| f64::from(u8::from(place % (d + 1) == 0))).collect();
        let keys = vocabulary.rows_to_ambient(&diagonal.model.routers);
        let key = |number: usize| &keys[number * d..][..d];
        let grid = Self {
            tokens: Arc::new(vocabulary.rows_to_ambient(&identity)),
            patterns: d,
            columns,
            experts_per_token: model.experts_per_token,
            rows: Rows::new(Vec::new(), Vec::new(), k, d).with_signs((0..k).map(alternating).collect()),
        };
        let split = grid.split();
        let in_one_row = columns > 1 && pretrained.placement == Placement::OneRow;
        let mut routers = Vec::with_capacity(k * d);
        for cell in 0..k {
            let (row, column) = (cell / columns, cell % columns);
            match in_one_row && row == 0 {
                true => routers
                    .extend((0..split).map(|place| relevant.iter().map(|&number| key(number)[place]).sum::<f64>())),
                false => routers.extend_from_slice(&key(row)[..split]),
            }
            routers.extend_from_slice(&key(column)[split..]);
        }
        let number_of = |cell: usize| -> Option<usize> {
            let (row, column) = (cell / columns, cell % columns);
            let is_built = if in_one_row { row == 0 } else { columns == 1 || row == column };
            let number = if columns == 1 { row } else { column };
            (is_built && diagonal.roles[number] == BuiltRole::Relevant).then_some(number)
        };
        let roles = (0..k).map(|cell| number_of(cell).map_or(BuiltRole::Irrelevant, |_| BuiltRole::Relevant)).collect();
        let mut generator = stream(seed, Purpose::GridNeurons);
        let mut neurons = Vec::with_capacity(k * model.neurons * d);
        for cell in 0..k {
            let own = number_of(cell).map(|number| number % 2);
            for place in 0..model.neurons * d {
                let gaussian: f64 = StandardNormal.sample(&mut generator);
                neurons.push(match own == Some(place % d) {
                    true => pretrained.neuron_scale * gaussian.abs(),
                    false => 0.5 * pretrained.neuron_scale * gaussian,
                });
            }
        }
        (grid.with_weights(routers, neurons), roles)
    }

    /// The token of this pattern, `[d]`.
    pub fn token(&self, pattern: usize) -> &[f64] {
        &self.tokens[pattern * self.patterns..][..self.patterns]
    }

    /// The length of a row's key.
    pub fn split(&self) -> usize {
        if self.columns == 1 { self.patterns } else { self.patterns / 2 }
    }

    /// a_s σ_s(v).
    fn value(&self, slot: usize, pattern: usize) -> f64 {
        let neurons = self.rows.expert(slot).chunks_exact(self.patterns);
        let count = neurons.len() as f64;
        self.rows.signs()[slot] * neurons.map(|neuron| neuron[pattern].max(0.0)).sum::<f64>() / count
    }

    /// The best cells by product keys where the grid is whole; else the best of those that are left.
    fn choose(&self, scores: &[f64], token: &[f64], chosen: &mut Vec<usize>) {
        let (split, slots) = (self.split(), self.rows.slots());
        let is_whole = slots.is_multiple_of(self.columns) && self.rows.numbers().last() == Some(&(slots - 1));
        if self.columns == 1 || !is_whole {
            return choose_tokens(scores, self.experts_per_token, chosen);
        }
        let row_keys = (0..slots).step_by(self.columns).map(|slot| &self.rows.router(slot)[..split]);
        let column_keys = (0..self.columns).map(|slot| &self.rows.router(slot)[split..]);
        let by_row: Vec<f64> = row_keys.map(|key| product(key, &token[..split])).collect();
        let by_column: Vec<f64> = column_keys.map(|key| product(key, &token[split..])).collect();
        *chosen = best_cells(&by_row, &by_column, self.experts_per_token);
    }
}

impl OnRows for Peer {
    fn rows(&self) -> &Rows {
        &self.rows
    }

    fn on(&self, rows: Rows) -> Self {
        Self { rows, ..self.clone() }
    }

    fn reads_patterns(&self) -> bool {
        false
    }

    fn trained_by(&self, rates: Rates) -> Box<dyn Engine> {
        Box::new(PeerEngine::new(self.clone(), rates))
    }

    fn visit_routed(&self, batch: &Batch, visit: &mut dyn FnMut(RoutedSample)) {
        for_each_routed(self, batch, visit);
    }
}

impl Tokenwise for Peer {
    fn patterns(&self) -> usize {
        self.patterns
    }

    fn route(&self, pattern: usize, routed: &mut Routed) {
        let (token, split) = (self.token(pattern), self.split());
        let Routed { scores, block, gates, values, carries } = routed;
        scores.clear();
        // Half by half, as product keys have it: the same sums.
        let by_half =
            |router: &[f64]| product(&router[..split], &token[..split]) + product(&router[split..], &token[split..]);
        scores.extend((0..self.rows.slots()).map(|slot| by_half(self.rows.router(slot))));
        self.choose(scores, token, block);
        gates.clear();
        gates.extend(block.iter().map(|&slot| scores[slot]));
        softmax(gates);
        carries.clear();
        carries.extend(block.iter().map(|&slot| self.rows.is_left(slot)));
        values.clear();
        values.extend(block.iter().zip(carries.iter()).map(|(&slot, &carries)| match carries {
            true => self.value(slot, pattern),
            false => 0.0,
        }));
    }

    fn ascend(&mut self, coefficients: &[f64], routed: &[Routed], rates: Rates, samples: usize) {
        let (d, split, slots) = (self.patterns, self.split(), self.rows.slots());
        let tokens = Arc::clone(&self.tokens);
        let mut row_keys = vec![0.0; (self.rows.numbers().last().map_or(0, |cell| cell / self.columns) + 1) * split];
        let mut column_keys = vec![0.0; self.columns * (d - split)];
        let router_step = rates.router / samples as f64;
        let neuron_step = rates.expert / (samples * self.rows.expert(0).len() / d) as f64;
        let of_patterns = routed.iter().zip(coefficients).enumerate();
        for (pattern, (routed, &coefficient)) in of_patterns.filter(|(_, (_, coefficient))| **coefficient != 0.0) {
            let (first, second) = tokens[pattern * d..][..d].split_at(split);
            let mean = routed.mean();
            for (place, &slot) in routed.block.iter().enumerate() {
                let pull = coefficient * routed.gates[place];
                let by = router_step * pull * (routed.values[place] - mean);
                let (row, column) =
                    (self.rows.numbers()[slot] / self.columns, self.rows.numbers()[slot] % self.columns);
                row_keys[row * split..][..split].iter_mut().zip(first).for_each(|(key, x)| *key += by * x);
                column_keys[column * (d - split)..][..d - split]
                    .iter_mut()
                    .zip(second)
                    .for_each(|(key, x)| *key += by * x);
                if routed.carries[place] {
                    let by = neuron_step * pull * self.rows.signs()[slot];
                    let length = self.rows.expert(slot).len();
                    let neurons = self.rows.experts[slot * length..][..length].chunks_exact_mut(d);
                    neurons.filter(|neuron| neuron[pattern] > 0.0).for_each(|neuron| neuron[pattern] += by);
                }
            }
        }
        for slot in 0..slots {
            let (row, column) = (self.rows.numbers()[slot] / self.columns, self.rows.numbers()[slot] % self.columns);
            let moves =
                row_keys[row * split..][..split].iter().chain(&column_keys[column * (d - split)..][..d - split]);
            self.rows.routers[slot * d..][..d].iter_mut().zip(moves).for_each(|(weight, by)| *weight += by);
        }
    }
}
