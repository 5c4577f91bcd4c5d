//! Gradients of the dense engine.

use super::DenseEngine;
use super::experts::{Dead, Passes};
use super::tokens::as_lines;
use crate::patterns::Batch;
use crate::sgd::{Diverged, Loss};
use crate::simd::panels::{LINE, Panels, Rows};
use crate::simd::product::{add_combination, add_transposed};
use crate::simd::{Kernel, Lanes};
use nalgebra::DMatrix;
use pulp::Simd;

/// The gradients of a batch's mean loss (1/B) Σ max(0, 1 − y f), in ambient coordinates, with what the loss was.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// ∂/∂w_s = −(1/B) Σ_samples α y a_s Σ_{j∈J_s} G_j (σ_s(x⁽ʲ⁾) − σ̄) x⁽ʲ⁾ in row s, `[k, d]`.
    pub routers: DMatrix<f64>,
    /// ∂/∂w_{s,r} = −(1/B) Σ_samples α (y a_s/m) Σ_{j∈J_s} G_j 1[⟨w_{s,r}, x⁽ʲ⁾⟩ > 0] x⁽ʲ⁾ in row r of matrix s, k
    /// matrices `[m, d]`.
    pub neurons: Vec<DMatrix<f64>>,
    /// The mean loss.
    pub loss: f64,
    /// Samples with a gradient; by the hinge loss those with y f < 1.
    pub active: usize,
}

/// What goes back, and the gradients of the expert that was last gone through.
#[derive(Clone, Debug)]
pub(super) struct Backward {
    /// The samples with a gradient.
    pub(super) active: Vec<usize>,
    /// −∂ℓ/∂f of each of them.
    pulls: Vec<f64>,
    /// ∂/∂w_s over the samples of the first half of the batch, `[d]`, padded.
    pub(super) first_half: Vec<f64>,
    /// ∂/∂w_s over the whole batch, `[d]`, padded: the sum of the first half, gone on with.
    pub(super) router: Vec<f64>,
    /// ∂/∂w_{s,r} in column r, `[d, m]`.
    pub(super) neurons: Panels,
    scratch: Scratch,
}

/// The active choices of one expert.
#[derive(Clone, Debug)]
pub(super) struct Scratch {
    /// The first lines of their tokens.
    starts: Vec<usize>,
    /// What of each token goes into the router's gradient.
    of_router: Vec<f64>,
    /// What of each token goes into each neuron's gradient, `[active choices, m]`.
    of_neurons: Panels,
}

impl Backward {
    pub(super) fn new(patterns: usize, neurons_per_expert: usize) -> Self {
        let length = patterns.next_multiple_of(LINE);
        Self {
            active: Vec::new(),
            pulls: Vec::new(),
            first_half: vec![0.0; length],
            router: vec![0.0; length],
            neurons: Panels::zeros(length, neurons_per_expert),
            scratch: Scratch {
                starts: Vec::new(),
                of_router: Vec::new(),
                of_neurons: Panels::zeros(0, neurons_per_expert),
            },
        }
    }
}

/// One expert's way back through a batch that was passed forward.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) expert: usize,
    /// a_s.
    pub(super) sign: f64,
    pub(super) batch: &'a Batch,
    pub(super) passes: &'a Passes,
    /// The tokens of the batch.
    pub(super) tokens: &'a [f64],
}

impl Backward {
    /// The gradients of one expert: its chosen tokens × their coefficients. Samples that are not active add nothing.
    #[inline(always)]
    pub(super) fn expert<S: Simd>(&mut self, simd: S, way: Way<'_>) {
        let active_choices = self.active.len() * way.passes.choices;
        self.scratch.of_neurons.set_rows(active_choices);
        self.scratch.collect(simd, way, &self.active, &self.pulls);
        let Scratch { starts, of_router, of_neurons } = &self.scratch;
        let rows = Rows { numbers: as_lines(way.tokens), starts, lines: self.router.len() / LINE };
        self.neurons.numbers_mut().fill(0.0);
        add_transposed(simd, rows, of_neurons, &mut self.neurons);

        let half = self.active.partition_point(|&sample| sample < way.batch.samples() / 2) * way.passes.choices;
        self.first_half.fill(0.0);
        add_combination(simd, &of_router[..half], Rows { starts: &starts[..half], ..rows }, &mut self.first_half);
        self.router.copy_from_slice(&self.first_half);
        add_combination(simd, &of_router[half..], Rows { starts: &starts[half..], ..rows }, &mut self.router);
    }
}

impl Scratch {
    /// Writes the coefficients of the active choices.
    #[inline(always)]
    fn collect<S: Simd>(&mut self, simd: S, way: Way<'_>, active: &[usize], pulls: &[f64]) {
        let Way { expert, sign, batch, passes, .. } = way;
        let share = 1.0 / self.of_neurons.columns() as f64;
        self.starts.clear();
        self.of_router.clear();
        for (&sample, pull) in active.iter().zip(pulls) {
            // −∂loss/∂σ̄ of this sample.
            let pull = pull * sign / samples_or_one(batch);
            let first = passes.first_choice(expert, sample);
            for choice in first..first + passes.choices {
                let gated = pull * passes.gates[choice];
                let row = self.starts.len();
                self.starts.push(passes.chosen[choice]);
                self.of_router.push(-gated * (passes.activations[choice] - passes.mean(expert, sample)));
                write_row(simd, &mut self.of_neurons, row, -gated * share, passes.dead(choice));
            }
        }
    }
}

/// Row `row` of `panels` becomes `value`, 0 at dead neurons.
#[inline(always)]
fn write_row<S: Simd>(simd: S, panels: &mut Panels, row: usize, value: f64, dead: &[Dead]) {
    let (zero, value) = (simd.splat_u64s(0), simd.splat_f64s(value));
    for (first, columns, panel) in panels.panels_mut() {
        for (line, numbers) in panel[row * columns..][..columns].chunks_exact_mut(LINE).enumerate() {
            let line = first / LINE + line;
            let bit = simd.splat_u64s(1 << (line % 64));
            let words = S::as_simd_u64s(&dead[line / 64]).0;
            for (number, &word) in S::as_mut_simd_f64s(numbers).0.iter_mut().zip(words) {
                let is_alive = simd.equal_u64s(simd.and_u64s(word, bit), zero);
                *number = simd.select_f64s(is_alive, value, simd.splat_f64s(0.0));
            }
        }
    }
}

/// [`Backward::expert`] as a kernel of its own.
struct Expert<'a> {
    backward: &'a mut Backward,
    way: Way<'a>,
}

impl Kernel for Expert<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        self.backward.expert(simd, self.way);
    }
}

impl DenseEngine {
    /// The gradients of the batch's mean hinge loss at the present weights, which stay as they are.
    ///
    /// # Errors
    /// [`Diverged`] if f of a sample is no finite number.
    pub fn gradients(&mut self, batch: &Batch) -> Result<Gradients, Diverged> {
        self.forward(batch);
        let loss = self.losses(batch, Loss::default())?;
        let (d, m) = (self.vocabulary.patterns(), self.neurons_per_expert);
        let mut routers = DMatrix::zeros(self.signs.len(), d);
        let mut neurons = Vec::with_capacity(self.signs.len());
        for (expert, &sign) in self.signs.iter().enumerate() {
            let way = Way { expert, sign, batch, passes: &self.passes, tokens: &self.tokens.numbers };
            self.level.run(Expert { backward: &mut self.backward, way });
            let router = self.backward.router.iter().take(d).copied();
            routers.set_row(expert, &nalgebra::RowDVector::from_iterator(d, router));
            neurons.push(DMatrix::from_row_slice(m, d, &self.backward.neurons.to_columns(d)));
        }
        Ok(Gradients { routers, neurons, loss, active: self.backward.active.len() })
    }

    /// The mean loss of the batch that was last passed forward; notes its samples with a gradient.
    ///
    /// # Errors
    /// [`Diverged`] if f of a sample is no finite number.
    pub(super) fn losses(&mut self, batch: &Batch, loss: Loss) -> Result<f64, Diverged> {
        let mut total = 0.0;
        self.backward.active.clear();
        self.backward.pulls.clear();
        for (sample, label) in batch.labels.iter().enumerate() {
            let experts = self.signs.iter().enumerate();
            let output: f64 = experts.map(|(expert, sign)| sign * self.passes.mean(expert, sample)).sum();
            if !output.is_finite() {
                return Err(Diverged);
            }
            let (of_sample, pull) = loss.at(*label, output);
            total += of_sample;
            if pull != 0.0 {
                self.backward.active.push(sample);
                self.backward.pulls.push(pull);
            }
        }
        Ok(total / samples_or_one(batch))
    }
}

/// B, or 1 for an empty batch, whose loss and gradients are then 0.
fn samples_or_one(batch: &Batch) -> f64 {
    batch.samples().max(1) as f64
}
