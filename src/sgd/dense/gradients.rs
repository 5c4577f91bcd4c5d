//! Gradients of the dense engine, and their half-batch contrast.

use super::DenseEngine;
use crate::patterns::Batch;
use crate::sgd::Diverged;
use nalgebra::DMatrix;

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
    /// Samples with y f < 1, those whose α is 1.
    pub active: usize,
}

impl DenseEngine {
    /// The gradients of the batch's mean loss at the present weights, which stay as they are.
    ///
    /// # Errors
    /// [`Diverged`] if f of a sample is no finite number.
    pub fn gradients(&mut self, batch: &Batch) -> Result<Gradients, Diverged> {
        self.forward(batch);
        let (total, active) = self.losses(batch)?;
        let mut routers = DMatrix::zeros(self.routers.nrows(), self.routers.ncols());
        let mut neurons = Vec::with_capacity(self.neurons.len());
        for expert in 0..self.neurons.len() {
            let (of_router, of_neurons) = self.expert_gradients(expert, batch, &active);
            routers.set_row(expert, &of_router.row(0));
            neurons.push(of_neurons);
        }
        Ok(Gradients { routers, neurons, loss: total / samples_or_one(batch), active: active.len() })
    }

    /// The summed loss of the batch that was last passed forward, and its samples with y f < 1.
    fn losses(&self, batch: &Batch) -> Result<(f64, Vec<usize>), Diverged> {
        let mut total = 0.0;
        let mut active = Vec::new();
        for (sample, label) in batch.labels.iter().enumerate() {
            let output: f64 = self.signs.iter().zip(&self.passes).map(|(sign, pass)| sign * pass.means[sample]).sum();
            if !output.is_finite() {
                return Err(Diverged);
            }
            let margin = label * output;
            if margin < 1.0 {
                total += 1.0 - margin;
                active.push(sample);
            }
        }
        Ok((total, active))
    }

    /// The gradients of one expert, `[1, d]` and `[m, d]`: its chosen tokens × their coefficients. Samples that are
    /// not in `active` add nothing.
    fn expert_gradients(&self, expert: usize, batch: &Batch, active: &[usize]) -> (DMatrix<f64>, DMatrix<f64>) {
        let pass = &self.passes[expert];
        let m = self.neurons[expert].nrows();
        let l = self.chosen_per_sample(batch);
        let mut columns = Vec::with_capacity(active.len() * l);
        let mut of_router = DMatrix::zeros(active.len() * l, 1);
        let mut of_neurons = DMatrix::zeros(active.len() * l, m);
        for &sample in active {
            // −∂loss/∂σ̄ of this sample.
            let pull = batch.labels[sample] * self.signs[expert] / samples_or_one(batch);
            for choice in sample * l..(sample + 1) * l {
                let column = columns.len();
                let gated = pull * pass.gates[choice];
                of_router[column] = -gated * (pass.activations[choice] - pass.means[sample]);
                for (neuron, coefficient) in of_neurons.row_mut(column).iter_mut().enumerate() {
                    if pass.preactivations[(neuron, choice)] > 0.0 {
                        *coefficient = -gated / m as f64;
                    }
                }
                columns.push(pass.chosen[choice]);
            }
        }
        let tokens = self.tokens.select_columns(&columns);
        ((&tokens * of_router).transpose(), (&tokens * of_neurons).transpose())
    }

    /// (S_A − S_B′)/B of the batch that was last passed forward, `[k, d]`, where S_A and S_B′ sum −∂ℓ/∂w_s over the first
    /// and the last half of its samples: every chosen token times its coefficient, with the sign of its half.
    ///
    /// # Errors
    /// [`Diverged`] if f of a sample is no finite number.
    pub(super) fn router_contrast(&self, batch: &Batch) -> Result<DMatrix<f64>, Diverged> {
        let (_, active) = self.losses(batch)?;
        let l = self.chosen_per_sample(batch);
        let mut contrast = DMatrix::zeros(self.routers.nrows(), self.routers.ncols());
        for (expert, pass) in self.passes.iter().enumerate() {
            let mut columns = Vec::with_capacity(active.len() * l);
            let mut coefficients = DMatrix::zeros(active.len() * l, 1);
            for &sample in &active {
                let half = if sample < batch.samples() / 2 { 1.0 } else { -1.0 };
                let pull = half * batch.labels[sample] * self.signs[expert] / samples_or_one(batch);
                for choice in sample * l..(sample + 1) * l {
                    let centred = pass.activations[choice] - pass.means[sample];
                    coefficients[columns.len()] = pull * pass.gates[choice] * centred;
                    columns.push(pass.chosen[choice]);
                }
            }
            let of_expert = (self.tokens.select_columns(&columns) * coefficients).transpose();
            contrast.set_row(expert, &of_expert.row(0));
        }
        Ok(contrast)
    }
}

/// B, or 1 for an empty batch, whose loss and gradients are then 0.
fn samples_or_one(batch: &Batch) -> f64 {
    batch.samples().max(1) as f64
}
