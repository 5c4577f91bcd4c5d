//! Expectations over fresh inputs at recorded models: exact where all inputs can be listed, else from a sample.

use crate::concentration::{ERROR, noise_radius};
use crate::law::{Inputs, lambdas};
use crate::reading::Reader;
use crate::{EngineKind, Trajectory, tolerance};
use moe_theory::moe::Model;
use moe_theory::patterns::{Batch, Class, Vocabulary};
use moe_theory::sgd::{DenseEngine, Objective, PatternEngine, Rates, TheoryEngine};
use moe_theory::sim::parameters::Basis;

/// Samples where the inputs cannot be listed.
pub const SAMPLES: usize = 4000;

/// Makes an engine that holds a model.
pub type Make<'a> = &'a dyn Fn(&Model, Rates) -> Box<dyn TheoryEngine>;

/// One recorded model before fresh inputs, read from the definition.
#[derive(Clone, Debug)]
pub struct Population {
    /// Steps made before.
    pub iteration: usize,
    /// The inputs.
    pub inputs: Inputs,
    /// E[−∇_{w_s} ℓ] in pattern coordinates, `[k, d]`.
    pub pull: Vec<f64>,
    /// E‖∇_{w_s} ℓ‖², `[k]`.
    pub squares: Vec<f64>,
    /// P[x has o_v, α = 1, o_v ∈ J_s] for both classes, `[k]`.
    pub taken: Vec<[f64; 2]>,
    /// λ_v as the measurement tells it, `[k]`.
    pub lambda: Vec<[f64; 2]>,
}

impl Population {
    /// At the first, the middle and the last model of a run.
    pub fn of(trajectory: &Trajectory) -> Vec<Self> {
        let last = trajectory.models.len() - 1;
        let mut iterations = vec![0, last / 2, last];
        iterations.dedup();
        let inputs = |iteration: usize| {
            let seed = trajectory.seed ^ (0x5eed_0000 + iteration as u64);
            Inputs::all(&trajectory.data).unwrap_or_else(|| Inputs::sample(&trajectory.data, seed, SAMPLES))
        };
        iterations.into_iter().map(|iteration| Self::at(trajectory, iteration, inputs(iteration))).collect()
    }

    /// The model after `iteration` steps, on these inputs.
    pub fn at(trajectory: &Trajectory, iteration: usize, inputs: Inputs) -> Self {
        let model = &trajectory.models[iteration];
        let (k, d) = (model.experts(), model.patterns);
        let reader = Reader::new(model);
        let mut population = Self {
            iteration,
            pull: vec![0.0; k * d],
            squares: vec![0.0; k],
            taken: vec![[0.0; 2]; k],
            lambda: lambdas(&trajectory.data, model),
            inputs,
        };
        let mut single = vec![0.0; d];
        for (sample, &weight) in population.inputs.weights.iter().enumerate() {
            let batch = &population.inputs.batch;
            let reading = reader.read(batch.sample(sample), batch.labels[sample]);
            if !reading.active() {
                continue;
            }
            let class = batch.sample(sample)[batch.class_positions[sample] as usize] as usize;
            for (expert, choice) in reading.choices.iter().enumerate() {
                reader.add_pull(&reading, expert, 1.0, &mut single);
                // A pattern that was taken twice is 0 when met again.
                for &(pattern, gate) in &choice.taken {
                    let g = std::mem::take(&mut single[pattern]);
                    population.pull[expert * d + pattern] += weight * g;
                    population.squares[expert] += weight * g * g;
                    if pattern == class && gate > 0.0 {
                        population.taken[expert][class] += weight;
                    }
                }
            }
        }
        population
    }

    /// E[−∇_{w_s} ℓ] of one expert, `[d]`.
    pub fn expert_pull(&self, expert: usize, patterns: usize) -> &[f64] {
        &self.pull[expert * patterns..][..patterns]
    }

    /// How far the mean of the expert's gradients may lie from the expectation: rounding, and with a sample the radius
    /// that it leaves with probability [`ERROR`].
    pub fn radius(&self, trajectory: &Trajectory, expert: usize) -> f64 {
        let rounding = tolerance::expectation(&trajectory.models[self.iteration], expert);
        let range = trajectory.ranges[self.iteration][expert];
        if self.inputs.exact { rounding } else { rounding + noise_radius(range, 1, self.inputs.weights.len(), ERROR) }
    }
}

/// What a check reads that looks beyond the recorded steps.
#[derive(Clone, Copy)]
pub struct Study<'a> {
    /// The run.
    pub trajectory: &'a Trajectory,
    /// Expectations at some of its models.
    pub populations: &'a [Population],
    /// The engine that trained it, for other models: pruned ones, or the recorded ones once more.
    pub make: Make<'a>,
}

impl Study<'_> {
    /// Runs `check` on a run of a real engine.
    pub fn with<R>(trajectory: &Trajectory, kind: EngineKind, check: impl FnOnce(&Study) -> R) -> R {
        let make = |model: &Model, rates| real_engine(kind, model, rates);
        check(&Study { trajectory, populations: &Population::of(trajectory), make: &make })
    }

    /// The gradient step that the engine makes from `model` on `batch` at rate 1: the mean of −∇_{w_s} ℓ, `[k, d]`;
    /// `None` if it diverges.
    pub fn engine_pull(&self, model: &Model, batch: &Batch) -> Option<Vec<f64>> {
        let mut engine = (self.make)(model, Rates { router: 1.0, expert: 1.0 });
        engine.step(batch, &Objective::default()).ok()?;
        Some(engine.routers().iter().zip(&model.routers).map(|(after, before)| after - before).collect())
    }

    /// f of every sample, by the engine.
    pub fn engine_outputs(&self, model: &Model, batch: &Batch) -> Vec<f64> {
        if model.experts() == 0 {
            return vec![0.0; batch.samples()];
        }
        let mut outputs = Vec::new();
        (self.make)(model, self.trajectory.rates).outputs(batch, &mut outputs);
        outputs.chunks_exact(model.experts()).map(|of_experts| of_experts.iter().sum()).collect()
    }
}

/// One of the library's engines. The dense one is put on the canonical basis, where equal scores stay equal: the model
/// is given by pattern coordinates, and these decide its ties.
pub fn real_engine(kind: EngineKind, model: &Model, rates: Rates) -> Box<dyn TheoryEngine> {
    match kind {
        EngineKind::Pattern => Box::new(PatternEngine::new(model, rates)),
        EngineKind::Dense => {
            Box::new(DenseEngine::new(model, Vocabulary::new(model.patterns, Basis::Canonical, 0), rates))
        }
    }
}

/// The class that an expert of sign `sign` votes for.
pub fn own_class(sign: f64) -> Class {
    if sign > 0.0 { Class::One } else { Class::Two }
}
