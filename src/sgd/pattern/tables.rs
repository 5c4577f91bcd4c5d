//! The model as tables: what a token looks up, by pattern and expert.

use super::cells::Cells;
use super::table::Table;
use crate::moe::Model;
use crate::simd::exp::exp_f64s;
use crate::simd::{Kernel, Lanes, Level};
use aligned_vec::{AVec, ConstAlign};
use pulp::bytemuck::cast_slice;

/// Fields of [`Tables::gates`].
pub(super) mod gate {
    /// exp(u − shift).
    pub(in super::super) const EXPONENTIAL: usize = 0;
    /// exp(u − shift) · σ.
    pub(in super::super) const PRODUCT: usize = 1;
}

/// Fields of [`Tables::values`].
pub(super) mod value {
    /// u, the score.
    pub(in super::super) const SCORE: usize = 0;
    /// σ.
    pub(in super::super) const ACTIVATION: usize = 1;
}

/// Numbers of a (pattern, expert) in [`Tables::values`].
pub(super) const VALUES: usize = 2;

/// The scores and activations, and what follows from them.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    /// The score that each expert's exponentials are taken relative to, by place.
    shifts: Vec<f64>,
    /// a_s by place; 0 past the last expert.
    pub(super) signs: Vec<f64>,
    /// l.
    pub(super) tokens_per_expert: usize,
    /// u − shift rounded to 32 bits, `[d, places]`. Rounding keeps the order but for ties, so keys that do not tie choose
    /// the same tokens as the scores do.
    keys: AVec<f32, ConstAlign<64>>,
    /// What the sums of a gate add up.
    pub(super) gates: Table<2>,
    /// The model itself.
    pub(super) values: Table<VALUES>,
}

impl Tables {
    /// Of a model whose neurons are `cells`, for one level of instructions.
    pub(super) fn new(model: &Model, cells: &Cells, level: Level) -> Self {
        let (k, d, lanes) = (model.experts(), model.patterns, level.lanes());
        let mut values = Table::new(d, k, lanes);
        let places = values.places();
        let mut shifts = vec![0.0; places];
        for (expert, shift) in shifts.iter_mut().enumerate().take(k) {
            *shift = model.router(expert).iter().copied().fold(f64::NEG_INFINITY, f64::max);
        }
        // Experts that are not there have scores that do not tie and exponentials that do not under- or overflow.
        let nobody = |pattern: usize| -(pattern as f64 / d as f64);
        let keys = AVec::from_iter(64, std::iter::repeat_n(0.0, d * places));
        for pattern in 0..d {
            for expert in 0..places {
                let score = if expert < k { model.router(expert)[pattern] } else { nobody(pattern) };
                values.set(pattern, expert, value::SCORE, score);
                values.set(pattern, expert, value::ACTIVATION, cells.activation(pattern, expert));
            }
        }
        let signs = model.signs.iter().copied().chain(std::iter::repeat(0.0)).take(places).collect();
        let gates = Table::new(d, k, lanes);
        let tokens_per_expert = model.tokens_per_expert;
        let mut tables = Self { shifts, signs, tokens_per_expert, keys, gates, values };
        level.run(RefreshAll(&mut tables));
        tables
    }

    /// Blocks of a row.
    #[inline(always)]
    pub(super) fn blocks(&self) -> usize {
        self.values.blocks()
    }

    /// Groups of a row.
    #[inline(always)]
    pub(super) fn groups(&self) -> usize {
        self.values.groups()
    }

    /// The keys: entry pattern · groups + group.
    #[inline(always)]
    pub(super) fn keys<S: Lanes>(&self) -> &[S::Keys] {
        S::as_keys(&self.keys)
    }

    /// Score and activation of a cell, a block of a row, are new: the rest follows.
    #[inline(always)]
    pub(super) fn refresh<S: Lanes>(&mut self, simd: S, cell: usize) {
        let block = cell % self.blocks();
        let values = self.values.cells::<S>()[cell];
        let relative = simd.sub_f64s(values[value::SCORE], S::as_simd_f64s(&self.shifts).0[block]);
        let exponential = exp_f64s(simd, relative);
        let gates = &mut self.gates.cells_mut::<S>()[cell];
        gates[gate::EXPONENTIAL] = exponential;
        gates[gate::PRODUCT] = simd.mul_f64s(exponential, values[value::ACTIVATION]);
        let keys = &mut self.keys[cell * S::F64_LANES..][..S::F64_LANES];
        let relative: &[f64] = cast_slice(std::slice::from_ref(&relative));
        keys.iter_mut().zip(relative).for_each(|(key, &relative)| *key = relative as f32);
    }
}

/// Refreshes every cell.
struct RefreshAll<'a>(&'a mut Tables);

impl Kernel for RefreshAll<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        (0..self.0.keys.len() / S::F64_LANES).for_each(|cell| self.0.refresh(simd, cell));
    }
}
